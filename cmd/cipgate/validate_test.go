package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// validate asks for a dry run and refuses an answer that has other members than it should.
func (g *gateway) validate(header http.Header, body string) events.Verdict {
	g.t.Helper()
	response, text := g.do(http.MethodPost, "/events/validate", header, []byte(body))
	var verdict events.Verdict
	if err := json.Unmarshal([]byte(text), &verdict, json.RejectUnknownMembers(true)); err != nil || response.StatusCode != http.StatusOK {
		g.t.Fatalf("%d %s: %v", response.StatusCode, text, err)
	}
	return verdict
}

var (
	asSET    = http.Header{"Content-Type": {events.MediaType}}
	asClaims = http.Header{"Content-Type": {"application/json"}}
)

func TestADryRunNamesEveryProblemAtOnceAndStoresNothing(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, func(c *Config) { c.Rate, c.Burst = 0.001, 1 })
		f := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
		g.settled()
		size := g.size()
		event := attestation()
		delete(event, "basis")
		event["attested_on"] = "2026-02-30"
		event["responsible_contact"] = map[string]any{"name": "Ana Secret", "email": "not a mail address of Ana"}
		bad := f.with("header", "typ", "JWT").with("header", "crit", []string{"x"}).
			with("claims", "aud", "https://other.example").with("claims", "iat", g.clock.Now().Add(-60*24*time.Hour).Unix()).
			with("claims", "exp", 1).with("claims", "sub", "Ana Secret").with("claims", "txn", "").with("claims", "Toe", 1).
			with("claims", "events", map[string]any{"urn:cipgate:event:cip-attestation:v1": event})
		verdict := g.validate(asSET, bad.signed())
		if verdict.Accepted || verdict.Effect.Standing != nil || verdict.Effect.Unknown == "" {
			t.Errorf("%+v", verdict)
		}
		const inEvent = "/claims/events/urn:cipgate:event:cip-attestation:v1"
		var got []string
		for _, p := range verdict.Problems {
			got = append(got, p.Code+" "+strings.Replace(p.Pointer, inEvent, "@", 1))
			if p.Wanted == "" || p.Got == "" || p.Fix == "" || p.Source == "" {
				t.Errorf("a problem that does not say everything: %+v", p)
			}
			if strings.Contains(fmt.Sprint(p), "Ana") {
				t.Errorf("a personal value: %+v", p)
			}
		}
		slices.Sort(got)
		want := []string{"invalid_audience /claims/aud", "invalid_request /claims/exp", "invalid_request /claims/iat", "invalid_request /claims/sub",
			"invalid_request /claims/toe", "invalid_request /claims/txn", "invalid_request /header/crit", "invalid_request /header/typ",
			"invalid_request @/attested_on", "invalid_request @/basis", "invalid_request @/responsible_contact/email"}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		// Each is what POST /events says of it alone, and the rate is untouched by any number of dry runs.
		for range 3 {
			if verdict := g.validate(asSET, f.signed()); !verdict.Accepted || len(verdict.Problems) > 0 {
				t.Fatalf("%+v", verdict)
			}
		}
		if g.size() != size {
			t.Errorf("the ledger grew from %d to %d", size, g.size())
		}
		if response, text := g.do(http.MethodPost, "/events", asSET, []byte(f.signed())); response.StatusCode != http.StatusAccepted {
			t.Errorf("what the dry run accepted: %d %s", response.StatusCode, text)
		}
	})
}

func TestADryRunTellsTheEffectThatTheStatementThenHas(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, func(c *Config) { c.Sandbox = true })
		r := g.enrol("Late Cloud GmbH")
		if err := g.Advance(t.Context(), 31*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		f := newForge(t, r, g.clock.Now())
		claims := string(f.marshal(f.claims))
		effect := g.validate(asSET, f.signed()).Effect
		if effect.Standing == nil || *effect.Standing != (events.Change{Before: "warned", After: "good"}) || len(effect.Opens) != 0 ||
			len(effect.Cures) != 1 || effect.Cures[0].Rule != "cip.missing" {
			t.Errorf("%+v", effect)
		}
		if told := g.validate(asClaims, claims); !told.Accepted || told.Effect.Standing != nil || len(told.Effect.Cures) > 0 || told.Effect.Unknown == "" {
			t.Errorf("to a stranger with unsigned claims: %+v", told)
		}
		withToken := asClaims.Clone()
		withToken.Set("Authorization", "Bearer "+g.token)
		if told := g.validate(withToken, claims); told.Effect.Standing == nil || told.Effect.Standing.After != "good" {
			t.Errorf("to the provider with unsigned claims: %+v", told)
		}
		withToken.Set("Authorization", "Bearer x")
		if told := g.validate(withToken, claims); told.Effect.Standing != nil {
			t.Errorf("to a stranger with a token of nobody: %+v", told)
		}
		if response, text := g.do(http.MethodPost, "/events", asSET, []byte(f.signed())); response.StatusCode != http.StatusAccepted {
			t.Fatalf("%d %s", response.StatusCode, text)
		}
		g.settled()
		var got stands
		g.get("/v1/resellers/"+r.about.Entity.ID().String(), &got)
		if got.Standing != "good" {
			t.Errorf("the dry run said good, and it is %s", got.Standing)
		}
		again := g.validate(asSET, f.signed())
		if !again.Accepted || again.Effect.Standing == nil || again.Effect.Standing.Before != again.Effect.Standing.After || len(again.Effect.Cures) != 0 {
			t.Errorf("the same again: %+v", again)
		}
		twin := g.validate(asSET, f.event("attested_on", "2026-01-05").signed())
		if len(twin.Problems) != 1 || twin.Problems[0].Pointer != "/claims/jti" || twin.Problems[0].Code != "invalid_request" {
			t.Errorf("the same jti with other claims: %+v", twin)
		}
	})
}

// TestADryRunTellsAStrangerNoMoreThanAPush compares what the two doors say about who may sign.
func TestADryRunTellsAStrangerNoMoreThanAPush(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", nil)
	f := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
	if response, text := g.do(http.MethodPost, "/events", asSET, []byte(f.signed())); response.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	parts := strings.Split(f.event("attested_on", "2026-01-05").signed(), ".") // a twin, if the signature held
	for name, token := range map[string]string{
		"an unknown issuer":  f.with("claims", "iss", "https://stranger.example").signed(),
		"an unknown kid":     f.with("header", "kid", "other").signed(),
		"no kid":             f.with("header", "kid", nil).signed(),
		"another algorithm":  f.with("header", "alg", "ES256").signed(),
		"alg none":           f.with("header", "alg", "none").signed(),
		"a bad signature":    parts[0] + "." + parts[1] + "." + encode(make([]byte, 64)),
		"no signature":       parts[0] + "." + parts[1] + ".",
		"an unknown jti too": f.with("claims", "jti", uuid.NewString()).with("header", "kid", "other").signed(),
	} {
		_, text := g.do(http.MethodPost, "/events", asSET, []byte(token))
		var pushed struct {
			Err         string `json:"err"`
			Description string `json:"description"`
		}
		if err := json.Unmarshal([]byte(text), &pushed); err != nil {
			t.Fatal(err)
		}
		verdict := g.validate(asSET, token)
		if len(verdict.Problems) != 1 || verdict.Accepted || verdict.Effect.Standing != nil {
			t.Errorf("%s: %+v", name, verdict)
			continue
		}
		p := verdict.Problems[0]
		if said := p.Pointer + ": wanted " + p.Wanted + ", got " + p.Got + ". " + p.Fix; p.Code != pushed.Err || said != pushed.Description {
			t.Errorf("%s:\nPOST /events          %s %s\nPOST /events/validate %s %s", name, pushed.Err, pushed.Description, p.Code, said)
		}
	}
}
