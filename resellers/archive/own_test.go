package archive

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// says has the gateway state something about an entity.
func (w *world) says(about envelope.Entity, said statement.Statement) {
	w.t.Helper()
	w.stated++
	w.append(w.gateway.Sign(envelope.Draft{Issuer: ledgertest.Gateway, Audience: ledgertest.Gateway, IssuedAt: w.now, JTI: fmt.Sprint("said-", w.stated),
		EventURI: said.Kind().URI(), Event: said, Subject: envelope.Subject{Format: "uri", URI: string(about)}}))
}

func (w *world) ends() {
	w.says(reseller, statement.RelationshipTerminated{Basis: statement.Basis{Policy: "p.1", Now: w.now}, Case: "c", Findings: []string{"f"}, LimitAt: w.now, Why: "it was not cured"})
}

// explains names somebody in what is said about no customer.
func (w *world) explains() envelope.Digest {
	return w.state("", statement.Remediation{RemediationKind: "explanation", Finding: "cip.missing.20260228T080000Z", Text: "Joe Doe was ill."})
}

func TestWhatAResellerStatedOfItselfIsErasedWhenItHasHadItsTime(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		program := []byte("%PDF-1.7 Our program, by Ana Souza.")
		stated := map[string]envelope.Digest{"first": w.attest(program), "explained": w.explains()}
		_, err := w.archive.Put(t.Context(), reseller, digestOf(program), "application/pdf", program)
		w.must(err)
		w.advance(100)
		stated["second"] = w.attest(program)
		w.advance(100)
		stated["third"] = w.attest(nil)
		w.advance(100)
		w.ends()
		check := func(days int, want ...string) {
			t.Helper()
			w.now = start.AddDate(0, 0, days)
			w.must(w.archive.Sweep(t.Context()))
			for name, digest := range stated {
				if got, wanted := w.isErased(digest), strings.Contains(strings.Join(want, " "), name); got != wanted {
					t.Errorf("day %d: %s erased %v, wanted %v", days, name, got, wanted)
				}
			}
			_, _, err := w.archive.Open(t.Context(), reseller.ID(), digestOf(program))
			if gone, wanted := err != nil, strings.Contains(strings.Join(want, " "), "second"); gone != wanted {
				t.Errorf("day %d: the document, which the second attestation names too: %v", days, err)
			}
		}
		const kept = 1826 // days, as the policy has it
		check(300)
		check(100 + kept - 1)
		check(100+kept+1, "first")
		said := w.count(statement.KindRecordErased)
		check(100+kept+2, "first")
		hold, err := w.archive.Place(t.Context(), officer, reseller.ID(), "", "Litigation 4711", time.Time{})
		w.must(err)
		check(200+kept+1, "first")
		check(200+kept+3, "first")
		if again := w.count(statement.KindRecordErased); again != said {
			t.Errorf("%d statements more while nothing was due or all was held", again-said)
		}
		w.must(w.archive.Release(t.Context(), officer, reseller.ID(), hold, "Settled."))
		check(200+kept+4, "first", "second")
		check(300+kept-1, "first", "second")
		check(300+kept+1, "first", "second", "third", "explained")
		_, err = w.docket.Sweep(t.Context())
		w.must(err)
		w.holdsTogether()
	})
}

// While the relationship stands, the newest attestation has no end, and what is said in a case neither.
func TestOfAResellerInBusinessOnlyWhatWasReplacedIsErased(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		replaced, explained := w.attest(nil), w.explains()
		w.advance(10)
		newest := w.attest(nil)
		w.now = start.AddDate(9, 0, 0)
		w.must(w.archive.Sweep(t.Context()))
		if !w.isErased(replaced) || w.isErased(explained) || w.isErased(newest) {
			t.Errorf("after nine years: replaced %v, explained %v, newest %v", w.isErased(replaced), w.isErased(explained), w.isErased(newest))
		}
		w.ends() // and then they have their time
		w.now = w.now.AddDate(0, 0, 1825)
		w.must(w.archive.Sweep(t.Context()))
		if w.isErased(explained) || w.isErased(newest) {
			t.Error("erased before the ceiling after the end")
		}
		w.advance(2)
		w.must(w.archive.Sweep(t.Context()))
		if !w.isErased(explained) || !w.isErased(newest) {
			t.Errorf("after the end: explained %v, newest %v", w.isErased(explained), w.isErased(newest))
		}
		_, err := w.docket.Sweep(t.Context())
		w.must(err)
		w.holdsTogether()
	})
}

// A document that the attestation in force names stays when an older one that names it too is erased on request.
func TestADocumentThatAnotherAttestationNamesStays(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		program := []byte("%PDF-1.7 Our program.")
		first := w.attest(program)
		_, err := w.archive.Put(t.Context(), reseller, digestOf(program), "application/pdf", program)
		w.must(err)
		w.advance(1)
		w.attest(program)
		w.advance(731)
		done, err := w.archive.Erase(t.Context(), officer, reseller.ID(), Erasure{Program: first, LegalBasis: "Asked by letter."})
		if err != nil || done.Documents != 0 || !w.isErased(first) {
			t.Errorf("%+v, %v", done, err)
		}
		if _, body, err := w.archive.Open(t.Context(), reseller.ID(), digestOf(program)); err != nil || string(body) != string(program) {
			t.Errorf("the document: %v", err)
		}
	})
}

// enrols states an enrolment of another entity, and returns who signs for it.
func (w *world) enrols(entity envelope.Entity) envelope.Signer {
	w.t.Helper()
	signer := signerOf(w.t, string(entity))
	keys, err := envelope.NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{signer.Public()}})
	w.must(err)
	w.says(entity, statement.EntityEnrolled{Entity: entity, Name: string(entity), Country: "DE", Superior: ledgertest.Gateway, Contact: "compliance@example.com",
		Tier: 1, Invitation: uuid.Nil.String(), FederationKeys: keys.Marshal(), Keys: keys.Marshal(), Configuration: "a.b.c"})
	return signer
}

// What a reseller's reseller states stands word for word in what its superiors signed too, and is erased there with it.
func TestWhatWasForwardedIsErasedWhereverItIsWrapped(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		const upper, top = envelope.Entity("https://upper.example"), envelope.Entity("https://top.example")
		signers := map[envelope.Entity]envelope.Signer{upper: w.enrols(upper), top: w.enrols(top)}
		wraps := func(by envelope.Entity, set envelope.Digest) envelope.Digest {
			raw, _, err := w.ledger.Raw(t.Context(), set)
			w.must(err)
			w.stated++
			return w.append(signers[by].Sign(envelope.Draft{Issuer: by, Audience: ledgertest.Gateway, IssuedAt: w.now, JTI: fmt.Sprint("forwarded-", w.stated),
				EventURI: statement.KindForwarded.URI(), Event: statement.Forwarded{ReceivedAt: w.now, Set: string(raw), Path: []envelope.Entity{reseller}}}))
		}
		opened, reported, closed := w.account("c-1", "opened"), w.report("c-1"), w.account("c-1", "closed")
		other := w.report("c-2")
		once := wraps(upper, reported)
		twice := wraps(top, once)
		again, others := wraps(upper, reported), wraps(upper, other)
		w.advance(731)
		erase := func() (Erased, error) {
			return w.archive.Erase(t.Context(), officer, reseller.ID(), Erasure{Customer: "c-1", LegalBasis: "Article 17 GDPR, asked by letter."})
		}
		w.must(w.archive.CatchUp(t.Context()))
		hold, err := w.archive.Place(t.Context(), officer, top.ID(), "", "Litigation 4711", time.Time{})
		w.must(err)
		_, err = erase()
		refusedWith(t, err, hold, "who forwarded these records", "Litigation 4711")
		w.must(w.archive.Release(t.Context(), officer, top.ID(), hold, "Settled."))
		w.must(w.archive.Rebuild(t.Context())) // what wraps what follows from the ledger
		_, err = erase()
		w.must(err)
		for name, digest := range map[string]envelope.Digest{"opened": opened, "reported": reported, "closed": closed, "wrapped once": once, "wrapped twice": twice, "wrapped by another": again} {
			if !w.isErased(digest) {
				t.Errorf("%s is not erased", name)
			}
		}
		if w.isErased(other) || w.isErased(others) {
			t.Error("what was said of another customer is erased")
		}
		entry, err := w.ledger.About(t.Context(), upper.ID(), 0, 10)
		w.must(err)
		for _, e := range entry {
			if said, is := e.Statement.(statement.Forwarded); is && e.Erased && (said.Set != "e30.e30.AA" || said.ReceivedAt.IsZero() || len(said.Path) != 1) {
				t.Errorf("what is left: %+v", said)
			}
		}
		_, err = w.docket.Sweep(t.Context())
		w.must(err)
		w.must(w.archive.Rebuild(t.Context()))
		w.holdsTogether()
	})
}
