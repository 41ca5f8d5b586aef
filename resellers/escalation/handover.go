package escalation

import (
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// A termination closes every account that is left, unless an officer named a successor before it: then verified customers go over to
// that one until a date.

// HandOver is the order by which a successor takes verified customers, as hand-over-ordered names it.
const HandOver = "hand-over"

// The actions of an officer about a successor.
const (
	ActionSuccessorNamed   = "successor.named"
	ActionSuccessorDropped = "successor.withdrawn"
)

// Successor is who takes the verified customers of a reseller when its relationship ends.
type Successor struct {
	Entity envelope.Entity   `json:"entity"` // an enrolled reseller, or the gateway: the provider itself
	Until  time.Time         `json:"until"`
	By     statement.Officer `json:"by"`
	At     time.Time         `json:"at"`
	Reason string            `json:"reason"`
}

// succeeded folds that an officer named a successor, or took it back.
func (c Case) succeeded(s statement.OfficerAction, about envelope.Entity, at time.Time) Case {
	switch entity := envelope.Entity(detail(s, "successor")); {
	case !c.isOpen(s.On.ID):
	case s.Action == ActionSuccessorDropped:
		c.Successor = nil
	case entity != "" && entity != about && s.EndsAt.After(at):
		c.Successor = &Successor{Entity: entity, Until: wholeSecond(s.EndsAt), By: s.Officer, At: at, Reason: s.Reason}
	}
	return c
}

// successor is who takes the verified customers if the relationship ends now; nil if nobody does.
func (s *situation) successor() *Successor {
	if n := s.c.Successor; n != nil && n.Until.After(s.now) && !s.house.Holdings.SuccessorGone && s.policy.Case.Close.Known() {
		return n
	}
	return nil
}

// leaving are the orders that a termination gives: a policy from before there were any gives none.
func (s *situation) leaving() (orders []statement.Statement, handedOver int) {
	if !s.policy.Case.Close.Known() {
		return nil, 0
	}
	behind := ids(s.c.Behind())
	if n := s.successor(); n != nil {
		handedOver = min(s.house.Holdings.HandOver, s.history.Figures.AccountsOpen)
		orders = append(orders, statement.HandOverOrdered{
			Basis: s.basis(), Case: s.c.ID, Order: HandOver, Findings: behind, Successor: n.Entity, Customers: "verified", Accounts: handedOver, Until: n.Until,
			Why: fmt.Sprintf("The relationship ends. %s takes the accounts of verified customers until %s; every other account is ordered closed.", n.Entity, moment(n.Until)),
		})
	}
	return append(orders, statement.ClosureOrdered{
		Basis: s.basis(), Case: s.c.ID, Scope: RemainingAccounts, Findings: behind, TerminatesAt: s.now, LimitAt: s.c.LimitAt,
	}), handedOver
}

// succession says in the termination what becomes of the customers.
func (s *situation) succession() string {
	switch n := s.c.Successor; {
	case !s.policy.Case.Close.Known():
		return ""
	case n == nil:
		return " Every account that is left is ordered closed."
	case s.house.Holdings.SuccessorGone:
		return fmt.Sprintf(" %s, which was to take the verified customers, is closing or terminated itself: every account that is left is ordered closed.", n.Entity)
	case !n.Until.After(s.now):
		return fmt.Sprintf(" The time in which %s was to take the verified customers ended at %s: every account that is left is ordered closed.", n.Entity, moment(n.Until))
	default:
		return fmt.Sprintf(" %s takes the accounts of verified customers until %s; every other account is ordered closed.", n.Entity, moment(n.Until))
	}
}

// MayName says whether this successor may be named for the open case. Whether it is enrolled and in good standing is for whoever knows
// the chain to say.
func MayName(p policy.Policy, about envelope.Entity, c Case, house House, successor envelope.Entity, until, now time.Time) error {
	if !c.TerminatedAt.IsZero() {
		return fmt.Errorf("escalation: %w: the relationship was terminated at %s, and every account is ordered closed. Reinstate it first, if that was wrong",
			ErrNoCase, moment(c.TerminatedAt))
	}
	s, _, err := open(p, about, c, house)
	if err != nil {
		return err
	}
	switch limit := s.limit(); {
	case !p.Case.Close.Known():
		return fmt.Errorf("escalation: %w: the case is pinned to %s, which gives no orders with a termination; move the case to the policy in force first", ErrNoCase, p.ID())
	case successor == about:
		return fmt.Errorf("escalation: %w: wanted another reseller or the provider, got the reseller itself", ErrSuccessor)
	case !until.After(limit) || !until.After(now):
		return fmt.Errorf("escalation: %w: the relationship may end as late as %s, so the time to take its customers over ends after that, got %s", ErrNotLater, moment(latter(limit, now)), moment(until))
	}
	return nil
}

// MayDrop says whether there is a successor to take back.
func MayDrop(c Case) error {
	if c.ID == "" || c.Successor == nil || !c.TerminatedAt.IsZero() {
		return fmt.Errorf("escalation: %w: no successor is named for this case", ErrUnknown)
	}
	return nil
}
