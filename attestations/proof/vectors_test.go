package proof

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// vector is one of transparency-dev/merkle's test vectors. Sizes and indexes of 64 bits, of which some are meant not to
// fit, and roots that are no hashes.
type vector struct {
	LeafIndex uint64   `json:"leafIdx"`
	TreeSize  uint64   `json:"treeSize"`
	Size1     uint64   `json:"size1"`
	Size2     uint64   `json:"size2"`
	Start     uint64   `json:"start"`
	End       uint64   `json:"end"`
	Size      uint64   `json:"size"`
	Root      []byte   `json:"root"`
	Root1     []byte   `json:"root1"`
	Root2     []byte   `json:"root2"`
	LeafHash  []byte   `json:"leafHash"`
	Proof     [][]byte `json:"proof"`
	WantErr   bool     `json:"wantErr"`
}

var (
	errNoHash    = errors.New("no hash")
	errNoSize    = errors.New("no size that a checkpoint can have")
	errNoSubtree = errors.New("no subtree that the format allows")
)

// otherwise are the vectors whose verdict is not ours, each with the reason.
var otherwise = map[string]string{
	"consistency/additional/size1-is-zero-and-size2-is-not-zero.json":   "every log continues the empty one (C2SP tlog-witness)",
	"consistency/additional/roots-do-not-match-and-sizes-are-zero.json": "the second root is refused before, when its checkpoint is read",
}

// check runs a vector of a folder. A subtree that starts at leaf s is to its own leaves a tree of its own, if it is one
// that the format allows: s is a multiple of the power of two that holds it.
func (v vector) check(folder string) error {
	if v.TreeSize > maxSize || v.Size2 > maxSize || v.Size > maxSize || v.End > maxSize {
		return errNoSize
	}
	subtree := strings.HasPrefix(folder, "subtree")
	if subtree && !isSubtree(v.Start, v.End) {
		return errNoSubtree
	}
	path, err := hashesOf(v.Proof)
	if err != nil {
		return err
	}
	switch folder {
	case "inclusion", "subtreeinclusion":
		index, size := v.LeafIndex, v.TreeSize
		if subtree {
			index, size = index-v.Start, v.End-v.Start
		}
		leaf, err1 := hashOf(v.LeafHash)
		root, err2 := hashOf(v.Root)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		return included(leaf, int64(index), path, Checkpoint{Size: int64(size), Root: root})
	case "consistency", "subtreeconsistency":
		older, newer := v.Size1, v.Size2
		if subtree {
			older, newer = v.End-v.Start, v.Size
		}
		root1, err1 := hashOf(v.Root1)
		root2, err2 := hashOf(v.Root2)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		return continues(Checkpoint{Size: int64(older), Root: root1}, Checkpoint{Size: int64(newer), Root: root2}, path)
	}
	return fmt.Errorf("an unknown folder %s", folder)
}

func isSubtree(start, end uint64) bool {
	if start > end {
		return false
	}
	width := uint64(1)
	for width < end-start {
		width *= 2
	}
	return start%width == 0
}

// hashOf takes a root or a leaf. Where the vectors say "don't care" in words, their hash stands for them: equal words
// are equal roots.
func hashOf(b []byte) (Hash, error) {
	switch len(b) {
	case 0:
		return Hash{}, errNoHash
	case len(Hash{}):
		return Hash(b), nil
	default:
		return sha256.Sum256(b), nil
	}
}

func hashesOf(rows [][]byte) (path []Hash, err error) {
	for _, row := range rows {
		if len(row) != len(Hash{}) {
			return nil, errNoHash
		}
		path = append(path, Hash(row))
	}
	return path, nil
}

func TestProofsOfOthersHoldOrFailAsTheySay(t *testing.T) {
	root := filepath.Join(vectors(t, "merkle"), "testdata")
	ran := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var v vector
		if err := json.Unmarshal(text, &v); err != nil {
			return fmt.Errorf("%s: %w", relative, err)
		}
		got := v.check(strings.Split(relative, string(filepath.Separator))[0])
		ran++
		if _, ok := otherwise[filepath.ToSlash(relative)]; ok == ((got != nil) == v.WantErr) {
			t.Errorf("%s: %v, want an error: %v; known to differ: %v", relative, got, v.WantErr, ok)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if ran != 518 {
		t.Errorf("%d vectors run; there were 518", ran)
	}
}

// tesseraKey is the key of the log of transparency-dev/tessera's tests.
const tesseraKey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"

// A log that other software wrote, of 15 entries and with a checkpoint for each size.
func TestTheLogOfAnotherImplementationIsProved(t *testing.T) {
	root := filepath.Join(vectors(t, "tessera"), "testdata", "log")
	verifier, err := note.NewVerifier(tesseraKey)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := os.ReadFile(filepath.Join(root, "tile", "entries", "000.p", "15"))
	if err != nil {
		t.Fatal(err)
	}
	l := &log{}
	var leaves []Hash
	for len(bundle) > 0 { // C2SP tlog-tiles, "Log entries"
		length := int(binary.BigEndian.Uint16(bundle))
		leaf := tlog.RecordHash(bundle[2 : 2+length])
		bundle = bundle[2+length:]
		stored, err := tlog.StoredHashesForRecordHash(int64(len(leaves)), leaf, l)
		if err != nil {
			t.Fatal(err)
		}
		leaves, l.hashes = append(leaves, leaf), append(l.hashes, stored...)
	}
	if len(leaves) != 15 {
		t.Fatalf("%d entries, want 15", len(leaves))
	}
	signed := map[int][]byte{}
	for n := range 16 {
		text, err := os.ReadFile(filepath.Join(root, fmt.Sprintf("checkpoint.%d", n)))
		if err != nil {
			t.Fatal(err)
		}
		signed[n] = text
		head, err := OpenCheckpoint(text, verifier)
		if err != nil || head.Size != int64(n) || head.Origin != "example.com/log/testdata" {
			t.Fatalf("checkpoint %d: %+v, %v", n, head, err)
		}
		for i := range n {
			path, err := tlog.ProveRecord(int64(n), int64(i), l)
			if err != nil {
				t.Fatal(err)
			}
			if err := included(leaves[i], int64(i), path, head); err != nil {
				t.Errorf("entry %d of %d: %v", i, n, err)
			}
			if err := included(leaves[(i+1)%15], int64(i), path, head); err == nil {
				t.Errorf("entry %d of %d is another as well", i, n)
			}
		}
		for m := range n + 1 {
			var path []Hash
			if m > 0 {
				path = l.growth(t, m, n)
			}
			if err := Consistent(signed[m], text, path, verifier); err != nil {
				t.Errorf("%d to %d: %v", m, n, err)
			}
		}
	}
}
