// Package events is the door for submissions: POST /events (RFC 8935 push), its dry run, and streams of many. It reads
// the request, asks intake, and answers; it decides nothing about the statement.
package events

import (
	"context"
	"fmt"
	"log/slog"
	"mime"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/gateway/problem"
)

// MediaType is that of a pushed SET (RFC 8417, section 7.2).
const MediaType = "application/secevent+jwt"

// Road is where a submission goes; intake.Road is one.
type Road interface {
	Accept(ctx context.Context, raw []byte) (intake.Accepted, error)
}

// Stream is where streams and dry runs go; intake.Road is one.
type Stream interface {
	Inspect(ctx context.Context, raw []byte) (intake.Inspection, error)
	InspectClaims(ctx context.Context, claims []byte) (intake.Inspection, error)
	Bulk(ctx context.Context, draining <-chan struct{}, next func() (intake.Line, error), answer func([]intake.Outcome) error) error
}

// Counts is told what became of each line of a stream; signals.Counts is one.
type Counts interface {
	Accepted(again bool)
	Refused(p problem.Problem, err error)
}

// Doors are what the routes lead to.
type Doors struct {
	Road   Road
	Stream Stream // takes streams, and looks at dry runs
	Counts Counts
	// Preview foresees what a statement would change.
	Preview Previewer
	// Knows says whether a bearer is an API token, so that its holder may know how any reseller stands.
	Knows func(ctx context.Context, token string) bool
	// Gateway is the gateway itself, below which the provider's own systems are named.
	Gateway envelope.Entity
	// LineTimeout is how long one line of a stream may take to come in, and a part of the answer to be taken: who is
	// slower holds the connection no longer.
	LineTimeout time.Duration
	Now         func() time.Time // the wall clock, also in a sandbox: deadlines of connections are real
	Log         *slog.Logger
}

// Mount registers the routes.
func (d Doors) Mount(router fiber.Router) {
	router.Post("/events", d.push)
	router.Post("/events/validate", d.validate)
	router.Post("/events/bulk", d.bulk)
}

func (d Doors) push(c *fiber.Ctx) error {
	if err := RequireMediaType(c, MediaType); err != nil {
		return err
	}
	// BodyRaw, never Body: Body inflates without a limit. The road keeps no byte of it (envelope.Parse copies).
	accepted, err := d.Road.Accept(c.UserContext(), c.BodyRaw())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, "/receipts/"+accepted.Digest.String())
	if _, bySystem := envelope.SystemLabel(d.Gateway, accepted.Issuer); !bySystem { // the provider's own systems have no standing
		c.Set(fiber.HeaderLink, `</v1/me/standing>; rel="status"`)
	}
	c.Status(fiber.StatusAccepted)
	return nil
}

// RequireMediaType refuses a request whose Content-Type is not wanted, or that has a Content-Encoding: what
// is signed is read as it came, and nothing is inflated.
func RequireMediaType(c *fiber.Ctx, wanted string) error {
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" {
		return fmt.Errorf("%w: Content-Encoding: wanted none, got %.40q. Send the body as it is, not compressed", problem.ErrMediaType, encoding)
	}
	got := c.Get(fiber.HeaderContentType)
	if got == wanted {
		return nil
	}
	media, _, err := mime.ParseMediaType(got)
	if err != nil || !strings.EqualFold(media, wanted) {
		return fmt.Errorf("%w: Content-Type: wanted %s, got %.80q. Set the header Content-Type: %s", problem.ErrMediaType, wanted, got, wanted)
	}
	return nil
}
