package archive

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// types has a contact type an answer over a link, which the gateway signs.
func (w *world) types(text string) envelope.Digest {
	w.t.Helper()
	w.stated++
	said := statement.StatedByLink{Link: "link-1", Contact: "contact-1", Notice: "warning-1",
		Remediation: statement.Remediation{RemediationKind: "dispute", Finding: "cip.missing.20260228T080000Z", Ground: "false-positive", Text: text}}
	return w.append(w.gateway.Sign(envelope.Draft{Issuer: ledgertest.Gateway, Audience: ledgertest.Gateway, IssuedAt: w.now, JTI: fmt.Sprint("typed-", w.stated),
		EventURI: said.Kind().URI(), Event: said, Subject: envelope.Subject{Format: "uri", URI: string(reseller)}}))
}

// stays demands that of an erased answer all is left but its words: its receipt, that it is an answer, and of what.
func (w *world) stays(digest envelope.Digest, erased bool) {
	w.t.Helper()
	found := false
	w.must(w.archive.each(w.t.Context(), reseller.ID(), func(e statement.Entry) bool {
		if e.Digest != digest {
			return true
		}
		found = true
		said, answers := statement.RemediationOf(e)
		if !answers || e.By != ledgertest.Gateway || e.About != reseller || said.Finding != "cip.missing.20260228T080000Z" || said.Ground != "false-positive" ||
			said.RemediationKind != "dispute" || e.Erased != erased || (said.Text == statement.Erased) != erased || strings.Contains(said.Text, "Joe") == erased {
			w.t.Errorf("erased %t, the entry is %+v", erased, e)
		}
		return true
	}))
	if !found {
		w.t.Error("it is no longer among the entries about the reseller")
	}
	if receipt, _, err := w.ledger.Prove(w.t.Context(), digest); err != nil || receipt.LeafIndex < 0 {
		w.t.Errorf("its receipt: %v", err)
	}
}

func TestWhatAContactTypedIsErasedOnScheduleAndAllElseOfItStays(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		typed := w.types("Joe Doe handed it in on paper.")
		w.advance(9 * 365)
		w.must(w.archive.Sweep(t.Context()))
		w.stays(typed, false) // while the relationship stands it has no end
		w.ends()
		w.advance(1825)
		w.must(w.archive.Sweep(t.Context()))
		w.stays(typed, false)
		w.advance(2)
		w.must(w.archive.Sweep(t.Context()))
		w.stays(typed, true)
		_, err := w.docket.Sweep(t.Context())
		w.must(err)
		w.holdsTogether()
		w.must(w.archive.Rebuild(t.Context()))
		w.stays(typed, true)
	})
}

func TestWhatAContactTypedIsErasedOnRequestAfterTheFloorUnlessItIsHeld(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		first, second := w.types("Joe Doe handed it in on paper."), w.types("Joe Doe was ill.")
		erase := func() error {
			_, err := w.archive.Erase(t.Context(), officer, reseller.ID(), Erasure{Answer: first, LegalBasis: "Joe Doe asked."})
			return err
		}
		w.advance(100)
		refusedWith(t, erase(), "are kept until")
		w.now = start.AddDate(3, 0, 0)
		hold, err := w.archive.Place(t.Context(), officer, reseller.ID(), "", "Litigation 4711", time.Time{})
		w.must(err)
		refusedWith(t, erase(), "Litigation 4711")
		w.must(w.archive.Release(t.Context(), officer, reseller.ID(), hold, "Settled."))
		w.must(erase())
		w.stays(first, true)
		w.stays(second, false)
		_, err = w.docket.Sweep(t.Context())
		w.must(err)
		w.holdsTogether()
	})
}
