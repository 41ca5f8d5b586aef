package escalation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// What people read. A compliance officer and the reseller must understand each sentence without asking us.

const dispute = "State a remediation of kind dispute that names the finding, or write to the provider's compliance officers and name this case. An officer who decided nothing in it decides. Until then no account is closed and the relationship is not ended; the cure time and a restriction are not moved by it."

// moment writes a time for people. Every deadline is one of UTC, to the second.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// cures says what would cure the open findings: "an accepted cip-attestation (cures cip.missing)".
func cures(open []Open) string { return strings.Join(toCure(open), " and ") }

func toCure(open []Open) []string {
	words := make([]string, len(open))
	for i, f := range open {
		words[i] = f.Cure + " (cures " + f.Rule + ")"
	}
	return words
}

// shortfalls names the open findings in the policy's words.
func shortfalls(p *policy.Policy, open []Open) string {
	words := make([]string, len(open))
	for i, f := range open {
		words[i] = f.Rule + ", since " + moment(f.Since)
		if rule, known := p.Rule(f.Rule); known {
			words[i] += " (" + rule.Finding
			if rule.After.Value > 0 {
				words[i] += ": " + rule.After.Value.Words()
			}
			words[i] += ")"
		}
	}
	return strings.Join(words, "; ")
}

// reason says why the reseller stands as it does.
func (s *situation) reason(standing Standing) string {
	c := s.c
	open := shortfalls(s.policy, c.Behind())
	switch standing {
	case Pending:
		return "No finding is open, and nothing was attested yet."
	case Good:
		return "An attestation was accepted, and no finding is open."
	case Watch:
		return "Open, but minor: " + shortfalls(s.policy, c.Findings) + "."
	case Warned:
		if !s.urgentSince(c.Behind()).IsZero() {
			return fmt.Sprintf("Open: %s. It is so grave that %s ordered closed at once%s.%s",
				open, s.closedWords(), s.onceApproved(StepClose), s.passing(s.now))
		}
		return fmt.Sprintf("Open: %s. If it is not cured, no new accounts may be opened from %s on%s.%s",
			open, moment(c.CureBy), s.onceApproved(StepRestrict), s.passing(c.CureBy))
	case Restricted:
		since := "The cure time ended at " + moment(c.CureBy)
		if s.repeats() {
			since = fmt.Sprintf("This is one of %d serious cases or more within %s, so that it begins with a restriction, and the cure time ends at %s",
				s.policy.Case.Repeat.Count.Value, s.policy.Case.Repeat.Within.Value.Words(), moment(c.CureBy))
		}
		return fmt.Sprintf("%s. Still open: %s. No new accounts may be opened. If it is not cured, %s ordered closed at %s%s.%s",
			since, open, s.closedWords(), moment(c.ClosesAt), s.onceApproved(StepClose), s.passing(c.ClosesAt))
	case Closing:
		since := "The restriction since " + moment(c.RestrictedAt) + " brought no cure"
		if c.RestrictedAt.IsZero() || !s.urgentSince(c.Behind()).IsZero() {
			since = "What was found is so grave that the account is closed at once"
		}
		return fmt.Sprintf("%s. Still open: %s. T%s ordered closed. If it is not cured, the relationship is terminated at %s%s.%s%s",
			since, open, s.closedWords()[1:], moment(c.TerminatesAt), s.onceApproved(StepTerminate), s.passing(c.TerminatesAt), s.untold(StepClose))
	default:
		return s.whyTerminated(c.TerminatedAt)
	}
}

// onceApproved says by how many officers a step must be approved, if by any.
func (s *situation) onceApproved(step string) string {
	n, rule := s.people(move{step: step})
	switch {
	case n == 0:
		return ""
	case rule.Silence == policy.SilenceActs:
		return ", unless an officer refuses it"
	}
	return ", once it is approved by " + peopleWords[n]
}

// whyTerminated is the sentence that goes with the termination, taken at that time.
func (s *situation) whyTerminated(at time.Time) string {
	c := s.c
	if c.ClosingAt.IsZero() {
		return "The relationship was terminated at " + moment(at) + "."
	}
	restricted := ""
	if !c.RestrictedAt.IsZero() {
		restricted = "restricted at " + moment(c.RestrictedAt) + ", "
	}
	why := fmt.Sprintf("Warned at %s, %saccount ordered closed at %s; not cured by %s: %s.",
		moment(c.WarnedAt), restricted, moment(c.ClosingAt), moment(at), shortfalls(s.policy, c.Behind()))
	if given, _ := s.given(ID(s.about, statement.RelationshipTerminated{Case: c.ID})); len(given) > 0 {
		why += " Approved by " + strconv.Itoa(len(given)) + " of the provider's officers."
	}
	why += s.untold(StepTerminate)
	if !at.After(c.LimitAt) {
		return why + " The limit of the case was " + moment(c.LimitAt) + "."
	}
	return why + s.passing(at)
}

// passing says that the limit of the case is passed when that comes, and by what. It is never passed silently.
func (s *situation) passing(at time.Time) string {
	c := s.c
	if c.LimitAt.IsZero() || !at.After(c.LimitAt) {
		return ""
	}
	because := "the gateway took a step late, and no step may follow the one before at once"
	switch {
	case len(c.Holds) > 0:
		because = "the steps of the case were kept waiting"
	case slices.ContainsFunc(c.Grants, func(g Grant) bool { return g.At.After(c.LimitAt) }):
		because = "a step waited for its approval"
	case s.policy.Case.Proof.AtLimit.Value == policy.Waits && len(s.house.Outages) == 0:
		because = "a step waited for proof that the reseller was told, or the gateway took it late"
	case len(s.house.Outages) > 0:
		because = "time in which the gateway could take nothing in was given back, or it took a step late"
	}
	return fmt.Sprintf(" That is after the limit of the case, %s: %s.", moment(c.LimitAt), because)
}

// Why says for the officer why the reseller stands as it does, by which step of the table, and where that step comes
// from. p is the policy the case is pinned to.
func Why(p policy.Policy, c Case) string {
	s := situation{policy: &p, c: c}
	why := s.reason(c.Standing)
	step, ok := map[Standing]string{Warned: "warn", Restricted: "restrict", Closing: "close", Terminated: "terminate"}[c.Standing]
	if !ok {
		return why
	}
	for _, row := range table {
		if row.Step == step {
			why += fmt.Sprintf(" The step %q is taken when %s. Approval: %s. Source: %s. Policy: %s.",
				row.Step, row.When, approvalWords(approvalOf(p, step)), row.Source, c.Policy)
		}
	}
	return why
}

// approvalWords says by whom a step is approved.
func approvalWords(a policy.Approval) string {
	words := automatic
	if a.People > 0 {
		words = peopleWords[a.People] + silenceWords(a.Silence)
	}
	switch {
	case a.Critical == a.People:
	case a.Critical > 0:
		words += ", and of a critical finding " + peopleWords[a.Critical]
	default:
		words += ", and of a critical finding " + automatic
	}
	return words
}

var peopleWords = [...]string{1: "one officer", 2: "two different officers"}

func silenceWords(silence policy.Silence) string {
	if silence == policy.SilenceActs {
		return "; if nobody says anything it is taken at its time"
	}
	return "; if nobody says anything it waits"
}

// people says of how many more an approval is missing.
func people(missing int, more bool) string {
	switch {
	case missing == 1 && more:
		return "one more officer"
	case missing == 1:
		return "one officer"
	}
	return "two different officers"
}

var guardWords = map[GuardKind]string{
	GuardClosures: "closures of a day", GuardTerminations: "terminations of a day", GuardAccounts: "customers' accounts closed in a day",
	GuardFindings: "findings",
}

const heldFindings = "the guard holds findings about so many resellers at once to be the gateway's own fault until two officers release them"

// whyPassed says why the limit passes before the case has ended.
func (s *situation) whyPassed() string {
	why := fmt.Sprintf("The limit of the case, %s, has passed, and still open: %s.", moment(s.c.LimitAt), shortfalls(s.policy, s.c.Behind()))
	for _, m := range s.moves() {
		at, waits := s.ready(m)
		due := "due since "
		if at.After(s.now) {
			due = "due at "
		}
		why += fmt.Sprintf(" The step %q (%s) is %s%s", m.step, m.does, due, moment(at))
		if waits != "" {
			why += ": " + waits
		}
		why += "."
	}
	// Whose hold it is stands in the ledger. It is not said here: a stay may be one that its subject must not hear of.
	if slices.ContainsFunc(s.c.Holds, func(h Hold) bool { return h.In(s.now) }) {
		why += " A hold keeps the steps of the case waiting."
	}
	return why
}
