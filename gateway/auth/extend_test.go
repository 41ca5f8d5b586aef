package auth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestATokenIsExtendedAlsoWhenItHasExpiredAndNeverWhenItWasRevoked(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		var ledger book
		h.RecordWith(&ledger)
		h.add(t, "Jane", auth.Member)
		billing, lost := h.tokenOf(t, "Jane", "billing", time.Hour), h.tokenOf(t, "Jane", "lost", time.Hour)
		if _, err := h.RevokeToken(t.Context(), root, "lost", "It was lost."); err != nil {
			t.Fatal(err)
		}
		h.clock.at = h.clock.at.Add(2 * time.Hour)
		if got := h.bearer(t, billing); got.status != http.StatusUnauthorized {
			t.Fatalf("after its end: %d", got.status)
		}
		extended, err := h.ExtendToken(t.Context(), root, "billing", 0, "It was forgotten.")
		if err != nil || !extended.ExpiresAt.Equal(h.clock.at.Add(auth.TokenLife)) {
			t.Fatalf("%+v, %v", extended, err)
		}
		if got := h.bearer(t, billing); got.body != "Jane" {
			t.Errorf("extended: %d", got.status)
		}
		if !strings.HasSuffix(ledger.actions(), " token.extended") {
			t.Errorf("on record stand %q", ledger.actions())
		}
		for _, c := range []struct {
			label, reason string
			life          time.Duration
			want          error
		}{
			{"billing", "Sooner.", time.Hour, problem.ErrOfficer},
			{"billing", "Longer.", auth.MaxTokenLife + 1, problem.ErrRequest},
			{"billing", "", 0, problem.ErrRequest},
			{"lost", "It was found.", 0, problem.ErrOfficer},
			{"none", "What?", 0, problem.ErrNoSuchOfficer},
		} {
			if _, err := h.ExtendToken(t.Context(), root, c.label, c.life, c.reason); !errors.Is(err, c.want) {
				t.Errorf("%s for %s, %q: %v", c.label, c.life, c.reason, err)
			}
		}
		if got := h.bearer(t, lost); got.status != http.StatusUnauthorized {
			t.Errorf("the lost one: %d", got.status)
		}
	})
}
