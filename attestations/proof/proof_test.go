package proof

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
)

func TestEveryStatementIsProvedInEverySizeOfItsLog(t *testing.T) {
	l := newLog(t, 40)
	for n := 1; n <= 40; n++ {
		for i := range n {
			text, err := l.receipt(t, i, n).MarshalText()
			if err != nil {
				t.Fatal(err)
			}
			r, err := ParseReceipt(text)
			if err != nil {
				t.Fatalf("entry %d of %d: %v\n%s", i, n, err, text)
			}
			if err := Check(r, l.digests[i], l.verifier); err != nil {
				t.Fatalf("entry %d of %d: %v", i, n, err)
			}
		}
	}
}

// An implementation that is not ours, nor tlog's, accepts what we accept and refuses what we refuse.
func TestInclusionAgreesWithAnotherImplementation(t *testing.T) {
	l := newLog(t, 70)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 70).Draw(rt, "size")
		i := rapid.IntRange(0, n-1).Draw(rt, "entry")
		r := l.receipt(t, i, n)
		d := r.Digest
		r.Digest = envelope.Digest{}
		switch rapid.IntRange(0, 5).Draw(rt, "broken") {
		case 0:
			r.LeafIndex = int64(rapid.IntRange(0, 70).Draw(rt, "index"))
		case 1:
			d = l.digests[rapid.IntRange(0, 69).Draw(rt, "digest")]
		case 2:
			r.Hashes = append(r.Hashes, l.hashes[0])
		case 3:
			r.Hashes = r.Hashes[:len(r.Hashes)/2]
		case 4:
			r.Checkpoint = l.checkpoint(t, rapid.IntRange(1, 70).Draw(rt, "other size"))
		}
		head, err := OpenCheckpoint(r.Checkpoint, l.verifier)
		if err != nil {
			rt.Fatal(err)
		}
		leaf := rfc6962.DefaultHasher.HashLeaf(d[:])
		theirs := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(r.LeafIndex), uint64(head.Size), leaf, rows(r.Hashes), head.Root[:])
		ours := Check(r, d, l.verifier)
		if (ours == nil) != (theirs == nil) {
			rt.Fatalf("entry %d of %d: ours: %v, theirs: %v", r.LeafIndex, head.Size, ours, theirs)
		}
		if ours != nil && !errors.Is(ours, ErrNotIncluded) {
			rt.Fatalf("not included is said as %v", ours)
		}
	})
}

func TestConsistencyAgreesWithAnotherImplementation(t *testing.T) {
	l := newLog(t, 70)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 70).Draw(rt, "newer")
		m := rapid.IntRange(1, n).Draw(rt, "older")
		path := l.growth(t, m, n)
		switch rapid.IntRange(0, 4).Draw(rt, "broken") {
		case 0:
			m = rapid.IntRange(1, 70).Draw(rt, "other older")
		case 1:
			path = append(path, l.hashes[0])
		case 2:
			path = path[:len(path)/2]
		case 3:
			n = rapid.IntRange(1, 70).Draw(rt, "other newer")
		}
		older, newer := l.checkpoint(t, m), l.checkpoint(t, n)
		from, err1 := OpenCheckpoint(older, l.verifier)
		to, err2 := OpenCheckpoint(newer, l.verifier)
		if err := errors.Join(err1, err2); err != nil {
			rt.Fatal(err)
		}
		theirs := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(m), uint64(n), rows(path), from.Root[:], to.Root[:])
		ours := Consistent(older, newer, path, l.verifier)
		if (ours == nil) != (theirs == nil) {
			rt.Fatalf("%d to %d: ours: %v, theirs: %v", m, n, ours, theirs)
		}
		if ours != nil && !errors.Is(ours, ErrInconsistent) {
			rt.Fatalf("inconsistent is said as %v", ours)
		}
	})
}

func rows(path []Hash) [][]byte {
	all := make([][]byte, len(path))
	for i := range path {
		all[i] = path[i][:]
	}
	return all
}

func TestAReceiptThatProvesNothingSaysWhy(t *testing.T) {
	l := newLog(t, 11)
	good := func() (Receipt, envelope.Digest) { return l.receipt(t, 4, 11), l.digests[4] }
	otherKey := logKey("other")
	sameName, err := NewLogSigner(origin, otherKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		spoil func(r *Receipt, d *envelope.Digest)
		want  error
	}{
		"another statement":               {func(_ *Receipt, d *envelope.Digest) { *d = l.digests[5] }, ErrNotIncluded},
		"a receipt for another statement": {func(r *Receipt, _ *envelope.Digest) { r.Digest = l.digests[5] }, ErrNotIncluded},
		"another index":                   {func(r *Receipt, _ *envelope.Digest) { r.LeafIndex = 5 }, ErrNotIncluded},
		"an index beyond the log":         {func(r *Receipt, _ *envelope.Digest) { r.LeafIndex = 11 }, ErrNotIncluded},
		"an index before the log":         {func(r *Receipt, _ *envelope.Digest) { r.LeafIndex = -1 }, ErrNotIncluded},
		"a hash changed":                  {func(r *Receipt, _ *envelope.Digest) { r.Hashes[0][31] ^= 1 }, ErrNotIncluded},
		"a hash too few":                  {func(r *Receipt, _ *envelope.Digest) { r.Hashes = r.Hashes[:len(r.Hashes)-1] }, ErrNotIncluded},
		"a hash too many":                 {func(r *Receipt, _ *envelope.Digest) { r.Hashes = append(r.Hashes, Hash{}) }, ErrNotIncluded},
		"the head of another size":        {func(r *Receipt, _ *envelope.Digest) { r.Checkpoint = l.checkpoint(t, 10) }, ErrNotIncluded},
		"no head":                         {func(r *Receipt, _ *envelope.Digest) { r.Checkpoint = nil }, ErrMalformed},
		"a head with its text changed": {func(r *Receipt, _ *envelope.Digest) {
			r.Checkpoint = bytes.Replace(r.Checkpoint, []byte("\n11\n"), []byte("\n12\n"), 1)
		}, ErrSignature},
		"a head signed by nobody we know":    {func(r *Receipt, _ *envelope.Digest) { r.Checkpoint = signed(t, "other.example/log", otherKey, r) }, ErrSignature},
		"a head under our name, another key": {func(r *Receipt, _ *envelope.Digest) { r.Checkpoint = resigned(t, sameName, r) }, ErrSignature},
		"a head of another log, our key":     {func(r *Receipt, _ *envelope.Digest) { r.Checkpoint = renamed(t, l.signer, r) }, ErrOrigin},
		"a head that is no checkpoint":       {func(r *Receipt, _ *envelope.Digest) { r.Checkpoint = noted(t, l.signer, origin+"\n11\n") }, ErrMalformed},
	} {
		r, d := good()
		r.Hashes = slices.Clone(r.Hashes)
		if err := Check(r, d, l.verifier); err != nil {
			t.Fatal(err)
		}
		test.spoil(&r, &d)
		if err := Check(r, d, l.verifier); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// noted signs any text.
func noted(t testing.TB, signer note.Signer, text string) []byte {
	t.Helper()
	out, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// textOf returns what is signed in the receipt's checkpoint.
func textOf(r *Receipt) string {
	text, _, _ := bytes.Cut(r.Checkpoint, []byte("\n\n"))
	return string(text) + "\n"
}

func signed(t testing.TB, name string, key ed25519.PrivateKey, r *Receipt) []byte {
	t.Helper()
	signer, err := NewLogSigner(name, key)
	if err != nil {
		t.Fatal(err)
	}
	return resigned(t, signer, r)
}

func resigned(t testing.TB, signer note.Signer, r *Receipt) []byte {
	t.Helper()
	return noted(t, signer, textOf(r))
}

func renamed(t testing.TB, signer note.Signer, r *Receipt) []byte {
	t.Helper()
	return noted(t, signer, "other.example/log"+textOf(r)[len(origin):])
}

// Whoever holds the key can sign any size; no size may keep a reader busy.
func TestTheLargestLogIsRefusedAsFastAsASmallOne(t *testing.T) {
	l := newLog(t, 3)
	largest, err := SignCheckpoint(Checkpoint{Origin: origin, Size: maxSize, Root: l.hashes[2]}, l.signer)
	if err != nil {
		t.Fatal(err)
	}
	r := Receipt{LeafIndex: maxSize - 1, Hashes: make([]Hash, 62), Checkpoint: largest}
	if err := Check(r, l.digests[0], l.verifier); !errors.Is(err, ErrNotIncluded) {
		t.Errorf("inclusion: %v", err)
	}
	if err := Consistent(l.checkpoint(t, 3), largest, make([]Hash, 63), l.verifier); !errors.Is(err, ErrInconsistent) {
		t.Errorf("consistency: %v", err)
	}
}

func TestALogContinuesWhatItSignedBefore(t *testing.T) {
	l := newLog(t, 20)
	forked := newLog(t, 3)
	rewritten, err := SignCheckpoint(Checkpoint{Origin: origin, Size: 20, Root: forked.hashes[0]}, l.signer)
	if err != nil {
		t.Fatal(err)
	}
	other := newLog(t, 7)
	other.signer, err = NewLogSigner(origin, logKey("other"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		older, newer []byte
		path         []Hash
		want         error
	}{
		"grown":                          {l.checkpoint(t, 7), l.checkpoint(t, 20), l.growth(t, 7, 20), nil},
		"unchanged":                      {l.checkpoint(t, 20), l.checkpoint(t, 20), nil, nil},
		"from nothing":                   {l.checkpoint(t, 0), l.checkpoint(t, 20), nil, nil},
		"nothing still":                  {l.checkpoint(t, 0), l.checkpoint(t, 0), nil, nil},
		"from nothing by a path":         {l.checkpoint(t, 0), l.checkpoint(t, 20), l.growth(t, 7, 20), ErrInconsistent},
		"shrunk":                         {l.checkpoint(t, 20), l.checkpoint(t, 7), l.growth(t, 7, 20), ErrInconsistent},
		"shrunk to nothing":              {l.checkpoint(t, 20), l.checkpoint(t, 0), nil, ErrInconsistent},
		"by the path of another pair":    {l.checkpoint(t, 7), l.checkpoint(t, 20), l.growth(t, 8, 20), ErrInconsistent},
		"rewritten":                      {l.checkpoint(t, 7), rewritten, l.growth(t, 7, 20), ErrInconsistent},
		"rewritten at the same size":     {l.checkpoint(t, 20), rewritten, nil, ErrInconsistent},
		"the older signed by another":    {other.checkpoint(t, 7), l.checkpoint(t, 20), l.growth(t, 7, 20), ErrSignature},
		"the newer signed by another":    {l.checkpoint(t, 7), other.checkpoint(t, 7), nil, ErrSignature},
		"the older is no checkpoint":     {[]byte("x"), l.checkpoint(t, 7), nil, ErrMalformed},
		"unchanged with a path too many": {l.checkpoint(t, 20), l.checkpoint(t, 20), l.growth(t, 7, 20), ErrInconsistent},
	} {
		if err := Consistent(test.older, test.newer, test.path, l.verifier); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}
