// Package policies is the page of a policy that was proposed: what was counted when it was, what would move now and what of that is
// otherwise, and the form by which a second person puts it in force. It decides nothing: who may, and whether that is what was shown, is
// rehearsal's.
package policies

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/waiting"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/resellers/rehearsal"
)

//go:embed page.html
var pageHTML string

var page = frame.Parse(waiting.Parts + pageHTML)

// Rehearsal is what the page asks and does.
type Rehearsal interface {
	Proposal(ctx context.Context, id string) (rehearsal.Proposal, error)
	Consequences(ctx context.Context, p policy.Policy) (backtest.Moves, error)
	Pending(ctx context.Context, by statement.Officer, p policy.Policy, moves backtest.Moves) (rehearsal.Pending, error)
	Activate(ctx context.Context, by statement.Officer, p policy.Policy, shown, reason string) (rehearsal.Activated, error)
}

// Pages serves the page and takes its form.
type Pages struct {
	Frame     frame.Frame
	Rehearsal Rehearsal
	Now       func() time.Time
}

// Mount registers them. signedIn comes before.
func (p Pages) Mount(router fiber.Router, signedIn fiber.Handler) {
	router.Get(waiting.PolicyPage(":proposal"), signedIn, p.show)
	router.Post(waiting.PolicyPage(":proposal"), signedIn, p.activate)
}

func (p Pages) show(c *fiber.Ctx) error {
	ctx := c.UserContext()
	proposed, err := p.Rehearsal.Proposal(ctx, strings.Clone(c.Params("proposal")))
	if err != nil {
		return err
	}
	shown := viewOf(proposed, p.Now())
	shown.Done = c.Query("done") != ""
	if !proposed.Withdrawn.IsZero() {
		return p.Frame.Show(c, frame.Page{Title: "A proposed policy", Template: page, View: shown})
	}
	// Judging every reseller twice is work, and what comes of it is no viewer's.
	by, denied := officer.Permit(ctx, "show-consequences")
	if denied != nil || shown.Done {
		shown.WhyNot = "What moves now is shown to officers, approvers and administrators."
		return p.Frame.Show(c, frame.Page{Title: "A proposed policy", Template: page, View: shown})
	}
	if err := p.count(ctx, by, proposed, &shown); err != nil {
		return err
	}
	return p.Frame.Show(c, frame.Page{Title: "A proposed policy", Template: page, View: shown})
}

// count fills in what moves now, and whether who asks may put it in force. That it can come into force no more is no error of the page.
func (p Pages) count(ctx context.Context, by statement.Officer, proposed rehearsal.Proposal, shown *view) error {
	file, err := rehearsal.Document(proposed.Document)
	if err != nil {
		return err
	}
	moves, err := p.Rehearsal.Consequences(ctx, file)
	if errors.Is(err, rehearsal.ErrRefused) {
		shown.WhyNot = officer.Sentence(err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	shown.counted(moves)
	shown.Mine = proposed.By.ID == by.ID
	pending, err := p.Rehearsal.Pending(ctx, by, file, moves)
	if errors.Is(err, rehearsal.ErrNotProposed) {
		shown.WhyNot = officer.Sentence(err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	shown.Drifts = pending.Differs
	if err := officer.MayActivate(ctx, pending); err != nil {
		shown.WhyNot = officer.Sentence(err.Error())
		return nil
	}
	shown.May = true
	return nil
}

func (p Pages) activate(c *fiber.Ctx) error {
	ctx := c.UserContext()
	by, err := officer.Permit(ctx, "activate-policy")
	if err != nil {
		return err
	}
	values, err := url.ParseQuery(string(c.BodyRaw()))
	if err != nil {
		return fmt.Errorf("%w: the form must be application/x-www-form-urlencoded", problem.ErrRequest)
	}
	id := strings.Clone(c.Params("proposal"))
	proposed, err := p.Rehearsal.Proposal(ctx, id)
	if err != nil {
		return err
	}
	file, err := rehearsal.Document(proposed.Document)
	if err != nil {
		return err
	}
	if _, err := p.Rehearsal.Activate(ctx, by, file, values.Get("shown"), values.Get("reason")); err != nil {
		return err
	}
	return c.Redirect(waiting.PolicyPage(url.PathEscape(id))+"?done=activate-policy", fiber.StatusSeeOther)
}
