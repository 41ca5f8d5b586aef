package life

import (
	"math/rand/v2"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/cmd/simulate/audit"
)

// heard says that the reseller must be told of an entry: what a case comes to.
func (r *reseller) heard(e audit.Entry) bool {
	switch e.Kind {
	case "warning-issued", "restriction-ordered", "closure-ordered", "standing-changed":
		return true
	}
	return false
}

// told is that somebody, or some software, was told of a notice, most often of a late one; or was tried to be told.
func (r *reseller) told(by statement.Officer, now time.Time) Draft {
	notice := "none"
	if n := len(r.notices); n > 0 {
		notice = r.notices[n-1-r.r.IntN(min(n, 3))]
	}
	at := now.Add(-time.Duration(r.r.IntN(40)) * time.Hour).UTC().Truncate(time.Second)
	if r.r.IntN(3) == 0 {
		return r.record(statement.NoticeProved{Notice: notice, Channel: statement.ChannelSETAcknowledged, AddressedAt: at, ProvedAt: at})
	}
	said := statement.OfficerAction{Officer: by, Action: "notice.recorded", On: statement.Target{Type: "notice", ID: notice}, Reason: "It rang.",
		Details: []statement.Field{{Name: "channel", Value: "call"}, {Name: "whom", Value: "compliance"}, {Name: "at", Value: at.Format(time.RFC3339)}}}
	if r.r.IntN(3) > 0 {
		said.Details = append(said.Details, statement.Field{Name: "answered", Value: "no"})
	}
	return r.record(said)
}

// proof varies which steps wait for proof of notice, and for how long.
func proof(r *rand.Rand, c branch) {
	p, is := c["proof"].(branch)
	if !is || r.IntN(3) == 0 {
		return
	}
	for name, value := range map[string]any{
		"steps":    [][]any{{}, {"close"}, {"terminate"}, {"close", "terminate"}, {"close", "terminate"}}[r.IntN(5)],
		"at_limit": []string{"goes-on", "waits"}[r.IntN(2)], "unanswered": r.IntN(4), "phone": span(r, 4, 6), "superior": span(r, 7, 12), "margin": span(r, 0, 0),
	} {
		if b, is := p[name].(branch); is {
			b["value"] = value
		}
	}
}
