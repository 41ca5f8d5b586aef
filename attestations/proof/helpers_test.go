package proof

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/cipgate/cipgate/attestations/envelope"
)

const origin = "gateway.example/log"

// log is a log in memory, as the ledger keeps one in its database.
type log struct {
	signer   note.Signer
	verifier note.Verifier
	digests  []envelope.Digest
	hashes   []tlog.Hash // in tlog's order
}

func (l *log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	read := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		read[i] = l.hashes[index]
	}
	return read, nil
}

// logKey returns the key of a log; the same each time for one name.
func logKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// newLog returns a log of n statements.
func newLog(t testing.TB, n int) *log {
	t.Helper()
	key := logKey(origin)
	signer, err := NewLogSigner(origin, key)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(Vkey(origin, key.Public().(ed25519.PublicKey)))
	if err != nil {
		t.Fatal(err)
	}
	l := &log{signer: signer, verifier: verifier}
	for i := range n {
		d := envelope.DigestOf(fmt.Appendf(nil, "statement %d", i))
		stored, err := tlog.StoredHashes(int64(i), d[:], l)
		if err != nil {
			t.Fatal(err)
		}
		l.digests, l.hashes = append(l.digests, d), append(l.hashes, stored...)
	}
	return l
}

// checkpoint returns the signed head of the first n statements.
func (l *log) checkpoint(t testing.TB, n int) []byte {
	t.Helper()
	root, err := tlog.TreeHash(int64(n), l)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := SignCheckpoint(Checkpoint{Origin: origin, Size: int64(n), Root: root}, l.signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// receipt proves statement i in a log of n.
func (l *log) receipt(t testing.TB, i, n int) Receipt {
	t.Helper()
	path, err := tlog.ProveRecord(int64(n), int64(i), l)
	if err != nil {
		t.Fatal(err)
	}
	return Receipt{Digest: l.digests[i], LeafIndex: int64(i), Hashes: path, Checkpoint: l.checkpoint(t, n)}
}

// growth proves that a log of n continues one of m.
func (l *log) growth(t testing.TB, m, n int) []Hash {
	t.Helper()
	path, err := tlog.ProveTree(int64(n), int64(m), l)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// vectors returns a folder of test vectors that others wrote. They lie beside the project, not in it.
func vectors(t *testing.T, folder string) string {
	t.Helper()
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			break
		}
		if at == filepath.Dir(at) {
			t.Fatal("no go.mod above the test")
		}
		at = filepath.Dir(at)
	}
	at = filepath.Join(at, "..", "shared", "vectors", folder)
	if _, err := os.Stat(at); err != nil {
		t.Skipf("the test vectors are not here: %v", err)
	}
	return at
}
