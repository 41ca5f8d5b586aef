package proof

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

func TestACheckpointIsReadAsItWasSigned(t *testing.T) {
	l := newLog(t, 5)
	for _, want := range []Checkpoint{
		{Origin: origin, Size: 5, Root: l.hashes[0]},
		{Origin: origin, Size: maxSize, Root: l.hashes[1]},
		{Origin: origin, Size: 0, Root: emptyRoot},
	} {
		signed, err := SignCheckpoint(want, l.signer)
		if err != nil {
			t.Fatal(err)
		}
		got, err := OpenCheckpoint(signed, l.verifier)
		if err != nil || got != want {
			t.Errorf("%+v: read as %+v, %v", want, got, err)
		}
	}
}

func TestWhatIsNoCheckpointIsNeverSigned(t *testing.T) {
	l := newLog(t, 1)
	for name, c := range map[string]Checkpoint{
		"of another log":       {Origin: "other.example/log", Size: 1, Root: l.hashes[0]},
		"of a negative size":   {Origin: origin, Size: -1, Root: l.hashes[0]},
		"too large for a path": {Origin: origin, Size: maxSize + 1, Root: l.hashes[0]},
		"of nothing, but some": {Origin: origin, Size: 0, Root: l.hashes[0]},
	} {
		if signed, err := SignCheckpoint(c, l.signer); err == nil {
			t.Errorf("%s: %q", name, signed)
		}
	}
}

func TestOneTreeHasOneSpelling(t *testing.T) {
	l := newLog(t, 1)
	root := l.hashes[0].String()
	loose := root[:42] + string(root[42]+1) + "=" // bits that no byte uses
	if sum, err := base64.StdEncoding.DecodeString(loose); err != nil || Hash(sum) != l.hashes[0] {
		t.Fatalf("%s does not spell the same hash: %v", loose, err)
	}
	for name, test := range map[string]struct {
		text string
		ok   bool
	}{
		"as it is signed":             {origin + "\n1\n" + root + "\n", true},
		"with extension lines":        {origin + "\n1\n" + root + "\nextension\nanother\n", true},
		"with an empty extension":     {origin + "\n1\n" + root + "\n\nanother\n", false},
		"with a leading zero":         {origin + "\n01\n" + root + "\n", false},
		"with a sign":                 {origin + "\n+1\n" + root + "\n", false},
		"with a negative size":        {origin + "\n-1\n" + root + "\n", false},
		"with more than 2^62 entries": {origin + "\n4611686018427387905\n" + root + "\n", false},
		"with more than 63 bits":      {origin + "\n9223372036854775808\n" + root + "\n", false},
		"with a space after the size": {origin + "\n1 \n" + root + "\n", false},
		"with unused bits":            {origin + "\n1\n" + loose + "\n", false},
		"without padding":             {origin + "\n1\n" + strings.TrimRight(root, "=") + "\n", false},
		"with a shorter hash":         {origin + "\n1\n" + base64.StdEncoding.EncodeToString(make([]byte, 30)) + "\n", false},
		"in base64url":                {origin + "\n1\n" + strings.Repeat("-", 43) + "=\n", false},
		"with an empty origin":        {"\n1\n" + root + "\n", false},
		"without a root":              {origin + "\n1\n", false},
		"empty with another root":     {origin + "\n0\n" + root + "\n", false},
	} {
		_, err := OpenCheckpoint(noted(t, l.signer, test.text), l.verifier)
		if (err == nil) != test.ok || !test.ok && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignaturesOfOthersArePassedOver(t *testing.T) {
	l := newLog(t, 3)
	witness, err := NewLogSigner("witness.example", logKey("witness"))
	if err != nil {
		t.Fatal(err)
	}
	r := l.receipt(t, 1, 3)
	both, err := note.Sign(&note.Note{Text: textOf(&r)}, witness, l.signer)
	if err != nil {
		t.Fatal(err)
	}
	r.Checkpoint = both
	if err := Check(r, l.digests[1], l.verifier); err != nil {
		t.Error(err)
	}
	r.Checkpoint = append(both, strings.Repeat("x", maxCheckpoint)...)
	if err := Check(r, l.digests[1], l.verifier); !errors.Is(err, ErrMalformed) {
		t.Errorf("a checkpoint without end: %v", err)
	}
}

func TestALogKeyIsPublishedAsAVerifierKey(t *testing.T) {
	key := logKey(origin)
	public := key.Public().(ed25519.PublicKey)
	vkey := Vkey(origin, public)
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s+%08x+%s", origin, verifier.KeyHash(), base64.StdEncoding.EncodeToString(append([]byte{1}, public...)))
	if vkey != want || verifier.Name() != origin {
		t.Errorf("got %s of %s, want %s", vkey, verifier.Name(), want)
	}
	if Vkey(origin, public[1:]) != "" {
		t.Error("a key of 31 bytes was published")
	}
	for _, name := range []string{"", "gateway.example/a log", "gateway.example+log", "a+12345678", "gateway.example\n", "\xff"} {
		if _, err := NewLogSigner(name, key); !errors.Is(err, errLogKey) {
			t.Errorf("a log named %q: %v", name, err)
		}
	}
	if _, err := NewLogSigner(origin, key[:32]); !errors.Is(err, errLogKey) {
		t.Errorf("a key of 32 bytes: %v", err)
	}
}
