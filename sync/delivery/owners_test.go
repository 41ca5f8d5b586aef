package delivery

import (
	"fmt"
	"slices"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/notices"
)

// jtisOfStates states many about a reseller and returns their jti.
func jtisOfStates(w *world, count int) (jtis []string) {
	w.t.Helper()
	for range count {
		w.states(1, acme)
		jtis = append(jtis, fmt.Sprintf("jti-%d", w.stated))
	}
	return jtis
}

func TestTheStreamOfADisabledAccountStandsStillAndKeepsEverything(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		r := newReceiver(t)
		w.owner = "finance-1"
		wanted := r.wanted()
		wanted.EventsRequested = []string{statement.KindStandingChanged.URI()}
		s := w.stream(billing, wanted)
		w.owner = "identity-2"
		polled := w.stream(notices.OfSystem("iam"), Wanted{Method: MethodPoll, EventsRequested: wanted.EventsRequested})
		mine, theirs := statement.Field{Name: "officer", Value: "finance-1"}, statement.Field{Name: "officer", Value: "identity-2"}
		w.states(1, acme)
		w.must(w.Push(t.Context()))
		is := func(status, reason string, held bool) {
			t.Helper()
			line, err := w.StreamByID(t.Context(), s.ID)
			if err != nil || line.Status != status || line.Reason != reason || line.Held != held || line.ShutOut != (reason == notices.ToldShutOut) {
				t.Errorf("%+v, %v; want %s %q", line, err, status, reason)
			}
		}

		w.officer(self, "officer.disabled", mine)
		w.officer(self, "officer.disabled", mine) // nothing new
		kept := jtisOfStates(w, 2)
		w.must(w.Push(t.Context()))
		if got := r.tokens(); len(got) != 2 {
			t.Fatalf("it got %d", len(got))
		}
		is(StatusPaused, notices.ToldShutOut, true)
		if got := w.poll(notices.OfSystem("iam"), polled.ID, Polling{MaxEvents: -1}); len(got.Sets) != 3 {
			t.Errorf("another's system got %d", len(got.Sets))
		}
		// What an officer sets meanwhile counts afterwards. Other people's accounts change nothing, nor does a reseller's word.
		w.officer(self, "stream.paused", statement.Field{Name: "system", Value: "billing"}, statement.Field{Name: "told", Value: "Being moved."})
		is(StatusPaused, notices.ToldShutOut, true)
		w.officer(self, "officer.enabled", theirs)
		w.officer(acme, "officer.enabled", mine)
		is(StatusPaused, notices.ToldShutOut, true)
		w.officer(self, "officer.enabled", mine)
		is(StatusPaused, "Being moved.", true)
		w.officer(self, "stream.enabled", statement.Field{Name: "system", Value: "billing"})
		is(StatusEnabled, "", false)
		w.must(w.Push(t.Context()))
		got := w.told(r)
		moved := `{"status":"paused","reason":"Being moved."}`
		want := []string{"jti-1", `{"status":"paused","reason":"` + notices.ToldShutOut + `"}`, kept[0], kept[1], moved, moved, `{"status":"enabled"}`}
		if !slices.Equal(got, want) {
			t.Errorf("it got %q, want %q", got, want)
		}

		// A stream that was made in the moment in which the account was disabled stands still too.
		w.owner = "late-3"
		w.officer(self, "officer.disabled", statement.Field{Name: "officer", Value: "late-3"})
		late := w.stream(notices.OfSystem("accounts"), pollWanted)
		if got, err := w.Stream(t.Context(), notices.OfSystem("accounts"), late.ID); err != nil || got.Status != StatusPaused {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
