package ledger_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// erased is the gateway's word that these statements of an author were erased.
func erased(t *testing.T, author ledgertest.Author, sets ...envelope.Verified) envelope.Verified {
	t.Helper()
	signer, err := envelope.NewSigner(ledgertest.Key(string(ledgertest.Gateway)))
	if err != nil {
		t.Fatal(err)
	}
	said := statement.RecordErased{Reason: "request", LegalBasis: "The contact has left and asked for it."}
	for _, set := range sets {
		said.Digests = append(said.Digests, set.Digest().String())
	}
	set, err := signer.Sign(envelope.Draft{Issuer: ledgertest.Gateway, Audience: author.Entity, IssuedAt: ledgertest.Noon, JTI: "erased",
		EventURI: statement.KindRecordErased.URI(), Event: said, Subject: envelope.Subject{Format: "uri", URI: string(author.Entity)}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestWhatIsErasedIsStillProvedAndFoldedAndNothingElseOfAnEntryCanChange(t *testing.T) {
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		db := migrationstest.Open(t, url)
		l, author := openLedger(t, db), ledgertest.NewAuthor(t, 1)
		sets := states(t, author, 0, 3)
		mustAppend(t, l, sets...)
		before, err := l.Entries(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Exec("UPDATE ledger_entries SET body = digest WHERE leaf_index = 1").Error; err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("a body was overwritten that nobody erased: %v", err)
		}

		for range 2 { // the second time changes nothing
			if err := l.Erase(t.Context(), sets[1].Digest()); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := l.Raw(t.Context(), sets[1].Digest()); !errors.Is(err, ledger.ErrErased) {
			t.Errorf("the body of an erased statement: %v", err)
		}
		after, err := l.Entries(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(after) != 3 || !reflect.DeepEqual(before[0], after[0]) || !reflect.DeepEqual(before[2], after[2]) {
			t.Errorf("the others changed: %+v", after)
		}
		was, is := before[1].Statement.(statement.CIPAttestation), after[1].Statement.(statement.CIPAttestation)
		if !after[1].Erased || after[1].Digest != before[1].Digest || is.AttestedOn != was.AttestedOn || is.ResponsibleContact.Name != statement.Erased {
			t.Errorf("it reads back as %+v", after[1])
		}
		if err := db.Exec("UPDATE ledger_entries SET kind = 'other' WHERE leaf_index = 1").Error; err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("the kind of an erased entry was changed: %v", err)
		}

		receipt, _, err := l.Prove(t.Context(), sets[1].Digest())
		if err != nil {
			t.Fatal(err)
		}
		_, verifier := ledgertest.LogKey(t)
		if err := proof.Check(receipt, sets[1].Digest(), verifier); err != nil {
			t.Errorf("its receipt: %v", err)
		}
		if receipts := mustAppend(t, l, sets[1]); !receipts[0].Duplicate || receipts[0].LeafIndex != 1 {
			t.Errorf("the same again: %+v", receipts)
		}
		draft := author.Draft(1)
		draft.IssuedAt = draft.IssuedAt.Add(1e9)
		if _, err := l.Append(t.Context(), author.Sign(t, draft)); !errors.Is(err, ledger.ErrTwin) {
			t.Errorf("its jti again, signed anew: %v", err)
		}

		if err := l.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "entry 1 was erased, and nothing in the ledger says so") {
			t.Errorf("an erasure that nobody stated: %v", err)
		}
		said := erased(t, author, sets[1])
		mustAppend(t, l, said)
		mustCheck(t, l)
		mustCheck(t, openLedger(t, migrationstest.Open(t, url)))
		if err := l.Erase(t.Context(), said.Digest()); !errors.Is(err, statement.ErrNotErasable) {
			t.Errorf("the gateway's own word was erased: %v", err)
		}
		if err := l.Erase(t.Context(), envelope.Digest{}); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("what never stood: %v", err)
		}
	})
}

// TestABodyIsUnreadableInTheStore: whoever has the database alone, or a copy of it, reads no statement.
func TestABodyIsUnreadableInTheStore(t *testing.T) {
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		db := migrationstest.Open(t, url)
		l := openLedger(t, db)
		sets := states(t, ledgertest.NewAuthor(t, 1), 0, 1)
		mustAppend(t, l, sets...)
		var stored []byte
		if err := db.Raw("SELECT body FROM ledger_entries").Row().Scan(&stored); err != nil {
			t.Fatal(err)
		}
		payload := strings.Split(string(sets[0].Raw()), ".")[1]
		for from := 0; from+16 <= len(payload); from += 16 {
			if strings.Contains(string(stored), payload[from:from+16]) {
				t.Fatalf("%q stands in the store", payload[from:from+16])
			}
		}
	})
}
