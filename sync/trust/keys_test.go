package trust

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/registry"
)

func TestAKeyRequestIsASignedJWKSetOfTheEntityForTheGateway(t *testing.T) {
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := PublicKeys(signer)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	q := KeyRequest{Entity: "https://reseller.example", Audience: "https://provider.example", Purpose: registry.PurposeStatement,
		Keys: keys, OverlapUntil: now.Add(time.Hour), KeyIDs: []string{"old"}, CompromisedSince: now.Add(-time.Hour)}
	for typ, sign := range map[string]func(envelope.Signer, time.Time) ([]byte, error){registry.TypeKeySet: q.Rotation, registry.TypeRevocation: q.Revocation} {
		raw, err := sign(signer, now)
		if err != nil {
			t.Fatal(err)
		}
		token, err := envelope.ParseToken(raw, typ)
		if err != nil {
			t.Fatal(err)
		}
		for _, claim := range []string{`"iss":"https://reseller.example"`, `"sub":"https://reseller.example"`, `"aud":"https://provider.example"`,
			`"iat":1772355600`, `"overlap_until":1772359200`, `"compromised_since":1772352000`, `"kids":["old"]`, `"keys":[{`, `"purpose":"statement"`} {
			if !strings.Contains(string(token.Payload()), claim) {
				t.Errorf("%s lacks %s: %s", typ, claim, token.Payload())
			}
		}
	}
	q.Keys = []byte("[]")
	if _, err := q.Rotation(signer, now); err == nil {
		t.Error("something that is no JWK Set was signed")
	}
}
