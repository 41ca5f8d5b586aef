package desk

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

const aurora = envelope.Entity("https://aurora.example")

var (
	jon  = statement.Officer{ID: "jon", Name: "Jon Reyes"}
	ida  = statement.Officer{ID: "ida", Name: "Ida Berg"}
	noel = statement.Officer{ID: "noel", Name: "Noel Ward"}
)

// world is a gateway with a reseller that is enrolled and says nothing, a clock that the test moves, and the desk.
type world struct {
	*Desk
	t     *testing.T
	at    time.Time
	log   *ledger.Ledger
	files *docket.Docket
	said  int
}

func newWorld(t *testing.T, db *gorm.DB) *world {
	t.Helper()
	w := &world{t: t, at: now}
	clock := func() time.Time { return w.at }
	const origin = "provider.example/log"
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	logKey, err := proof.NewLogSigner(origin, key)
	w.must(err)
	signer, err := envelope.NewSigner(key)
	w.must(err)
	w.log, err = ledger.Open(t.Context(), ledger.Config{DB: db, Signer: logKey, Origin: origin, Bodies: ledgertest.Bodies(t), Now: clock})
	w.must(err)
	t.Cleanup(func() { w.must(w.log.Close()) })
	w.files, err = docket.New(t.Context(), db, w.log, signer, self, policy.Default(), clock)
	w.must(err)
	w.must(w.files.Activate(t.Context()))
	w.Desk = New(db, w.log, docket.NewScreener(db, w.log, self, 90, clock), w.files, signer, self, policy.Default().SpecialMeasures, clock)
	keys, err := envelope.NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{signer.Public()}})
	w.must(err)
	enrolled, err := w.sign(aurora, "enrolled", statement.EntityEnrolled{Entity: aurora, Name: "Aurora", Country: "DE", Superior: self, Contact: "c@example.com",
		Tier: 1, Invitation: "i", FederationKeys: keys.Marshal(), Keys: keys.Marshal(), Configuration: "a.b.c"})
	w.must(err)
	_, err = w.log.Append(t.Context(), enrolled)
	w.must(err)
	w.pass(0)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// pass lets time go by, each step of a case taken when it is due.
func (w *world) pass(much time.Duration) {
	w.t.Helper()
	for end := w.at.Add(much); ; {
		next, err := w.files.Sweep(w.t.Context())
		w.must(err)
		if next.IsZero() || next.After(end) {
			w.at = end
			_, err := w.files.Sweep(w.t.Context())
			w.must(err)
			return
		}
		w.at = next
	}
}

const day24 = 24 * time.Hour

// until lets time go by until the reseller stands so.
func (w *world) until(wanted escalation.Standing) docket.File {
	w.t.Helper()
	for range 120 {
		if file := w.file(); file.Case.Standing == wanted {
			return file
		}
		w.pass(day24)
	}
	w.t.Fatalf("it never became %s; it is %s", wanted, w.file().Case.Standing)
	return docket.File{}
}

func (w *world) file() docket.File {
	w.t.Helper()
	file, err := w.Desk.file(w.t.Context(), aurora.ID())
	w.must(err)
	return file
}

// approval is the one approval that the case asks for.
func (w *world) approval() escalation.Approval {
	w.t.Helper()
	asked, err := w.files.Approvals(w.t.Context(), w.file())
	w.must(err)
	if len(asked) != 1 {
		w.t.Fatalf("approvals: %+v", asked)
	}
	return asked[0]
}

// told records that the reseller was told of the last step of its case, which the next one waits for.
func (w *world) told() {
	w.t.Helper()
	_, err := w.RecordNotice(w.t.Context(), mara, aurora.ID(), Told{Notice: w.file().Case.Told.Notices[0], Channel: "call", Whom: "head of compliance", At: w.at, Reason: "She read it back."})
	w.must(err)
}

// answers has the reseller state a remediation.
func (w *world) answers(said map[string]any) string {
	w.t.Helper()
	w.said++
	jti := fmt.Sprint("answer-", w.said)
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(append(make([]byte, ed25519.SeedSize-1), 'r')))
	w.must(err)
	set, err := signer.Sign(envelope.Draft{Issuer: aurora, Audience: self, IssuedAt: w.at, JTI: jti, EventURI: statement.KindRemediation.URI(), Event: said})
	w.must(err)
	_, err = w.log.Append(context.WithoutCancel(w.t.Context()), set)
	w.must(err)
	w.pass(0)
	return jti
}

// last is the newest officer-action about the reseller.
func (w *world) last() statement.OfficerAction {
	w.t.Helper()
	all := said(w.t, w.log, statement.KindOfficerAction)
	if len(all) == 0 {
		w.t.Fatal("no officer acted")
	}
	return all[len(all)-1].Statement.(statement.OfficerAction)
}
