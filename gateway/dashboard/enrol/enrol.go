// Package enrol is the page behind an invitation's address: what a reseller makes, signs and sends to enrol,
// with the values filled in. It is public and shows nothing of any reseller. The invitation's token stands in
// the address behind #, so it never reaches this page's handler; registry judges it when it is used.
package enrol

import (
	_ "embed"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/resellers/policy"
)

//go:embed page.html
var pageHTML string

var page = frame.Parse(pageHTML)

type view struct {
	Gateway          envelope.Entity
	FirstAttestation string // "30 days", empty if the policy sets no such time
}

func fill(f frame.Frame, rules policy.Policy) view {
	v := view{Gateway: f.Entity}
	if rule := rules.Rules.CIPMissing; rule.On {
		v.FirstAttestation = frame.Count(int64(time.Duration(rule.After.Value)/day), "day", "days")
	}
	return v
}

const day = 24 * time.Hour

// Handler serves the page.
func Handler(f frame.Frame, rules func() policy.Policy) fiber.Handler {
	return func(c *fiber.Ctx) error {
		return f.Show(c, frame.Page{Title: "Enrol", Template: page, View: fill(f, rules()), Scripts: []string{"enrol.js"}, Public: true})
	}
}
