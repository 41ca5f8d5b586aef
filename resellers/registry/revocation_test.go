package registry

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

var (
	mara = statement.Officer{ID: "mara", Name: "Mara Lind"}
	jon  = statement.Officer{ID: "jon", Name: "Jon Reyes"}
)

func TestACompromisedKeyIsRefusedAtOnceAndWhatItSignedSinceIsMarked(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		other := w.process()
		a, entity := w.enrolled("Example Cloud GmbH")
		id, next := entity.Entity.ID(), newSigner(t)
		w.now = w.now.Add(time.Hour)
		w.states(entity.Entity, a.statements, "before")
		since := w.now.Add(time.Minute)
		w.now = w.now.Add(time.Hour)
		w.states(entity.Entity, a.statements, "since")
		w.now = w.now.Add(time.Hour)
		revocation := w.request(TypeRevocation, a.federation, entity.Entity, map[string]any{
			"kids": []string{a.statements.KeyID()}, "compromised_since": since.Unix(), "keys": jwks(next)})
		if _, err := w.Revoke(t.Context(), id, revocation); err != nil {
			t.Fatal(err)
		}
		if err := other.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, process := range map[string]*Registry{"this process": w.Registry, "another process": other} {
			if verifies(t, process, entity.Entity, a.statements) || !verifies(t, process, entity.Entity, next) {
				t.Errorf("%s takes the wrong keys", name)
			}
		}
		w.states(entity.Entity, next, "after")
		marked, end, err := w.Marked(t.Context(), id, 0, 100)
		if err != nil || len(marked) != 1 || marked[0].JTI != "since" || marked[0].KeyID != a.statements.KeyID() || !marked[0].CompromisedSince.Equal(since) {
			t.Errorf("marked: %+v, %v", marked, err)
		}
		if marked, _, err := w.Marked(t.Context(), id, end, 100); err != nil || len(marked) != 0 {
			t.Errorf("behind the end: %+v, %v", marked, err)
		}
		// Nothing is deleted, and every signature holds by the keys of then.
		if err := w.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if audited, err := w.Audit(t.Context()); err != nil || audited != (Audited{Submissions: 3, Decisions: 2, Marked: 1}) {
			t.Errorf("audited %+v, %v", audited, err)
		}
		// Said twice, it is stated once; a later time takes no mark back, an earlier one sets more.
		size, _ := w.log.Size(t.Context())
		later := map[string]any{"kids": []string{a.statements.KeyID()}, "compromised_since": w.now.Unix()}
		for name, claims := range map[string]map[string]any{"later": later, "no time": {"kids": []string{a.statements.KeyID()}}} {
			if _, err := w.Revoke(t.Context(), id, w.request(TypeRevocation, a.federation, entity.Entity, claims)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if after, _ := w.log.Size(t.Context()); after != size {
			t.Errorf("stated again: %d entries, then %d", size, after)
		}
		earlier := since.Add(-2 * time.Hour)
		if _, err := w.RevokeByOfficer(t.Context(), id, mara, Revocation{KeyIDs: []string{a.statements.KeyID()}, CompromisedSince: earlier, Reason: "The logs show an earlier break-in."}); err != nil {
			t.Fatal(err)
		}
		if marked, _, err := w.Marked(t.Context(), id, 0, 100); err != nil || len(marked) != 2 {
			t.Errorf("marked since earlier: %+v, %v", marked, err)
		}
		w.rebuiltAlike()
	})
}

func TestAnOfficersRevocationStandsInTheLedgerBesideTheChange(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		a, entity := w.enrolled("Example Cloud GmbH")
		id := entity.Entity.ID()
		if _, err := w.RevokeByOfficer(t.Context(), id, mara, Revocation{KeyIDs: []string{a.statements.KeyID()}, Reason: "The reseller called."}); err != nil {
			t.Fatal(err)
		}
		if verifies(t, w.Registry, entity.Entity, a.statements) {
			t.Error("the key still verifies")
		}
		entries, err := w.log.About(t.Context(), id, 1, 10)
		if err != nil || len(entries) != 2 {
			t.Fatalf("in the ledger: %+v, %v", entries, err)
		}
		changed, isChange := entries[0].Statement.(statement.KeysChanged)
		action, isAction := entries[1].Statement.(statement.OfficerAction)
		if !isChange || changed.Reason != "revoked" || !isAction || action.Officer != mara || action.Action != "keys.revoked" || action.On.ID != string(entity.Entity) {
			t.Errorf("in the ledger: %+v", entries)
		}
		// With a federation key it comes back by itself, under a new key.
		next := newSigner(t)
		if _, err := w.Rotate(t.Context(), id, w.request(TypeKeySet, a.federation, entity.Entity, map[string]any{"keys": jwks(next)})); err != nil {
			t.Fatal(err)
		}
		if !verifies(t, w.Registry, entity.Entity, next) || verifies(t, w.Registry, entity.Entity, a.statements) {
			t.Error("after the rotation the wrong keys verify")
		}
		w.rebuiltAlike()
	})
}

func TestEachCheckOfARevocationIsNamed(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		a, entity := w.enrolled("Example Cloud GmbH")
		b, _ := w.enrolled("Other Cloud GmbH")
		id, kids := entity.Entity.ID(), []string{a.statements.KeyID()}
		size, _ := w.log.Size(t.Context())
		for _, c := range []struct {
			name, says string
			signer     envelope.Signer
			claims     map[string]any
		}{
			{"signed by a statement key", "/header/kid", a.statements, map[string]any{"kids": kids}},
			{"signed by another entity", "/header/kid", b.federation, map[string]any{"kids": kids}},
			{"no kids", "/claims/kids", a.federation, nil},
			{"an unknown kid", "/claims/kids/0", a.federation, map[string]any{"kids": []string{"unknown"}}},
			{"a kid of another purpose", "/claims/kids/0", a.federation, map[string]any{"kids": kids, "purpose": "federation"}},
			{"a kid of another entity", "/claims/kids/0", a.federation, map[string]any{"kids": []string{b.statements.KeyID()}}},
			{"compromised in the future", "/claims/compromised_since", a.federation, map[string]any{"kids": kids, "compromised_since": w.now.Add(time.Hour).Unix()}},
			{"compromised before there were keys", "/claims/compromised_since", a.federation, map[string]any{"kids": kids, "compromised_since": 1}},
			{"the same key again", "already taken", a.federation, map[string]any{"kids": kids, "keys": jwks(b.statements)}},
		} {
			if _, err := w.Revoke(t.Context(), id, w.request(TypeRevocation, c.signer, entity.Entity, c.claims)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: wanted %q, got %v", c.name, c.says, err)
			}
		}
		for name, said := range map[string]Revocation{
			"/reason":            {KeyIDs: kids, Reason: " "},
			"/purpose":           {KeyIDs: kids, Purpose: "log", Reason: "x"},
			"/kids":              {Reason: "x"},
			"/compromised_since": {KeyIDs: kids, CompromisedSince: w.now.Add(time.Hour), Reason: "x"},
		} {
			if _, err := w.RevokeByOfficer(t.Context(), id, mara, said); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), name+": wanted") {
				t.Errorf("by an officer, %s: %v", name, err)
			}
		}
		if _, err := w.RevokeByOfficer(t.Context(), envelope.Entity("https://nobody.example").ID(), mara, Revocation{KeyIDs: kids, Reason: "x"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
		if after, _ := w.log.Size(t.Context()); after != size {
			t.Errorf("the ledger grew from %d to %d", size, after)
		}
	})
}

func TestAnAuditNamesTheEntryThatItsIssuerDidNotSign(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		a, entity := w.enrolled("Example Cloud GmbH")
		w.states(entity.Entity, a.statements, "good")
		w.states(entity.Entity, newSigner(t), "by a stranger") // as an administrator with the database in hand could
		if _, err := w.Audit(t.Context()); !errors.Is(err, errNotSigned) || !strings.Contains(err.Error(), "entry 2") {
			t.Errorf("got %v", err)
		}
	})
}
