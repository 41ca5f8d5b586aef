// Package dashboard is what people see of the gateway in a browser: the list of resellers, the history of
// one and its customers, the page on which to sign in, and the public pages that explain how to enrol and on which a contact
// confirms that it is reached. Each page is a folder with its template, a pure function that fills its view, and a handler.
//
// It reads the docket and the ledger. It decides nothing; what an officer states by a form goes to the desk, by the same permissions
// as over /v1. It words entries with the same
// sentences as /v1 does (officer.Tell). Pages work without script; htmx only keeps them fresh.
package dashboard

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/dashboard/answer"
	"github.com/cipgate/cipgate/gateway/dashboard/assets"
	"github.com/cipgate/cipgate/gateway/dashboard/confirm"
	"github.com/cipgate/cipgate/gateway/dashboard/customers"
	"github.com/cipgate/cipgate/gateway/dashboard/enrol"
	"github.com/cipgate/cipgate/gateway/dashboard/fault"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/notices"
	"github.com/cipgate/cipgate/gateway/dashboard/ordered"
	"github.com/cipgate/cipgate/gateway/dashboard/outages"
	"github.com/cipgate/cipgate/gateway/dashboard/owed"
	"github.com/cipgate/cipgate/gateway/dashboard/policies"
	"github.com/cipgate/cipgate/gateway/dashboard/reseller"
	"github.com/cipgate/cipgate/gateway/dashboard/resellers"
	"github.com/cipgate/cipgate/gateway/dashboard/signin"
	"github.com/cipgate/cipgate/gateway/dashboard/waiting"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Docket is what the dashboard reads of the resellers' files.
type Docket interface {
	List(ctx context.Context, after *docket.Place, limit int) ([]docket.Line, error)
	officer.Cases
	officer.Orders
	Outlook(file docket.File) (escalation.Prospect, error)
	Customers(ctx context.Context, reseller envelope.ID, wanted docket.CustomerFilter, after *docket.CustomerPlace, limit int) ([]history.Customer, error)
}

// Ledger is what the dashboard reads of the ledger.
type Ledger interface {
	officer.Chronicle
	Latest(ctx context.Context, id envelope.ID, before int64, limit int) ([]statement.Entry, error)
	Size(ctx context.Context) (int64, error)
}

// Config is what a dashboard works with.
type Config struct {
	Docket Docket
	Ledger Ledger
	// Acts is what officers do by the forms of the pages.
	Acts officer.Acts
	// Contacts judges the links by which contacts confirm that they are reached.
	Contacts confirm.Contacts
	// Answers is what contacts do over the links of their mails.
	Answers answer.Answers
	// Outbox is what resellers were told.
	Outbox notices.Outbox
	// Tokens is by which the provider's own systems are registered, for as long as they last.
	Tokens  notices.Tokens
	Reached officer.Reached      // when orders were delivered
	Policy  func() policy.Policy // in force
	// Rehearsal is how a policy that was proposed is put in force.
	Rehearsal policies.Rehearsal
	Now       func() time.Time // the gateway's clock, in a sandbox the one that can be moved
	Wall      func() time.Time // the machine's, by which tokens expire
	Entity    envelope.Entity
	Sandbox   bool
	Version   string
}

// Dashboard serves the pages of one gateway.
type Dashboard struct {
	config Config
	frame  frame.Frame
}

// New makes a dashboard.
func New(config Config) *Dashboard {
	return &Dashboard{config: config, frame: frame.Frame{
		Entity: config.Entity, Sandbox: config.Sandbox, Version: config.Version, Log: config.Ledger, Now: config.Now,
	}}
}

// Mount registers the pages and what they load. signedIn comes before each page that shows something of the
// resellers. Mount it last: an address that nothing serves is then answered to browsers with a page too.
func (d *Dashboard) Mount(router fiber.Router, signedIn fiber.Handler) {
	router.Use(fault.Pages(d.frame))
	assets.Mount(router)
	router.Get("/sign-in", signin.Handler(d.frame))
	router.Get("/enrol", enrol.Handler(d.frame, d.config.Policy))
	confirm.Mount(router, d.frame, d.config.Contacts)
	answer.Pages{Frame: d.frame, Answers: d.config.Answers, Secure: strings.HasPrefix(string(d.config.Entity), "https:")}.Mount(router)
	router.Get(waiting.Here, signedIn, waiting.Handler(d.frame, d.config.Docket, d.config.Acts, d.config.Now))
	router.Get(owed.Here, signedIn, owed.Handler(d.frame, d.config.Docket, d.config.Entity, d.config.Now))
	router.Get(ordered.Here, signedIn, ordered.Handler(d.frame, d.config.Docket, d.config.Reached, d.config.Now))
	router.Get(outages.Here, signedIn, outages.Handler(d.frame, d.config.Ledger, d.config.Entity, d.config.Now))
	policies.Pages{Frame: d.frame, Rehearsal: d.config.Rehearsal, Now: d.config.Now}.Mount(router, signedIn)
	router.Post("/acts", signedIn, waiting.Post(d.config.Acts))
	router.Get("/resellers", signedIn, resellers.Handler(d.frame, d.config.Docket, d.config.Now))
	router.Get("/resellers/:id/customers", signedIn, customers.Handler(d.frame, d.config.Docket, d.config.Now))
	notices.Pages{Frame: d.frame, Docket: d.config.Docket, Outbox: d.config.Outbox, Tokens: d.config.Tokens, Now: d.config.Now, Wall: d.config.Wall}.Mount(router, signedIn)
	router.Get("/resellers/:id", signedIn, reseller.Handler(d.frame, reseller.Sources{
		Docket: d.config.Docket, Ledger: d.config.Ledger, Outbox: d.config.Outbox, Reached: d.config.Reached, Self: d.config.Entity, Policy: d.config.Policy, Now: d.config.Now,
	}))
}

// Home answers a browser on /.
func (d *Dashboard) Home(c *fiber.Ctx) error {
	return c.Redirect("/resellers", fiber.StatusSeeOther)
}

// Frame is the frame of these pages, for pages that others bring.
func (d *Dashboard) Frame() frame.Frame { return d.frame }
