package envelope

import (
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"
)

// benchToken is a statement of the usual size: 1.6 KiB.
func benchToken(b *testing.B) []byte {
	b.Helper()
	element := `{"element":"customer-identification","in_place":true,"note":"described in section %d of the written programme"}`
	var elements []string
	for i := range 7 {
		elements = append(elements, fmt.Sprintf(element, i))
	}
	claims := strings.Replace(goodClaims(""), `{"occasion":"annual"}`,
		`{"occasion":"annual","basis":"own","attested_on":"2026-02-28","elements":[`+strings.Join(elements, ",")+`]}`, 1)
	raw := []byte(forge(b, headerFor(EdDSA), claims, EdDSA))
	if len(raw) < 1500 || len(raw) > 1800 {
		b.Fatalf("the token has %d bytes", len(raw))
	}
	return raw
}

func BenchmarkParse(b *testing.B) {
	raw := benchToken(b)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify is a submission's whole way through this package: Parse and Verify.
func BenchmarkVerify(b *testing.B) {
	raw, keys := benchToken(b), ourKeys(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := verdict(string(raw), keys, ourTerms()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submissions/s")
}

// BenchmarkClaims is how an entry is read back from the ledger.
func BenchmarkClaims(b *testing.B) {
	raw := benchToken(b)
	b.ReportAllocs()
	for b.Loop() {
		parsed, err := Parse(raw)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := parsed.Claims(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEd25519 is the floor under BenchmarkVerify: the signature alone.
func BenchmarkEd25519(b *testing.B) {
	parsed, err := Parse(benchToken(b))
	if err != nil {
		b.Fatal(err)
	}
	public := keyRing().ed25519.private.Public().(ed25519.PublicKey)
	b.ReportAllocs()
	for b.Loop() {
		if !ed25519.Verify(public, parsed.jws.signed, parsed.jws.signature) {
			b.Fatal("the signature does not verify")
		}
	}
}

func BenchmarkSign(b *testing.B) {
	signer := signerOf(b, keyRing().ed25519.private)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := signer.Sign(goodDraft()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewKeys(b *testing.B) {
	set := keyRing().set()
	set.Keys = set.Keys[:1]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewKeys(set); err != nil {
			b.Fatal(err)
		}
	}
}
