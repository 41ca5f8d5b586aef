// Package notices is the pages about what one reseller was told, and about what could not be brought to anybody: each notice, by which channels it went, what became of each try, and
// what proves that it came. An officer tries again what is parked. It decides nothing: who is told what, and what proves it, is
// delivery's.
package notices

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/notices"
)

// Docket is where the reseller's file comes from.
type Docket interface {
	Open(ctx context.Context, id envelope.ID) (docket.File, error)
}

// Outbox is where its notices are.
type Outbox interface {
	Notices(ctx context.Context, audience notices.Audience, after int64, limit int) ([]delivery.Notice, error)
	Channels(ctx context.Context, about envelope.Entity, jtis []string) (map[string]delivery.Channels, error)
	Retry(ctx context.Context, audience notices.Audience, sequence int64) (delivery.Notice, error)
	Outbox(ctx context.Context, state delivery.State, after string, limit int) ([]delivery.Outgoing, error)
	AllStreams(ctx context.Context, after string, limit int) ([]delivery.StreamLine, error)
	Expiring(ctx context.Context, before time.Time) ([]delivery.Expiring, error)
}

// Tokens is by which the provider's own systems are registered.
type Tokens interface {
	Tokens(ctx context.Context, officer string) ([]auth.Token, error)
	ExtendToken(ctx context.Context, by statement.Officer, label string, life time.Duration, reason string) (auth.Token, error)
}

// Pages serves the page of one gateway.
type Pages struct {
	Frame  frame.Frame
	Docket Docket
	Outbox Outbox
	Tokens Tokens
	Now    func() time.Time
	Wall   func() time.Time // the clock by which tokens expire, also in a sandbox
}

//go:embed page.html
var pageHTML string

var page = frame.Parse(Parts + pageHTML)

// pageSize is how many notices one page shows.
const pageSize = 50

// Mount registers the pages and what they do. signedIn comes before both.
func (p Pages) Mount(router fiber.Router, signedIn fiber.Handler) {
	router.Get("/resellers/:id/notices", signedIn, p.show)
	router.Post("/resellers/:id/notices/:notice/retry", signedIn, p.retry)
	router.Get("/outbox", signedIn, p.outbox)
	router.Post("/outbox/tokens", signedIn, p.extendToken)
	router.Post("/outbox/:id/retry", signedIn, p.retryOutgoing)
}

func (p Pages) file(c *fiber.Ctx) (docket.File, error) {
	id, err := envelope.ParseID(c.Params("id"))
	if err != nil {
		return docket.File{}, fmt.Errorf("%w: no reseller has such an id", problem.ErrNoSuchPage)
	}
	return p.Docket.Open(c.UserContext(), id)
}

func (p Pages) show(c *fiber.Ctx) error {
	file, err := p.file(c)
	if err != nil {
		return err
	}
	after := int64(0)
	if asked := c.Query("after"); asked != "" {
		if after, err = strconv.ParseInt(asked, 10, 64); err != nil || after < 0 {
			return fmt.Errorf("%w: after: wanted the number of a notice", problem.ErrRequest)
		}
	}
	found, err := p.Outbox.Notices(c.UserContext(), notices.OfReseller(file.Entity), after, pageSize+1)
	if err != nil {
		return err
	}
	jtis := make([]string, len(found))
	for i, one := range found {
		jtis[i] = one.JTI
	}
	ways, err := p.Outbox.Channels(c.UserContext(), file.Entity, jtis)
	if err != nil {
		return err
	}
	shown := fill(file, found, ways, pageSize, p.Now())
	return p.Frame.Show(c, frame.Page{Title: "Notices to " + shown.Name, Template: page, View: shown})
}

func (p Pages) retry(c *fiber.Ctx) error {
	if _, err := auth.Need(c.UserContext(), auth.Member); err != nil {
		return err
	}
	file, err := p.file(c)
	if err != nil {
		return err
	}
	sequence, err := strconv.ParseInt(c.Params("notice"), 10, 64)
	if err != nil || sequence < 1 {
		return fmt.Errorf("%w: wanted the number of a notice", problem.ErrRequest)
	}
	if _, err := p.Outbox.Retry(c.UserContext(), notices.OfReseller(file.Entity), sequence); err != nil {
		return err
	}
	return c.Redirect(fmt.Sprintf("/resellers/%s/notices?after=%d#notice-%d", file.ID(), max(0, sequence-pageSize), sequence), fiber.StatusSeeOther)
}
