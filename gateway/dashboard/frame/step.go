package frame

import (
	"strings"
	"time"

	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Step is what comes next for a reseller, as a page shows it: what, when, and what prevents it. Where nothing
// falls short yet, what comes next is first of all what the reseller owes; the step is what follows otherwise.
type Step struct {
	What      string
	At        Moment // zero: nothing is scheduled
	Unless    string // what prevents it, the end of "unless there is ..."; empty if Otherwise is set
	Otherwise string // what follows if What is not done, a sentence
	Waits     string // what it waits for beside its time, a sentence; empty if for nothing
	Tone      string // of the standing it leads to
}

// StepOf words a step of a case, or of the outlook.
func StepOf(s escalation.Step, now time.Time) Step {
	shown := Step{What: officer.Sentence(s.What), At: MomentOf(s.At, now), Unless: s.Unless, Waits: officer.Sentence(s.Waits), Tone: BadgeOf(escalation.Pending).Tone}
	name, _, _ := strings.Cut(s.What, ":")
	if standing, err := escalation.ParseStanding(name); err == nil {
		shown.Tone = BadgeOf(standing).Tone
	}
	return shown
}

// DueOf words a step of a reseller without a case by what it owes.
func DueOf(s escalation.Step, now time.Time) Step {
	step := StepOf(s, now)
	if s.At.IsZero() || s.Unless == "" {
		return step
	}
	follows := s.What
	if _, does, ok := strings.Cut(s.What, ": "); ok {
		follows = does // without the standing it leads to
	}
	step.What, step.Unless, step.Otherwise = officer.Sentence("due: "+s.Unless), "", officer.Sentence("otherwise: "+follows)
	return step
}
