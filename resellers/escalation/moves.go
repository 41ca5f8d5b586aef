package escalation

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// The steps of a case, as the table names them.
const (
	StepWarn      = "warn"
	StepRestrict  = "restrict"
	StepClose     = "close"
	StepTerminate = "terminate"
)

// move is a step that the case can take from where it stands.
type move struct {
	step string
	does string
	// scope is which accounts a closure closes; the reseller's own if it is empty.
	scope string
	base  time.Time // when it falls due by what was stated, and nothing else
	// latest is when it must be taken so that the others still fit inside the limit; zero if nothing bounds it.
	latest time.Time
}

// irreversible says that the move cannot be taken back, so that it waits for people, for hours and for the guard.
func (m move) irreversible() bool { return m.step == StepClose || m.step == StepTerminate }

// statement is what the move would state, as far as its identity needs it.
func (m move) statement(c Case) statement.Statement {
	switch m.step {
	case StepWarn:
		return statement.WarningIssued{Case: c.ID}
	case StepRestrict:
		return statement.RestrictionOrdered{Case: c.ID, Order: NoNewAccounts}
	case StepClose:
		if m.scope == "" {
			m.scope = CloseAccount
		}
		return statement.ClosureOrdered{Case: c.ID, Scope: m.scope}
	}
	return statement.RelationshipTerminated{Case: c.ID}
}

// approvedBy says whether an approval is of this move. A closure has one for each scope that it can have: whoever approved that one
// customer's account is closed did not approve that the reseller's is.
func (m move) approvedBy(about envelope.Entity, c Case, approval string) bool {
	if m.step == StepClose {
		m.scope = CustomerAccounts
		if ID(about, m.statement(c)) == approval {
			return true
		}
		m.scope = CloseAccount
	}
	return ID(about, m.statement(c)) == approval
}

// moves returns what the open case can do from where it stands: one step, and where a critical finding is behind it the closure too.
func (s *situation) moves() []move {
	behind := s.c.Behind()
	if len(behind) == 0 {
		return nil
	}
	numbers, limit := s.policy.Case, s.limit()
	closure := move{step: StepClose, base: s.urgentSince(behind), latest: numbers.ClosingMargin.Before(limit)}
	closure.scope, closure.does = s.closes()
	switch stage, _ := s.c.Stage(); stage {
	case Pending:
		return []move{{step: StepWarn, does: willWarn, base: s.c.OpenedAt}}
	case Warned:
		restriction := move{step: StepRestrict, does: willRestrict, base: s.c.CureBy, latest: numbers.CureMargin.Before(limit)}
		if s.repeats() {
			restriction.base = s.c.WarnedAt
		}
		if !closure.base.IsZero() {
			return []move{closure, restriction}
		}
		return []move{restriction}
	case Restricted:
		if closure.base.IsZero() || s.c.ClosesAt.Before(closure.base) {
			closure.base = s.c.ClosesAt
		}
		return []move{closure}
	case Closing:
		return []move{{step: StepTerminate, does: willTerminate, base: s.c.TerminatesAt, latest: numbers.TerminationMargin.Before(limit)}}
	}
	return nil
}

// urgentSince is since when a finding is open that goes to closing at once; zero if none is.
func (s *situation) urgentSince(behind []Open) (since time.Time) {
	for _, f := range behind {
		if f.urgent() && (since.IsZero() || f.OpenedAt.Before(since)) {
			since = f.OpenedAt
		}
	}
	return since
}

// urgent says that the case goes to closing at once (standing.md, "The case").
func (f Open) urgent() bool { return f.Severity == severityCritical || f.Rule == EvidenceRecorded }

// isReason is false of an order that is overdue: it is behind the case by which it was given, and no reason for anything of its own. Its
// confirmation does not say that the case was right, and it asks for no other people than the case does.
func (f Open) isReason() bool { return f.Rule != policy.OrderOverdue }

// repeats says that this is one serious case too many in the policy's time: it starts at restricted.
func (s *situation) repeats() bool {
	repeat := s.policy.Case.Repeat
	if repeat.Count.Value == 0 || s.c.ID == "" {
		return false
	}
	from, cases := repeat.Within.Before(s.c.OpenedAt), 1
	for _, past := range s.c.Past {
		if !past.Wrong && !past.OpenedAt.Before(from) {
			cases++
		}
	}
	return cases >= repeat.Count.Value
}

// people is how a move is approved: by how many, and what their silence means.
func (s *situation) people(m move) (n int, rule policy.Approval) {
	rule = approvalOf(*s.policy, m.step)
	if slices.ContainsFunc(s.c.Behind(), func(f Open) bool { return f.Severity == severityCritical && f.isReason() }) {
		return rule.Critical, rule
	}
	return rule.People, rule
}

func approvalOf(p policy.Policy, step string) policy.Approval {
	switch step {
	case StepWarn:
		return p.Case.Approvals.Warn
	case StepRestrict:
		return p.Case.Approvals.Restrict
	case StepClose:
		return p.Case.Approvals.Close
	case StepTerminate:
		return p.Case.Approvals.Terminate
	}
	return policy.Approval{}
}

// given are the approvals of a move that count: of nobody who proposed it.
func (s *situation) given(id string) (given []Grant, refused *Refusal) {
	for _, g := range s.c.Grants {
		if g.Approval == id && !g.Lapsed && !s.c.proposed(g.By) {
			given = append(given, g)
		}
	}
	for i, r := range s.c.Refusals {
		if r.Approval == id {
			refused = &s.c.Refusals[i]
		}
	}
	return given, refused
}

// said is what people said of a move. While nobody said anything its identity, which is a digest, is not asked for.
func (s *situation) said(m move) (given []Grant, refused *Refusal) {
	if len(s.c.Grants) == 0 && len(s.c.Refusals) == 0 {
		return nil, nil
	}
	return s.given(ID(s.about, m.statement(s.c)))
}

// wait is what keeps a move from being taken though it is due.
type wait struct {
	why   string    // empty if nothing does
	until time.Time // when it ends by itself; zero if it does not
}

// waits says what a move waits for, once it is due at that time.
func (s *situation) waits(m move, at time.Time) wait {
	held := s.heldBack(m, at)
	proof := s.unproved(m, at)
	switch {
	case proof.why == "":
		return held
	case held.why == "" || !held.until.IsZero():
		return proof // what is held until a time is looked at again from then on
	}
	return wait{why: held.why + "; and " + proof.why}
}

// heldBack is what of the provider's own a move waits for: its people, a pause, the guard.
func (s *situation) heldBack(m move, at time.Time) wait {
	n, rule := s.people(m)
	if n > 0 {
		given, refused := s.said(m)
		switch {
		case refused != nil:
			return wait{why: "an officer refused it at " + moment(refused.At) + "; it waits until another one approves it"}
		case len(given) < n && rule.Silence != policy.SilenceActs:
			return wait{why: "it waits for the approval of " + people(n-len(given), len(given) > 0)}
		}
	}
	if !m.irreversible() {
		return wait{}
	}
	if s.house.Paused != nil {
		return wait{why: "automation is paused since " + moment(s.house.Paused.Since)}
	}
	if kind, until := s.house.Guard(s.policy.Guard, m.step, s.accountsOf(m), latter(at, s.now)); kind != "" {
		return wait{why: guardHolds(kind), until: until}
	}
	return wait{}
}

// ready says when a move is taken, nothing being done, and what it waits for if that is never.
func (s *situation) ready(m move) (at time.Time, why string) {
	at = s.at(m)
	if m.irreversible() && at.Before(s.now) {
		at = latter(at, s.inHoursFromNow(at)) // it is late, and still nobody is there at night
	}
	for range 3 { // for the proof of a notice, for the guard's next day, and for what that leaves
		w := s.waits(m, at)
		if w.why == "" || w.until.IsZero() {
			return at, w.why
		}
		at = s.inHours(latter(at, w.until)) // the next day's numbers are not used up
	}
	return at, ""
}

// takes says whether a step is taken now.
func (s *situation) takes(step string) bool {
	for _, m := range s.moves() {
		if m.step == step {
			at, why := s.ready(m)
			return why == "" && !s.now.Before(at)
		}
	}
	return false
}

// passes says that the limit of the case passes with this second, and that nobody said so yet.
func (s *situation) passes() bool {
	return !s.c.LimitAt.IsZero() && len(s.c.Behind()) > 0 && !s.now.Before(s.c.LimitAt) && !s.c.PassedLimit.Equal(s.c.LimitAt)
}
