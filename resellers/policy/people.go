package policy

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// Approvals say which steps of a case wait for people, and what their silence means.
type Approvals struct {
	Warn      Approval `json:"warn"`
	Restrict  Approval `json:"restrict"`
	Close     Approval `json:"close"`
	Terminate Approval `json:"terminate"`
}

// Approval is how many people must approve one step: none makes it automatic.
type Approval struct {
	People   int     `json:"people"`           // 0 to 2, where the case is serious
	Critical int     `json:"critical"`         // 0 to 2, where a critical finding is behind it
	Silence  Silence `json:"silence,omitzero"` // what happens when nobody has said anything by the step's time
	Source   string  `json:"source,omitzero"`  // in the law, or ours
	Status   Origin  `json:"status,omitzero"`
}

// Silence says what it means that nobody approved a step, and nobody refused it.
type Silence string

// What silence means.
const (
	SilenceActs  Silence = "acts"  // the step is taken at its time all the same
	SilenceHolds Silence = "holds" // it waits, loudly
)

// Repeat says when a reseller is warned and restricted at once.
type Repeat struct {
	Count     Count   `json:"count"`      // this case and those before it make so many
	Within    Number  `json:"within"`     // opened within this time
	CureShare Percent `json:"cure_share"` // of the cure time is left to it
}

// MaxRepeat is how many cases can be counted, the one that is open included: escalation keeps of those that ended as many as that takes.
const MaxRepeat = 9

// mostPeople is how many people one step can ask for.
const mostPeople = 2

func (r *reader) approvals(v value) Approvals {
	f := r.object(v, "warn", "restrict", "close", "terminate")
	return Approvals{Warn: r.approval(f[0]), Restrict: r.approval(f[1]), Close: r.approval(f[2]), Terminate: r.approval(f[3])}
}

func (r *reader) approval(v value) Approval {
	f := r.object(v, "people", "critical", "silence", "source", "status")
	return Approval{
		People: r.people(f[0]), Critical: r.people(f[1]),
		Silence: Silence(r.word(f[2], string(SilenceActs), string(SilenceHolds))), Source: r.text(f[3]), Status: r.origin(f[4]),
	}
}

func (r *reader) people(v value) int {
	switch node := v.node.(type) {
	case nil:
		return 0
	case *ast.IntegerNode:
		if n, ok := node.Value.(uint64); ok && n <= mostPeople {
			return int(n)
		}
	}
	r.fault(v, "0, 1 or 2 people", describe(v.node))
	return 0
}

func (r *reader) repeat(v value) Repeat {
	f := r.object(v, "count", "within", "cure_share")
	repeat := Repeat{Count: r.counted(f[0]), Within: r.number(f[1]), CureShare: r.percent(f[2])}
	if f[0].node != nil && (repeat.Count.Value < 2 || repeat.Count.Value > MaxRepeat) {
		r.fault(f[0], "a count from 2 to 9, this case included", strconv.Itoa(repeat.Count.Value))
	}
	return repeat
}
