package escalation

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// House is what bears on every case and is about none: folded from the entries about the gateway, and what of the guard's numbers is
// used up. The zero House holds nothing back.
type House struct {
	Outages  []Span    `json:"outages,omitzero"` // in which nothing could be handed in: merged, the earliest first, the latest 64
	Paused   *Pause    `json:"paused,omitzero"`  // nil while irreversible steps are taken by themselves
	Releases []Release `json:"releases,omitzero"`
	InForce  []InForce `json:"in_force,omitzero"` // which policies were put in force, the latest last

	// Counts are not folded from entries about the gateway: whoever decides reads them at that moment.
	Counts Counts `json:"-"`
	// Holdings neither: they are of the one reseller that is decided about.
	Holdings Holdings `json:"-"`
}

// Span is a time from its first moment to the first one after it.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Pause is that an officer let irreversible steps wait.
type Pause struct {
	Since  time.Time         `json:"since"`
	By     statement.Officer `json:"by"`
	Reason string            `json:"reason"`
}

// Release is that two people let go on what the guard held.
type Release struct {
	Guard      GuardKind         `json:"guard"`
	From       time.Time         `json:"from"`
	Until      time.Time         `json:"until"`
	By         statement.Officer `json:"by"`
	ProposedBy statement.Officer `json:"proposed_by"`
}

// GuardKind is what the guard counts.
type GuardKind string

// What the guard counts.
const (
	GuardClosures     GuardKind = "closures"
	GuardTerminations GuardKind = "terminations"
	GuardAccounts     GuardKind = "accounts"
	GuardFindings     GuardKind = "findings"
)

// Counts are what of the guard's numbers is used up.
type Counts struct {
	Resellers    int       // whose relationship was not terminated
	Day          time.Time // midnight, UTC, of the day that the next three are of
	Closures     int
	Terminations int
	Accounts     int // open at the resellers of those closures and terminations
	Opened       int // resellers of which a finding was opened within the guard's time before now
	// OpenedUntil is when the first of those findings is counted no more; zero if none is counted.
	OpenedUntil time.Time
	Tripped     bool // more were, once, and nobody has said otherwise since
}

// MaybeBeside are the counts for judging a reseller of which nobody has asked whether it is itself one of those of which findings were
// opened: another finding of it makes no more resellers of them. It is taken for one. Judged so, what may be opened never sleeps until
// the guard forgets the others; and whoever states something counts exactly first, and opens nothing that the guard holds back.
func (c Counts) MaybeBeside() Counts {
	c.Opened = max(0, c.Opened-1)
	return c
}

const (
	outagesKept  = 64
	releasesKept = 16
)

// With returns the house with one more entry about the gateway. Entries come in the order of the ledger; whatever else they say changes
// nothing.
func (h House) With(e statement.Entry) House {
	switch s := e.Statement.(type) {
	case statement.OutageRecorded:
		h.Outages = merged(append(slices.Clone(h.Outages), Span{From: wholeSecond(s.From), To: wholeSecond(s.To)}))
		if n := len(h.Outages); n > outagesKept {
			h.Outages = h.Outages[n-outagesKept:]
		}
	case statement.OfficerAction:
		if s.On.Type == "gateway" {
			return h.acted(s, e)
		}
	case statement.PolicyActivated:
		if e.By == e.About {
			return h.PutInForce(s.Policy, e.AcceptedAt, e.LeafIndex)
		}
	}
	return h
}

// Same says whether two houses bear on cases in the same way, the guard's numbers apart.
func (h House) Same(other House) bool {
	return slices.Equal(h.Outages, other.Outages) && slices.Equal(h.Releases, other.Releases) && slices.Equal(h.InForce, other.InForce) &&
		(h.Paused == nil) == (other.Paused == nil) && (h.Paused == nil || *h.Paused == *other.Paused)
}

func (h House) acted(s statement.OfficerAction, e statement.Entry) House {
	switch s.Action {
	case ActionPaused:
		if h.Paused == nil {
			h.Paused = &Pause{Since: wholeSecond(e.AcceptedAt), By: s.Officer, Reason: s.Reason}
		}
	case ActionResumed:
		h.Paused = nil
	case ActionGuardReleased:
		if s.ProposedBy == nil || s.ProposedBy.ID == s.Officer.ID || s.EndsAt.IsZero() {
			break // it takes two people, and ends
		}
		h.Releases = append(slices.Clone(h.Releases), Release{
			Guard: GuardKind(detail(s, "guard")), From: wholeSecond(e.AcceptedAt), Until: wholeSecond(s.EndsAt), By: s.Officer, ProposedBy: *s.ProposedBy,
		})
		if n := len(h.Releases); n > releasesKept {
			h.Releases = h.Releases[n-releasesKept:]
		}
	}
	return h
}

// merged orders spans and joins those that touch.
func merged(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	var all []Span
	for _, s := range spans {
		if n := len(all); n > 0 && !s.From.After(all[n-1].To) {
			if s.To.After(all[n-1].To) {
				all[n-1].To = s.To
			}
			continue
		}
		all = append(all, s)
	}
	return all
}

// ReleasedAt says whether two people let this go on at that time.
func (h House) ReleasedAt(kind GuardKind, at time.Time) bool {
	return slices.ContainsFunc(h.Releases, func(r Release) bool {
		return r.Guard == kind && !at.Before(r.From) && at.Before(r.Until)
	})
}

// Guard says what of a policy's guard holds a step back at that time, and until when: zero if until two people release it. A step that
// closes or terminates counts one, and the customers' accounts that are open with the reseller. kind is empty if nothing holds it back.
func (h House) Guard(g policy.Guard, step string, accounts int, at time.Time) (kind GuardKind, until time.Time) {
	c := h.Counts
	tomorrow := c.Day.AddDate(0, 0, 1)
	today := !c.Day.IsZero() && at.Before(tomorrow)
	kind, used, brake := GuardClosures, c.Closures, g.Closures
	if step == StepTerminate {
		kind, used, brake = GuardTerminations, c.Terminations, g.Terminations
	}
	if today && brake.Count > 0 && used >= brake.Allowed(c.Resellers) && !h.ReleasedAt(kind, at) {
		return kind, tomorrow
	}
	if g.Accounts.Value == 0 || h.ReleasedAt(GuardAccounts, at) {
		return "", time.Time{}
	}
	if accounts > g.Accounts.Value {
		return GuardAccounts, time.Time{} // no day is long enough for it
	}
	if today && c.Accounts+accounts > g.Accounts.Value {
		return GuardAccounts, tomorrow
	}
	return "", time.Time{}
}

// GuardsFindings says whether a further reseller of which a finding is opened would be one too many.
func (h House) GuardsFindings(g policy.Guard, now time.Time) bool {
	return g.Findings.Count > 0 && (h.Counts.Tripped || h.Counts.Opened >= g.Findings.Allowed(h.Counts.Resellers)) && !h.ReleasedAt(GuardFindings, now)
}
