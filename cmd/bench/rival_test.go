package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestTheRivalMakesTheSameChecks(t *testing.T) {
	crowd := newCrowd(t, 2, 1)
	checker, r := checkerFor(t, crowd), &crowd[0]
	header := fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"typ":"secevent+jwt"}`, r.statements.KeyID())
	claims := decodePart(t, string(r.tokens[0]), 1)
	in := func(text, old, changed string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%s holds no %s", text, old)
		}
		return strings.Replace(text, old, changed, 1)
	}
	iat := fmt.Sprintf(`"iat":%d`, checkedAt(t, claims))
	for _, c := range []struct{ name, token, code string }{
		{"as it is", signed(r, header, claims), ""},
		{"typ spelled out", signed(r, in(header, "secevent", "application/SecEvent"), claims), ""},
		{"no token", "hello", "invalid_request"},
		{"another typ", signed(r, in(header, "secevent+jwt", "jwt"), claims), "invalid_request"},
		{"alg none", signed(r, in(header, "EdDSA", "none"), claims), "invalid_request"},
		{"a kid that nobody enrolled", signed(r, in(header, r.statements.KeyID(), "k1"), claims), "invalid_key"},
		{"signed by another", signed(&crowd[1], header, claims), "authentication_failed"},
		{"an issuer that nobody knows", signed(r, header, in(claims, string(r.entity), "https://stranger.example")), "invalid_issuer"},
		{"for another", signed(r, header, in(claims, `"aud":"`+string(audience), `"aud":"https://other.example`)), "invalid_audience"},
		{"for several", signed(r, header, in(claims, `"aud":"`+string(audience)+`"`, `"aud":["https://other.example","`+string(audience)+`"]`)), ""},
		{"too old", signed(r, header, in(claims, iat, `"iat":1700000000`)), "invalid_request"},
		{"from the future", signed(r, header, in(claims, iat, `"iat":4000000000`)), "invalid_request"},
		{"no jti", signed(r, header, in(claims, `"jti"`, `"jtl"`)), "invalid_request"},
		{"a jti on two lines", signed(r, header, in(claims, `"jti":"`, `"jti":"\n`)), "invalid_request"},
		{"no event", signed(r, header, in(claims, `"events"`, `"event"`)), "invalid_request"},
		{"an event that nobody knows", signed(r, header, in(claims, "cip-attestation", "weather")), "invalid_request"},
		{"an event that breaks its schema", signed(r, header, in(claims, `"annual"`, `"monthly"`)), "invalid_request"},
	} {
		_, refusal := checker.check(c.token)
		if (refusal == nil) != (c.code == "") || refusal != nil && refusal.Code != c.code {
			t.Errorf("%s: got %+v, want %q", c.name, refusal, c.code)
		}
	}
}

func TestTheRivalKeepsAStatementOnce(t *testing.T) {
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		one := rivalSubmission{issuer: "https://reseller.example", jti: "1", kind: "k", issuedAt: time.Unix(1, 0), acceptedAt: time.Unix(2, 0), digest: [32]byte{1}, token: "one"}
		other := one
		other.digest, other.token = [32]byte{2}, "other"
		elsewhere := other
		elsewhere.issuer = "https://another.example"
		for i, c := range []struct {
			submission rivalSubmission
			twin       bool
		}{{one, false}, {one, false}, {other, true}, {elsewhere, false}} {
			stored, err := store.add(t.Context(), c.submission)
			if err != nil {
				t.Fatal(err)
			}
			if stored.twin != c.twin {
				t.Errorf("submission %d: twin %v, want %v", i, stored.twin, c.twin)
			}
		}
		if kept := digestsOf(t, store); len(kept) != 2 || kept[0] != one.digest || kept[1] != elsewhere.digest {
			t.Errorf("kept %v, want the first and the other issuer's", kept)
		}
	})
}

func decodePart(t *testing.T, token string, n int) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkedAt is the claims' iat.
func checkedAt(t *testing.T, claims string) (iat int64) {
	t.Helper()
	_, rest, _ := strings.Cut(claims, `"iat":`)
	if _, err := fmt.Sscanf(rest, "%d", &iat); err != nil {
		t.Fatal(err)
	}
	return iat
}
