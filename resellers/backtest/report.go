package backtest

import (
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Report compares what happened with what would have happened under another policy, totals first.
type Report struct {
	Policy    string    `json:"policy"` // the one that was tried
	Digest    string    `json:"digest"` // SHA-256 of its file, base64url
	Until     time.Time `json:"until"`
	Resellers int       `json:"resellers"`
	Entries   int       `json:"entries"`
	Was       Totals    `json:"was"`
	Would     Totals    `json:"would"`
	Memory    uint64    `json:"memory"` // bytes that the program's objects took at most, as far as was looked
	// Differences are the resellers whose steps differ, ordered by entity, the first 1,000. Differing counts them all.
	Differing   int          `json:"differing"`
	Differences []Difference `json:"differences,omitzero"`
}

// Totals count how often something was stated, over all resellers.
type Totals struct {
	Warned     int            `json:"warned"`
	Restricted int            `json:"restricted"`
	Closing    int            `json:"closing"`
	Terminated int            `json:"terminated"`
	Findings   map[string]int `json:"findings"` // by rule
}

// Difference is one reseller whose steps are others.
type Difference struct {
	Entity envelope.Entity `json:"entity"`
	Was    []Stated        `json:"was"`
	Would  []Stated        `json:"would"`
}

const maxDifferences = 1000

// NewReport is the report of nobody yet, under p.
func NewReport(p policy.Policy, until time.Time) Report {
	return Report{Policy: p.ID(), Digest: p.Digest(), Until: until, Was: Totals{Findings: map[string]int{}}, Would: Totals{Findings: map[string]int{}}}
}

// Add takes one reseller: how many entries stand about it, what was stated, and what would have been.
func (r *Report) Add(entity envelope.Entity, entries int, was, would []Stated) {
	r.Resellers++
	r.Entries += entries
	r.Was.count(was)
	r.Would.count(would)
	stepsWas, stepsWould := steps(was), steps(would)
	if slices.EqualFunc(stepsWas, stepsWould, alike) {
		return
	}
	r.Differing++
	at, _ := slices.BinarySearchFunc(r.Differences, entity, func(d Difference, e envelope.Entity) int { return strings.Compare(string(d.Entity), string(e)) })
	if at < maxDifferences {
		r.Differences = slices.Insert(r.Differences, at, Difference{Entity: entity, Was: stepsWas, Would: stepsWould})
		r.Differences = r.Differences[:min(len(r.Differences), maxDifferences)]
	}
}

func (t *Totals) count(lines []Stated) {
	for _, line := range lines {
		switch line.What {
		case FindingOpened:
			t.Findings[line.Rule]++
		case escalation.Warned.String():
			t.Warned++
		case escalation.Restricted.String():
			t.Restricted++
		case escalation.Closing.String():
			t.Closing++
		case escalation.Terminated.String():
			t.Terminated++
		}
	}
}

// steps are the lines that hurt, and those that end what hurts.
func steps(lines []Stated) []Stated {
	var steps []Stated
	for _, line := range lines {
		standing, err := escalation.ParseStanding(line.What)
		worse := err == nil && standing >= escalation.Warned
		if worse || (err == nil && len(steps) > 0 && steps[len(steps)-1].worse()) {
			steps = append(steps, line)
		}
	}
	return steps
}

func (l Stated) worse() bool {
	standing, err := escalation.ParseStanding(l.What)
	return err == nil && standing >= escalation.Warned
}

// sameMoment is how far two steps may lie apart and be the same: a gateway that was down took its steps when it came back.
const sameMoment = time.Hour

func alike(a, b Stated) bool { return a.What == b.What && a.At.Sub(b.At).Abs() <= sameMoment }
