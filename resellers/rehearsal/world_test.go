package rehearsal

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

const (
	self = envelope.Entity("https://provider.example")
	dayH = 24 * time.Hour
)

var (
	epoch = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	mara  = statement.Officer{ID: "mara", Name: "Mara Lind"}
	jon   = statement.Officer{ID: "jon", Name: "Jon Reyes"}
)

// world is a gateway with a clock that the test moves.
type world struct {
	t      *testing.T
	db     *gorm.DB
	at     time.Time
	log    *ledger.Ledger
	docket *docket.Docket
	signer envelope.Signer
	*Rehearsal
}

func newWorld(t *testing.T, db *gorm.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, at: epoch}
	const origin = "provider.example/log"
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	logKey, err := proof.NewLogSigner(origin, key)
	w.must(err)
	w.signer, err = envelope.NewSigner(key)
	w.must(err)
	w.log, err = ledger.Open(t.Context(), ledger.Config{DB: db, Signer: logKey, Origin: origin, Bodies: ledgertest.Bodies(t), Now: w.clock})
	w.must(err)
	t.Cleanup(func() { w.must(w.log.Close()) })
	w.docket = w.newDocket()
	w.must(w.docket.Activate(t.Context()))
	w.Rehearsal = w.again()
	return w
}

func (w *world) clock() time.Time { return w.at }

func (w *world) newDocket() *docket.Docket {
	w.t.Helper()
	d, err := docket.New(w.t.Context(), w.db, w.log, w.signer, self, policy.Default(), w.clock)
	w.must(err)
	_, err = d.Adopt(w.t.Context())
	w.must(err)
	return d
}

// again is a rehearsal as a process has it that has just started.
func (w *world) again() *Rehearsal {
	return New(Config{DB: w.db, Ledger: w.log, Docket: w.docket, Signer: w.signer, Self: self, Now: w.clock,
		Adopt: func(ctx context.Context) error { _, err := w.docket.Adopt(ctx); return err },
		Fits: func(p policy.Policy) error {
			if p.Intake.MaxPathLength.Value > 50 {
				return fmt.Errorf("--intake-queue: wanted more")
			}
			return nil
		}})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func entity(name string) envelope.Entity { return self + "/e/" + envelope.Entity(name) }

func (w *world) says(about envelope.Entity, jti string, said statement.Statement) {
	w.t.Helper()
	set, err := w.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: w.at, JTI: jti, EventURI: said.Kind().URI(), Event: said,
		Subject: envelope.Subject{Format: "uri", URI: string(about)}})
	w.must(err)
	_, err = w.log.Append(w.t.Context(), set)
	w.must(err)
}

func (w *world) enrol(name string) {
	w.t.Helper()
	keys, err := envelope.NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{w.signer.Public()}})
	w.must(err)
	w.says(entity(name), "enrolled-"+name, statement.EntityEnrolled{Entity: entity(name), Name: name, Country: "DE", Superior: self, Contact: "c@example.com", Tier: 1,
		Invitation: "i", FederationKeys: keys.Marshal(), Keys: keys.Marshal(), Configuration: "a.b.c"})
}

// attest lets a reseller attest its program.
func (w *world) attest(name string) {
	w.t.Helper()
	set, err := w.signer.Sign(envelope.Draft{Issuer: entity(name), Audience: self, IssuedAt: w.at, JTI: "attested-" + name + w.at.Format(time.RFC3339),
		EventURI: statement.KindCIPAttestation.URI(), Event: attestation(w.at)})
	w.must(err)
	_, err = w.log.Append(w.t.Context(), set)
	w.must(err)
}

// passTo lets time go by, each step of a case and each day of a shadow taken when it is due.
func (w *world) passTo(end time.Time) {
	w.t.Helper()
	for {
		next, err := w.docket.Sweep(w.t.Context())
		w.must(err)
		more, midnight, err := w.Turn(w.t.Context(), 2)
		w.must(err)
		if more {
			continue
		}
		if !midnight.IsZero() && (next.IsZero() || midnight.Before(next)) {
			next = midnight
		}
		if next.IsZero() || next.After(end) {
			w.at = end
			_, err := w.docket.Sweep(w.t.Context())
			w.must(err)
			return
		}
		w.at = next
	}
}

// next is the shipped policy's next version with pieces replaced, each of which must stand in it.
func next(t *testing.T, version int, pieces ...string) policy.Policy {
	t.Helper()
	file := strings.Replace(policy.Default().Document(), fmt.Sprintf("\nversion: %d\n", policy.Default().Version), fmt.Sprintf("\nversion: %d\n", version), 1)
	for i := 0; i < len(pieces); i += 2 {
		if !strings.Contains(file, pieces[i]) {
			t.Fatalf("the shipped policy has no %q", pieces[i])
		}
		file = strings.Replace(file, pieces[i], pieces[i+1], 1)
	}
	p, err := Document(file)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The first attestation within so many days.
const (
	firstWithin     = "cip.missing:\n    on: true\n    after:\n      value: 30d"
	firstWithinTen  = "cip.missing:\n    on: true\n    after:\n      value: 10d"
	firstWithinLong = "cip.missing:\n    on: true\n    after:\n      value: 60d"
)

// overtaken is a docket of a gateway that is slower than another one: something is done just before it puts a policy in force.
type overtaken struct {
	*docket.Docket
	first func()
}

func (o overtaken) ActivateAs(ctx context.Context, p policy.Policy, beside func([]docket.Activation) ([]envelope.Verified, error)) (ledger.Receipt, error) {
	o.first()
	return o.Docket.ActivateAs(ctx, p, beside)
}

func nobodyBeside([]docket.Activation) ([]envelope.Verified, error) { return nil, nil }
