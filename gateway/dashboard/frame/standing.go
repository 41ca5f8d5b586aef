package frame

import "github.com/cipgate/cipgate/resellers/escalation"

// Badge is a standing as a page shows it: a word, a colour, and what the word means. The colour never says
// anything that the word does not.
type Badge struct {
	Word    string
	Tone    string // a class of app.css
	Meaning string
}

// BadgeOf returns the badge of a standing.
func BadgeOf(s escalation.Standing) Badge {
	switch s {
	case escalation.Good:
		return Badge{"good", "good", "Nothing falls short."}
	case escalation.Watch:
		return Badge{"watch", "watch", "Something minor falls short."}
	case escalation.Warned:
		return Badge{"warned", "warned", "Something serious falls short; the time to cure it runs."}
	case escalation.Restricted:
		return Badge{"restricted", "restricted", "It may open no new accounts."}
	case escalation.Closing:
		return Badge{"closing", "closing", "Its account is ordered closed; the relationship ends unless it cures what falls short."}
	case escalation.Terminated:
		return Badge{"terminated", "terminated", "The relationship has ended; its statements are refused."}
	}
	return Badge{"pending", "pending", "Its first attestation has not come in yet."}
}

// WorstFirst orders the standings for counting them.
var WorstFirst = []escalation.Standing{
	escalation.Terminated, escalation.Closing, escalation.Restricted, escalation.Warned, escalation.Watch,
	escalation.Pending, escalation.Good,
}
