package main

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/enrolment"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// Each check of an enrolment that fails is named, over the wire, and the invitation is still good afterwards.
func TestEveryCheckOfAnEnrolmentThatFailsIsNamed(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		known := g.enrol("Known Cloud GmbH")
		made, self := g.invite("Example Cloud GmbH"), string(g.config.entity())
		federation, statements := newSigner(t), newSigner(t)
		set := func(signer envelope.Signer) jsontext.Value { return publicKeys(t, signer) }
		metadata := func(keys jsontext.Value) map[string]any {
			return map[string]any{"cipgate": map[string]any{"jwks": keys}}
		}
		now := g.clock.Now()
		good := map[string]any{"iss": made.Entity, "sub": made.Entity, "aud": self, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
			"jwks": set(federation), "authority_hints": []string{self}, "metadata": metadata(set(statements))}
		with := func(changes ...any) map[string]any {
			changed := maps.Clone(good)
			for i := 0; i < len(changes); i += 2 {
				changed[changes[i].(string)] = changes[i+1]
			}
			return changed
		}
		signed := func(typ string, by envelope.Signer, claims map[string]any) string {
			token, err := by.SignToken(typ, claims)
			if err != nil {
				t.Fatal(err)
			}
			return string(token)
		}
		const typ = "entity-statement+jwt"
		whole := signed(typ, federation, good)
		size := g.size()
		for _, c := range []struct {
			name, token, invitation, media string
			status                         int
			says                           []string
		}{
			{"no invitation", whole, "", "", 401, []string{"Authorization"}},
			{"an invitation that nobody made", whole, strings.Repeat("A", 22), "", 401, []string{"no such invitation"}},
			{"another media type", whole, made.Token, "application/jwt", 415, []string{enrolment.MediaType}},
			{"no token", "x", made.Token, "", 422, []string{"compact"}},
			{"another typ", signed("JWT", federation, good), made.Token, "", 422, []string{"/header/typ", typ}},
			{"signed by another key under its kid", whole[:len(whole)-86] + encode(make([]byte, 64)), made.Token, "", 422, []string{"/signature"}},
			{"signed by the statement key", signed(typ, statements, good), made.Token, "", 422, []string{"/header/kid"}},
			{"about somebody else", signed(typ, federation, with("sub", "https://other.example")), made.Token, "", 422, []string{"/claims/sub"}},
			{"meant for another", signed(typ, federation, with("aud", "https://other.example")), made.Token, "", 422, []string{"/claims/aud", self}},
			{"expired", signed(typ, federation, with("exp", now.Add(-time.Hour).Unix())), made.Token, "", 422, []string{"/claims/exp"}},
			{"signed in the future", signed(typ, federation, with("iat", now.Add(time.Hour).Unix())), made.Token, "", 422, []string{"/claims/iat"}},
			{"no authority hint", signed(typ, federation, with("authority_hints", []string{"https://other.example"})), made.Token, "", 422, []string{"/claims/authority_hints", self}},
			{"one key for both", signed(typ, federation, with("metadata", metadata(set(federation)))), made.Token, "", 422, []string{"/claims/metadata/cipgate/jwks", "federation"}},
			{"a key of another entity", signed(typ, federation, with("metadata", metadata(set(known.statements)))), made.Token, "", 409, []string{"key"}},
			{"a weak key", signed(typ, federation, with("metadata", metadata(jsontext.Value(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"`+encode(make([]byte, 32))+`"}]}`)))),
				made.Token, "", 422, []string{"/claims/metadata/cipgate/jwks"}},
			{"an identifier that is taken", signed(typ, federation, with("iss", known.about.Entity, "sub", known.about.Entity)), made.Token, "", 422, []string{"/claims/iss", made.Entity}},
			{"an identifier that the gateway did not give", signed(typ, federation, with("iss", self+"/e/other", "sub", self+"/e/other")), made.Token, "", 422, []string{"/claims/iss", made.Entity}},
			{"an own host that nobody may reach", signed(typ, federation, with("iss", "https://127.0.0.1", "sub", "https://127.0.0.1")), made.Token, "", 422, []string{"/.well-known/openid-federation"}},
		} {
			header := http.Header{"Content-Type": {enrolment.MediaType}}
			if c.media != "" {
				header.Set("Content-Type", c.media)
			}
			if c.invitation != "" {
				header.Set("Authorization", "Bearer "+c.invitation)
			}
			response, text := g.do(http.MethodPost, "/enrolments", header, []byte(c.token))
			if response.StatusCode != c.status || response.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %d %s", c.name, response.StatusCode, text)
			}
			for _, words := range c.says {
				if !strings.Contains(text, words) {
					t.Errorf("%s: wanted %q in %s", c.name, words, text)
				}
			}
		}
		if g.size() != size {
			t.Errorf("the ledger grew from %d to %d", size, g.size())
		}
		header := http.Header{"Content-Type": {enrolment.MediaType}, "Authorization": {"Bearer " + made.Token}}
		if response, text := g.do(http.MethodPost, "/enrolments", header, []byte(whole)); response.StatusCode != http.StatusCreated {
			t.Errorf("what every case changes: %d %s", response.StatusCode, text)
		}
		again := signed(typ, federation, with("exp", now.Add(2*time.Hour).Unix()))
		if response, text := g.do(http.MethodPost, "/enrolments", header, []byte(again)); response.StatusCode != http.StatusConflict || !strings.Contains(text, "rotation") {
			t.Errorf("the same invitation for something else: %d %s", response.StatusCode, text)
		}
	})
}
