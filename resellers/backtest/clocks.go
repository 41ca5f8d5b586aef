package backtest

import (
	"slices"
	"strings"

	"github.com/cipgate/cipgate/resellers/obligations"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Clock is an obligation toward an authority, a report or a notice, that would begin, not begin, or be due otherwise than without the
// policy. What is open already keeps its date: it counts by the policy that was in force when it was opened.
type Clock struct {
	Kind    string `json:"kind"`
	Subject string `json:"subject,omitzero"`    // the transaction, of a report about one
	Due     string `json:"due,omitzero"`        // the day, UTC, or how long after the step that it begins with; none: there is no such obligation
	Instead string `json:"instead_of,omitzero"` // without the policy; none: there would be none
}

// Begins says that there would be no such obligation without the policy.
func (c Clock) Begins() bool { return c.Instead == "" }

// Ends says that there would be one without the policy, and is none with it.
func (c Clock) Ends() bool { return c.Due == "" }

// clocks are the obligations that open now, and those that begin with a step ahead, in the order in which they begin.
func (s State) clocks(p *policy.Policy) []Clock {
	var all []Clock
	add := func(c Clock) {
		if !slices.ContainsFunc(all, func(o Clock) bool { return o.Kind == c.Kind && o.Subject == c.Subject }) {
			all = append(all, c)
		}
	}
	for _, o := range s.Opened {
		add(clockOf(o))
	}
	duty, on := p.Obligations.Duty(policy.ClosureReport)
	for _, step := range s.Prospect.Future {
		// A report to the authorities opens with the order that closes accounts.
		if what, _, _ := strings.Cut(step.What, ":"); !on || what != "closing" {
			continue
		}
		due := duty.Within.Value.String() + " after the accounts are ordered closed"
		if !step.At.IsZero() {
			due = day(duty.Within.From(step.At))
		}
		add(Clock{Kind: policy.ClosureReport, Due: due})
	}
	return all
}

func clockOf(o obligations.Obligation) Clock {
	c := Clock{Kind: o.Kind, Due: day(o.DueAt)}
	if o.Kind == policy.AITrainingReport {
		c.Subject = o.Subject
	}
	return c
}

// clocksMoved are those that differ: with the policy, instead of without it.
func clocksMoved(with, without []Clock) []Clock {
	var moved []Clock
	same := func(c Clock) func(Clock) bool {
		return func(o Clock) bool { return o.Kind == c.Kind && o.Subject == c.Subject }
	}
	for _, c := range with {
		if i := slices.IndexFunc(without, same(c)); i >= 0 {
			c.Instead = without[i].Due
		}
		if c.Due != c.Instead {
			moved = append(moved, c)
		}
	}
	for _, c := range without {
		if !slices.ContainsFunc(with, same(c)) {
			moved = append(moved, Clock{Kind: c.Kind, Subject: c.Subject, Instead: c.Due})
		}
	}
	return moved
}

// ClockTotals count clocks that move, by kind.
type ClockTotals struct {
	Begin map[string]int `json:"begin"`
	End   map[string]int `json:"end"`
	Move  map[string]int `json:"move"` // due otherwise
}

func (t *ClockTotals) add(c Clock) {
	switch {
	case c.Begins():
		t.Begin[c.Kind]++
	case c.Ends():
		t.End[c.Kind]++
	default:
		t.Move[c.Kind]++
	}
}

// House notes what begins of the gateway itself, such as the certification of the provider's own program, and how many obligations are
// open, which keep their dates.
func (m *Moves) House(begin []obligations.Obligation, open int) {
	m.Owed = open
	for _, o := range begin {
		c := clockOf(o)
		m.Gateway = append(m.Gateway, c)
		m.Totals.Clocks.add(c)
	}
}
