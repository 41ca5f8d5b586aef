package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Approve records that an officer approves a step of a case. The step is taken by the fold, once as many people as the policy asks
// have approved it and its time has come. Errors wrap ErrMayNot, ErrNotFound, ErrRefused, ErrMoved or docket.ErrNotFound.
func (d *Desk) Approve(ctx context.Context, by statement.Officer, id envelope.ID, approval, reason string) (Acted, error) {
	return d.decideApproval(ctx, by, id, approval, escalation.ActionApproved, reason)
}

// Refuse records that an officer refuses a step of a case. It is not taken until another officer approves it, or the case moves.
// Errors are those of Approve.
func (d *Desk) Refuse(ctx context.Context, by statement.Officer, id envelope.ID, approval, reason string) (Acted, error) {
	return d.decideApproval(ctx, by, id, approval, escalation.ActionRefused, reason)
}

func (d *Desk) decideApproval(ctx context.Context, by statement.Officer, id envelope.ID, approval, action, reason string) (Acted, error) {
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		p, err := d.files.PolicyOf(file)
		if err != nil {
			return nil, err
		}
		may := escalation.MayApprove
		if action == escalation.ActionRefused {
			may = escalation.MayRefuse
		}
		if err := may(p, file.Entity, file.Case, by, approval); err != nil {
			return nil, ruled(err)
		}
		return one(reasoned(by, action, statement.Target{Type: "approval", ID: approval}, reason))
	})
}

// ruled gives what a pure rule refused its place in the table of statuses.
func ruled(err error) error {
	among := func(all ...error) bool {
		return slices.ContainsFunc(all, func(one error) bool { return errors.Is(err, one) })
	}
	place := ErrRefused
	switch {
	case among(escalation.ErrTwice, escalation.ErrProposed, escalation.ErrOwnRefusal, escalation.ErrOwnDecision, escalation.ErrOneOfTwo):
		place = ErrMayNot
	case among(escalation.ErrNotAsked, escalation.ErrNoHold, escalation.ErrNoReview):
		place = ErrNotFound
	}
	return fmt.Errorf("%w: %w", place, rule{err})
}

// rule is what a pure rule said, without the name of its room, which says nothing to an officer.
type rule struct{ err error }

func (r rule) Error() string { return strings.TrimPrefix(r.err.Error(), "escalation: ") }
func (r rule) Unwrap() error { return r.err }

// one is a single statement as judge returns it.
func one[S statement.Statement](said S, err error) ([]statement.Statement, error) {
	if err != nil {
		return nil, err
	}
	return []statement.Statement{said}, nil
}
