// Package confirm is the page behind the link by which a reseller's contact confirms that the provider reaches it. Whoever holds
// the link may confirm; registry judges the link. Opening the page changes nothing, since mail servers open links too: the
// contact says so with a button. It needs no script.
package confirm

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/registry"
)

//go:embed page.html
var pageHTML string

var page = frame.Parse(pageHTML)

// Contacts is who judges the links.
type Contacts interface {
	AskedContact(ctx context.Context, token string) (registry.Entity, registry.Confirmation, error)
	ConfirmContact(ctx context.Context, token string) (registry.Entity, error)
}

type view struct {
	Gateway   envelope.Entity
	Token     string // of the link that was opened; empty if the page was opened without one
	Name      string // the reseller's
	Entity    envelope.Entity
	Contact   string
	Second    bool         // it is told only what the first contact does not answer
	Until     frame.Moment // the link holds
	Confirmed frame.Moment // when it was confirmed, just now or before
	Done      bool
}

// Mount registers GET /confirm/{token}, GET /confirm for whoever has the token alone, and POST /confirm, which both send.
func Mount(router fiber.Router, f frame.Frame, contacts Contacts) {
	router.Get("/confirm", func(c *fiber.Ctx) error { return show(c, f, view{Gateway: f.Entity}) })
	router.Get("/confirm/:token", func(c *fiber.Ctx) error {
		token := strings.Clone(c.Params("token"))
		entity, asked, err := contacts.AskedContact(c.UserContext(), token)
		if err != nil {
			return err
		}
		return show(c, f, view{Gateway: f.Entity, Token: token, Name: entity.Name, Entity: entity.Entity, Contact: asked.Contact,
			Second: asked.Contact != entity.Contact, Until: frame.MomentOf(asked.ExpiresAt, f.Now())})
	})
	router.Post("/confirm", func(c *fiber.Ctx) error {
		form, err := url.ParseQuery(string(c.BodyRaw()))
		if err != nil {
			return fmt.Errorf("%w: the form must be application/x-www-form-urlencoded with the member token", problem.ErrRequest)
		}
		token := strings.TrimSpace(form.Get("token"))
		known, asked, err := contacts.AskedContact(c.UserContext(), token)
		if err != nil {
			return err
		}
		entity, err := contacts.ConfirmContact(c.UserContext(), token)
		if err != nil {
			return err
		}
		return show(c, f, view{Gateway: f.Entity, Name: entity.Name, Entity: entity.Entity, Contact: entity.Contact, Second: asked.Contact != known.Contact, Done: true,
			Confirmed: frame.MomentOf(entity.ContactConfirmedAt, f.Now())})
	})
}

func show(c *fiber.Ctx, f frame.Frame, v view) error {
	return f.Show(c, frame.Page{Title: "Confirm that you are reached", Template: page, View: v, Public: true})
}
