package ledger

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func leaf(n int64) tlog.Hash { return tlog.RecordHash(binary.BigEndian.AppendUint64(nil, uint64(n))) }

// TestTheEdgeIsTheTreeOfAnotherMaker grows one edge past the first full tile of level 1 and compares its root at each size.
func TestTheEdgeIsTheTreeOfAnotherMaker(t *testing.T) {
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	var e edge
	var tiles []tile
	if root := e.root(); !bytes.Equal(root[:], rfc6962.DefaultHasher.EmptyRoot()) {
		t.Fatalf("the empty tree's root is %v", root)
	}
	for n := range int64(1<<16 + 300) {
		hash := leaf(n)
		tiles = e.add(hash, tiles)
		if err := tree.Append(hash[:], nil); err != nil {
			t.Fatal(err)
		}
		want, err := tree.GetRootHash(nil)
		if err != nil {
			t.Fatal(err)
		}
		if root := e.root(); e.size != n+1 || !bytes.Equal(root[:], want) {
			t.Fatalf("at %d entries the root is %v, wanted %x", n+1, root, want)
		}
	}
	if want := 1<<8 + 1 + 1; len(tiles) != want {
		t.Errorf("%d full tiles, wanted %d", len(tiles), want)
	}
	last := tiles[len(tiles)-2]
	if last.level != 1 || last.n != 0 || last.hash != perfect(split(last.data)) || !bytes.Equal(last.data[:32], tiles[0].hash[:]) {
		t.Errorf("the tile of level 1 is %d of level %d", last.n, last.level)
	}
}

func TestAnEdgeReadBackIsTheEdgeThatGrew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, 1<<17).Draw(t, "size")
		var grown edge
		for n := range size {
			grown.add(leaf(n), nil)
		}
		open := make([][]tlog.Hash, levels(size))
		for level := range open {
			if len(grown.open[level]) != openWidth(size, level) {
				t.Fatalf("level %d has %d open hashes, wanted %d", level, len(grown.open[level]), openWidth(size, level))
			}
			open[level] = grown.open[level]
		}
		read := edgeOf(size, open)
		if read.root() != grown.root() || len(read.peaks) != len(grown.peaks) {
			t.Fatalf("the root is %v with %d peaks, wanted %v with %d", read.root(), len(read.peaks), grown.root(), len(grown.peaks))
		}
	})
}

func TestACloneGrowsWithoutItsOriginal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var original edge
		for n := range rapid.Int64Range(0, 1000).Draw(t, "size") {
			original.add(leaf(n), nil)
		}
		root := original.root()
		first, second := original.clone(), original.clone()
		for n := range rapid.Int64Range(1, 600).Draw(t, "more") {
			first.add(leaf(-n), nil)
			second.add(leaf(n), nil)
		}
		if original.root() != root || edgeOf(original.size, original.open).root() != root {
			t.Fatal("the original has changed")
		}
		if edgeOf(first.size, first.open).root() != first.root() || edgeOf(second.size, second.open).root() != second.root() {
			t.Fatal("the clones share hashes")
		}
	})
}

func TestAJTIsKeyKeepsTheOrderOfUUIDs(t *testing.T) {
	const issuer = "https://reseller.example"
	earlier, later := keyOf(issuer, "01890000-0000-7000-8000-000000000000"), keyOf(issuer, "01890000-0001-7000-8000-000000000000")
	if bytes.Compare(earlier[:], later[:]) >= 0 {
		t.Error("a later UUID has a smaller key")
	}
	seen := map[jtiKey]string{}
	for _, jti := range []string{
		"01890000-0000-7000-8000-00000000000a",
		"01890000-0000-7000-8000-00000000000A", // another jti: they are compared letter by letter
		"{01890000-0000-7000-8000-00000000000a}",
		"urn:uuid:01890000-0000-7000-8000-00000000000a",
		"0189000000007000800000000000000a",
		"a", "b",
	} {
		key := keyOf(issuer, jti)
		if other, found := seen[key]; found {
			t.Errorf("%q and %q have one key", jti, other)
		}
		seen[key] = jti
		if keyOf("https://other.example", jti) == key {
			t.Errorf("%q has one key for two issuers", jti)
		}
	}
}
