package registry

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

const self = envelope.Entity("https://provider.example")

type world struct {
	*Registry
	t      *testing.T
	db     *gorm.DB
	now    time.Time
	log    *ledger.Ledger
	signer envelope.Signer
	hosts  hosts
	rules  policy.Intake
}

// hosts are what the world's own hosts serve, by address.
type hosts map[string]string

// Get implements Fetcher.
func (h hosts) Get(_ context.Context, url, mediaType string) ([]byte, error) {
	body, ok := h[url]
	if !ok {
		return nil, fmt.Errorf("no answer: %s: no such host name is known", url)
	}
	if mediaType != "application/entity-statement+jwt" {
		return nil, fmt.Errorf("asked for %s", mediaType)
	}
	return []byte(body), nil
}

func newSigner(t *testing.T) envelope.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := envelope.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newWorld(t *testing.T, db *gorm.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), signer: newSigner(t), hosts: hosts{}}
	logKey, err := proof.NewLogSigner("provider.example/log", ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	w.log, err = ledger.Open(t.Context(), ledger.Config{DB: db, Signer: logKey, Origin: "provider.example/log", Bodies: ledgertest.Bodies(t), Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.log.Close(); err != nil {
			t.Error(err)
		}
	})
	w.Registry = w.process()
	return w
}

func (w *world) clock() time.Time { return w.now }

// process is the registry of one more gateway process on the same database.
func (w *world) process() *Registry {
	return New(Config{DB: w.db, Ledger: w.log, Signer: w.signer, Self: self, Fetch: w.hosts, Rules: w.rules, Now: w.clock})
}

func (w *world) invite(name string) Invited {
	w.t.Helper()
	invited, err := w.Invite(w.t.Context(), Invitation{Name: name, Country: "DE", Contact: "compliance@example.com"})
	if err != nil {
		w.t.Fatal(err)
	}
	return invited
}

// applicant is somebody who enrols, with claims that a test changes.
type applicant struct {
	federation, statements envelope.Signer
	claims                 map[string]any
}

func keysOf(t *testing.T, signers ...envelope.Signer) jsontext.Value {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, s := range signers {
		set.Keys = append(set.Keys, s.Public())
	}
	keys, err := envelope.NewKeys(set)
	if err != nil {
		t.Fatal(err)
	}
	return keys.Marshal()
}

func (w *world) applicant(entity envelope.Entity) *applicant {
	w.t.Helper()
	a := &applicant{federation: newSigner(w.t), statements: newSigner(w.t)}
	a.claims = map[string]any{
		"iss": entity, "sub": entity, "aud": self, "iat": w.now.Unix(), "exp": w.now.Add(time.Hour).Unix(),
		"jwks": keysOf(w.t, a.federation), "authority_hints": []string{string(self)},
		"metadata": map[string]any{"cipgate": map[string]any{"jwks": keysOf(w.t, a.statements)}},
	}
	return a
}

func (a *applicant) signed(t *testing.T) []byte {
	t.Helper()
	raw, err := a.federation.SignToken(TypeEntityStatement, a.claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAnInvitationIsRefusedWithTheMemberThatIsWrong(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		good := Invitation{Name: "Example Cloud GmbH", Country: "DE", Contact: "compliance@example.com"}
		for _, c := range []struct {
			name, says string
			change     func(*Invitation)
		}{
			{"no name", "/name", func(i *Invitation) { i.Name = " " }},
			{"a name with a space before", "/name", func(i *Invitation) { i.Name = " Example" }},
			{"a name on two lines", "/name", func(i *Invitation) { i.Name = "Example\nGmbH" }},
			{"an address beyond ASCII", "/contact", func(i *Invitation) { i.Contact = "über@example.com" }},
			{"an address in quotes", "/contact", func(i *Invitation) { i.Contact = "\"a b\"@example.com" }},
			{"an LEI whose check digits are wrong", "/lei", func(i *Invitation) { i.LEI = "5493001KJTIIGC8Y1R13" }},
			{"a country in small letters", "/country", func(i *Invitation) { i.Country = "de" }},
			{"a country's name", "/country", func(i *Invitation) { i.Country = "Germany" }},
			{"a country that is none", "/country", func(i *Invitation) { i.Country = "XX" }},
			{"a country of the past", "/country", func(i *Invitation) { i.Country = "AN" }},
			{"a U.S. reseller", "is itself a U.S. IaaS provider", func(i *Invitation) { i.Country = "US" }},
			{"no address", "/contact", func(i *Invitation) { i.Contact = "compliance" }},
			{"an address with a name", "/contact", func(i *Invitation) { i.Contact = "C <c@example.com>" }},
			{"a short LEI", "/lei", func(i *Invitation) { i.LEI = "529900" }},
			{"another superior", "/superior", func(i *Invitation) { i.Superior = "https://other.example" }},
		} {
			changed := good
			c.change(&changed)
			if _, err := w.Invite(t.Context(), changed); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		first, second := w.invite("Müller & Söhne"), w.invite("Müller & Söhne")
		if first.Entity != self+"/e/muller-and-sohne" && first.Entity != self+"/e/mueller-and-soehne" {
			t.Errorf("hosted as %s", first.Entity)
		}
		if second.Entity != first.Entity+"-2" || second.Token == first.Token {
			t.Errorf("the second of one name is hosted as %s", second.Entity)
		}
	})
}

func TestAnEnrolledResellerMayStateAtOnceAndInEveryProcess(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		other := w.process()
		invited := w.invite("Example Cloud GmbH")
		a := w.applicant(invited.Entity)
		if _, err := other.Keys(t.Context(), invited.Entity); !errors.Is(err, intake.ErrIssuer) {
			t.Fatalf("before the enrolment: %v", err)
		}
		enrolled, err := w.Enrol(t.Context(), invited.Token, a.signed(t))
		if err != nil {
			t.Fatal(err)
		}
		if enrolled.Entity != invited.Entity || enrolled.Terminated() || enrolled.Tier != 1 || !enrolled.EnrolledAt.Equal(w.now) {
			t.Errorf("enrolled %+v", enrolled)
		}
		for name, process := range map[string]*Registry{"this process": w.Registry, "another process": other} {
			keys, err := process.Keys(t.Context(), invited.Entity)
			if err != nil || len(keys.IDs()) != 1 || keys.IDs()[0] != a.statements.KeyID() {
				t.Errorf("%s: %v, %v", name, keys.IDs(), err)
			}
			if err := process.MayState(t.Context(), invited.Entity, statement.KindCIPAttestation); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := process.MayState(t.Context(), invited.Entity, statement.KindRelationshipTerminated); !errors.Is(err, intake.ErrMayNot) {
				t.Errorf("%s: a reseller may terminate itself: %v", name, err)
			}
			if superior, err := process.Superior(t.Context(), invited.Entity); err != nil || superior != self {
				t.Errorf("%s: right above it is %s, %v", name, superior, err)
			}
			if _, err := process.Superior(t.Context(), "https://stranger.example"); !errors.Is(err, intake.ErrIssuer) {
				t.Errorf("%s: above a stranger: %v", name, err)
			}
		}
		entries, err := w.log.About(t.Context(), invited.Entity.ID(), 0, 10)
		if err != nil || len(entries) != 1 || entries[0].Statement.Kind() != statement.KindEntityEnrolled {
			t.Fatalf("in the ledger: %v, %v", entries, err)
		}
		again, err := w.Enrol(t.Context(), invited.Token, a.signed(t))
		if err != nil || again.Entity != enrolled.Entity {
			t.Errorf("the same configuration again: %v", err)
		}
	})
}

func TestEachCheckOfAnEnrolmentIsNamed(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		enrolledFirst := w.invite("First GmbH")
		first := w.applicant(enrolledFirst.Entity)
		if _, err := w.Enrol(t.Context(), enrolledFirst.Token, first.signed(t)); err != nil {
			t.Fatal(err)
		}
		invited := w.invite("Second GmbH")
		expired := w.invite("Third GmbH")
		size, err := w.log.Size(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name   string
			token  string
			reason error
			says   string
			change func(*applicant)
		}{
			{"an unknown token", "x", ErrInvitation, "after #", func(*applicant) {}},
			{"a used invitation", enrolledFirst.Token, ErrTaken, "rotation", func(*applicant) {}},
			{"a self-signature by another key", "", ErrRefused, "self-signature", func(a *applicant) { a.federation = newSigner(t) }},
			{"sub that is not iss", "", ErrRefused, "/claims/sub", func(a *applicant) { a.claims["sub"] = "https://other.example" }},
			{"another entity than the invited one", "", ErrRefused, "/claims/iss", func(a *applicant) {
				a.claims["iss"], a.claims["sub"] = "https://other.example", "https://other.example"
			}},
			{"another audience", "", ErrRefused, "/claims/aud", func(a *applicant) { a.claims["aud"] = []string{"https://other.example"} }},
			{"iat ahead", "", ErrRefused, "/claims/iat", func(a *applicant) { a.claims["iat"] = w.now.Add(time.Hour).Unix() }},
			{"expired", "", ErrRefused, "/claims/exp", func(a *applicant) { a.claims["exp"] = w.now.Unix() }},
			{"no exp", "", ErrRefused, "/claims/exp", func(a *applicant) { delete(a.claims, "exp") }},
			{"no superior", "", ErrRefused, "/claims/authority_hints", func(a *applicant) { delete(a.claims, "authority_hints") }},
			{"no statement keys", "", ErrRefused, "/claims/metadata/cipgate/jwks", func(a *applicant) { delete(a.claims, "metadata") }},
			{"a kid with a space", "", ErrRefused, "/claims/metadata/cipgate/jwks/keys/0/kid", func(a *applicant) {
				spaced := a.statements.Public()
				spaced.KeyID = "my key"
				a.claims["metadata"] = map[string]any{"cipgate": map[string]any{"jwks": map[string]any{"keys": []any{&spaced}}}}
			}},
			{"a configuration over 64 KiB", "", ErrRefused, "at most 65536 bytes", func(a *applicant) { a.claims["comment"] = strings.Repeat("x", 64<<10) }},
			{"one key for both purposes", "", ErrRefused, "both", func(a *applicant) {
				a.claims["metadata"] = map[string]any{"cipgate": map[string]any{"jwks": a.claims["jwks"]}}
			}},
			{"a statement key of another entity", "", ErrTaken, first.statements.KeyID(), func(a *applicant) {
				a.claims["metadata"] = map[string]any{"cipgate": map[string]any{"jwks": keysOf(t, first.statements)}}
			}},
		} {
			a := w.applicant(invited.Entity)
			c.change(a)
			token := c.token
			if token == "" {
				token = invited.Token
			}
			if _, err := w.Enrol(t.Context(), token, a.signed(t)); !errors.Is(err, c.reason) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: wanted %v with %q, got %v", c.name, c.reason, c.says, err)
			}
		}
		w.now = w.now.Add(InvitationLife)
		if _, err := w.Enrol(t.Context(), expired.Token, w.applicant(expired.Entity).signed(t)); !errors.Is(err, ErrInvitation) || !strings.Contains(err.Error(), "expired") {
			t.Errorf("an expired invitation: %v", err)
		}
		if after, err := w.log.Size(t.Context()); err != nil || after != size {
			t.Errorf("the ledger grew from %d to %d, %v", size, after, err)
		}
	})
}

func TestOfManyWhoUseOneInvitationAtOnceOneEnrols(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		invited := w.invite("Example Cloud GmbH")
		const many = 8
		outcomes := make([]error, many)
		var all sync.WaitGroup
		for i := range many {
			raw, process := w.applicant(invited.Entity).signed(t), w.process()
			all.Go(func() { _, outcomes[i] = process.Enrol(t.Context(), invited.Token, raw) })
		}
		all.Wait()
		enrolled := 0
		for _, err := range outcomes {
			switch {
			case err == nil:
				enrolled++
			case !errors.Is(err, ErrTaken):
				t.Errorf("a loser was told %v", err)
			}
		}
		if enrolled != 1 {
			t.Errorf("%d enrolled: %v", enrolled, outcomes)
		}
	})
}

func TestATerminationEndsTheKeysInEveryProcessAndSurvivesARebuild(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		other := w.process()
		invited := w.invite("Example Cloud GmbH")
		if _, err := w.Enrol(t.Context(), invited.Token, w.applicant(invited.Entity).signed(t)); err != nil {
			t.Fatal(err)
		}
		for _, process := range []*Registry{w.Registry, other} {
			if _, err := process.Keys(t.Context(), invited.Entity); err != nil {
				t.Fatal(err)
			}
		}
		ended, err := w.signer.Sign(envelope.Draft{Issuer: self, Audience: invited.Entity, IssuedAt: w.now, JTI: "ended",
			EventURI: statement.KindRelationshipTerminated.URI(), Subject: envelope.Subject{Format: "uri", URI: string(invited.Entity)},
			Event: statement.RelationshipTerminated{Basis: statement.Basis{Policy: "p.1", Now: w.now}, Case: "c", Findings: []string{"f"}, LimitAt: w.now, Why: "it was not cured"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.log.Append(t.Context(), ended); err != nil {
			t.Fatal(err)
		}
		for name, process := range map[string]*Registry{"the one that folds": w.Registry, "the one that finds it folded": other} {
			if err := process.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := process.Keys(t.Context(), invited.Entity); err != nil {
				t.Errorf("%s has no keys to verify its evidence with: %v", name, err)
			}
			for _, kind := range statement.Kinds() {
				err := process.MayState(t.Context(), invited.Entity, kind)
				if recorded := kind == statement.KindRemediation || kind == statement.KindOrderConfirmation; recorded && err != nil {
					t.Errorf("%s does not take a %s as evidence: %v", name, kind, err)
				} else if !recorded && (!errors.Is(err, intake.ErrIssuer) || !strings.Contains(err.Error(), "terminated")) {
					t.Errorf("%s still takes a %s: %v", name, kind, err)
				}
			}
		}
		dump := func() string {
			var entities []entityRow
			var keys []keyRow
			if err := errors.Join(db.Order("entity").Limit(100).Find(&entities).Error, db.Order("thumbprint").Limit(100).Find(&keys).Error); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(entities, keys)
		}
		before := dump()
		if err := w.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := dump(); after != before {
			t.Errorf("after the rebuild:\n got %s\nwant %s", after, before)
		}
	})
}
