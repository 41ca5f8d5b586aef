package ledgertest

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"filippo.io/torchwood"
	"github.com/transparency-dev/merkle/compact"
	merkle "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/proof"
)

// provesEverything grows a log past its first full tiles and, at each size, checks the proof of each leaf against a Merkle
// tree of another maker.
func provesEverything(t *testing.T, u *User) {
	l := u.open(t)
	author := NewAuthor(t, 1)
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	var sets []envelope.Verified
	for _, grow := range []int{1, 1, 1, 4, 248, 1, 1, 254, 1, 2} { // 1, 2, 3, 7, 255, 256, 257, 511, 512, 514
		more := statements(t, author, len(sets), len(sets)+grow)
		appended(t, l, more...)
		sets = append(sets, more...)
		for _, set := range more {
			if err := tree.Append(rfc6962.DefaultHasher.HashLeaf(digestOf(set)), nil); err != nil {
				t.Fatal(err)
			}
		}
		root, err := tree.GetRootHash(nil)
		if err != nil {
			t.Fatal(err)
		}
		head := checkpoint(t, l)
		if head.Size != int64(len(sets)) || !bytes.Equal(head.Root[:], root) {
			t.Fatalf("at %d entries the checkpoint is %+v, wanted the root %x", len(sets), head, root)
		}
		for i, set := range sets {
			proved, receipt, err := l.Prove(t.Context(), set.Digest())
			if err != nil {
				t.Fatal(err)
			}
			if receipt.LeafIndex != int64(i) || !receipt.AcceptedAt.Equal(Noon) {
				t.Errorf("leaf %d: %+v", i, receipt)
			}
			var path [][]byte
			for _, hash := range proved.Hashes {
				path = append(path, hash[:])
			}
			err = merkle.VerifyInclusion(rfc6962.DefaultHasher, uint64(i), uint64(len(sets)), rfc6962.DefaultHasher.HashLeaf(digestOf(set)), path, root)
			if err != nil {
				t.Fatalf("leaf %d of %d: %v", i, len(sets), err)
			}
			if i%100 == 0 {
				if err := proof.Check(proved, set.Digest(), verifier(t)); err != nil {
					t.Fatalf("leaf %d of %d: %v", i, len(sets), err)
				}
			}
		}
	}
}

func digestOf(set envelope.Verified) []byte {
	digest := set.Digest()
	return digest[:]
}

// tileServer serves a ledger as C2SP tlog-tiles says.
func tileServer(l *ledger.Ledger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tile, err := torchwood.ParseTilePath(r.URL.Path[1:])
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var data []byte
		if tile.L < 0 {
			data, err = l.EntryBundle(r.Context(), tile.N, tile.W)
		} else {
			data, err = l.Tile(r.Context(), tile.L, tile.N, tile.W)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.Write(data)
	})
}

func stockClientReads(t *testing.T, u *User) {
	l := u.open(t)
	sets := statements(t, NewAuthor(t, 1), 0, 600)
	appended(t, l, sets[:300]...)
	early := checkpoint(t, l)
	appended(t, l, sets[300:]...)
	late := checkpoint(t, l)

	server := httptest.NewServer(tileServer(l))
	defer server.Close()
	fetcher, err := torchwood.NewTileFetcher(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		t.Fatal(err)
	}
	// The early tree's partial tiles have filled since, and are still served.
	for _, head := range []proof.Checkpoint{early, late} {
		tree := tlog.Tree{N: head.Size, Hash: head.Root}
		var read int64
		for start := int64(0); start < head.Size; start = read { // it may stop before a partial bundle
			for i, entry := range client.Entries(t.Context(), tree, start) {
				if !bytes.Equal(entry, digestOf(sets[i])) {
					t.Fatalf("entry %d is %x", i, entry)
				}
				read = i + 1
			}
			if err := client.Err(); err != nil {
				t.Fatal(err)
			}
		}
		for _, i := range []int64{0, 255, 256, head.Size - 1} {
			entry, path, err := client.Entry(t.Context(), tree, i)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckRecord(path, tree.N, tree.Hash, i, tlog.RecordHash(entry)); err != nil || !bytes.Equal(entry, digestOf(sets[i])) {
				t.Errorf("entry %d: %v", i, err)
			}
		}
	}
}

func noSuchTile(t *testing.T, u *User) {
	l := u.open(t)
	appended(t, l, statements(t, NewAuthor(t, 1), 0, 300)...)
	for _, test := range []struct {
		level int
		n     int64
		width int
		found bool
	}{
		{0, 0, 256, true},
		{0, 0, 1, true},
		{0, 0, 255, true},
		{0, 1, 44, true},
		{0, 1, 43, true},
		{0, 1, 45, false},
		{0, 1, 256, false},
		{0, 2, 1, false},
		{1, 0, 1, true},
		{1, 0, 2, false},
		{1, 0, 256, false},
		{2, 0, 1, false},
		{7, 0, 1, false},
		{8, 0, 1, false},
		{-1, 0, 1, false},
		{0, -1, 1, false},
		{0, 0, 0, false},
		{0, 0, 257, false},
		{0, 1<<62 - 1, 1, false},
	} {
		data, err := l.Tile(t.Context(), test.level, test.n, test.width)
		if test.found && (err != nil || len(data) != 32*test.width) || !test.found && !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("tile %d of level %d, %d wide: %d bytes, %v", test.n, test.level, test.width, len(data), err)
		}
		if test.level != 0 {
			continue
		}
		data, err = l.EntryBundle(t.Context(), test.n, test.width)
		if test.found && (err != nil || len(data) != 34*test.width) || !test.found && !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("entry bundle %d, %d wide: %d bytes, %v", test.n, test.width, len(data), err)
		}
	}
}

func notFound(t *testing.T, u *User) {
	l := u.open(t)
	stranger := NewAuthor(t, 9).State(t, 0)
	if _, _, err := l.Prove(t.Context(), stranger.Digest()); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a proof: %v", err)
	}
	if _, _, err := l.Raw(t.Context(), stranger.Digest()); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a body: %v", err)
	}
	if _, err := l.Entry(t.Context(), 0); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("an entry: %v", err)
	}
	if entries, err := l.About(t.Context(), stranger.Claims().Issuer.ID(), 0, 1); err != nil || len(entries) != 0 {
		t.Errorf("about somebody unknown: %v, %v", entries, err)
	}
}
