package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/standing"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// What each acknowledgement points to answers the reseller that it acknowledged, and nobody else.
func TestAResellerReadsHowItStandsAlsoSigned(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		g := startGateway(t, url, isSandbox)
		r := g.enrol("Example Cloud GmbH")
		other := g.enrol("Beispiel Wolke AG")
		if _, err := other.push(t.Context(), "cip-attestation", attestation()); err != nil {
			t.Fatal(err)
		}
		if _, text := g.do(http.MethodPost, "/sandbox/clock", nil, []byte(`{"advance":"P31D"}`)); !strings.Contains(text, "now") {
			t.Fatal(text)
		}

		ask := func(r *reseller, accept string) answer {
			s := &subscriber{reseller: r, api: newClient(r.about.Gateway, "")}
			if err := s.signIn(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.api.accept = accept
			a, err := s.api.send(t.Context(), http.MethodGet, "/v1/me/standing", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		var mine standing.Standing
		a := ask(r, "application/json")
		if err := json.Unmarshal(a.body, &mine); err != nil {
			t.Fatal(err)
		}
		if mine.Standing != "warned" || len(mine.CurrentlyDue) != 1 || mine.CurrentlyDue[0].Rule != "cip.missing" || mine.LimitAt.IsZero() || mine.NextStep.At.IsZero() {
			t.Errorf("%s", a.body)
		}
		for _, hidden := range []string{"approval", "officer", "waits_for", "evidence"} {
			if strings.Contains(string(a.body), hidden) {
				t.Errorf("it shows %q, which is the provider's: %s", hidden, a.body)
			}
		}
		var theirs standing.Standing
		if err := json.Unmarshal(ask(other, "application/json").body, &theirs); err != nil || theirs.Standing != "good" || theirs.PastDue == nil {
			t.Errorf("the other one: %+v, %v", theirs, err)
		}

		signed := ask(r, standing.MediaType)
		if got := signed.header.Get("Content-Type"); got != standing.MediaType {
			t.Errorf("Content-Type: %s", got)
		}
		_, text := g.do(http.MethodGet, "/jwks.json", nil, nil)
		keys, err := envelope.ParseKeys([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		token, err := envelope.ParseToken(signed.body, "standing+jwt")
		if err != nil {
			t.Fatal(err)
		}
		if err := token.Verify(keys); err != nil {
			t.Fatal(err)
		}
		var told struct {
			Issuer   envelope.Entity   `json:"iss"`
			Subject  envelope.Entity   `json:"sub"`
			Expires  int64             `json:"exp"`
			Standing standing.Standing `json:"standing"`
		}
		if err := json.Unmarshal(token.Payload(), &told); err != nil || told.Subject != r.about.Entity || told.Issuer != r.about.Audience ||
			told.Standing.Standing != "warned" || !time.Unix(told.Expires, 0).After(g.clock.Now()) {
			t.Errorf("signed: %+v, %v", told, err)
		}

		if response, text := g.do(http.MethodGet, "/v1/me/standing", nil, nil); response.StatusCode != http.StatusUnauthorized {
			t.Errorf("without a token: %d %s", response.StatusCode, text)
		}
		if response, text := g.do(http.MethodGet, "/v1/me/standing", http.Header{"Authorization": {"Bearer " + g.token}}, nil); response.StatusCode != http.StatusForbidden {
			t.Errorf("with the provider's token: %d %s", response.StatusCode, text)
		}
	})
}
