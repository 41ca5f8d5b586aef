package registry

import (
	"errors"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// Whoever is enrolled comes under another superior with the identifier and the keys that it has, and everybody below it counts its tier
// anew.
func TestAResellerComesUnderAnotherSuperiorWithItsIdentifierAndItsKeys(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		w.deep(5)
		r := w.process()
		first, other := w.enrolsBelow(self, "First GmbH"), w.enrolsBelow(self, "Other GmbH")
		invited, a, err := w.below(first.Entity, "Moving GmbH")
		must(err)
		_, err = r.Enrol(t.Context(), invited.Token, a.signed(t))
		must(err)
		moving, err := r.Entity(t.Context(), invited.Entity.ID())
		must(err)
		under := w.enrolsBelow(moving.Entity, "Under GmbH")

		for superior, says := range map[envelope.Entity]string{
			first.Entity: "another superior", moving.Entity: "a chain has an end", under.Entity: "a chain has an end", "https://nobody.example": "not enrolled here",
		} {
			if _, err := r.InviteUnder(t.Context(), moving.Entity.ID(), superior, mara, "Its superior is closing."); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), says) {
				t.Errorf("under %s: %v, wanted %q", superior, err, says)
			}
		}
		offered, err := r.InviteUnder(t.Context(), moving.Entity.ID(), other.Entity, mara, "Its superior is closing.")
		must(err)
		if offered.Entity != moving.Entity {
			t.Errorf("invited %s", offered.Entity)
		}
		stranger := w.applicant(moving.Entity)
		stranger.claims["authority_hints"] = []string{string(other.Entity)}
		if _, err := r.Enrol(t.Context(), offered.Token, stranger.signed(t)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "with which you are enrolled") {
			t.Errorf("with keys of a stranger: %v", err)
		}
		if _, err := r.Enrol(t.Context(), offered.Token, a.signed(t)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "/claims/authority_hints") {
			t.Errorf("with the superior that it had: %v", err)
		}
		a.claims["authority_hints"] = []string{string(other.Entity)}
		raw := a.signed(t)
		moved, err := r.Enrol(t.Context(), offered.Token, raw)
		must(err)
		if moved.Superior != other.Entity || moved.Tier != 2 || string(moved.JWKS) != string(moving.JWKS) || moved.EnrolledLeaf != moving.EnrolledLeaf {
			t.Errorf("moved: %+v", moved)
		}
		if again, err := r.Enrol(t.Context(), offered.Token, raw); err != nil || again.Superior != other.Entity {
			t.Errorf("the same again: %+v, %v", again, err)
		}

		upwards, err := r.InviteUnder(t.Context(), moving.Entity.ID(), "", mara, "The provider takes it itself.")
		must(err)
		a.claims["authority_hints"] = []string{string(self)}
		_, err = r.Enrol(t.Context(), upwards.Token, a.signed(t))
		must(err)
		if below, err := r.Entity(t.Context(), under.Entity.ID()); err != nil || below.Tier != 2 || below.Superior != moving.Entity {
			t.Errorf("below it: %+v, %v", below, err)
		}
		w.ends(moving.Entity)
		if _, err := r.InviteUnder(t.Context(), moving.Entity.ID(), other.Entity, mara, "It asked."); err == nil || !strings.Contains(err.Error(), "terminated") {
			t.Errorf("a terminated one: %v", err)
		}
		w.rebuiltAlike()
	})
}
