package backtest

import (
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Day is where a shadow and what happened differed on one day, UTC: totals first, then names.
type Day struct {
	Day       string `json:"day"`
	Policy    string `json:"policy"`   // that runs beside
	InForce   string `json:"in_force"` // when the report was made
	Resellers int    `json:"resellers"`
	Would     Totals `json:"would"` // what the shadow would have stated on that day
	Was       Totals `json:"was"`   // and what was
	// OnlyShadow and OnlyLive count the steps that only one of the two took. One that both took within the same hour is in neither.
	OnlyShadow Totals `json:"only_shadow"`
	OnlyLive   Totals `json:"only_live"`
	Differing  int    `json:"differing"` // resellers of which a step differs on that day
	Apart      int    `json:"apart"`     // resellers that stand otherwise in the shadow, since whichever day
	// Names are the resellers of which a step differs on that day, in the order of their ids, the first 1,000. Differing counts them all.
	Names []Apart `json:"names"`
}

// Apart is one reseller of which a step differs on a day.
type Apart struct {
	Entity     envelope.Entity `json:"entity"`
	OnlyShadow []Stated        `json:"only_shadow,omitzero"`
	OnlyLive   []Stated        `json:"only_live,omitzero"`
	Shadow     string          `json:"standing_in_shadow"` // when the report was made
	Live       string          `json:"standing"`
}

// Followed is one reseller's past beside a shadow, since that began.
type Followed struct {
	Entity       envelope.Entity
	Would, Was   []Stated
	Shadow, Live escalation.Standing
}

// NewDay is the report of nobody yet.
func NewDay(on time.Time, policy, inForce string) *Day {
	none := func() Totals { return Totals{Findings: map[string]int{}} }
	return &Day{Day: day(on), Policy: policy, InForce: inForce, Would: none(), Was: none(), OnlyShadow: none(), OnlyLive: none(), Names: []Apart{}}
}

// Add takes one reseller. They come in the order of their ids.
func (d *Day) Add(f Followed) {
	d.Resellers++
	d.Would.count(on(d.Day, f.Would))
	d.Was.count(on(d.Day, f.Was))
	if f.Shadow != f.Live {
		d.Apart++
	}
	onlyShadow, onlyLive := unmatched(steps(f.Would), steps(f.Was))
	apart := Apart{Entity: f.Entity, OnlyShadow: on(d.Day, onlyShadow), OnlyLive: on(d.Day, onlyLive), Shadow: f.Shadow.String(), Live: f.Live.String()}
	if len(apart.OnlyShadow)+len(apart.OnlyLive) == 0 {
		return
	}
	d.OnlyShadow.count(apart.OnlyShadow)
	d.OnlyLive.count(apart.OnlyLive)
	d.Differing++
	if len(d.Names) < maxNames {
		d.Names = append(d.Names, apart)
	}
}

// on are the lines of one day.
func on(of string, lines []Stated) []Stated {
	var some []Stated
	for _, line := range lines {
		if day(line.At) == of {
			some = append(some, line)
		}
	}
	return some
}

// unmatched are the steps of each side that the other one did not take within the hour.
func unmatched(would, was []Stated) (onlyWould, onlyWas []Stated) {
	taken := make([]bool, len(was))
next:
	for _, step := range would {
		for i, other := range was {
			if !taken[i] && alike(step, other) {
				taken[i] = true
				continue next
			}
		}
		onlyWould = append(onlyWould, step)
	}
	for i, step := range was {
		if !taken[i] {
			onlyWas = append(onlyWas, step)
		}
	}
	return onlyWould, onlyWas
}
