package escalation

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// situation is all that the rows of the table judge by. c moves on with each statement; the rest stands still.
type situation struct {
	policy  *policy.Policy
	about   envelope.Entity
	c       Case
	history history.History
	house   House
	found   []findings.Finding
	now     time.Time // whole seconds
	pinned  string    // the case that the policy was chosen for; none if it is the one in force
}

// due returns the first row of the table that is due, or nil.
func (s *situation) due() *row {
	stage := s.stage()
	for i := range table {
		if slices.Contains(table[i].From, stage) && table[i].due(s) {
			return &table[i]
		}
	}
	return nil
}

func (s *situation) stage() string {
	if stage, ok := s.c.Stage(); ok {
		return stage.String()
	}
	return noCase
}

func (s *situation) basis() statement.Basis {
	return statement.Basis{Policy: s.policy.ID(), Seen: s.history.Seen(), Now: s.now}
}

func (s *situation) stands() Standing {
	_, attested := s.history.Latest()
	return s.c.stands(attested)
}

// resolved says that orders are in force that no case needs any more: every finding behind theirs is cured, or a termination was taken
// back.
func (s *situation) resolved() bool { return len(s.idle()) > 0 }

// idle are those orders.
func (s *situation) idle() []Order {
	// That an order is overdue is no reason of its own for the order: once everything else is cured it is withdrawn, and then not owed.
	over := !slices.ContainsFunc(s.c.Behind(), Open.isReason)
	return slices.DeleteFunc(slices.Clone(s.c.Orders), func(o Order) bool { return !over && o.Case == s.c.ID })
}

// change is one difference between what the facts say and which findings are open: a finding to open or one to cure.
type change struct {
	opened *findings.Finding
	cured  *Open
	by     findings.Cure
}

// change returns the difference that came first by the facts, however late the gateway looks. So a finding that was true
// before the last one behind a case was cured joins that case, and one that became true later opens its own.
func (s *situation) change() change {
	var first change
	var at time.Time
	// An entry that came before the one from which a finding follows ended what it ended before that finding began, also within one second.
	before := func(by findings.Cure) bool {
		return at.IsZero() || by.AcceptedAt.Before(at) || first.opened != nil && by.AcceptedAt.Truncate(time.Second).Equal(at) &&
			by.LeafIndex < newest(first.opened.Evidence)
	}
	for i := range s.found {
		f := &s.found[i]
		if s.known(*f) || s.now.Before(s.opensAt(*f)) || s.guarded(*f) || s.moot(f.Rule) {
			continue
		}
		if at.IsZero() || f.Since.Before(at) {
			first, at = change{opened: f}, f.Since
		}
	}
	for i := range s.c.Findings {
		o := &s.c.Findings[i]
		if !o.UpheldAt.IsZero() { // an appeal found it wrong, whatever the facts say
			if by := (findings.Cure{LeafIndex: o.UpheldLeaf, AcceptedAt: o.UpheldAt}); before(by) {
				first, at = change{cured: o, by: by}, o.UpheldAt
			}
			continue
		}
		if s.moot(o.Rule) {
			if by := (findings.Cure{LeafIndex: s.history.Seen(), AcceptedAt: s.now}); before(by) {
				first, at = change{cured: o, by: by}, s.now
			}
			continue
		}
		if slices.ContainsFunc(s.found, func(f findings.Finding) bool { return f.ID == findings.Named(o.ID) }) {
			continue
		}
		// A finding is cured by what cures it, not by not being found: this clock may be behind the one that found it.
		by, ok := findings.Cured(s.policy, &s.history, o.Rule, o.Since, o.Evidence)
		if ok && before(by) {
			first, at = change{cured: o, by: by}, by.AcceptedAt
		}
	}
	return first
}

// moot says that a rule is about orders of which none is in force: it was withdrawn a moment ago, and the facts do not say so yet.
func (s *situation) moot(rule string) bool {
	return rule == policy.OrderOverdue && !slices.ContainsFunc(s.c.Orders, func(o Order) bool { return o.Name != NoNewAccounts })
}

// guarded says that the guard holds a finding back: of so many resellers at once it is held to be the gateway's own fault.
func (s *situation) guarded(f findings.Finding) bool {
	return f.Severity != policy.Minor && s.house.GuardsFindings(s.policy.Guard, s.now)
}

// known says that a finding is open already, or that an appeal found it wrong.
func (s *situation) known(f findings.Finding) bool {
	same := func(o Open) bool {
		return findings.Named(o.ID) == f.ID || findings.GoesOn(s.policy, &s.history, f, o.Rule, o.Since, o.Evidence)
	}
	return slices.ContainsFunc(s.c.Findings, same) || slices.ContainsFunc(s.c.Dismissed, same)
}

// next returns what happens next if nothing is done: what comes by itself, else what waits and for what. left is the row that is due
// and left for another decision; nil if none is.
func (s *situation) next(left *row) Step {
	next := s.nextStep()
	next.wake = s.wakes(next, left)
	return next
}

func (s *situation) nextStep() Step {
	if stage, _ := s.c.Stage(); stage == Terminated {
		return Step{What: "nothing: the relationship is terminated"}
	}
	var next Step
	for _, m := range s.moves() {
		step := s.step(m)
		if next.What == "" || step.Waits == "" && (next.Waits != "" || step.At.Before(next.At)) {
			next = step
		}
	}
	if next.What != "" {
		return next
	}
	for _, f := range s.found {
		if !s.known(f) && s.guarded(f) && !s.now.Before(s.opensAt(f)) {
			return Step{What: willWarn + " (" + f.Rule + ")", At: s.opensAt(f), Unless: f.Cures, Waits: heldFindings}
		}
	}
	ahead := findings.Ahead(s.policy, &s.history, s.now)
	if len(ahead) == 0 {
		return Step{What: "nothing is due"}
	}
	first := ahead[0]
	for _, f := range ahead[1:] {
		if f.Since.Before(first.Since) {
			first = f
		}
	}
	does := willWarn
	if first.Severity == policy.Minor {
		does = "watch: a minor finding is opened"
	}
	return Step{What: does + " (" + first.Rule + ")", At: s.opensAt(first), Unless: first.Cures}
}

// step is what is announced of a move.
func (s *situation) step(m move) Step {
	at, why := s.ready(m)
	step := Step{What: m.does, At: at, Unless: cures(s.c.Behind()), Waits: why}
	if due := s.at(m); why == "" && due.Before(at) && s.unproved(m, due).why != "" {
		step.What += sinceUnproved(s.c.Told, due, s.now)
	}
	if limit := s.limit(); at.After(limit) || why != "" && !s.now.Before(limit) {
		step.LimitPassed = true
		step.What += ", after the limit of " + moment(limit)
	}
	return step
}

// wakes is when, nothing new being said, the answer turns by the case alone: at the next step, at the limit that passes before it, or
// when the time of an outage has been given back.
func (s *situation) wakes(next Step, left *row) (wake time.Time) {
	sooner := func(at time.Time) {
		if at.After(s.now) && (wake.IsZero() || at.Before(wake)) {
			wake = at
		}
	}
	if s.isForAnother(left) {
		return s.now.Add(time.Second)
	}
	if next.Waits == "" {
		sooner(next.At)
	}
	if stage, _ := s.c.Stage(); stage == Terminated {
		return time.Time{}
	}
	if len(s.c.Behind()) > 0 && !s.c.PassedLimit.Equal(s.c.LimitAt) {
		sooner(s.c.LimitAt)
	}
	for _, f := range s.found {
		if s.known(f) {
			continue
		}
		sooner(s.opensAt(f))
		if s.guarded(f) && !s.house.Counts.Tripped {
			sooner(s.house.Counts.OpenedUntil) // what was opened while people had released it is counted no longer then
		}
	}
	return wake
}
