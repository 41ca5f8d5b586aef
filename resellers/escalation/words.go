package escalation

import (
	"fmt"
	"strings"
	"time"

	"github.com/cipgate/cipgate/resellers/policy"
)

// What people read. A compliance officer and the reseller must understand each sentence without asking us.

const dispute = "Write to the provider's compliance officers before the cure time ends, and name this case. Writing to them does not move the deadline."

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
func shortfalls(p policy.Policy, open []Open) string {
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
func (s situation) reason(standing Standing) string {
	c := s.c
	open := shortfalls(*s.policy, c.Behind())
	switch standing {
	case Pending:
		return "No finding is open, and nothing was attested yet."
	case Good:
		return "An attestation was accepted, and no finding is open."
	case Watch:
		return "Open, but minor: " + shortfalls(*s.policy, c.Findings) + "."
	case Warned:
		return fmt.Sprintf("Open: %s. If it is not cured, no new accounts may be opened from %s on.%s",
			open, moment(c.CureBy), s.passing(c.CureBy))
	case Restricted:
		return fmt.Sprintf("The cure time ended at %s. Still open: %s. No new accounts may be opened. If it is not cured, the reseller's account is ordered closed at %s.%s",
			moment(c.CureBy), open, moment(c.ClosesAt), s.passing(c.ClosesAt))
	case Closing:
		return fmt.Sprintf("The restriction since %s brought no cure. Still open: %s. The reseller's account is ordered closed. If it is not cured, the relationship is terminated at %s.%s",
			moment(c.RestrictedAt), open, moment(c.TerminatesAt), s.passing(c.TerminatesAt))
	default:
		return s.whyTerminated(c.TerminatedAt)
	}
}

// whyTerminated is the sentence that goes with the termination, taken at that time.
func (s situation) whyTerminated(at time.Time) string {
	c := s.c
	if c.ClosingAt.IsZero() {
		return "The relationship was terminated at " + moment(at) + "."
	}
	why := fmt.Sprintf("Warned at %s, restricted at %s, account ordered closed at %s; not cured by %s: %s.",
		moment(c.WarnedAt), moment(c.RestrictedAt), moment(c.ClosingAt), moment(at), shortfalls(*s.policy, c.Behind()))
	if !at.After(c.LimitAt) {
		return why + " The limit of the case was " + moment(c.LimitAt) + "."
	}
	return why + s.passing(at)
}

// passing says that the limit of the case is passed when that comes. It is never passed silently.
func (s situation) passing(at time.Time) string {
	if !at.After(s.c.LimitAt) {
		return ""
	}
	return fmt.Sprintf(" That is after the limit of the case, %s: the gateway took a step late, and no step may follow the one before at once.",
		moment(s.c.LimitAt))
}

// Why says for the officer why the reseller stands as it does, by which step of the table, and where that step comes
// from. p is the policy the case is pinned to.
func Why(p policy.Policy, c Case) string {
	why := situation{policy: &p, c: c}.reason(c.Standing)
	step, ok := map[Standing]string{Warned: "warn", Restricted: "restrict", Closing: "close", Terminated: "terminate"}[c.Standing]
	if !ok {
		return why
	}
	for _, row := range table {
		if row.Step == step {
			why += fmt.Sprintf(" The step %q is taken when %s. Approval: %s. Source: %s. Policy: %s.",
				row.Step, row.When, row.Approval, row.Source, c.Policy)
		}
	}
	return why
}
