package waiting

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// form is what an officer sends from a page: which act, on what, and why. Who acts is never in it.
type form struct {
	reseller  envelope.ID // zero where the act is on no reseller
	item      string
	reason    string
	kind      string
	authority string
	whom      string
	reference string
	silent    bool      // nobody answered
	until     time.Time // zero if none was given
}

// act is one form of a page, by the operation of /v1 that it stands for: the same row says which role it takes.
type act struct {
	done string // what is told when it was recorded
	do   func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error
}

var acts = map[string]act{
	"approve-step": {"You approved the step.", onApproval(officer.Acts.Approve)},
	"refuse-step":  {"You refused the step. It waits for another officer.", onApproval(officer.Acts.Refuse)},
	"place-case-hold": {"The steps of the case wait.", func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := acts.PlaceHold(ctx, by, f.reseller, desk.Hold{Kind: escalation.HoldKind(f.kind), Authority: f.authority, EndsAt: f.until, Reason: f.reason})
		return err
	}},
	"propose-lift":       {"You proposed to lift the stay. Another officer lifts it.", onItem(officer.Acts.ProposeLift)},
	"lift-hold":          {"The hold is lifted.", onItem(officer.Acts.LiftHold)},
	"accept-remediation": {"You accepted it.", onItem(officer.Acts.AcceptRemediation)},
	"reject-remediation": {"You rejected it.", onItem(officer.Acts.RejectRemediation)},
	"uphold-appeal":      {"You decided for the reseller.", onAppeal(true)},
	"reject-appeal":      {"You decided against the reseller.", onAppeal(false)},
	"grant-extension": {"More time is granted.", func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := acts.GrantExtension(ctx, by, f.reseller, f.until, f.item, f.reason)
		return err
	}},
	"record-notice": {"What you did to tell the reseller is on record.", func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := acts.RecordNotice(ctx, by, f.reseller, desk.Told{Notice: f.item, Channel: f.kind, Whom: f.whom, At: f.until, Reason: f.reason, Unanswered: f.silent})
		return err
	}},
	"fulfil-obligation": {"The obligation is fulfilled.", func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := acts.FulfilObligation(ctx, by, f.item, f.reference, f.reason)
		return err
	}},
	"propose-waiver": {"You proposed to waive the obligation. Another officer confirms it.", func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := acts.ProposeWaiver(ctx, by, f.item, f.reason)
		return err
	}},
	"confirm-order": {"What you said of the order is on record.", func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := acts.ConfirmOrder(ctx, by, f.item, desk.Carried{Outcome: f.kind, Reason: f.reason})
		return err
	}},
	"name-successor": {"The successor is named.", func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := acts.NameSuccessor(ctx, by, f.reseller, envelope.Entity(f.whom), f.until, f.reason)
		return err
	}},
	"withdraw-successor": {"Nobody is named as successor any more.", func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := acts.DropSuccessor(ctx, by, f.reseller, f.reason)
		return err
	}},
	"withdraw-proposal": {"You withdrew it.", func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := acts.TakeBack(ctx, by, f.item, f.reason)
		return err
	}},
	"confirm-proposal": {"You confirmed it.", func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := acts.Confirm(ctx, by, f.item, f.reason)
		return err
	}},
}

type onReseller func(acts officer.Acts, ctx context.Context, by statement.Officer, id envelope.ID, item, reason string) (desk.Acted, error)

func onItem(do onReseller) func(context.Context, officer.Acts, statement.Officer, form) error {
	return func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := do(acts, ctx, by, f.reseller, f.item, f.reason)
		return err
	}
}

func onApproval(do onReseller) func(context.Context, officer.Acts, statement.Officer, form) error {
	return func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		id, approval, err := officer.ParseKey(f.item)
		if err != nil {
			return err
		}
		_, err = do(acts, ctx, by, id, approval, f.reason)
		return err
	}
}

func onAppeal(upheld bool) func(context.Context, officer.Acts, statement.Officer, form) error {
	return func(ctx context.Context, acts officer.Acts, by statement.Officer, f form) error {
		_, err := acts.DecideAppeal(ctx, by, f.reseller, f.item, upheld, f.reason)
		return err
	}
}

// Post takes the forms of all pages: POST /acts. auth has judged that it came from a page of ours. It leads back to where the form
// stood, with what was done in the address.
func Post(acting officer.Acts) fiber.Handler {
	return func(c *fiber.Ctx) error {
		values, err := url.ParseQuery(string(c.BodyRaw()))
		if err != nil {
			return fmt.Errorf("%w: the form must be application/x-www-form-urlencoded", problem.ErrRequest)
		}
		name := values.Get("act")
		act, ok := acts[name]
		if !ok {
			return fmt.Errorf("%w: act: wanted one of the acts of this gateway's pages, got another one", problem.ErrRequest)
		}
		by, err := officer.Permit(c.UserContext(), name)
		if err != nil {
			return err
		}
		f, err := read(values)
		if err != nil {
			return err
		}
		if err := act.do(c.UserContext(), acting, by, f); err != nil {
			return err
		}
		return c.Redirect(withDone(auth.LocalPath(values.Get("back")), name), fiber.StatusSeeOther)
	}
}

func read(values url.Values) (form, error) {
	f := form{item: values.Get("item"), reason: strings.TrimSpace(values.Get("reason")), kind: values.Get("kind"), authority: strings.TrimSpace(values.Get("authority")),
		whom: strings.TrimSpace(values.Get("whom")), reference: strings.TrimSpace(values.Get("reference")), silent: values.Get("unanswered") != ""}
	if f.reason == "" {
		return f, fmt.Errorf("%w: reason: wanted why you do this; it stands in the ledger. Go back and say it", problem.ErrRequest)
	}
	var err error
	if id := values.Get("reseller"); id != "" {
		if f.reseller, err = envelope.ParseID(id); err != nil {
			return f, fmt.Errorf("%w: reseller: wanted the id of a reseller: %w", problem.ErrRequest, err)
		}
	}
	if until := values.Get("until"); until != "" {
		// A browser's datetime-local has no zone; the page says that it is UTC.
		if f.until, err = time.Parse("2006-01-02T15:04", until); err != nil {
			return f, fmt.Errorf("%w: until: wanted a day and a time, UTC, such as 2026-03-20T12:00, got something else", problem.ErrRequest)
		}
	}
	return f, nil
}

func withDone(path, name string) string {
	at, err := url.Parse(path)
	if err != nil {
		return path
	}
	query := at.Query()
	query.Set("done", name)
	at.RawQuery = query.Encode()
	return at.RequestURI()
}

// Done says what was recorded before a page was shown, empty if nothing was.
func Done(c *fiber.Ctx) string { return acts[c.Query("done")].done }
