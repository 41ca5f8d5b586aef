package escalation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// The two kinds of refusals: what is meant is not there or no longer, and it is there but not for this officer. Any other error of this
// file is about what was asked for.
var (
	ErrUnknown = errors.New("nothing waits for that")
	ErrMayNot  = errors.New("not by this officer")
)

// Why an officer may not do something. Each comes in a sentence that says what was wanted and what to do.
var (
	ErrNoCase        = fmt.Errorf("%w: no such case is open", ErrUnknown)
	ErrNotAsked      = fmt.Errorf("%w: no step of the case waits for this approval", ErrUnknown)
	ErrNoHold        = fmt.Errorf("%w: no such hold is in force", ErrUnknown)
	ErrNoReview      = fmt.Errorf("%w: no such answer waits for a decision", ErrUnknown)
	ErrNoTermination = fmt.Errorf("%w: the relationship is not terminated", ErrUnknown)
	ErrTwice         = fmt.Errorf("%w: the same officer a second time", ErrMayNot)
	ErrProposed      = fmt.Errorf("%w: nobody approves what they proposed", ErrMayNot)
	ErrOwnRefusal    = fmt.Errorf("%w: nobody takes their own refusal back by approving", ErrMayNot)
	ErrOwnDecision   = fmt.Errorf("%w: nobody decides an appeal against their own decision", ErrMayNot)
	ErrOneOfTwo      = fmt.Errorf("%w: it takes two different officers", ErrMayNot)
	ErrOverLimit     = errors.New("it would pass the limit of the case")
	ErrNotLater      = errors.New("the time is not later")
	ErrSuccessor     = errors.New("it cannot be the successor")
)

// proposed says that an officer brought about what the case is about: whoever recorded the evidence of a finding behind it.
func (c Case) proposed(by statement.Officer) bool {
	return slices.ContainsFunc(c.Behind(), func(f Open) bool { return c.recorded(f, by) })
}

func (c Case) recorded(f Open, by statement.Officer) bool {
	return slices.ContainsFunc(c.Recorded, func(r Recorded) bool { return r.By.ID == by.ID && slices.Contains(f.Evidence, r.Leaf) })
}

// MayApprove says whether an officer may approve the step of this approval: nil if so. It is the one place where that is decided;
// that the officer has the role is not its matter. A step may be approved as soon as it is known.
func MayApprove(p policy.Policy, about envelope.Entity, c Case, officer statement.Officer, approval string) error {
	if err := asked(p, about, c, approval); err != nil {
		return err
	}
	return c.mayApprove(officer, approval)
}

// mayApprove is MayApprove of a step that asks people.
func (c Case) mayApprove(officer statement.Officer, approval string) error {
	switch {
	case c.proposed(officer):
		return fmt.Errorf("escalation: %w: %s recorded the evidence behind the case; another officer must approve its steps", ErrProposed, officer.Name)
	case c.hasGranted(approval, officer):
		return fmt.Errorf("escalation: %w: %s approved this step already; where two are asked for they are two people", ErrTwice, officer.Name)
	case c.hasRefused(approval, officer):
		return fmt.Errorf("escalation: %w: %s refused this step; another officer must approve it", ErrOwnRefusal, officer.Name)
	}
	return nil
}

// MayRefuse says whether an officer may refuse the step of this approval.
func MayRefuse(p policy.Policy, about envelope.Entity, c Case, officer statement.Officer, approval string) error {
	if err := asked(p, about, c, approval); err != nil {
		return err
	}
	if c.hasRefused(approval, officer) {
		return fmt.Errorf("escalation: %w: %s refused this step already", ErrTwice, officer.Name)
	}
	return nil
}

// asked says whether a step of the case asks people under this approval.
func asked(p policy.Policy, about envelope.Entity, c Case, approval string) error {
	s := situation{policy: &p, about: about, c: c}
	for _, m := range s.moves() {
		if n, _ := s.people(m); n > 0 && m.approvedBy(about, c, approval) {
			return nil
		}
	}
	return fmt.Errorf("escalation: %w: the case has moved on, or the step is automatic; read the approvals that are pending again", ErrNotAsked)
}

// MayHold says whether a hold of this kind may be placed on the open case until that time. Only a stay passes the limit, and loudly.
func MayHold(p policy.Policy, about envelope.Entity, c Case, house House, kind HoldKind, ends, now time.Time) error {
	s, m, err := open(p, about, c, house)
	if err != nil {
		return err
	}
	if !isHold(kind) {
		return fmt.Errorf("escalation: a hold is of kind %s, %s or %s, got %q", HoldOfficer, HoldCustomerHarm, HoldStay, kind)
	}
	if !ends.After(now) {
		return fmt.Errorf("escalation: %w: the hold would end at %s and now is %s; give a time ahead", ErrNotLater, moment(ends), moment(now))
	}
	bound := s.policy.Case.HoldReturn.Before(m.latest)
	if kind != HoldStay && !m.latest.IsZero() && ends.After(bound) {
		return fmt.Errorf("escalation: %w, %s: after a hold %s must be left, so it ends at %s at the latest; end it sooner, or let two officers extend the limit first",
			ErrOverLimit, moment(s.limit()), s.policy.Case.HoldReturn.Value.Words(), moment(bound))
	}
	return nil
}

// open is the situation of an open case, with the last of its moves: the one that time leads to.
func open(p policy.Policy, about envelope.Entity, c Case, house House) (situation, move, error) {
	s := situation{policy: &p, about: about, c: c, house: house}
	moves := s.moves()
	if c.ID == "" || len(moves) == 0 {
		return s, move{}, fmt.Errorf("escalation: %w: nothing of this reseller is on its way to a step", ErrNoCase)
	}
	return s, moves[len(moves)-1], nil
}

// MayLift says whether an officer may lift a hold now. A stay is lifted by another officer than the one who proposed to.
func MayLift(c Case, hold string, officer statement.Officer, now time.Time) error {
	h, err := c.hold(hold, now)
	if err != nil {
		return err
	}
	switch {
	case h.Kind != HoldStay:
		return nil
	case h.LiftProposedBy == nil:
		return fmt.Errorf("escalation: %w to lift a stay: propose it, and let another officer lift it", ErrOneOfTwo)
	case h.LiftProposedBy.ID == officer.ID:
		return fmt.Errorf("escalation: %w to lift a stay: %s proposed it, so another officer must lift it", ErrOneOfTwo, officer.Name)
	}
	return nil
}

// MayProposeLift says whether lifting a hold may be proposed now.
func MayProposeLift(c Case, hold string, now time.Time) error {
	_, err := c.hold(hold, now)
	return err
}

func (c Case) hold(id string, now time.Time) (Hold, error) {
	for _, h := range c.Holds {
		if h.ID == id && h.In(wholeSecond(now)) {
			return h, nil
		}
	}
	return Hold{}, fmt.Errorf("escalation: %w: it has ended or was lifted; read the case again", ErrNoHold)
}

// MayExtend says whether the next step of the case may be moved to that time.
func MayExtend(p policy.Policy, about envelope.Entity, c Case, house House, to, now time.Time) error {
	s, m, err := open(p, about, c, house)
	if err != nil {
		return err
	}
	if at := s.at(m); !to.After(at) || !to.After(now) {
		return fmt.Errorf("escalation: %w: the next step is at %s, so an extension ends after that", ErrNotLater, moment(at))
	}
	if !m.latest.IsZero() && to.After(m.latest) {
		return fmt.Errorf("escalation: %w, %s: this step is taken at %s at the latest; give a time up to that, or let two officers extend the limit first",
			ErrOverLimit, moment(s.limit()), moment(m.latest))
	}
	return nil
}

// MayExtendLimit says whether an officer may move the limit of the case to that time, which another one proposed.
func MayExtendLimit(c Case, officer statement.Officer, proposedBy *statement.Officer, to time.Time) error {
	switch {
	case c.ID == "" || c.LimitAt.IsZero() || !c.TerminatedAt.IsZero():
		return fmt.Errorf("escalation: %w: nothing of this reseller runs against a limit", ErrNoCase)
	case proposedBy == nil || proposedBy.ID == officer.ID:
		return fmt.Errorf("escalation: %w to move a limit: one proposes it and another one does it", ErrOneOfTwo)
	case !to.After(c.LimitAt):
		return fmt.Errorf("escalation: %w: the limit is %s, so the new one is after that", ErrNotLater, moment(c.LimitAt))
	}
	return nil
}

// MayDecide says whether an officer may decide this answer of the reseller's. A dispute is decided by somebody who decided nothing of
// what it is about: who recorded the evidence, who approved a step of the case, who decided an earlier dispute of the same finding.
// The hearing judges it, so that what may not be decided has no effect on the facts either.
func (c Case) MayDecide(officer statement.Officer, remediation string) error {
	switch {
	case !c.TerminatedAt.IsZero():
		return fmt.Errorf("escalation: %w: the relationship was terminated at %s. Reinstate it first, if that was wrong; then what still waits is decided",
			ErrNoReview, moment(c.TerminatedAt))
	case !c.Hearing.Waits(remediation):
		return fmt.Errorf("escalation: %w: it was decided, the reseller said it again since, or the finding is cured; read the case again", ErrNoReview)
	case c.Hearing.Decided(officer, remediation):
		return fmt.Errorf("escalation: %w: %s decided before in this case; let another officer decide", ErrOwnDecision, officer.Name)
	}
	return nil
}

// MayReinstate says whether there is a termination to take back.
func MayReinstate(c Case) error {
	if c.TerminatedAt.IsZero() {
		return fmt.Errorf("escalation: %w: there is nothing to take back", ErrNoTermination)
	}
	return nil
}
