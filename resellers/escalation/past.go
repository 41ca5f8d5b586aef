package escalation

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/resellers/policy"
)

// How many ended cases a Case holds; PastCount counts them all. Of those that the provider did not take back as many as a policy can count
// as repeats, however many that it took back came since; and with them, by whichever policy the next case is judged, the latest one that
// kept another: before that one ended no limit begins (clock.go).
const (
	countedKept = policy.MaxRepeat - 1
	pastKept    = countedKept + 2
)

// Past is a case that ended, because everything behind it was cured or a termination was taken back.
type Past struct {
	ID       string    `json:"id"`
	Policy   string    `json:"policy"`
	OpenedAt time.Time `json:"opened_at"`
	Reached  Standing  `json:"reached"` // the worst it came to
	EndedAt  time.Time `json:"ended_at"`
	Seen     int64     `json:"seen"` // the last entry that its policy judged
	// Wrong says that the provider took it back: an appeal found every finding wrong, or the termination was not the reseller's fault.
	Wrong      bool   `json:"wrong,omitzero"`
	WhoseError string `json:"whose_error,omitzero"` // exactly where a termination was taken back
}

// past is the open case once it has ended. seen is the last entry that its policy judged.
func (c Case) past(at time.Time, seen int64) Past {
	reached, _ := c.Stage()
	return Past{ID: c.ID, Policy: c.Policy, OpenedAt: c.OpenedAt, Reached: reached, EndedAt: at.UTC(), Seen: seen, Wrong: !c.Faced}
}

// remembered adds a case that ended. Where they are too many the oldest goes that nothing will ask for any more.
func remembered(all []Past, one Past) []Past {
	all = append(slices.Clone(all), one)
	if len(all) <= pastKept {
		return all
	}
	counted, other, unasked := 0, false, 0
	for i := len(all) - 1; i >= 0; i-- {
		counts := !all[i].Wrong && counted < countedKept
		if counts {
			counted++
		}
		differs := !other && all[i].Policy != one.Policy
		other = other || differs
		if !counts && !differs { // the latest one is never the oldest of them
			unasked = i
		}
	}
	return slices.Delete(all, unasked, unasked+1)
}
