package history

import (
	"fmt"
	"testing"

	"github.com/cipgate/cipgate/attestations/statement"
)

func attestedWithCopy(leafIndex int64, sha256 string) statement.Entry {
	e := attested(leafIndex, "annual")
	said := e.Statement.(statement.CIPAttestation)
	said.Copy = &statement.Copy{SHA256: sha256}
	e.Statement = said
	return e
}

func TestAWrittenProgramIsInHandOnceItWasNamedAndReceived(t *testing.T) {
	received := func(leafIndex int64, sha256 string) statement.Entry {
		return at(leafIndex, gateway, statement.DocumentReceived{Document: statement.Copy{SHA256: sha256}})
	}
	h := fold(enrolled(0, "Example"), attestedWithCopy(1, "a"), received(2, "a"), attestedWithCopy(3, "b"), received(4, "never named"), attestedWithCopy(5, "a"))
	if a, known := h.Copy("a"); !known || a.NamedAt != h.Attestations[0].AcceptedAt || a.ReceivedAt.IsZero() {
		t.Errorf("the first: %+v, %v", a, known)
	}
	if b, known := h.Copy("b"); !known || !b.ReceivedAt.IsZero() {
		t.Errorf("the one that was only named: %+v, %v", b, known)
	}
	if _, known := h.Copy("never named"); known {
		t.Error("a document that no attestation names")
	}
	claimed := received(6, "b")
	claimed.By = claimed.About
	if b, _ := h.With(claimed).Copy("b"); !b.ReceivedAt.IsZero() {
		t.Error("a reseller said itself that its document is in hand")
	}

	before := h
	for n := range int64(30) {
		h = h.With(attestedWithCopy(10+n, fmt.Sprint("copy ", n)))
	}
	if len(h.Copies) != keptCopies || h.Copies[keptCopies-1].SHA256 != "copy 29" {
		t.Errorf("after thirty more: %d copies, the last %+v", len(h.Copies), h.Copies[len(h.Copies)-1])
	}
	if len(before.Copies) != 2 {
		t.Errorf("the history before has %d copies", len(before.Copies))
	}
}
