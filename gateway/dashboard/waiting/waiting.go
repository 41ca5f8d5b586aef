// Package waiting is the page of what waits for an officer: steps to approve, the most urgent first, answers of resellers to decide,
// and what another officer proposed. It also takes the forms of all pages, each by the operation of /v1 that it stands for, so that
// what a person may do is judged by the same rows; and it holds the parts of pages that other pages show too.
//
// It decides nothing: what waits is escalation's, who may is the desk's and the table of permissions'.
package waiting

import (
	_ "embed"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/officer"
)

//go:embed page.html
var pageHTML string

// Parts are the templates "approval", "review", "reason" and "withdraw", for every page that shows one.
//
//go:embed parts.html
var Parts string

// Owed are the templates "obligation" and "call"; they need those of Parts.
//
//go:embed owed.html
var Owed string

var page = frame.Parse(Parts + Owed + pageHTML)

// view is what the page shows.
type view struct {
	Person    string
	Role      string
	Done      string
	Mine      []Approval // which who asks may approve, asked already
	Others    []Approval // of others
	Reviews   []Review
	Proposals []Proposal
	Calls     []Call
	Overdue   int // obligations
	// There are more than are shown; the most urgent are.
	MoreSteps, MoreReviews, MoreProposals, MoreCalls, MoreOverdue bool
}

// Here is the page's address.
const Here = "/approvals"

// most is of how many resellers each part of the page shows what waits, and how many proposals.
const most = 100

// Handler serves the page.
func Handler(f frame.Frame, cases officer.Cases, acts officer.Acts, now func() time.Time) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, at := c.UserContext(), now()
		asking := auth.Asking(ctx)
		shown := view{Person: asking.Name, Role: string(asking.Role), Done: Done(c)}
		found, more, err := officer.Waiting(ctx, cases, nil, officer.MostWaiting, at, func(officer.Approval) bool { return true })
		if err != nil {
			return err
		}
		shown.MoreSteps = more != nil
		for _, a := range found {
			if a.MayApprove {
				shown.Mine = append(shown.Mine, ApprovalOf(a, Here, at))
			} else {
				shown.Others = append(shown.Others, ApprovalOf(a, Here, at))
			}
		}
		answered, err := cases.Answered(ctx, nil, most+1)
		if err != nil {
			return err
		}
		answered, shown.MoreReviews = upTo(answered)
		for _, one := range answered {
			for _, r := range officer.ReviewsOf(ctx, one.File) {
				shown.Reviews = append(shown.Reviews, ReviewOf(r, Here, at))
			}
		}
		proposals, err := acts.Proposals(ctx, most+1)
		if err != nil {
			return err
		}
		proposals, shown.MoreProposals = upTo(proposals)
		for _, p := range proposals {
			_, denied := officer.Permit(ctx, officer.ConfirmedBy(p))
			shown.Proposals = append(shown.Proposals, proposalOf(p, asking.ID, denied, Here, at))
		}
		if err := shown.owed(ctx, cases, at); err != nil {
			return err
		}
		return f.Show(c, frame.Page{Title: "Approvals", Template: page, View: shown})
	}
}

// upTo cuts a list of most and one more, and says whether there is more.
func upTo[T any](found []T) ([]T, bool) {
	return found[:min(len(found), most)], len(found) > most
}
