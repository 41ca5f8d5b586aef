package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// TestTheRivalMakesTheSameChecks puts each token to the gateway's own checks too: both must say the same.
func TestTheRivalMakesTheSameChecks(t *testing.T) {
	crowd := newCrowd(t, 3, 1)
	contender, r := newRival(t, t.TempDir()+"/rival.db", crowd), &crowd[0]
	gone := &crowd[2]
	if err := contender.store.db.WithContext(t.Context()).Model(&rivalReseller{Entity: string(gone.entity)}).Update("terminated", true).Error; err != nil {
		t.Fatal(err)
	}
	header := fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"typ":"secevent+jwt"}`, r.statements.KeyID())
	claims := decodePart(t, string(r.tokens[0]), 1)
	in := func(text, old, changed string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%s holds no %s", text, old)
		}
		return strings.Replace(text, old, changed, 1)
	}
	good := signed(r, header, claims)
	parts := strings.Split(good, ".")
	iat := fmt.Sprintf(`"iat":%d`, checkedAt(t, claims))
	deep := func(much int) string {
		return in(claims, `"iss"`, `"more":`+strings.Repeat("[", much)+strings.Repeat("]", much)+`,"iss"`)
	}
	anew := func(text string) string { // as another statement
		return in(text, `"jti":"`, `"jti":"`+rand.Text())
	}
	later := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	for _, c := range []struct{ name, token, code string }{
		{"as it is", good, ""},
		{"typ spelled out", signed(r, in(header, "secevent", "application/SecEvent"), claims), ""},
		{"the newer name of the algorithm", signed(r, in(header, "EdDSA", "Ed25519"), claims), ""},
		{"a claim that nobody knows", signed(r, header, anew(in(claims, `"iss"`, `"more":1,"iss"`))), ""},
		{"no token", "hello", "invalid_request"},
		{"two parts", parts[0] + "." + parts[1], "invalid_request"},
		{"padded", parts[0] + "=." + parts[1] + "." + parts[2], "invalid_request"},
		{"a new line at its end", good + "\n", "invalid_request"},
		{"a new line within", parts[0][:8] + "\n" + parts[0][8:] + "." + parts[1] + "." + parts[2], "invalid_request"},
		{"unused bits", good[:len(good)-1] + string(good[len(good)-1]+1), "invalid_request"},
		{"a header beyond its limit", signed(r, in(header, `"alg"`, `"more":"`+strings.Repeat("x", 16<<10)+`","alg"`), claims), "invalid_request"},
		{"a header that is no object", signed(r, `[]`, claims), "invalid_request"},
		{"alg twice", signed(r, in(header, `"alg"`, `"alg":"EdDSA","alg"`), claims), "invalid_request"},
		{"alg in capitals", signed(r, in(header, `"alg"`, `"Alg":"none","alg"`), claims), "invalid_request"},
		{"crit", signed(r, in(header, `"alg"`, `"crit":[],"alg"`), claims), "invalid_request"},
		{"b64", signed(r, in(header, `"alg"`, `"b64":true,"alg"`), claims), "invalid_request"},
		{"another typ", signed(r, in(header, "secevent+jwt", "jwt"), claims), "invalid_request"},
		{"claims twice", signed(r, header, in(claims, `"iss"`, `"iat":1,"iss"`)), "invalid_request"},
		{"a name twice within", signed(r, header, in(claims, `"iss"`, `"more":{"a":1,"a":1},"iss"`)), "invalid_request"},
		{"a claim in capitals", signed(r, header, in(claims, `"iss"`, `"JTI":"1","iss"`)), "invalid_request"},
		{"text that is not UTF-8", signed(r, header, in(claims, "Ana", "\xff")), "invalid_request"},
		{"more behind the claims", signed(r, header, claims+"{}"), "invalid_request"},
		{"as deep as may be", signed(r, header, anew(deep(63))), ""},
		{"deeper", signed(r, header, deep(64)), "invalid_request"},
		{"an issuer that nobody knows", signed(r, header, in(claims, string(r.entity), "https://stranger.example")), "invalid_issuer"},
		{"an issuer that was terminated", string(gone.tokens[0]), "invalid_issuer"},
		{"alg none", signed(r, in(header, "EdDSA", "none"), claims), "invalid_key"},
		{"the algorithm of another key", signed(r, in(header, "EdDSA", "ES256"), claims), "invalid_key"},
		{"no kid", signed(r, in(header, fmt.Sprintf(`"kid":%q,`, r.statements.KeyID()), ""), claims), "invalid_key"},
		{"a kid that nobody enrolled", signed(r, in(header, r.statements.KeyID(), "k1"), claims), "invalid_key"},
		{"signed by another", signed(&crowd[1], header, claims), "authentication_failed"},
		{"not signed", parts[0] + "." + parts[1] + ".", "authentication_failed"},
		{"for another", signed(r, header, in(claims, `"aud":"`+string(audience), `"aud":"https://other.example`)), "invalid_audience"},
		{"for several", signed(r, header, anew(in(claims, `"aud":"`+string(audience)+`"`, `"aud":["https://other.example","`+string(audience)+`"]`))), ""},
		{"too old", signed(r, header, in(claims, iat, `"iat":1700000000`)), "invalid_request"},
		{"from the future", signed(r, header, in(claims, iat, `"iat":4000000000`)), "invalid_request"},
		{"no jti", signed(r, header, in(claims, `"jti"`, `"jtl"`)), "invalid_request"},
		{"a jti on two lines", signed(r, header, in(claims, `"jti":"`, `"jti":"\n`)), "invalid_request"},
		{"with exp", signed(r, header, in(claims, `"iss"`, `"exp":4000000000,"iss"`)), "invalid_request"},
		{"with nbf", signed(r, header, in(claims, `"iss"`, `"nbf":1,"iss"`)), "invalid_request"},
		{"with sub", signed(r, header, in(claims, `"iss"`, `"sub":"c-1","iss"`)), "invalid_request"},
		{"no event", signed(r, header, in(claims, `"events"`, `"event"`)), "invalid_request"},
		{"two events", signed(r, header, in(claims, `"events":{`, `"events":{"urn:cipgate:event:weather:v1":{},`)), "invalid_request"},
		{"an event that nobody knows", signed(r, header, in(claims, "cip-attestation", "weather")), "invalid_request"},
		{"an event that breaks its schema", signed(r, header, in(claims, `"annual"`, `"monthly"`)), "invalid_request"},
		{"attested on a day to come", signed(r, header, in(claims, `"attested_on":"`+attestedOn(t, claims), `"attested_on":"`+later)), "invalid_request"},
	} {
		_, refusal, err := contender.accept(t.Context(), []byte(c.token))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if refusal != nil {
			got = refusal.Code
		}
		if told := gatewaySays(t, crowd, gone, c.token); got != c.code || told != c.code {
			t.Errorf("%s: the rival says %q, the gateway %q, want %q", c.name, got, told, c.code)
		}
	}
}

// gatewaySays is the code with which the gateway refuses a token, whatever stands in its ledger; empty if it does not.
func gatewaySays(t *testing.T, crowd []reseller, gone *reseller, token string) string {
	t.Helper()
	err := func() error {
		parsed, err := envelope.Parse([]byte(token))
		if err != nil {
			return err
		}
		at := slices.IndexFunc(crowd, func(r reseller) bool { return r.entity == parsed.Issuer() })
		if at < 0 || crowd[at].entity == gone.entity {
			return intake.ErrIssuer
		}
		keys, err := envelope.NewKeys(crowd[at].jwks())
		if err != nil {
			return err
		}
		verified, err := parsed.Verify(keys, envelope.Terms{Audience: audience, Now: time.Now(), MaxAge: rivalMaxAge, MaxAhead: rivalMaxAhead})
		if err != nil {
			return err
		}
		_, err = statement.Decode(verified)
		return err
	}()
	if err == nil {
		return ""
	}
	return problem.Of(err).Code
}

// TestTheRivalKeepsAStatementOnce also when it is signed again at another time, as stock senders do.
func TestTheRivalKeepsAStatementOnce(t *testing.T) {
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		crowd := newCrowd(t, 2, 1)
		contender, r := newRival(t, url, crowd), &crowd[0]
		header := fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"typ":"secevent+jwt"}`, r.statements.KeyID())
		claims := decodePart(t, string(r.tokens[0]), 1)
		iat := checkedAt(t, claims)
		again := strings.Replace(claims, fmt.Sprintf(`"iat":%d`, iat), fmt.Sprintf(`"iat":%d`, iat-1), 1)
		twin := strings.Replace(claims, "Ana Souza", "Ana Sousa", 1)
		first := envelope.DigestOf(r.tokens[0])
		for i, c := range []struct {
			token, digest, code string
		}{
			{string(r.tokens[0]), first.String(), ""},
			{string(r.tokens[0]), first.String(), ""},
			{signed(r, header, again), first.String(), ""},
			{signed(r, header, twin), "", "invalid_request"},
			{string(crowd[1].tokens[0]), envelope.DigestOf(crowd[1].tokens[0]).String(), ""},
		} {
			digest, refusal, err := contender.accept(t.Context(), []byte(c.token))
			switch {
			case err != nil:
				t.Fatal(err)
			case refusal != nil && refusal.Code != c.code, refusal == nil && (c.code != "" || digest != c.digest):
				t.Errorf("submission %d: got %s and %+v, want %s and %q", i, digest, refusal, c.digest, c.code)
			}
		}
		if kept := digestsOf(t, contender.store); len(kept) != 2 || kept[0] != first || kept[1] != envelope.DigestOf(crowd[1].tokens[0]) {
			t.Errorf("kept %v, want the first of each issuer", kept)
		}
	})
}

func TestTheRivalReadsTheKeysAnewForEachSubmission(t *testing.T) {
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		crowd := newCrowd(t, 2, 2)
		contender, r := newRival(t, url, crowd), &crowd[0]
		if _, refusal, err := contender.accept(t.Context(), r.tokens[0]); refusal != nil || err != nil {
			t.Fatalf("got %+v, %v", refusal, err)
		}
		other := rivalReseller{Entity: string(r.entity), JWKS: jwksOf(t, &crowd[1])}
		if err := contender.store.db.WithContext(t.Context()).Save(&other).Error; err != nil {
			t.Fatal(err)
		}
		if _, refusal, err := contender.accept(t.Context(), r.tokens[1]); err != nil || refusal == nil || refusal.Code != "invalid_key" {
			t.Errorf("with a key that is no longer in force: got %+v, %v", refusal, err)
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

// attestedOn is the day that the claims attest.
func attestedOn(t *testing.T, claims string) string {
	t.Helper()
	_, rest, found := strings.Cut(claims, `"attested_on":"`)
	if !found {
		t.Fatal("no attested_on")
	}
	return rest[:len(time.DateOnly)]
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
