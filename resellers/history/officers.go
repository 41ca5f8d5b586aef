package history

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// What officers put on record about a reseller and what is a fact here: the actions and the names of their details.
const (
	ActionEvidence  = "evidence.recorded"
	ActionAccepted  = "remediation.accepted"
	ActionNotified  = "notice.recorded"
	ActionConfirmed = "contact.confirmed"

	detailEvidence   = "evidence"
	detailGround     = "ground"
	detailSeverity   = "severity"
	detailReceivedAt = "received_at"
	detailAudience   = "audience"
	detailAnswered   = "answered"
)

const (
	keptEvidence = 256 // recorded and not settled, the oldest
	keptSettled  = 64  // findings that an officer settled, the newest
)

// Evidence is what an officer recorded against the reseller (15 CFR 7.303(d), proposed) and nobody settled.
type Evidence struct {
	ID         string    `json:"id"`
	Ground     string    `json:"ground,omitzero"`   // cip-failure, no-good-faith-effort, increased-risk
	Severity   string    `json:"severity"`          // serious, critical
	ReceivedAt time.Time `json:"received_at"`       // when the provider got it, never after it was recorded; UTC
	LeafIndex  int64     `json:"leaf_index"`        // of the officer's action
	Audience   Audience  `json:"audience,omitzero"` // who may be shown it
}

// Settled is a finding that an officer settled: by accepting a remediation of it, or by deciding a dispute of it for the reseller.
type Settled struct {
	Finding   string    `json:"finding"`
	Upheld    bool      `json:"upheld,omitzero"` // by a dispute: it never stood
	At        time.Time `json:"at"`
	LeafIndex int64     `json:"leaf_index"`
	First     int64     `json:"first,omitzero"` // the entry that the finding follows from first
}

// Settlement returns how an officer settled a finding; false if nobody did, or longer ago than the latest that are held.
func (h History) Settlement(finding string) (Settled, bool) {
	for i := range h.Settled {
		if h.Settled[i].Finding == Named(finding) {
			return h.Settled[i], true
		}
	}
	return Settled{}, false
}

// Contact is when the reseller's contact was confirmed last. The zero Contact is that of one that never was.
type Contact struct {
	At        time.Time `json:"at"`
	LeafIndex int64     `json:"leaf_index"`
}

// acted folds an officer's action.
func (h History) acted(said statement.OfficerAction, e statement.Entry) History {
	at := e.AcceptedAt.UTC()
	switch said.Action {
	case ActionEvidence:
		return h.recorded(said, e.LeafIndex, at)
	case ActionOrderConfirmed:
		return h.carriedOut(said, e)
	case ActionNotified:
		return h.tried(said, e.LeafIndex, at)
	case actionStreamPaused, actionStreamEnabled:
		return h.streamed(said.Action, e.LeafIndex, at)
	case ActionConfirmed:
		h.Contact = Contact{At: at, LeafIndex: e.LeafIndex}
	}
	return h
}

func (h History) recorded(said statement.OfficerAction, leafIndex int64, at time.Time) History {
	one := Evidence{ID: detail(said, detailEvidence), Ground: detail(said, detailGround), Severity: "serious", ReceivedAt: at,
		LeafIndex: leafIndex, Audience: audienceOf(detail(said, detailAudience))}
	if detail(said, detailSeverity) == "critical" {
		one.Severity = "critical"
	}
	if received, err := time.Parse(time.RFC3339, detail(said, detailReceivedAt)); err == nil && received.Before(at) {
		one.ReceivedAt = received.UTC()
	}
	known := one.ID != "" && slices.ContainsFunc(h.Evidence, func(e Evidence) bool { return e.ID == one.ID })
	if known || len(h.Evidence) == keptEvidence {
		return h
	}
	h.Evidence = append(slices.Clone(h.Evidence), one) // histories are values: the one we came from keeps its own
	return h
}

// ruled takes a decision of an answer that counts. One about the severity alone leaves the facts as they are.
func (h History) ruled(r Ruling, leafIndex int64, at time.Time) History {
	if !r.Ends && !r.Cures() {
		return h
	}
	return h.settle(Settled{Finding: r.Answer.Finding, Upheld: r.Ends, At: at, LeafIndex: leafIndex, First: r.First})
}

// settle notes that a finding is settled, with the facts that it rests on: evidence and late reports are facts for good, and nothing
// that the reseller states ends them. What an appeal found wrong stays wrong from then on: an acceptance that comes before anybody
// stated the cure mends nothing of it, and must not take the dispute's place, or nobody could say when the time began to run anew.
func (h History) settle(s Settled) History {
	if s.Finding == "" {
		return h
	}
	s.Finding = Named(s.Finding)
	if earlier, is := h.Settlement(s.Finding); is && earlier.Upheld && !s.Upheld {
		return h
	}
	held := slices.DeleteFunc(slices.Clone(h.Settled), func(o Settled) bool { return o.Finding == s.Finding })
	if len(held) == keptSettled {
		held = slices.Delete(held, 0, 1)
	}
	h.Settled = append(held, s)
	leafIndex := leafOf(s.Finding)
	if s.Upheld {
		h = h.wronglyAsked(s, leafIndex)
	}
	switch {
	case strings.HasPrefix(s.Finding, RuleEvidence+"."):
		h.Evidence = without(h.Evidence, func(e Evidence) bool { return e.LeafIndex == leafIndex })
	case strings.HasPrefix(s.Finding, RuleLate+".") && h.late(leafIndex):
		// One finding is about every report that came late while it was open, but what is owed still, is owed still.
		h.LateSuspicions, h.LateTrainings = nil, nil
		h.Trainings = h.Trainings.settled(s.LeafIndex, s.At, func(d Debt) bool { return d.LeafIndex == leafIndex })
	}
	return h
}

// wronglyAsked ends the one debt that an upheld dispute was about: it must not hide what is asked for beside it, nor end what is owed
// under another rule that follows from the same entry.
func (h History) wronglyAsked(s Settled, leafIndex int64) History {
	disputed := func(d Debt) bool { return d.LeafIndex == leafIndex }
	switch {
	case strings.HasPrefix(s.Finding, RuleUnanswered+"."):
		h.Inquiries = h.Inquiries.settled(s.LeafIndex, s.At, disputed)
	case strings.HasPrefix(s.Finding, RuleCopy+"."):
		h.CIPRequests = h.CIPRequests.settled(s.LeafIndex, s.At, disputed)
	case strings.HasPrefix(s.Finding, RuleOrder+"."):
		h.Orders = h.Orders.ended(s.LeafIndex, s.At, disputed)
	}
	return h
}

// The rules whose facts an officer may end, by their names in a policy.
const (
	RuleEvidence   = "evidence.recorded"
	RuleLate       = "report.late"
	RuleUnanswered = "abuse.unanswered"
	RuleCopy       = "cip.copy-missing"
	RuleOrder      = "order.overdue"
)

// late is true if a report that is late, or owed, stands behind this entry.
func (h *History) late(leafIndex int64) bool {
	step := func(l Late) bool { return l.LeafIndex == leafIndex }
	return slices.ContainsFunc(h.LateSuspicions, step) || slices.ContainsFunc(h.LateTrainings, step) ||
		slices.ContainsFunc(h.Trainings.Open, func(d Debt) bool { return d.LeafIndex == leafIndex })
}

// Again stands in the id of a finding that is opened a second time with the same facts (escalation), before what tells the two apart.
const Again = "~"

// Named is the name of the shortfall that a finding is about: the same whenever it is opened.
func Named(finding string) string {
	name, _, _ := strings.Cut(finding, Again)
	return name
}

// leafOf is the leaf index of the first entry that a finding rests on, which its id ends with; -1 if it does not.
func leafOf(finding string) int64 {
	leafIndex, err := strconv.ParseInt(finding[strings.LastIndexByte(finding, '.')+1:], 10, 64)
	if err != nil {
		return -1
	}
	return leafIndex
}

func detail(said statement.OfficerAction, name string) string {
	for _, d := range said.Details {
		if d.Name == name {
			return d.Value
		}
	}
	return ""
}

// without returns a copy; nil if nothing is left, so that a history reads back from JSON as it was.
func without[T any](all []T, gone func(T) bool) []T {
	left := slices.DeleteFunc(slices.Clone(all), gone)
	if len(left) == 0 {
		return nil
	}
	return left
}
