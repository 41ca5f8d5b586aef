package history

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

const (
	keptLate    = 64 // steps of lateness
	keptReports = 32 // reports of suspicious activity, the newest
)

// Late is a report that came some time after it was first known what it reports. How much is too much the policy says.
type Late struct {
	Micros    int64     `json:"late_us"`    // by how much, in microseconds
	At        time.Time `json:"at"`         // since when that is so: when the ledger took the entry that shows it
	LeafIndex int64     `json:"leaf_index"` // of that entry
	Audience  Audience  `json:"audience,omitzero"`
}

// Report is a report of suspicious activity, kept so that a correction of when it was known is held against when it came.
type Report struct {
	JTI          string    `json:"jti"`
	AcceptedAt   time.Time `json:"accepted_at"`
	DiscoveredAt time.Time `json:"discovered_at"` // the earliest that was stated
}

// after notes one more late report. Only the first one that is as late as that is kept, since it stands for all later ones that are
// no later; so for every allowed time the first report that took longer can be read off. Beyond the number that is held, one that
// lies between the first and the newest goes.
func after(steps []Late, next Late) []Late {
	if next.Micros <= 0 || len(steps) > 0 && next.Micros <= steps[len(steps)-1].Micros {
		return steps
	}
	held := slices.Clone(steps)
	if len(held) == keptLate {
		held = slices.Delete(held, 1, 2)
	}
	return append(held, next)
}

// FirstLate returns the first report that took longer than allowed.
func FirstLate(steps []Late, allowed time.Duration) (Late, bool) {
	for _, step := range steps {
		if time.Duration(step.Micros)*time.Microsecond > allowed {
			return step, true
		}
	}
	return Late{}, false
}

// suspected notes how late a report of suspicious activity came. A correction counts from when the report that it corrects came.
func (h History) suspected(said statement.SuspiciousActivity, e statement.Entry) History {
	at := e.AcceptedAt.UTC()
	report := Report{JTI: e.JTI, AcceptedAt: at, DiscoveredAt: said.DiscoveredAt.UTC()}
	if said.Supersedes != "" {
		i := slices.IndexFunc(h.Reports, func(r Report) bool { return r.JTI == said.Supersedes })
		if i < 0 {
			return h // of one that is no longer held, or never was: when it came is not known here
		}
		report.AcceptedAt = h.Reports[i].AcceptedAt
		if h.Reports[i].DiscoveredAt.Before(report.DiscoveredAt) {
			report.DiscoveredAt = h.Reports[i].DiscoveredAt // the earliest knowledge governs
		}
	}
	held := slices.Clone(h.Reports)
	if len(held) == keptReports {
		held = slices.Delete(held, 0, 1)
	}
	h.Reports = append(held, report)
	h.LateSuspicions = after(h.LateSuspicions, Late{Micros: report.AcceptedAt.Sub(report.DiscoveredAt).Microseconds(), At: at,
		LeafIndex: e.LeafIndex, Audience: audienceOf(said.Audience)})
	return h
}
