package desk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// GrantExtension moves the next step of an open case to a later time within its limit: of an officer's own accord, or as a reseller
// asked in a remediation. Errors wrap ErrMayNot, ErrNotFound, ErrRefused, ErrMoved or docket.ErrNotFound.
func (d *Desk) GrantExtension(ctx context.Context, by statement.Officer, id envelope.ID, to time.Time, remediation, reason string) (Acted, error) {
	to = second(to)
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		p, house, err := d.numbersOf(ctx, file)
		if err != nil {
			return nil, err
		}
		if err := escalation.MayExtend(p, file.Entity, file.Case, house, to, d.now()); err != nil {
			return nil, ruled(err)
		}
		var details []statement.Field
		if remediation != "" {
			if _, err := review(file, by, remediation, escalation.AnswerExtension); err != nil {
				return nil, err
			}
			details = append(details, field("remediation", remediation))
		}
		said, err := reasoned(by, escalation.ActionExtended, onCase(file.Case.ID), reason, details...)
		said.EndsAt = to
		return one(said, err)
	})
}

// AcceptRemediation records that an officer takes what a reseller said as a cure. Where the rule asks for an officer, the finding is
// cured by it. Errors wrap ErrMayNot, ErrNotFound, ErrRefused, ErrMoved or docket.ErrNotFound.
func (d *Desk) AcceptRemediation(ctx context.Context, by statement.Officer, id envelope.ID, remediation, reason string) (Acted, error) {
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		r, err := review(file, by, remediation, escalation.AnswerCure, "explanation")
		if err != nil {
			return nil, err
		}
		return one(reasoned(by, escalation.ActionAccepted, statement.Target{Type: "remediation", ID: remediation}, reason, field("finding", r.Finding)))
	})
}

// RejectRemediation records that what a reseller said cures nothing, or that it gets no more time. Errors are those of
// AcceptRemediation.
func (d *Desk) RejectRemediation(ctx context.Context, by statement.Officer, id envelope.ID, remediation, reason string) (Acted, error) {
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		r, err := review(file, by, remediation, escalation.AnswerCure, "explanation", escalation.AnswerExtension)
		if err != nil {
			return nil, err
		}
		return one(reasoned(by, escalation.ActionRejected, statement.Target{Type: "remediation", ID: remediation}, reason, field("finding", r.Finding)))
	})
}

// DecideAppeal decides a dispute, as another officer than the one who decided what is disputed: upheld says that the reseller is right.
// Errors wrap ErrMayNot, ErrNotFound, ErrRefused, ErrMoved or docket.ErrNotFound.
func (d *Desk) DecideAppeal(ctx context.Context, by statement.Officer, id envelope.ID, remediation string, upheld bool, why string) (Acted, error) {
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		r, err := review(file, by, remediation, escalation.AnswerDispute)
		if err != nil {
			return nil, err
		}
		if _, err := reasoned(by, "", statement.Target{}, why); err != nil {
			return nil, err
		}
		said := statement.AppealDecided{Remediation: remediation, Finding: r.Finding, Decision: "rejected", By: by, Why: why}
		if upheld {
			said.Decision = "upheld"
		}
		return one(said, nil)
	})
}

// review finds what a reseller said that waits for an officer, of one of these kinds, and asks whether this officer may decide it.
func review(file docket.File, by statement.Officer, remediation string, kinds ...string) (escalation.Review, error) {
	i := slices.IndexFunc(file.Case.Reviews, func(r escalation.Review) bool { return r.ID == remediation })
	if i < 0 {
		return escalation.Review{}, fmt.Errorf("%w: wanted the jti of a remediation that waits for an officer. The case lists them under pending_review; one that was decided, or whose finding was cured, waits no more", ErrNotFound)
	}
	r := file.Case.Reviews[i]
	if !slices.Contains(kinds, r.Kind) {
		return r, refused("remediation: got one of the kind %s, which is not decided this way. A dispute is upheld or rejected; an extension-request is granted with a time or rejected; a cure or explanation is accepted or rejected", r.Kind)
	}
	if err := file.Case.MayDecide(by, remediation); err != nil {
		return r, ruled(err)
	}
	return r, nil
}
