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

// anyItem is of that set.
func anyItem(t *testing.T) *item {
	t.Helper()
	entry, err := statement.Remember(-1, time.Time{}, anySet(t))
	if err != nil {
		t.Fatal(err)
	}
	return &item{entry: entry, weight: weightOf(entry), about: entry.About.ID()}
}

// commitTo commits an item alone.
func commitTo(r *recent, next *item, size int64, at time.Time) {
	r.add(&batch{before: &head{edge: edge{size: size}}, after: &head{acceptedAt: at}, items: []*item{next}})
}

func TestWhatIsRememberedStaysBounded(t *testing.T) {
	next := anyItem(t)
	// None is too old here: ten thousand a second.
	at := func(n int64) time.Time { return time.Unix(0, n*int64(100*time.Microsecond)) }
	var r recent
	count := int64(3 * maxRecentBytes / (next.weight + entryBytes))
	for i := range count {
		commitTo(&r, next, i, at(i))
		if r.held() > maxRecentBytes || r.bytes != len(r.run)*next.weight || r.from+int64(len(r.run)) != i+1 {
			t.Fatalf("after %d: from %d, %d entries, %d bytes of %d", i+1, r.from, len(r.run), r.bytes, r.held())
		}
	}
	if r.from == 0 || int64(len(r.run)) < count/9 {
		t.Errorf("of %d it keeps %d from %d on", count, len(r.run), r.from)
	}
	for _, want := range []struct {
		from  int64
		count int
	}{{0, 0}, {r.from - 1, 0}, {r.from, 5}, {count - 2, 2}, {count, 0}} {
		entries, _ := r.entries(at(count), want.from, 5, nil)
		if len(entries) != want.count {
			t.Fatalf("from %d on: %d entries, wanted %d", want.from, len(entries), want.count)
		}
		for i, entry := range entries {
			if leafIndex := want.from + int64(i); entry.LeafIndex != leafIndex || !entry.AcceptedAt.Equal(at(leafIndex)) {
				t.Errorf("entry %d, accepted %v, wanted %d", entry.LeafIndex, entry.AcceptedAt, leafIndex)
			}
		}
	}
}

func TestWhatIsOldIsNeitherReadFromMemoryNorKept(t *testing.T) {
	next := anyItem(t)
	at := func(n int64) time.Time { return time.Unix(n, 0) } // one a second
	const seconds = int64(recentFor / time.Second)
	var r recent
	for i := range 20 * seconds {
		commitTo(&r, next, i, at(i))
		if count := int64(len(r.run)); count > 2*seconds+2 || count < min(i, seconds) {
			t.Fatalf("after %d s it keeps %d entries", i, count)
		}
		if len(r.last) != 1 || r.last[next.about] != i {
			t.Fatalf("after %d s the last about each is %v", i, r.last)
		}
	}
	now := 20*seconds - 1
	if entries, _ := r.entries(at(now), now-seconds, 1, nil); len(entries) != 1 {
		t.Errorf("%s after it was committed an entry is not read from memory", recentFor)
	}
	if entries, unknown := r.entries(at(now), now-seconds-1, 1, nil); len(entries) != 0 || unknown != now-seconds-1 {
		t.Errorf("a second later it is: %v", entries)
	}
	// Nobody commits any more, but somebody looks.
	if r.expire(at(now + seconds)); len(r.run) == 0 {
		t.Error("what is young enough was forgotten")
	}
	if entries, unknown := r.entries(at(now+seconds+1), now+1, 5, nil); len(entries) != 0 || unknown != now+1 || r.run != nil || r.last != nil || r.bytes != 0 {
		t.Errorf("long after the last of them: %d entries, %d kept", len(entries), len(r.run))
	}
	if _, known := r.about(Seen{About: next.about, LeafIndex: now}, now+1); !known {
		t.Error("that nothing stands behind the last is forgotten with it")
	}
	if _, known := r.about(Seen{About: next.about, LeafIndex: now - 1}, now+1); known {
		t.Error("it claims to know of what it has forgotten")
	}
	commitTo(&r, next, now+1, at(now+60))
	if entries, _ := r.entries(at(now+60), now+1, 5, nil); len(entries) != 1 || entries[0].LeafIndex != now+1 {
		t.Errorf("what is committed next: %v", entries)
	}
}
