package ledger

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// anySet is signed and the same each time.
func anySet(t *testing.T) envelope.Verified {
	t.Helper()
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	set, err := signer.Sign(envelope.Draft{
		Issuer: "https://reseller.example", Audience: "https://gateway.example", IssuedAt: time.Unix(0, 0), JTI: "1",
		EventURI: statement.KindCIPAttestation.URI(), Event: jsontext.Value(statement.Example(statement.KindCIPAttestation)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestWhatIsRememberedStaysBounded(t *testing.T) {
	set := anySet(t)
	var r recent
	size := len(set.Raw())
	count := 3 * maxRecentBytes / size
	for i := range count {
		r.add(&batch{
			before: &head{edge: edge{size: int64(i)}},
			after:  &head{acceptedAt: time.Unix(int64(i), 0)},
			items:  []*item{{set: set, kind: statement.KindCIPAttestation}},
		})
		if r.bytes > maxRecentBytes || r.bytes != len(r.sets)*size || r.from+int64(len(r.sets)) != int64(i+1) {
			t.Fatalf("after %d: from %d, %d sets, %d bytes", i+1, r.from, len(r.sets), r.bytes)
		}
	}
	if r.from == 0 || len(r.sets) < count/9 {
		t.Errorf("of %d it keeps %d from %d on", count, len(r.sets), r.from)
	}
	for _, want := range []struct {
		from  int64
		count int
	}{{0, 0}, {r.from - 1, 0}, {r.from, 5}, {int64(count) - 2, 2}, {int64(count), 0}} {
		entries, _, err := r.entries(time.Unix(int64(count), 0), want.from, 5, nil)
		if err != nil || len(entries) != want.count {
			t.Fatalf("from %d on: %d entries, %v, wanted %d", want.from, len(entries), err, want.count)
		}
		for i, entry := range entries {
			if leafIndex := want.from + int64(i); entry.LeafIndex != leafIndex || entry.AcceptedAt.Unix() != leafIndex {
				t.Errorf("entry %d, accepted %v, wanted %d", entry.LeafIndex, entry.AcceptedAt, leafIndex)
			}
		}
	}
	if entries, _, err := r.entries(time.Unix(int64(count), 0).Add(recentFor), r.from, 5, nil); err != nil || len(entries) != 0 {
		t.Errorf("long after the last of them: %d entries, %v", len(entries), err)
	}
}
