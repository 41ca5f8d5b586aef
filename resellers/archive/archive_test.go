package archive

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

const reseller = envelope.Entity("https://reseller.example")

var (
	start   = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	officer = statement.Officer{ID: "ana", Name: "Ana"}
)

// world is a real ledger, docket and archive on a real store, with a clock that the test moves.
type world struct {
	t       *testing.T
	db      *gorm.DB
	now     time.Time
	ledger  *ledger.Ledger
	docket  *docket.Docket
	archive *Archive
	gateway envelope.Signer
	signer  envelope.Signer
	stated  int
}

func signerOf(t *testing.T, name string) envelope.Signer {
	t.Helper()
	signer, err := envelope.NewSigner(ledgertest.Key(name))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newWorld(t *testing.T, db *gorm.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, now: start, gateway: signerOf(t, "gateway"), signer: signerOf(t, "reseller")}
	log, _ := ledgertest.LogKey(t)
	clock := func() time.Time { return w.now }
	var err error
	w.ledger, err = ledger.Open(t.Context(), ledger.Config{DB: db, Signer: log, Origin: ledgertest.Origin, Bodies: ledgertest.Bodies(t), Now: clock})
	w.must(err)
	t.Cleanup(func() {
		if err := w.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	w.docket, err = docket.New(t.Context(), db, w.ledger, w.gateway, ledgertest.Gateway, policy.Default(), clock)
	w.must(err)
	w.archive = New(Config{DB: db, Ledger: w.ledger, Docket: w.docket, Signer: w.gateway, Self: ledgertest.Gateway,
		Bodies: ledgertest.Bodies(t), Records: policy.Default().Records, Now: clock})
	keys, err := envelope.NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{w.signer.Public()}})
	w.must(err)
	w.append(w.gateway.Sign(envelope.Draft{Issuer: ledgertest.Gateway, Audience: ledgertest.Gateway, IssuedAt: w.now, JTI: "enrolled",
		EventURI: statement.KindEntityEnrolled.URI(), Subject: envelope.Subject{Format: "uri", URI: string(reseller)},
		Event: statement.EntityEnrolled{Entity: reseller, Name: "Reseller", Country: "DE", Superior: ledgertest.Gateway,
			Contact: "compliance@example.com", Tier: 1, Invitation: uuid.Nil.String(), FederationKeys: keys.Marshal(), Keys: keys.Marshal(), Configuration: "a.b.c"}}))
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) append(set envelope.Verified, err error) envelope.Digest {
	w.t.Helper()
	w.must(err)
	_, err = w.ledger.Append(w.t.Context(), set)
	w.must(err)
	_, err = w.docket.Sweep(w.t.Context())
	w.must(err)
	return set.Digest()
}

// state has the reseller state something now, of a customer unless that is empty.
func (w *world) state(customer string, said statement.Statement) envelope.Digest {
	w.t.Helper()
	w.stated++
	draft := envelope.Draft{Issuer: reseller, Audience: ledgertest.Gateway, IssuedAt: w.now, JTI: fmt.Sprint("statement-", w.stated),
		EventURI: said.Kind().URI(), Event: said}
	if customer != "" {
		draft.Subject = envelope.Subject{Format: "opaque", ID: customer}
	}
	set, err := w.signer.Sign(draft)
	w.must(err)
	_, err = statement.Decode(set)
	w.must(err)
	return w.append(set, nil)
}

func (w *world) attest(program []byte) envelope.Digest {
	said := statement.CIPAttestation{Occasion: "initial", Basis: "adopted", AgreementID: "A-1", AttestedOn: dateOf(w.now),
		ResponsibleContact: statement.Contact{Name: "Ana Souza", Email: "ana@reseller.example"}}
	if program != nil {
		said.Copy = &statement.Copy{SHA256: digestOf(program).String()}
	}
	return w.state("", said)
}

func (w *world) account(customer, status string) envelope.Digest {
	said := statement.AccountStatus{Account: "a-" + customer, Status: status, On: dateOf(w.now)}
	switch status {
	case "opened":
		said.Products, said.Plan = []string{"processing"}, "paid"
	case "closed":
		said.Reason = "customer-request"
	}
	return w.state(customer, said)
}

// report names somebody in free text.
func (w *world) report(customer string) envelope.Digest {
	return w.state(customer, statement.SuspiciousActivity{Certainty: "suspected", DiscoveredAt: w.now.Add(-time.Hour), Categories: []string{"integrity"},
		Description: "Somebody called Joe Doe scanned ports.", Audience: "provider"})
}

func dateOf(t time.Time) statement.Date { return date(t.Format(time.DateOnly)) }

func digestOf(document []byte) envelope.Digest { return envelope.Digest(sha256.Sum256(document)) }

func (w *world) advance(days int) { w.now = w.now.AddDate(0, 0, days) }

// count counts the entries of a kind about the reseller.
func (w *world) count(kind statement.Kind) (n int) {
	w.t.Helper()
	w.must(w.archive.each(w.t.Context(), reseller.ID(), func(e statement.Entry) bool {
		if e.Statement.Kind() == kind {
			n++
		}
		return true
	}))
	return n
}

func (w *world) isErased(digest envelope.Digest) bool {
	w.t.Helper()
	_, _, err := w.ledger.Raw(w.t.Context(), digest)
	if err != nil && !errors.Is(err, ledger.ErrErased) {
		w.t.Fatal(err)
	}
	return err != nil
}

// holdsTogether: the ledger's check, and folding it all again, find nothing else than before.
func (w *world) holdsTogether() {
	w.t.Helper()
	w.must(w.ledger.Check(w.t.Context()))
	before, err := w.docket.Open(w.t.Context(), reseller.ID())
	w.must(err)
	w.must(w.docket.Rebuild(w.t.Context()))
	after, err := w.docket.Open(w.t.Context(), reseller.ID())
	w.must(err)
	if !reflect.DeepEqual(before.History, after.History) || before.Case.Standing != after.Case.Standing {
		w.t.Errorf("after folding again:\n%+v\nbefore:\n%+v", after, before)
	}
}

func refusedWith(t *testing.T, err error, words ...string) {
	t.Helper()
	if !errors.Is(err, ErrRefused) {
		t.Fatalf("got %v, wanted it refused", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("it does not say %q: %v", word, err)
		}
	}
}

func TestAWrittenProgramIsTakenOnceAnAttestationNamesIt(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		program := []byte("%PDF-1.7 Our program, by Ana Souza.")
		digest := digestOf(program)
		put := func(mediaType string, body []byte) error {
			_, err := w.archive.Put(t.Context(), reseller, digest, mediaType, body)
			return err
		}
		refusedWith(t, put("application/pdf", program), "names in copy.sha256", "Push the cip-attestation first")
		w.attest(program)
		refusedWith(t, put("application/zip", program), "application/pdf", `got "application/zip"`)
		refusedWith(t, put("application/pdf", append(program, '.')), "wanted the bytes with the SHA-256 "+digest.String(), "exactly as it was")
		refusedWith(t, put("application/vnd.oasis.opendocument.text", program), "wanted a document of the type application/vnd.oasis")

		for range 2 { // the second time changes nothing
			w.must(put("application/pdf", program))
		}
		document, body, err := w.archive.Open(t.Context(), reseller.ID(), digest)
		if err != nil || string(body) != string(program) || document.Size != int64(len(program)) || document.MediaType != "application/pdf" {
			t.Errorf("it is %+v, %q, %v", document, body, err)
		}
		var stored []byte
		w.must(db.Raw("SELECT body FROM archive_documents").Row().Scan(&stored))
		if strings.Contains(string(stored), "Souza") {
			t.Error("the document is readable in the store")
		}
		_, err = w.docket.Sweep(t.Context())
		w.must(err)
		file, err := w.docket.Open(t.Context(), reseller.ID())
		w.must(err)
		if copied, known := file.History.Copy(digest.String()); !known || copied.ReceivedAt.IsZero() {
			t.Errorf("the reseller's file does not say that it is in hand: %+v", copied)
		}
		if said := w.count(statement.KindDocumentReceived); said != 1 {
			t.Errorf("it was stated %d times", said)
		}
		if _, _, err := w.archive.Open(t.Context(), ledgertest.Gateway.ID(), digest); !errors.Is(err, ErrNotFound) {
			t.Errorf("as another's: %v", err)
		}
		listed, err := w.archive.Documents(t.Context(), reseller.ID(), 10)
		if err != nil || len(listed) != 1 || listed[0] != document {
			t.Errorf("listed: %+v, %v", listed, err)
		}
	})
}

func TestACustomersRecordsAreErasedOnRequestOnlyOnceNothingKeepsThem(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.attest(nil)
		opened, reported, other := w.account("c-1", "opened"), w.report("c-1"), w.report("c-2")
		erase := func() (Erased, error) {
			return w.archive.Erase(t.Context(), officer, reseller.ID(), Erasure{Customer: "c-1", LegalBasis: "Article 17 GDPR, asked by letter."})
		}
		_, err := erase()
		refusedWith(t, err, "an account of this customer is open", "730d after")
		w.advance(10)
		closed := w.account("c-1", "closed")
		w.advance(729)
		_, err = erase()
		refusedWith(t, err, "kept until 2028-03-10T09:00:00Z", "730d", "15 CFR 7.302")
		w.advance(2)
		hold, err := w.archive.Place(t.Context(), officer, reseller.ID(), "c-1", "Litigation 4711", time.Time{})
		w.must(err)
		_, err = erase()
		refusedWith(t, err, hold, "Litigation 4711", "by Ana")
		w.must(w.archive.Release(t.Context(), officer, reseller.ID(), hold, "Settled."))
		refusedWith(t, w.archive.Release(t.Context(), officer, reseller.ID(), hold, "Again."), "released at")
		if w.isErased(reported) {
			t.Fatal("it was erased although it was refused")
		}

		done, err := erase()
		w.must(err)
		if done.Statements != 3 || !w.isErased(opened) || !w.isErased(reported) || !w.isErased(closed) || w.isErased(other) {
			t.Errorf("erased %+v; opened %v, reported %v, closed %v, another's %v", done, w.isErased(opened), w.isErased(reported), w.isErased(closed), w.isErased(other))
		}
		if _, err := erase(); !errors.Is(err, ErrNotFound) {
			t.Errorf("a second time: %v", err)
		}
		_, err = w.docket.Sweep(t.Context())
		w.must(err)
		w.holdsTogether()
	})
}

func TestWhatReachedItsCeilingIsErasedOnceADayUnlessItIsHeld(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		reports := map[string]envelope.Digest{}
		for _, customer := range []string{"closed", "held", "open", "late"} {
			w.account(customer, "opened")
			reports[customer] = w.report(customer)
		}
		w.account("closed", "closed")
		w.account("held", "closed")
		w.advance(100)
		w.account("late", "closed")
		w.attest(nil)
		ends := w.now.AddDate(6, 0, 0)
		_, err := w.archive.Place(t.Context(), officer, reseller.ID(), "held", "The Department asked.", ends)
		w.must(err)
		check := func(when string, want ...string) {
			t.Helper()
			w.must(w.archive.Sweep(t.Context()))
			_, err := w.docket.Sweep(t.Context())
			w.must(err)
			for customer, digest := range reports {
				if got, wanted := w.isErased(digest), strings.Contains(strings.Join(want, " "), customer); got != wanted {
					t.Errorf("%s: %s erased %v, wanted %v", when, customer, got, wanted)
				}
			}
		}
		check("at once")
		w.now = start.AddDate(0, 0, 1825)
		check("a day before the ceiling")
		w.advance(2)
		check("after the ceiling", "closed")
		before := w.count(statement.KindRecordErased)
		for range 3 {
			w.advance(1)
			check("the days after", "closed")
		}
		if again := w.count(statement.KindRecordErased); again != before {
			t.Errorf("%d statements more were made for what is erased", again-before)
		}
		w.advance(100)
		check("after the later one's ceiling", "closed", "late")
		w.now = ends.Add(24 * time.Hour)
		check("after the hold ended", "closed", "late", "held")
		w.holdsTogether()
	})
}

// TestAnErasureThatWasStatedIsCarriedOutAfterACrash: the process died between the two.
func TestAnErasureThatWasStatedIsCarriedOutAfterACrash(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		program := []byte("%PDF-1.7 Our program.")
		attested := w.attest(program)
		_, err := w.archive.Put(t.Context(), reseller, digestOf(program), "application/pdf", program)
		w.must(err)
		w.advance(1)
		w.attest(nil)
		_, err = w.archive.Erase(t.Context(), officer, reseller.ID(), Erasure{Program: attested, LegalBasis: "Asked by letter."})
		refusedWith(t, err, "kept until")
		entries, err := w.archive.about(t.Context(), reseller.ID(), Erasure{Program: attested})
		w.must(err)
		_, err = w.archive.stateErased(t.Context(), reseller, entries, "request", "Asked by letter.")
		w.must(err)
		if w.isErased(attested) {
			t.Fatal("stating it must not erase")
		}
		w.must(w.archive.CatchUp(t.Context()))
		if !w.isErased(attested) {
			t.Error("the attestation stands")
		}
		if _, _, err := w.archive.Open(t.Context(), reseller.ID(), digestOf(program)); !errors.Is(err, ErrGone) {
			t.Errorf("the document: %v", err)
		}
		_, err = w.archive.Put(t.Context(), reseller, digestOf(program), "application/pdf", program)
		refusedWith(t, err, "was erased")
		_, err = w.docket.Sweep(t.Context())
		w.must(err)
		w.holdsTogether()
	})
}
