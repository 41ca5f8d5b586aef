package registry

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Whatever is signed, a request about keys is read or refused, and what is read is about the entity in the address, for
// this gateway and of now.
func FuzzARequestAboutKeys(f *testing.F) {
	const entity = envelope.Entity("https://reseller.example")
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		f.Fatal(err)
	}
	r := New(Config{Self: self, Now: func() time.Time { return now }})
	for _, claims := range []string{
		`{"iss":"https://reseller.example","aud":"https://provider.example","iat":1772355600,"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		`{"iss":"https://reseller.example","sub":"https://reseller.example","aud":["https://provider.example"],"iat":1772355600.5,"exp":1e300,"purpose":"federation","overlap_until":-1e300}`,
		`{"iss":"https://reseller.example","aud":"https://provider.example","iat":1772355600,"kids":["a"],"compromised_since":1e18}`,
		`{"iss":1,"keys":{}}`,
	} {
		f.Add([]byte(claims))
	}
	f.Fuzz(func(t *testing.T, claims []byte) {
		raw, err := signer.SignToken(TypeKeySet, rawEvent(claims))
		if err != nil {
			return // no strict JSON object
		}
		q, err := r.readKeyRequest(entity.ID(), raw, TypeKeySet)
		if err != nil {
			return
		}
		if q.Issuer != entity || unixTime(q.IssuedAt).Sub(now).Abs() > maxRequestAge {
			t.Errorf("read as of %s by %s", unixTime(q.IssuedAt), q.Issuer)
		}
		if until, err := q.overlap(now); err == nil && (!until.After(now) || until.After(now.Add(MaxOverlap))) {
			t.Errorf("an overlap until %s", until)
		}
	})
}
