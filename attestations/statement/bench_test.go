package statement

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// What a statement costs to read stands beside what its signature costs to verify, which nobody can spare: the same
// tokens, the same names. The largest attestation has 1.2 KiB.
var benchmarked = []struct {
	name    string
	kind    Kind
	example int
}{
	{"attestation of 0.2 KiB", KindCIPAttestation, 0},
	{"attestation of 1.2 KiB", KindCIPAttestation, 3},
	{"smallest verification", KindCustomerVerification, 0},
	{"largest verification", KindCustomerVerification, 4},
	{"account status", KindAccountStatus, 0},
	{"AI training", KindAITraining, 1},
}

func BenchmarkDecode(b *testing.B) {
	for _, one := range benchmarked {
		event := schemas[one.kind]().examples[one.example]
		v := sign(b, draft(one.kind, []byte(event)))
		b.Run(one.name, func(b *testing.B) {
			b.SetBytes(int64(len(event)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkVerifySignature is Ed25519 alone, over what BenchmarkDecode reads.
func BenchmarkVerifySignature(b *testing.B) {
	for _, one := range benchmarked {
		event := schemas[one.kind]().examples[one.example]
		raw := sign(b, draft(one.kind, []byte(event))).Raw()
		dot := bytes.LastIndexByte(raw, '.')
		signature, err := base64.RawURLEncoding.DecodeString(string(raw[dot+1:]))
		if err != nil {
			b.Fatal(err)
		}
		public := publicKey(reseller)
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !ed25519.Verify(public, raw[:dot], signature) {
					b.Fatal("the signature does not verify")
				}
			}
		})
	}
}

// publicKey returns the key that signer signs with.
func publicKey(of envelope.Entity) ed25519.PublicKey {
	seed := sha256.Sum256([]byte(of))
	return ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
}

func BenchmarkRefuse(b *testing.B) {
	v := sign(b, draft(KindCIPAttestation, []byte(with(b, string(schemas[KindCIPAttestation]().examples[3]), "attested_on", `"2026-02-30"`))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(v); err == nil {
			b.Fatal("accepted")
		}
	}
}

// BenchmarkRecall is the fold's hot path: one entry of each size and author.
func BenchmarkRecall(b *testing.B) {
	for name, v := range map[string]struct {
		kind    Kind
		example int
	}{
		"smallest attestation": {KindCIPAttestation, 0},
		"own attestation":      {KindCIPAttestation, 1},
		"largest attestation":  {KindCIPAttestation, 3},
		"finding":              {KindFindingOpened, 0},
	} {
		raw := sign(b, draft(v.kind, []byte(schemas[v.kind]().examples[v.example]))).Raw()
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Recall(7, noon, envelope.DigestOf(raw), raw); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
