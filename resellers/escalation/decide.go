package escalation

import (
	"fmt"
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// table is the whole escalation, one row a step. Decide takes the first row that is due, again and again until none is;
// Why and the documentation print the same rows.
var table = []row{
	{
		Row: Row{
			Step: "withdraw", From: []string{noCase, "warned", "restricted", "closing"},
			When:     "every finding behind the case is cured, or a termination was taken back, and orders are in force",
			Does:     "the orders are withdrawn and the case ends",
			States:   []statement.Kind{statement.KindOrderWithdrawn},
			Approval: automatic,
			Source:   "15 CFR 7.303(d), proposed: terminate if the issues are not resolved; they are",
		},
		due:   (*situation).resolved,
		state: (*situation).withdraw,
	},
	{
		Row: Row{
			Step: "cure", From: []string{noCase, "warned", "restricted", "closing"},
			When:     "an entry was accepted that cures an open finding, or an appeal against it was upheld",
			Does:     "the finding is cured; the case ends with the last finding behind it and the last order in force",
			States:   []statement.Kind{statement.KindFindingCured},
			Approval: automatic,
			Source:   ours,
		},
		due:   func(s *situation) bool { change := s.change(); return change.cured != nil },
		state: (*situation).cure,
	},
	{
		Row: Row{
			Step: stepOpen, From: []string{noCase, "warned", "restricted", "closing"},
			When:     "the facts fall short under a rule of the policy, and no finding says so yet",
			Does:     "a finding is opened; a serious one opens a case, or joins the one that is open without moving its clock",
			States:   []statement.Kind{statement.KindFindingOpened},
			Approval: automatic,
			Source:   "15 CFR 7.303(d), proposed: evidence that a reseller failed to maintain or implement a CIP",
		},
		due:   func(s *situation) bool { change := s.change(); return change.opened != nil },
		state: (*situation).open,
	},
	{
		Row: Row{
			Step: StepWarn, From: []string{noCase},
			When:   "a serious finding is open",
			Does:   willWarn,
			States: []statement.Kind{statement.KindWarningIssued},
			Source: ours + ": the rule knows no warning, so this one runs inside its 30 days",
		},
		due:   func(s *situation) bool { return s.takes(StepWarn) },
		state: (*situation).warn,
	},
	{
		Row: Row{
			Step: StepRestrict, From: []string{"warned"},
			When:   "the cure time of the warning has ended and a finding behind the case is open; with the warning where cases repeat",
			Does:   willRestrict,
			States: []statement.Kind{statement.KindRestrictionOrdered},
			Source: ours + ": a step that can be taken back, before one that cannot",
		},
		due:   func(s *situation) bool { return s.takes(StepRestrict) },
		state: (*situation).restrict,
	},
	{
		Row: Row{
			Step: StepClose, From: []string{"warned", "restricted"},
			When:   "the time of the restriction has ended and a finding behind the case is open; at once where one is critical or an officer recorded its evidence",
			Does:   willClose,
			States: []statement.Kind{statement.KindClosureOrdered},
			Source: "15 CFR 7.303(d), proposed: take steps to close the foreign account",
		},
		due:   func(s *situation) bool { return s.takes(StepClose) },
		state: (*situation).close,
	},
	{
		Row: Row{
			Step: StepTerminate, From: []string{"closing"},
			When:   "the account is ordered closed, the limit is one termination margin away, and a finding behind the case is open",
			Does:   willTerminate,
			States: []statement.Kind{statement.KindHandOverOrdered, statement.KindClosureOrdered, statement.KindRelationshipTerminated},
			Source: "15 CFR 7.303(d), proposed: terminate the relationship within 30 calendar days if the issues are not resolved",
		},
		due:   func(s *situation) bool { return s.takes(StepTerminate) },
		state: (*situation).terminate,
	},
	{
		Row: Row{
			Step: "limit", From: []string{"warned", "restricted", "closing"},
			When:     "the limit of the case is reached and a finding behind it is open",
			Does:     "it is stated that the limit passed, once, and what the case waits for",
			States:   []statement.Kind{statement.KindLimitPassed},
			Approval: automatic,
			Source:   ours + ": nothing passes the 30 days silently",
		},
		due:   (*situation).passes,
		state: (*situation).pass,
	},
	{
		Row: Row{
			Step: "standing", From: []string{noCase, "warned", "restricted", "closing", "terminated"},
			When:     "the standing that follows from the case differs from the one last stated",
			Does:     "the new standing is stated, with the reason",
			States:   []statement.Kind{statement.KindStandingChanged},
			Approval: automatic,
			Source:   ours,
		},
		due:   func(s *situation) bool { return s.stands() != s.c.Standing },
		state: (*situation).stand,
	},
}

const (
	noCase    = "no case"
	stepOpen  = "open"
	automatic = "automatic"
	ours      = "ours, not in the rule"

	willWarn           = "warned: a warning with the time in which to cure it"
	willRestrict       = "restricted: no new accounts may be opened"
	willClose          = "closing: the reseller's account is ordered closed"
	willCloseCustomers = "closing: the accounts of the customers that the findings name are ordered closed"
	willTerminate      = "terminated: the relationship ends and nothing the reseller signs is taken any more"
)

// Row is one step of the escalation, for people. What decides is the same row.
type Row struct {
	Step     string           `json:"step"`
	From     []string         `json:"from"` // stages of the case in which it can be taken
	When     string           `json:"when"`
	Does     string           `json:"does"`
	States   []statement.Kind `json:"states"`
	Approval string           `json:"approval"` // by whom; as the policy says, of a step that can ask people
	Source   string           `json:"source"`   // in the law, or ours
}

type row struct {
	Row
	due   func(*situation) bool
	state func(*situation) []statement.Statement
}

// Table returns the rows, in the order in which they are tried, with the approvals that a policy asks for.
func Table(p policy.Policy) []Row {
	rows := make([]Row, len(table))
	for i, r := range table {
		rows[i] = r.Row
		rows[i].From = slices.Clone(r.From)
		rows[i].States = slices.Clone(r.States)
		if r.Approval == "" {
			rows[i].Approval = approvalWords(approvalOf(p, r.Step))
		}
	}
	return rows
}

// Decide returns what must be stated about the reseller now, in the order in which it must stand in the ledger and all
// of it in one commit; and what happens next if nothing is done. Usually nothing must be stated.
//
// p is the policy that the case is pinned to, or the one in force if it is pinned to none; house is what bears on every case; found is
// what findings.Assess(p, h, now) returned. c and h were folded from the same entries. Errors wrap ErrPolicy or ErrFile where
// these do not hold, and mean that nothing was decided.
//
// Once its statements are folded, Decide at the same time returns none, unless with them the case ended that p is pinned to: what falls
// short still is then decided by the policy in force, and Wake is the next second. It returns none before Wake of the step and of what
// Assess returned.
func Decide(p *policy.Policy, about envelope.Entity, c Case, h history.History, house House, found []findings.Finding, now time.Time,
) (state []statement.Statement, next Step, err error) {
	if c.ID != "" && c.Policy != p.ID() {
		return nil, Step{}, fmt.Errorf("escalation: %w: case %s by %s, given %s", ErrPolicy, c.ID, c.Policy, p.ID())
	}
	if c.Next != h.Next || (h.Entity != "" && h.Entity != about) {
		return nil, Step{}, fmt.Errorf("escalation: %w: about %s: the case was folded up to entry %d, the history of %s up to entry %d",
			ErrFile, about, c.Seen(), h.Entity, h.Seen())
	}
	if now.IsZero() {
		return nil, Step{}, fmt.Errorf("escalation: %w", errNoTime)
	}
	s := &situation{policy: p, about: about, c: c, history: h, house: house, found: found, now: wholeSecond(now), pinned: c.ID}
	r := s.due()
	for ; r != nil && !s.isForAnother(r); r = s.due() {
		for _, said := range r.state(s) {
			state = append(state, said)
			s.c = s.c.after(said, -1)
		}
	}
	return state, s.next(r), nil
}

// isForAnother says that a row is not decided here. Once the case has ended to which the policy is pinned, what opens is opened by the
// policy in force, which is known to whoever decides next.
func (s *situation) isForAnother(r *row) bool {
	return r != nil && r.Step == stepOpen && s.pinned != "" && s.c.ID != s.pinned
}
