// Package outages is the page of the times in which the gateway itself could take no submissions, as the ledger has them. It decides
// nothing: what an outage is, is measured by resellers/outages; what it gives back is the escalation's.
package outages

import (
	_ "embed"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/officer"
)

//go:embed page.html
var pageHTML string

var page = frame.Parse(pageHTML)

// Here is the page's address.
const Here = "/outages"

type view struct {
	All []outage // the newest first
}

type outage struct {
	From, To frame.Moment
	Lasted   string
	Why      string
	Entry    int64
	Receipt  string
}

// most is how many outages the page reads: a gateway with more has other troubles than a page that shows the earliest.
const most = 10_000

// Handler serves the page.
func Handler(f frame.Frame, ledger officer.Chronicle, self envelope.Entity, now func() time.Time) fiber.Handler {
	return func(c *fiber.Ctx) error {
		found, _, err := officer.Outages(c.UserContext(), ledger, self, 0, most)
		if err != nil {
			return err
		}
		var shown view
		for _, o := range slices.Backward(found) {
			shown.All = append(shown.All, outage{From: frame.MomentOf(o.From, now()), To: frame.MomentOf(o.To, now()), Lasted: o.To.Sub(o.From).String(),
				Why: o.Why, Entry: o.LeafIndex, Receipt: "/receipts/" + o.Digest})
		}
		return f.Show(c, frame.Page{Title: "Outages", Template: page, View: shown})
	}
}
