package docket

import (
	"strconv"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// A house keeps only the latest releases: the one that lets findings go on again must be seen behind any number of others.
func TestAReleaseOfTheGuardIsSeenHoweverManyCameBefore(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	release := func(h escalation.House, kind escalation.GuardKind, n int) escalation.House {
		now := at.Add(time.Duration(n) * time.Hour)
		return h.With(statement.Entry{LeafIndex: int64(n), AcceptedAt: now, JTI: strconv.Itoa(n), Statement: statement.OfficerAction{
			Action: escalation.ActionGuardReleased, Officer: statement.Officer{ID: "o-1", Name: "Ada"}, ProposedBy: &statement.Officer{ID: "o-2", Name: "Ben"},
			On: statement.Target{Type: "gateway", ID: "https://provider.example"}, EndsAt: now.Add(time.Hour), Reason: "Weighed.",
			Details: []statement.Field{{Name: "guard", Value: string(kind)}},
		}})
	}
	var h escalation.House
	for n := range 40 {
		kind := escalation.GuardClosures
		if n%3 == 0 {
			kind = escalation.GuardFindings
		}
		before := h.Releases
		h = release(h, kind, n)
		if is := releases(before, h.Releases, escalation.GuardFindings); is != (kind == escalation.GuardFindings) {
			t.Fatalf("release %d, of %s: said to release findings: %t", n, kind, is)
		}
	}
	if unchanged := h.With(statement.Entry{AcceptedAt: at, Statement: statement.OfficerAction{Action: escalation.ActionPaused,
		On: statement.Target{Type: "gateway"}}}); releases(h.Releases, unchanged.Releases, escalation.GuardFindings) {
		t.Error("a pause is said to release findings")
	}
}
