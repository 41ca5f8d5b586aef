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
	found   []findings.Finding
	now     time.Time // whole seconds
}

// due returns the first row of the table that is due, or nil.
func (s situation) due() *row {
	stage := s.stage()
	for i := range table {
		if slices.Contains(table[i].From, stage) && table[i].due(s) {
			return &table[i]
		}
	}
	return nil
}

func (s situation) stage() string {
	if stage, ok := s.c.Stage(); ok {
		return stage.String()
	}
	return noCase
}

func (s situation) basis() statement.Basis {
	return statement.Basis{Policy: s.policy.ID(), Seen: s.history.Seen(), Now: s.now}
}

func (s situation) stands() Standing {
	_, attested := s.history.Latest()
	return s.c.stands(attested)
}

// resolved says that a case is over but for its orders.
func (s situation) resolved() bool {
	return s.c.ID != "" && len(s.c.Behind()) == 0 && len(s.c.Orders) > 0
}

// change is one difference between what the facts say and which findings are open: a finding to open or one to cure.
type change struct {
	opened *findings.Finding
	cured  *Open
	by     findings.Cure
}

// change returns the difference that came first by the facts, however late the gateway looks. So a finding that was true
// before the last one behind a case was cured joins that case, and one that became true later opens its own.
func (s situation) change() change {
	var first change
	var at time.Time
	for i := range s.found {
		f := &s.found[i]
		known := slices.ContainsFunc(s.c.Findings, func(o Open) bool {
			return o.ID == f.ID || findings.GoesOn(*s.policy, s.history, *f, o.Rule, o.Since, o.Evidence)
		})
		if !known && (at.IsZero() || f.Since.Before(at)) {
			first, at = change{opened: f}, f.Since
		}
	}
	for i := range s.c.Findings {
		o := &s.c.Findings[i]
		if slices.ContainsFunc(s.found, func(f findings.Finding) bool { return f.ID == o.ID }) {
			continue
		}
		// A finding is cured by what cures it, not by not being found: this clock may be behind the one that found it.
		by, ok := findings.Cured(*s.policy, s.history, o.Rule, o.Since, o.Evidence)
		if ok && (at.IsZero() || by.AcceptedAt.Before(at)) {
			first, at = change{cured: o, by: by}, by.AcceptedAt
		}
	}
	return first
}

// stepAt is when the open case takes its next step: at the time that was stated, but never before one of the findings
// behind it was open for the cure floor. So one that joined late gets its time when the others are cured.
func (s situation) stepAt() time.Time {
	var stated time.Time
	switch stage, _ := s.c.Stage(); stage {
	case Warned:
		stated = s.c.CureBy
	case Restricted:
		stated = s.c.ClosesAt
	case Closing:
		stated = s.c.TerminatesAt
	}
	var ripe time.Time
	for _, f := range s.c.Behind() {
		if at := s.policy.Case.CureFloor.From(f.OpenedAt); ripe.IsZero() || at.Before(ripe) {
			ripe = at
		}
	}
	if ripe.After(stated) {
		return ripe
	}
	return stated
}

func (s situation) stepDue() bool {
	return len(s.c.Behind()) > 0 && !s.now.Before(s.stepAt())
}

// next returns what happens next if nothing is done.
func (s situation) next() Step {
	stage, _ := s.c.Stage()
	switch stage {
	case Warned:
		return s.step(willRestrict)
	case Restricted:
		return s.step(willClose)
	case Closing:
		return s.step(willTerminate)
	case Terminated:
		return Step{What: "nothing: the relationship is terminated"}
	}
	ahead := findings.Ahead(*s.policy, s.history, s.now)
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
	return Step{What: does + " (" + first.Rule + ")", At: first.Since, Unless: first.Cures}
}

func (s situation) step(does string) Step {
	step := Step{What: does, At: s.stepAt(), Unless: cures(s.c.Behind())}
	if step.At.After(s.c.LimitAt) {
		step.LimitPassed = true
		step.What += ", after the limit of " + moment(s.c.LimitAt)
	}
	return step
}
