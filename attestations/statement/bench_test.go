package statement

import (
	"testing"
)

// The largest example is an attestation of 1.2 KiB. Beside it an Ed25519 verification takes 45 us.

func BenchmarkDecode(b *testing.B) {
	for name, example := range map[string]int{"smallest": 0, "largest": 3} {
		event := schemas[KindCIPAttestation].examples[example]
		v := sign(b, draft(KindCIPAttestation, event))
		b.Run(name, func(b *testing.B) {
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

func BenchmarkRefuse(b *testing.B) {
	v := sign(b, draft(KindCIPAttestation, []byte(with(b, string(schemas[KindCIPAttestation].examples[3]), "attested_on", `"2026-02-30"`))))
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
		raw := sign(b, draft(v.kind, []byte(schemas[v.kind].examples[v.example]))).Raw()
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Recall(7, noon, raw); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
