package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"

	formats "github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/tlog"
)

func TestAReceiptIsReadAsItWasWritten(t *testing.T) {
	l := newLog(t, 9)
	for _, want := range []Receipt{l.receipt(t, 0, 1), l.receipt(t, 8, 9), l.receipt(t, 3, 9)} {
		text, err := want.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseReceipt(text)
		if err != nil {
			t.Fatal(err)
		}
		want.Digest = got.Digest // the format does not name the entry
		if len(want.Hashes) == 0 {
			want.Hashes = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// The format's other implementation writes the same bytes and reads ours.
func TestAReceiptIsATlogProof(t *testing.T) {
	l := newLog(t, 9)
	r := l.receipt(t, 3, 9)
	text, err := r.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	theirs := formats.TLogProof{Index: 3, Checkpoint: r.Checkpoint}
	for _, h := range r.Hashes {
		theirs.Hashes = append(theirs.Hashes, [sha256.Size]byte(h))
	}
	if written := theirs.Marshal(); !bytes.Equal(written, text) {
		t.Errorf("ours:\n%s\ntheirs:\n%s", text, written)
	}
	theirs.ExtraData = []byte("accepted at noon")
	got, err := ParseReceipt(theirs.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := got.MarshalText(); err != nil || !bytes.Equal(again, text) {
		t.Errorf("extra data is not passed over: %v\n%s", err, again)
	}
	var read formats.TLogProof
	if err := read.Unmarshal(text); err != nil || read.Index != 3 || len(read.Hashes) != len(r.Hashes) || !bytes.Equal(read.Checkpoint, r.Checkpoint) {
		t.Errorf("they read %+v, %v", read, err)
	}
}

func TestAReceiptHasOneSpelling(t *testing.T) {
	l := newLog(t, 9)
	r := l.receipt(t, 3, 9)
	text, err := r.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	first := r.Hashes[0].String()
	index := "index 3\n"
	many := func(n int) string {
		return strings.Replace(good, index, index+strings.Repeat(first+"\n", n-len(r.Hashes)), 1)
	}
	for name, test := range map[string]struct {
		text string
		ok   bool
	}{
		"as it is written":                     {good, true},
		"with extra data":                      {strings.Replace(good, index, "extra AAEC\n"+index, 1), true},
		"with 63 hashes":                       {many(63), true},
		"with 64 hashes":                       {many(64), false},
		"empty":                                {"", false},
		"with another first line":              {strings.Replace(good, "@v1", "@v2", 1), false},
		"with an empty line before":            {"\n" + good, false},
		"with CR LF":                           {strings.ReplaceAll(good, "\n", "\r\n"), false},
		"with CR LF after a hash":              {strings.Replace(good, first, first+"\r", 1), false},
		"with an empty extra line":             {strings.Replace(good, index, "extra \n"+index, 1), false},
		"with extra data unpadded":             {strings.Replace(good, index, "extra AA\n"+index, 1), false},
		"with extra data of unused bits":       {strings.Replace(good, index, "extra AB==\n"+index, 1), false},
		"with extra data across a carriage":    {strings.Replace(good, index, "extra AAEC\rAAEC\n"+index, 1), false},
		"with two extra lines":                 {strings.Replace(good, index, "extra AAEC\nextra AAEC\n"+index, 1), false},
		"with extra data after the index":      {strings.Replace(good, index, index+"extra AAEC\n", 1), false},
		"without index":                        {strings.Replace(good, index, "", 1), false},
		"with a leading zero":                  {strings.Replace(good, index, "index 03\n", 1), false},
		"with a sign":                          {strings.Replace(good, index, "index +3\n", 1), false},
		"with two spaces":                      {strings.Replace(good, index, "index  3\n", 1), false},
		"with an index of 64 bits":             {strings.Replace(good, index, "index 9223372036854775808\n", 1), false},
		"with an index outside the log":        {strings.Replace(good, index, "index 9\n", 1), false},
		"with a hash of unused bits":           {strings.Replace(good, first, first[:42]+string(first[42]+1)+"=", 1), false},
		"with a short hash":                    {strings.Replace(good, first, base64.StdEncoding.EncodeToString(make([]byte, 31)), 1), false},
		"without the empty line":               {strings.Replace(good, "\n\n", "\n", 1), false},
		"with two empty lines":                 {strings.Replace(good, "\n\n", "\n\n\n", 1), false},
		"without the checkpoint":               {good[:strings.Index(good, "\n\n")+2], false},
		"without the end of its line":          {strings.TrimSuffix(good, "\n"), false},
		"with an empty line at the end":        {good + "\n", false},
		"with something after the signature":   {good + "x\n", false},
		"with a second receipt":                {good + good, false},
		"with a checkpoint that is none":       {strings.Replace(good, origin+"\n9\n", origin+"\n09\n", 1), false},
		"with a checkpoint that has no bounds": {good + strings.Repeat("x", maxReceipt), false},
		"with a large checkpoint":              {strings.Replace(good, origin, strings.Repeat("x", maxCheckpoint), 1), false},
	} {
		got, err := ParseReceipt([]byte(test.text))
		if (err == nil) != test.ok || !test.ok && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !reflect.DeepEqual(got, Receipt{}) {
			t.Errorf("%s: refused, and read as %+v", name, got)
		}
	}
}

func TestWhatCouldNotBeReadBackIsNotWritten(t *testing.T) {
	l := newLog(t, 9)
	for name, spoil := range map[string]func(*Receipt){
		"a negative index":        func(r *Receipt) { r.LeafIndex = -1 },
		"an index outside":        func(r *Receipt) { r.LeafIndex = 9 },
		"64 hashes":               func(r *Receipt) { r.Hashes = make([]Hash, 64) },
		"no checkpoint":           func(r *Receipt) { r.Checkpoint = nil },
		"a checkpoint that is no": func(r *Receipt) { r.Checkpoint = []byte("x\n") },
	} {
		r := l.receipt(t, 3, 9)
		spoil(&r)
		if text, err := r.MarshalText(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// FuzzParseReceipt looks for a text that is read and, written again, is another; apart from the extra line, which is
// passed over.
func FuzzParseReceipt(f *testing.F) {
	l := newLog(f, 9)
	for _, r := range []Receipt{l.receipt(f, 0, 1), l.receipt(f, 3, 9)} {
		text, err := r.MarshalText()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		f.Add(bytes.Replace(text, []byte("index"), []byte("extra AAEC\nindex"), 1))
	}
	f.Add([]byte(firstLine + "\nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseReceipt(text)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		written, err := r.MarshalText()
		if err != nil {
			t.Fatalf("read, and cannot be written: %v", err)
		}
		before, after, _ := bytes.Cut(text, []byte("\n"))
		if bytes.HasPrefix(after, []byte("extra ")) {
			_, after, _ = bytes.Cut(after, []byte("\n"))
		}
		if want := append(append(before, '\n'), after...); !bytes.Equal(written, want) {
			t.Fatalf("read\n%q\nwritten\n%q", want, written)
		}
		if Check(r, l.digests[0], l.verifier) != nil {
			return
		}
		head, err := OpenCheckpoint(r.Checkpoint, l.verifier)
		if err != nil {
			t.Fatalf("proved by a checkpoint that cannot be opened: %v", err)
		}
		if root, err := tlog.TreeHash(head.Size, l); err != nil || root != head.Root || r.LeafIndex != 0 {
			t.Fatalf("entry 0 is proved as entry %d of a tree that was never signed: %+v, %v", r.LeafIndex, head, err)
		}
	})
}

// BenchmarkCheck checks a receipt of a log of a thousand entries, most of which is the checkpoint's signature.
func BenchmarkCheck(b *testing.B) {
	l := newLog(b, 1000)
	r := l.receipt(b, 500, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if err := Check(r, r.Digest, l.verifier); err != nil {
			b.Fatal(err)
		}
	}
}
