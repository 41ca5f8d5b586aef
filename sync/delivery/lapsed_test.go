package delivery

import (
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/notices"
)

func TestTheStreamOfASystemWhoseTokenExpiredStandsStillAndGoesOnWhenItIsExtended(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		wall := epoch.AddDate(0, 0, -200) // a sandbox's clock was moved far ahead
		w.Wall = func() time.Time { return wall }
		until := wall.Add(30 * 24 * time.Hour)
		token := func(action, label string, until time.Time) {
			t.Helper()
			w.officer(self, action, statement.Field{Name: "officer", Value: "finance-1"}, statement.Field{Name: "token", Value: label},
				statement.Field{Name: "expires_at", Value: until.Format(time.RFC3339)})
		}
		token("token.created", "billing", until)
		token("token.created", "laptop", until) // no system's
		r, own := newReceiver(t), newReceiver(t)
		wanted := r.wanted()
		wanted.EventsRequested = []string{statement.KindStandingChanged.URI()}
		s := w.stream(billing, wanted)
		w.stream(toAcme, own.wanted())
		turns := func() {
			t.Helper()
			w.must(w.Turn(t.Context()))
			w.must(w.Push(t.Context()))
		}
		is := func(status string, lapsed bool) {
			t.Helper()
			line, err := w.StreamByID(t.Context(), s.ID)
			if err != nil || line.Status != status || line.Held != lapsed || line.Lapsed != lapsed || lapsed != (line.Reason == notices.ToldLapsed) {
				t.Errorf("%+v, %v; want %s, lapsed %v", line, err, status, lapsed)
			}
		}
		expiring := func(within time.Duration, want ...string) {
			t.Helper()
			list, err := w.Expiring(t.Context(), wall.Add(within))
			w.must(err)
			var got []string
			for _, one := range list {
				got = append(got, one.System)
			}
			if !slices.Equal(got, want) {
				t.Errorf("these expire within %s: %q", within, got)
			}
		}
		w.state(statement.KindStandingChanged, acme)
		wall = until.Add(-time.Second)
		turns()
		is(StatusEnabled, false)
		expiring(0)
		expiring(time.Hour, "billing") // whoever has no stream misses nothing

		wall = until
		turns()
		turns() // it is told once
		w.state(statement.KindStandingChanged, acme)
		turns()
		is(StatusPaused, true)
		expiring(0, "billing")
		if got := len(own.tokens()); got != 2 {
			t.Errorf("the reseller's stream, whose access token expired long ago, brought %d", got)
		}
		if _, err := w.SetStatus(t.Context(), billing, s.ID, StatusEnabled, ""); err == nil {
			t.Error("its receiver enabled it")
		}

		token("token.extended", "billing", until.Add(90*24*time.Hour))
		turns()
		is(StatusEnabled, false)
		expiring(0)
		got := w.told(r)
		told := `{"status":"paused","reason":"` + notices.ToldLapsed + `"}`
		if want := []string{"jti-3", told, "jti-4", `{"status":"enabled"}`}; len(got) != 4 || got[1] != told || got[3] != want[3] {
			t.Errorf("it got %q, want %q", got, want)
		}
		// It expires again, at its new end.
		wall = wall.Add(91 * 24 * time.Hour)
		turns()
		is(StatusPaused, true)
	})
}
