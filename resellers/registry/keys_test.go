package registry

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// enrolled is somebody who came in by an invitation of the world's.
func (w *world) enrolled(name string) (*applicant, Entity) {
	w.t.Helper()
	invited := w.invite(name)
	a := w.applicant(invited.Entity)
	entity, err := w.Enrol(w.t.Context(), invited.Token, a.signed(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	return a, entity
}

// request signs what an entity asks about its keys.
func (w *world) request(typ string, signer envelope.Signer, entity envelope.Entity, claims map[string]any) []byte {
	w.t.Helper()
	all := map[string]any{"iss": entity, "aud": self, "iat": w.now.Unix()}
	for name, value := range claims {
		if value == nil {
			delete(all, name)
		} else {
			all[name] = value
		}
	}
	raw, err := signer.SignToken(typ, all)
	if err != nil {
		w.t.Fatal(err)
	}
	return raw
}

func jwks(signers ...envelope.Signer) []any {
	var list []any
	for _, s := range signers {
		jwk := s.Public()
		list = append(list, &jwk)
	}
	return list
}

// verifies says whether a registry lets a key sign statements for the entity now.
func verifies(t *testing.T, r *Registry, entity envelope.Entity, signer envelope.Signer) bool {
	t.Helper()
	keys, err := r.Keys(t.Context(), entity)
	if err != nil {
		t.Fatal(err)
	}
	return has(keys, signer)
}

func has(keys envelope.Keys, signer envelope.Signer) bool {
	for _, kid := range keys.IDs() {
		if kid == signer.KeyID() {
			return true
		}
	}
	return false
}

// states pushes one attestation into the ledger, as intake would.
func (w *world) states(entity envelope.Entity, signer envelope.Signer, jti string) {
	w.t.Helper()
	set, err := signer.Sign(envelope.Draft{Issuer: entity, Audience: self, IssuedAt: w.now, JTI: jti,
		EventURI: statement.KindCIPAttestation.URI(), Event: rawEvent(statement.Example(statement.KindCIPAttestation))})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.log.Append(w.t.Context(), set); err != nil {
		w.t.Fatal(err)
	}
}

type rawEvent []byte

// MarshalJSON writes it as it is.
func (r rawEvent) MarshalJSON() ([]byte, error) { return r, nil }

func (w *world) dump() string {
	w.t.Helper()
	var entities []entityRow
	var keys []keyRow
	if err := errors.Join(w.db.Order("entity").Limit(100).Find(&entities).Error, w.db.Order("thumbprint").Limit(100).Find(&keys).Error); err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprintf("%+v %+v", entities, keys)
}

func (w *world) rebuiltAlike() {
	w.t.Helper()
	before := w.dump()
	if err := w.Rebuild(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if after := w.dump(); after != before {
		w.t.Errorf("after the rebuild:\n got %s\nwant %s", after, before)
	}
}

func TestARotatedKeyVerifiesUntilTheOverlapEndsByTheGatewaysClock(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		other := w.process()
		a, entity := w.enrolled("Example Cloud GmbH")
		id, next := entity.Entity.ID(), newSigner(t)
		if !verifies(t, other, entity.Entity, a.statements) {
			t.Fatal("the other process does not know the first key")
		}
		w.now = w.now.Add(time.Hour)
		rotation := w.request(TypeKeySet, a.statements, entity.Entity, map[string]any{"keys": jwks(next)})
		before := w.now
		if _, err := w.Rotate(t.Context(), id, rotation); err != nil {
			t.Fatal(err)
		}
		if err := other.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		size, err := w.log.Size(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Rotate(t.Context(), id, rotation); err != nil {
			t.Errorf("the same rotation again: %v", err)
		}
		if after, err := w.log.Size(t.Context()); err != nil || after != size {
			t.Errorf("stated again: %d entries, then %d, %v", size, after, err)
		}
		for name, process := range map[string]*Registry{"this process": w.Registry, "another process": other} {
			for at, want := range map[time.Duration]bool{0: true, DefaultOverlap - time.Second: true, DefaultOverlap: false} {
				w.now = before.Add(at)
				if got := verifies(t, process, entity.Entity, a.statements); got != want {
					t.Errorf("%s, %s after the rotation: the old key verifies: %v", name, at, got)
				}
				if !verifies(t, process, entity.Entity, next) {
					t.Errorf("%s, %s after the rotation: the new key does not verify", name, at)
				}
			}
		}
		w.now = before.Add(2 * DefaultOverlap)
		// Whatever is in force today, then it was otherwise.
		for at, want := range map[time.Duration][2]bool{-time.Hour: {true, false}, time.Hour: {true, true}, DefaultOverlap: {false, true}} {
			keys, err := w.KeysAt(t.Context(), entity.Entity, before.Add(at))
			if err != nil || has(keys, a.statements) != want[0] || has(keys, next) != want[1] {
				t.Errorf("%s after the rotation there were %v, %v", at, keys.IDs(), err)
			}
		}
		if keys, err := w.KeysAt(t.Context(), entity.Entity, before.Add(-2*time.Hour)); err != nil || keys.Len() != 0 {
			t.Errorf("before the enrolment there were %v, %v", keys.IDs(), err)
		}
		if _, err := w.KeysAt(t.Context(), "https://nobody.example", before); !errors.Is(err, ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
		list, err := w.KeyList(t.Context(), id, 10)
		if err != nil || len(list) != 3 {
			t.Fatalf("listed %+v, %v", list, err)
		}
		if last := list[2]; last.KeyID != a.statements.KeyID() || last.Reason != "rotation" || !last.ValidUntil.Equal(before.Add(DefaultOverlap)) || last.InForce(w.now) {
			t.Errorf("the old key is listed as %+v", last)
		}
		w.rebuiltAlike()
	})
}

func TestAFederationKeyReplacesBothKindsOfKey(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		a, entity := w.enrolled("Example Cloud GmbH")
		id, federation, statements := entity.Entity.ID(), newSigner(t), newSigner(t)
		until := w.now.Add(MaxOverlap)
		if _, err := w.Rotate(t.Context(), id, w.request(TypeKeySet, a.federation, entity.Entity, map[string]any{
			"purpose": "federation", "keys": jwks(federation), "overlap_until": until.Unix(), "sub": entity.Entity, "exp": w.now.Add(time.Minute).Unix()})); err != nil {
			t.Fatal(err)
		}
		got, err := w.Rotate(t.Context(), id, w.request(TypeKeySet, federation, entity.Entity, map[string]any{"keys": jwks(a.statements, statements)}))
		if err != nil {
			t.Fatal(err)
		}
		for name, set := range map[string]struct {
			jwks []byte
			want []envelope.Signer
		}{"federation": {got.Federation, []envelope.Signer{a.federation, federation}}, "statement": {got.JWKS, []envelope.Signer{a.statements, statements}}} {
			keys, err := envelope.ParseKeys(set.jwks)
			if err != nil || keys.Len() != 2 || !has(keys, set.want[0]) || !has(keys, set.want[1]) {
				t.Errorf("%s keys in force: %v, %v", name, keys.IDs(), err)
			}
		}
		w.now = until
		if got, err = w.Entity(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if keys, err := envelope.ParseKeys(got.Federation); err != nil || keys.Len() != 1 || !has(keys, federation) {
			t.Errorf("after the overlap: %v, %v", keys.IDs(), err)
		}
		if !verifies(t, w.Registry, entity.Entity, a.statements) || !verifies(t, w.Registry, entity.Entity, statements) {
			t.Error("a key that stayed in the set does not verify")
		}
		w.rebuiltAlike()
	})
}

func TestEachCheckOfARotationIsNamed(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		a, entity := w.enrolled("Example Cloud GmbH")
		b, _ := w.enrolled("Other Cloud GmbH")
		id, replaced := entity.Entity.ID(), a.statements
		a.statements = newSigner(t)
		if _, err := w.Rotate(t.Context(), id, w.request(TypeKeySet, replaced, entity.Entity, map[string]any{"keys": jwks(a.statements)})); err != nil {
			t.Fatal(err)
		}
		underOldKid, renamed, spaced := newSigner(t).Public(), a.statements.Public(), newSigner(t).Public()
		spaced.KeyID = "my key"
		underOldKid.KeyID, renamed.KeyID = replaced.KeyID(), "another"
		weak := map[string]string{"kty": "OKP", "crv": "Ed25519", "kid": "weak", "x": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
		private := map[string]string{"kty": "OKP", "crv": "Ed25519", "kid": "p", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}
		var many []any
		for range 32 {
			many = append(many, jwks(newSigner(t))...)
		}
		fresh := newSigner(t)
		size, err := w.log.Size(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name   string
			typ    string
			signer envelope.Signer
			reason error
			says   string
			claims map[string]any
		}{
			{"another JWT type", TypeEntityStatement, a.statements, ErrRefused, "/header/typ", map[string]any{"keys": jwks(fresh)}},
			{"another entity", "", a.statements, ErrRefused, "/claims/iss", map[string]any{"iss": "https://other.example", "keys": jwks(fresh)}},
			{"about somebody else", "", a.statements, ErrRefused, "/claims/sub", map[string]any{"sub": "https://other.example", "keys": jwks(fresh)}},
			{"another audience", "", a.statements, ErrRefused, "/claims/aud", map[string]any{"aud": "https://other.example", "keys": jwks(fresh)}},
			{"an old request", "", a.statements, ErrRefused, "/claims/iat", map[string]any{"iat": w.now.Add(-time.Hour).Unix(), "keys": jwks(fresh)}},
			{"no iat", "", a.statements, ErrRefused, "/claims/iat", map[string]any{"iat": nil, "keys": jwks(fresh)}},
			{"one from the future", "", a.statements, ErrRefused, "/claims/iat", map[string]any{"iat": w.now.Add(time.Hour).Unix(), "keys": jwks(fresh)}},
			{"an expired request", "", a.statements, ErrRefused, "/claims/exp", map[string]any{"exp": w.now.Unix(), "keys": jwks(fresh)}},
			{"another purpose", "", a.statements, ErrRefused, "/claims/purpose", map[string]any{"purpose": "log", "keys": jwks(fresh)}},
			{"no keys", "", a.statements, ErrRefused, "/claims/keys", nil},
			{"an empty set", "", a.statements, ErrRefused, "/claims/keys", map[string]any{"keys": []any{}}},
			{"a weak key", "", a.statements, ErrRefused, "/claims/keys/1", map[string]any{"keys": append(jwks(fresh), weak)}},
			{"a private key", "", a.statements, ErrRefused, "/claims/keys/0", map[string]any{"keys": []any{private}}},
			{"an unknown signer", "", fresh, ErrRefused, "/header/kid", map[string]any{"keys": jwks(fresh)}},
			{"another entity's signer", "", b.statements, ErrRefused, "/header/kid", map[string]any{"keys": jwks(fresh)}},
			{"a replaced signer", "", replaced, ErrRefused, "ends at", map[string]any{"keys": jwks(fresh)}},
			{"a statement key for federation keys", "", a.statements, ErrRefused, "/header/kid", map[string]any{"purpose": "federation", "keys": jwks(fresh)}},
			{"a key of another entity", "", a.statements, ErrTaken, b.statements.KeyID(), map[string]any{"keys": jwks(b.statements)}},
			{"a key that was replaced", "", a.statements, ErrTaken, "does not come back", map[string]any{"keys": jwks(a.statements, replaced)}},
			{"the federation key", "", a.statements, ErrTaken, "federation key already", map[string]any{"keys": jwks(a.federation)}},
			{"a kid that was used", "", a.statements, ErrRefused, "/claims/keys/0: wanted a kid", map[string]any{"keys": []any{&underOldKid}}},
			{"a kid with a space", "", a.statements, ErrRefused, "/claims/keys/0/kid", map[string]any{"keys": []any{&spaced}}},
			{"another kid for a key that stays", "", a.statements, ErrRefused, "under another kid", map[string]any{"keys": []any{&renamed}}},
			{"too many keys", "", a.statements, ErrRefused, "at most 32 keys in force", map[string]any{"keys": many}},
			{"an overlap over a week", "", a.statements, ErrRefused, "/claims/overlap_until", map[string]any{"keys": jwks(fresh), "overlap_until": w.now.Add(MaxOverlap + time.Second).Unix()}},
			{"an overlap that is over", "", a.statements, ErrRefused, "/claims/overlap_until", map[string]any{"keys": jwks(fresh), "overlap_until": w.now.Unix()}},
		} {
			typ := c.typ
			if typ == "" {
				typ = TypeKeySet
			}
			if _, err := w.Rotate(t.Context(), id, w.request(typ, c.signer, entity.Entity, c.claims)); !errors.Is(err, c.reason) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: wanted %v with %q, got %v", c.name, c.reason, c.says, err)
			}
		}
		forged := w.request(TypeKeySet, a.statements, entity.Entity, map[string]any{"keys": jwks(fresh)})
		place := len(forged) - 10
		forged[place] = map[bool]byte{true: 'B', false: 'A'}[forged[place] == 'A']
		if _, err := w.Rotate(t.Context(), id, forged); !errors.Is(err, envelope.ErrSignature) {
			t.Errorf("a forged signature: %v", err)
		}
		nobody := envelope.Entity("https://nobody.example")
		if _, err := w.Rotate(t.Context(), nobody.ID(), w.request(TypeKeySet, a.statements, nobody, map[string]any{"keys": jwks(fresh)})); !errors.Is(err, ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
		if after, err := w.log.Size(t.Context()); err != nil || after != size {
			t.Errorf("the ledger grew from %d to %d, %v", size, after, err)
		}
	})
}

func TestNobodyEnrolsMoreKeysThanTheGatewayKeeps(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		a, entity := w.enrolled("Example Cloud GmbH")
		id := entity.Entity.ID()
		for i := range 100 {
			next := newSigner(t)
			_, err := w.Rotate(t.Context(), id, w.request(TypeKeySet, a.federation, entity.Entity, map[string]any{"keys": jwks(next), "overlap_until": w.now.Add(time.Second).Unix()}))
			if errors.Is(err, ErrRefused) && strings.Contains(err.Error(), "in 24 hours") {
				if i != maxNewKeys-2 { // two came with the enrolment
					t.Errorf("refused at the %d. rotation", i)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			w.now = w.now.Add(2 * time.Second)
		}
		t.Error("a hundred rotations within minutes were taken")
	})
}

func TestATerminatedEntityChangesNoKeys(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		a, entity := w.enrolled("Example Cloud GmbH")
		for _, c := range []struct {
			said statement.Statement
			want error
		}{
			{statement.RelationshipTerminated{Basis: statement.Basis{Policy: "p.1", Now: w.now}, Case: "c", Findings: []string{"f"}, LimitAt: w.now, Why: "it was not cured"}, intake.ErrIssuer},
			{statement.RelationshipReinstated{Why: "our mistake", WhoseError: "provider", By: statement.Officer{ID: "o", Name: "O"}}, nil},
		} {
			set, err := w.sign(entity.Entity, string(c.said.Kind()), c.said)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.log.Append(t.Context(), set); err != nil {
				t.Fatal(err)
			}
			rotation := w.request(TypeKeySet, a.statements, entity.Entity, map[string]any{"keys": jwks(a.statements, newSigner(t))})
			if _, err := w.Rotate(t.Context(), entity.Entity.ID(), rotation); !errors.Is(err, c.want) {
				t.Errorf("after %s: %v", c.said.Kind(), err)
			}
			if err := w.MayState(t.Context(), entity.Entity, statement.KindCIPAttestation); !errors.Is(err, c.want) {
				t.Errorf("after %s its statements: %v", c.said.Kind(), err)
			}
		}
		w.rebuiltAlike()
	})
}
