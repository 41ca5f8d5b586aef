package docket

import (
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/policy"
)

// TestMain draws less of each property under the race detector, unless -rapid.checks says otherwise.
func TestMain(m *testing.M) {
	if underRace {
		if err := flag.Set("rapid.checks", "30"); err != nil {
			panic(err)
		}
	}
	migrationstest.Main(m)
}

const (
	self   = envelope.Entity("https://provider.example")
	silent = envelope.Entity("https://provider.example/e/silent")
	late   = envelope.Entity("https://provider.example/e/late")
)

// epoch is when the stories begin.
var epoch = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// world is a real ledger on a real store, with a clock that the test moves, and dockets that come and go.
type world struct {
	t      *testing.T
	db     *gorm.DB
	now    time.Time
	ledger *ledger.Ledger
	signer envelope.Signer
	policy policy.Policy
	stated int // about customers
}

// seeded makes a key that is the same in every run, so that runs can be compared byte by byte.
func seeded(t *testing.T, name byte) envelope.Signer {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = name
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// theAutomatic is read once: the race detector makes reading a policy dear, and every world has this one.
var theAutomatic = sync.OnceValues(func() (policy.Policy, error) {
	file := policy.Default().Document()
	for _, people := range []string{"1", "2"} {
		file = strings.ReplaceAll(strings.ReplaceAll(file, "people: "+people, "people: 0"), "critical: "+people, "critical: 0")
	}
	return policy.Parse([]byte(strings.Replace(file, "value: [close, terminate]", "value: []", 1))) // nor waits one for proof of notice
})

// automatic is the shipped policy with every step automatic: what it is silent about ends in termination.
func automatic(t *testing.T) policy.Policy {
	t.Helper()
	p, err := theAutomatic()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newWorld(t *testing.T, db *gorm.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, now: epoch, signer: seeded(t, 's'), policy: automatic(t)}
	const origin = "provider.example/log"
	seed := make([]byte, ed25519.SeedSize)
	logKey, err := proof.NewLogSigner(origin, ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	w.ledger, err = ledger.Open(t.Context(), ledger.Config{DB: db, Signer: logKey, Origin: origin, Bodies: ledgertest.Bodies(t), Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) clock() time.Time { return w.now }

// docket opens a docket, as a process does when it starts.
func (w *world) docket(db *gorm.DB, log Ledger) (*Docket, error) {
	return New(w.t.Context(), db, log, w.signer, self, w.policy, w.clock)
}

func (w *world) mustDocket() *Docket {
	w.t.Helper()
	d, err := w.docket(w.db, w.ledger)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) append(set envelope.Verified, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.ledger.Append(w.t.Context(), set); err != nil {
		w.t.Fatal(err)
	}
}

// enrol states that an entity came in, as the registry does.
func (w *world) enrol(entity envelope.Entity) {
	w.t.Helper()
	keys, err := envelope.NewKeys(keySet(seeded(w.t, 'r')))
	if err != nil {
		w.t.Fatal(err)
	}
	w.append(w.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: w.now, JTI: "enrolled-" + string(entity),
		EventURI: statement.KindEntityEnrolled.URI(), Subject: envelope.Subject{Format: "uri", URI: string(entity)},
		Event: statement.EntityEnrolled{Entity: entity, Name: string(entity[len(self)+3:]), Country: "DE", Superior: self,
			Contact: "compliance@example.com", Tier: 1, Invitation: uuid.Nil.String(),
			FederationKeys: keys.Marshal(), Keys: keys.Marshal(), Configuration: "a.b.c"}}))
}

// attest states that the entity's program is in place, as the reseller does.
func (w *world) attest(entity envelope.Entity) {
	w.t.Helper()
	event, err := exampleOn(w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.append(seeded(w.t, 'r').Sign(envelope.Draft{Issuer: entity, Audience: self, IssuedAt: w.now,
		JTI: "attested-" + w.now.Format(time.RFC3339), EventURI: statement.KindCIPAttestation.URI(), Event: event}))
}

// errKilled is what a process gets from the moment it is killed.
var errKilled = errors.New("killed")

// killer kills a process at one of its steps: from there on nothing it does has an effect.
type killer struct {
	after int // steps that still succeed; negative: immortal
	steps int // steps taken so far
}

func (k *killer) step() error {
	k.steps++
	if k.after >= 0 && k.steps > k.after {
		return errKilled
	}
	return nil
}

// mortal returns a handle to the store whose every statement is a step.
func (k *killer) mortal(t *testing.T, db *gorm.DB) *gorm.DB {
	t.Helper()
	hook := func(tx *gorm.DB) {
		if err := k.step(); err != nil {
			_ = tx.AddError(err)
		}
	}
	fresh, err := gorm.Open(db.Dialector, &gorm.Config{SkipDefaultTransaction: true, TranslateError: true, ConnPool: db.ConnPool, Logger: db.Logger})
	if err != nil {
		t.Fatal(err)
	}
	callbacks := fresh.Callback()
	err = errors.Join(
		callbacks.Create().Before("gorm:create").Register("kill", hook),
		callbacks.Query().Before("gorm:query").Register("kill", hook),
		callbacks.Update().Before("gorm:update").Register("kill", hook),
		callbacks.Delete().Before("gorm:delete").Register("kill", hook),
	)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

// mortalLedger is a ledger whose reads and appends are steps, before and after: a process may be killed when its
// statement is committed and it has not heard of it.
type mortalLedger struct {
	*ledger.Ledger
	*killer
}

func (m mortalLedger) Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	return m.Ledger.Entries(ctx, from, limit, kinds...)
}

func (m mortalLedger) AppendInTurn(ctx context.Context, seen ledger.Seen, decide ledger.Decider) ([]ledger.Receipt, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	receipts, err := m.Ledger.AppendInTurn(ctx, seen, decide)
	if killed := m.step(); killed != nil {
		return nil, killed
	}
	return receipts, err
}

func (m mortalLedger) AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	receipts, err := m.Ledger.AppendAfter(ctx, seen, sets...)
	if killed := m.step(); killed != nil {
		return nil, killed
	}
	return receipts, err
}
