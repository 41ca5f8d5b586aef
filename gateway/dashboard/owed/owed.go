// Package owed is the page of what the provider owes an authority: what is overdue first, then by when it is due; and of what ended. It
// decides nothing: what opens an obligation and when it is due is obligations', who may end it the table of permissions'.
package owed

import (
	_ "embed"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/waiting"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/obligations"
)

//go:embed page.html
var pageHTML string

var page = frame.Parse(waiting.Parts + waiting.Owed + pageHTML)

// Here is the page's address.
const Here = "/obligations"

type view struct {
	Done    string
	Ended   bool // those that ended are shown, and not those that are open
	Overdue int
	All     []waiting.Obligation
	More    bool // there are more than are shown
}

// most is how many obligations are shown.
const most = 200

// Handler serves the page; with ?state=ended, of what ended.
func Handler(f frame.Frame, cases officer.Cases, self envelope.Entity, now func() time.Time) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, at := c.UserContext(), now()
		shown := view{Done: waiting.Done(c), Ended: c.Query("state") == "ended"}
		wanted := docket.Wanted{State: obligations.Open}
		if shown.Ended {
			wanted.State = obligations.State(obligations.Fulfilled)
		}
		found, err := cases.Obligations(ctx, wanted, nil, most+1)
		if err != nil {
			return err
		}
		shown.More = len(found) > most
		for _, o := range found[:min(len(found), most)] {
			name := ""
			if o.About != self {
				name = string(o.About)
			}
			if o.State(at) == obligations.Overdue {
				shown.Overdue++
			}
			shown.All = append(shown.All, waiting.ObligationOf(ctx, officer.ObligationOf(o, at), name, Here, at))
		}
		return f.Show(c, frame.Page{Title: "Obligations", Template: page, View: shown})
	}
}
