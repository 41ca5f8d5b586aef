package escalation

import (
	"fmt"
	"strconv"
	"time"
)

// What people read of proof of notice.

// toldOf names the step that a reseller must be told of.
var toldOf = map[string]string{
	StepWarn: "its warning", StepRestrict: "its restriction", StepClose: "the order to close its account", StepTerminate: "its termination",
}

// unprovedWords says what a step waits for that waits for proof of the one before.
func unprovedWords(t Told) string {
	return fmt.Sprintf("it is not proved that the reseller was told of %s, stated at %s%s. It waits for the acknowledgement of that notice, the link in its mail, or a call or courier that an officer records",
		toldOf[t.Step], moment(t.At), tried(t.Tries))
}

func tried(tries []Try) string {
	switch len(tries) {
	case 0:
		return ""
	case 1:
		return ", and nobody answered one try to call or to send a courier"
	}
	return ", and nobody answered " + strconv.Itoa(len(tries)) + " tries to call or to send a courier"
}

// sinceUnproved says of a step that will be taken all the same that it is late for want of proof, and until when proof brings it forward.
func sinceUnproved(t Told, due, now time.Time) string {
	if due.After(now) {
		return fmt.Sprintf(" (at %s already if by then it is proved that the reseller was told of %s)", moment(due), toldOf[t.Step])
	}
	return fmt.Sprintf(" (due since %s; it waits until then, or until it is proved that the reseller was told of %s)", moment(due), toldOf[t.Step])
}

// noticeWords says how far the notice of a step is proved, and what to do.
func noticeWords(n Notice, now time.Time) string {
	if !n.Missing() {
		by := map[string]string{
			ByTries:        "nobody answered " + strconv.Itoa(len(n.Tries)) + " tries of an officer on different days, which the policy lets count",
			ByConfirmation: "it confirmed that order",
		}[n.Proved.Channel]
		if by == "" {
			by = n.Proved.Channel
		}
		return fmt.Sprintf("The reseller was told of %s at %s: %s.", toldOf[n.Of], moment(n.Proved.At), by)
	}
	words := fmt.Sprintf("It is not proved that the reseller was told of %s, stated at %s%s.", toldOf[n.Of], moment(n.Told), tried(n.Tries))
	switch {
	case now.Before(n.CallAt):
		words += fmt.Sprintf(" If that stays so, an officer calls, or sends a courier, from %s on.", moment(n.CallAt))
	case now.Before(n.CallBy):
		words += fmt.Sprintf(" Call, or send a courier, by %s, and record it, also if nobody answers.", moment(n.CallBy))
	default:
		words += " Call, or send a courier, now, and record it, also if nobody answers."
	}
	if n.Needed > 0 {
		words += fmt.Sprintf(" So many tries on different days that nobody answers count as proof: %d.", n.Needed)
	}
	if n.EndsAt.IsZero() {
		return words + fmt.Sprintf(" The step %q waits for it, past the limit too.", n.For)
	}
	return words + fmt.Sprintf(" The step %q waits for it until %s at the latest.", n.For, moment(n.EndsAt))
}

// untold says, of a step that was taken, that nobody was proved to have been told of the one before, where the policy asks for that.
func (s *situation) untold(step string) string {
	t := s.c.Told
	if step == StepTerminate && s.c.TerminatedAt.IsZero() {
		t = s.c.tells(step, s.now).Told
	}
	if t.Step != step || t.Untold == "" || !s.policy.Case.Proof.AsksFor(step) || step == StepClose && s.c.urgent() {
		return ""
	}
	return untoldWords(t.Untold, t.InVain)
}

func untoldWords(step string, tries int) string {
	words := " That the reseller was told of " + toldOf[step] + " was proved by no channel"
	switch tries {
	case 0:
		return words + "."
	case 1:
		return words + "; one try of an officer was answered by nobody."
	}
	return words + "; " + strconv.Itoa(tries) + " tries of an officer were answered by nobody."
}
