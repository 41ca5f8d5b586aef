package main

import (
	"bufio"
	"crypto/ed25519"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/delivery"
)

// houseSystem is one of the provider's own systems: its token, and the key that it registers.
type houseSystem struct {
	*gateway
	label, token string
	id           envelope.Entity
	key          ed25519.PrivateKey
	stream       string
}

// system makes an account with a token for a system, and a key that is not registered yet.
func (g *gateway) houseSystem(label, role string, seed byte) *houseSystem {
	g.t.Helper()
	root := deskOf{g, g.token}
	root.says(exitDone, "Made the account of "+label, "officer", "add", "--name", label, "--role", role, "--mail", strings.ToLower(strings.Fields(label)[0])+"@provider.example")
	var made tokenShown
	root.reads(&made, "token", "create", "--officer", label, "--label", label, "--days", "30")
	return &houseSystem{gateway: g, label: label, token: made.Secret, id: envelope.SystemOf(g.config.entity(), label),
		key: ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))}
}

// asks sends a request with the system's token and demands a status.
func (s *houseSystem) asks(method, path, media, body string, status int, says ...string) string {
	s.t.Helper()
	response, text := s.do(method, path, http.Header{"Authorization": {"Bearer " + s.token}, "Content-Type": {media}}, []byte(body))
	for _, words := range append(says, "") {
		if response.StatusCode != status || !strings.Contains(text, words) {
			s.t.Fatalf("%s %s: %d %s, want %d with %q", method, path, response.StatusCode, text, status, says)
		}
	}
	return text
}

const asJSON = "application/json"

func (s *houseSystem) subscribes() {
	s.t.Helper()
	var made struct {
		ID string `json:"stream_id"`
	}
	if err := json.Unmarshal([]byte(s.asks(http.MethodPost, "/ssf/streams", asJSON, `{"delivery":{"method":"`+delivery.MethodPoll+`"}}`, http.StatusCreated)), &made); err != nil {
		s.t.Fatal(err)
	}
	s.stream = made.ID
}

func (s *houseSystem) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.key.Public(), KeyID: s.label + "-1", Algorithm: "EdDSA", Use: "sig"}
}

func (s *houseSystem) jwks() string {
	s.t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.jwk()}})
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// confirms is a confirmation of an order about a reseller that the system signs.
func (s *houseSystem) confirms(order, reseller string) forge {
	return forge{t: s.t, key: s.key, header: map[string]any{"alg": "EdDSA", "typ": "secevent+jwt", "kid": s.label + "-1"},
		claims: map[string]any{"iss": string(s.id), "aud": string(s.config.entity()), "iat": s.Now().Unix(), "jti": uuid.NewString(),
			"sub_id": map[string]any{"format": "uri", "uri": reseller},
			"events": map[string]any{statement.KindOrderConfirmation.URI(): map[string]any{"order": order, "outcome": "done", "on": s.Now().UTC().Format(time.DateOnly)}}}}
}

// refuses demands that a token is refused, by POST /events and by the dry run alike, and that nothing of it is kept.
func (s *houseSystem) refuses(why string, f forge, code string, says ...string) {
	s.t.Helper()
	token, size := f.signed(), s.size()
	response, text := s.do(http.MethodPost, "/events", asSET, []byte(token))
	for _, words := range append(says, `"err":"`+code+`"`) {
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(text, words) {
			s.t.Errorf("%s: %d %s, want %s with %q", why, response.StatusCode, text, code, words)
		}
	}
	var verdict events.Verdict
	_, text = s.do(http.MethodPost, "/events/validate", asSET, []byte(token))
	if err := json.Unmarshal([]byte(text), &verdict); err != nil || verdict.Accepted || len(verdict.Problems) == 0 || verdict.Problems[0].Code != code {
		s.t.Errorf("%s: the dry run says %s, want %s", why, text, code)
	}
	if s.size() != size {
		s.t.Errorf("%s: something was kept", why)
	}
}

func (s *houseSystem) changed(f forge, claim string, value any) forge {
	changed := map[string]any{}
	for name, v := range f.claims {
		changed[name] = v
	}
	changed[claim] = value
	f.claims = changed
	return f
}

// A system that is not ours takes an order over its stream and confirms it; others may not, nor may it speak of anything else, and a system
// whose account is disabled says and hears nothing until it is enabled.
func TestTheProvidersOwnSystemsConfirmByTheirSignature(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, walksAlone(t))
		falls, stands := g.enrol("Falling Ltd"), g.enrol("Standing Ltd")
		root := deskOf{g, g.token}
		foreign, billing := g.houseSystem("Accounts EU", "officer", 'a'), g.houseSystem("billing", "officer", 'b')
		deaf, viewer := g.houseSystem("iam", "officer", 'c'), g.houseSystem("reports", "viewer", 'd')

		program, args := node(t, "system.mjs", g.base)
		client := exec.CommandContext(t.Context(), program, args...)
		client.Env, client.Stderr = append(environment(), "TOKEN="+foreign.token), logTo{t}
		printed, err := client.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(printed)
		if !lines.Scan() || !strings.Contains(lines.Text(), string(g.config.entity())+"/systems/Accounts~20EU") {
			t.Fatalf("the system ended before it was ready: %s, %v", lines.Text(), client.Wait())
		}

		g.systemsRegisterKeys(billing, deaf, viewer, falls)
		unregistered := g.houseSystem("late", "officer", 'e')
		unregistered.subscribes()
		if err := g.Advance(t.Context(), 31*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, err := stands.push(t.Context(), "cip-attestation", attestation()); err != nil {
			t.Fatal(err)
		}
		if err := g.Advance(t.Context(), 21*24*time.Hour); err != nil {
			t.Fatal(err)
		}

		// The one that is not ours.
		var did struct {
			Order    string `json:"order"`
			Reseller string `json:"reseller"`
			pushedByOthers
		}
		if !lines.Scan() {
			t.Fatalf("the system ended before it was told: %v", client.Wait())
		}
		if err := json.Unmarshal(lines.Bytes(), &did); err != nil {
			t.Fatal(err)
		}
		if err := client.Wait(); err != nil || did.Status != http.StatusAccepted || did.Location != "/receipts/"+did.Digest || did.Reseller != string(falls.about.Entity) {
			t.Fatalf("the system did %+v: %v", did, err)
		}
		if response, text := g.do(http.MethodGet, did.Location, nil, nil); response.StatusCode != http.StatusOK {
			t.Errorf("no receipt: %d %s", response.StatusCode, text)
		}
		g.settled()
		shown := func(id string) (o orderShown) {
			t.Helper()
			root.reads(&o, "orders", "show", id)
			return o
		}
		if o := shown(did.Order); o.State != "confirmed" || o.ConfirmedAs != "system" || o.ConfirmedBy != string(foreign.id) {
			t.Errorf("%+v", o)
		}
		root.says(exitDone, "by the system "+string(foreign.id), "orders", "--state", "confirmed")
		if text := g.page("/orders?state=confirmed"); !strings.Contains(text, "confirmed by the provider&#39;s system "+string(foreign.id)) {
			t.Error("the page does not say who confirmed it")
		}
		if text := g.page("/resellers/" + falls.about.Entity.ID().String()); !strings.Contains(text, "provider&#39;s system Accounts EU") {
			t.Error("the reseller's page does not say who confirmed it")
		}
		// Again is the same; and it is no word of the reseller's: nothing proves that the reseller was told.
		if response, _ := g.do(http.MethodPost, "/events", asSET, []byte(did.Token)); response.StatusCode != http.StatusAccepted || response.Header.Get("Location") != did.Location {
			t.Errorf("again: %d", response.StatusCode)
		}
		if shown(did.Order).Acknowledged != nil {
			t.Error("the reseller acknowledged it by what another signed")
		}

		var orders struct {
			Items []orderShown `json:"items"`
		}
		root.reads(&orders, "orders", "--state", "open", "--reseller", string(falls.about.Entity))
		if len(orders.Items) == 0 {
			t.Fatal("no order is open")
		}
		open, reseller := orders.Items[0].ID, string(falls.about.Entity)
		good := billing.confirms(open, reseller)
		another := newForge(t, stands, g.Now()).about(statement.KindOrderConfirmation, string(g.marshalled(good.claims["events"].(map[string]any)[statement.KindOrderConfirmation.URI()])))
		another.claims["sub_id"] = good.claims["sub_id"]
		for why, c := range map[string]struct {
			f    forge
			code string
			says string
		}{
			"no such order":                 {billing.confirms("another", reseller), "access_denied", "came over this system's stream"},
			"an order about another":        {billing.confirms(open, string(stands.about.Entity)), "access_denied", "came over this system's stream"},
			"about nobody":                  {billing.changed(good, "sub_id", map[string]any{"format": "uri", "uri": string(billing.id)}), "invalid_request", "Repeat the sub_id of the order"},
			"about a customer":              {billing.changed(good, "sub_id", map[string]any{"format": "opaque", "id": "customer-1"}), "invalid_request", "/claims/sub_id"},
			"another audience":              {billing.changed(good, "aud", "https://other.example"), "invalid_audience", ""},
			"another kind":                  {billing.changed(good, "events", map[string]any{statement.KindRemediation.URI(): map[string]any{"kind": "cure", "finding": "x", "text": "Cured."}}), "access_denied", "all that a system of the provider states"},
			"too old":                       {billing.changed(good, "iat", g.Now().AddDate(0, -2, 0).Unix()), "invalid_request", "iat"},
			"another's key":                 {forge{t: t, key: deaf.key, header: good.header, claims: good.claims}, "authentication_failed", ""},
			"a system without a key":        {unregistered.confirms(open, reseller), "invalid_issuer", "/ssf/keys"},
			"no system":                     {billing.changed(good, "iss", string(g.config.entity())+"/systems/nobody"), "invalid_issuer", "/ssf/keys"},
			"one that is told nothing":      {deaf.confirms(open, reseller), "access_denied", "came over this system's stream"},
			"a reseller, of another":        {another, "invalid_request", "order-confirmation is about the entity that signs it"},
			"a system's name by a reseller": {forge{t: t, key: another.key, header: another.header, claims: good.claims}, "invalid_key", ""},
		} {
			billing.refuses(why, c.f, c.code, c.says)
		}

		// While its account is disabled a system says and hears nothing, and with a role that may not confirm it confirms nothing.
		root.says(exitDone, "", "officer", "disable", "billing", "--reason", "Under review.")
		g.settled()
		billing.refuses("a disabled account", billing.confirms(open, reseller), "invalid_issuer", "disabled")
		for path, body := range map[string]string{"/ssf/poll/" + billing.stream: `{"returnImmediately":true}`, "/ssf/status": `{"stream_id":"` + billing.stream + `","status":"enabled"}`,
			"/ssf/verify": `{"stream_id":"` + billing.stream + `"}`} {
			response, text := g.do(http.MethodPost, path, http.Header{"Authorization": {"Bearer " + billing.token}, "Content-Type": {asJSON}}, []byte(body))
			if response.StatusCode != http.StatusUnauthorized || !strings.Contains(response.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Errorf("%s of a disabled account: %d %v %s", path, response.StatusCode, response.Header, text)
			}
		}
		billing.assertion(http.StatusUnauthorized)
		var listed struct {
			Items []streamShown `json:"items"`
		}
		still := func(status string) {
			t.Helper()
			root.reads(&listed, "streams")
			for _, one := range listed.Items {
				if one.ID == billing.stream && (one.Status != status || one.Held != (status == "paused")) {
					t.Errorf("the stream is %+v, want %s", one, status)
				}
			}
		}
		still("paused")
		root.says(exitRefused, "cipgate officer enable", "streams", "enable", billing.stream, "--reason", "x")
		root.says(exitDone, "", "officer", "enable", "billing", "--reason", "All is well.")
		g.settled()
		still("enabled")
		root.says(exitDone, "", "officer", "change", "billing", "--role", "viewer", "--reason", "It reads alone.")
		billing.refuses("a role that may not", billing.confirms(open, reseller), "access_denied", "role officer")
		billing.asks(http.MethodPut, "/ssf/keys", "application/jwk-set+json", billing.jwks(), http.StatusForbidden, "role officer")
		root.says(exitDone, "", "officer", "change", "billing", "--role", "officer", "--reason", "It confirms again.")
		if response, text := g.do(http.MethodPost, "/events", asSET, []byte(billing.confirms(open, reseller).signed())); response.StatusCode != http.StatusAccepted {
			t.Errorf("enabled again: %d %s", response.StatusCode, text)
		}
		root.says(exitDone, "", "token", "revoke", "billing", "--reason", "Rotated.")
		g.settled()
		billing.refuses("a token that was ended", billing.confirms(open, reseller), "invalid_issuer")

		// Folded again from the ledger all is the same, and each signature holds by the key of its time.
		before := shown(open)
		if err := g.registry.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if audited, err := g.registry.Audit(t.Context()); err != nil || audited.Submissions < 3 {
			t.Errorf("%+v, %v", audited, err)
		}
		if err := g.docket.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := shown(open); after.State != "confirmed" || after.ConfirmedBy != before.ConfirmedBy || after.ConfirmedBy != string(billing.id) {
			t.Errorf("rebuilt: %+v, before %+v", after, before)
		}
	})
}

func (g *gateway) marshalled(value any) []byte {
	g.t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		g.t.Fatal(err)
	}
	return text
}

// assertion asks for an access token by the system's key.
func (s *houseSystem) assertion(status int) {
	s.t.Helper()
	now := time.Now()
	f := forge{t: s.t, key: s.key, header: map[string]any{"alg": "EdDSA", "kid": s.label + "-1"}, claims: map[string]any{"iss": string(s.id), "sub": string(s.id),
		"aud": string(s.config.entity()), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": uuid.NewString()}}
	form := url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {f.signed()}}
	response, text := s.do(http.MethodPost, "/oauth/token", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()))
	if response.StatusCode != status {
		s.t.Errorf("an access token by the key: %d %s, want %d", response.StatusCode, text, status)
	}
}

// systemsRegisterKeys has systems register their keys, each refusal of it first.
func (g *gateway) systemsRegisterKeys(billing, deaf, viewer *houseSystem, r *reseller) {
	g.t.Helper()
	const path, media = "/ssf/keys", "application/jwk-set+json"
	billing.asks(http.MethodPut, path, media, billing.jwks(), http.StatusNotFound, "POST /ssf/streams")
	for _, s := range []*houseSystem{billing, deaf, viewer} {
		s.subscribes()
	}
	billing.assertion(http.StatusUnauthorized)
	viewer.asks(http.MethodPut, path, media, viewer.jwks(), http.StatusForbidden, "role officer")
	billing.asks(http.MethodPut, path, asJSON, billing.jwks(), http.StatusUnsupportedMediaType, media)
	billing.asks(http.MethodPut, path, media, `{"keys":[]}`, http.StatusUnprocessableEntity)
	billing.asks(http.MethodPut, path, media, `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","kid":"weak"}]}`, http.StatusUnprocessableEntity)
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{r.statements.Public()}})
	if err != nil {
		g.t.Fatal(err)
	}
	billing.asks(http.MethodPut, path, media, string(public), http.StatusConflict, "enrolled for another entity")
	for _, s := range []*houseSystem{billing, deaf} {
		said := s.asks(http.MethodPut, path, media, s.jwks(), http.StatusOK, string(s.id), s.label+"-1")
		if again := s.asks(http.MethodPut, path, media, s.jwks(), http.StatusOK); again != said {
			g.t.Errorf("the same again: %s, first %s", again, said)
		}
		if read := s.asks(http.MethodGet, path, asJSON, "", http.StatusOK); read != said {
			g.t.Errorf("read: %s, written %s", read, said)
		}
	}
	deaf.asks(http.MethodPut, path, media, billing.jwks(), http.StatusConflict, "enrolled for another entity")
	billing.assertion(http.StatusOK)
	// One that asked not to be told of a reseller.
	deaf.asks(http.MethodPost, "/ssf/subjects/remove", asJSON, `{"stream_id":"`+deaf.stream+`","subject":{"format":"uri","uri":"`+string(r.about.Entity)+`"}}`, http.StatusNoContent)
	entries, err := g.ledger.Entries(g.t.Context(), 0, 1000, statement.KindOfficerAction)
	if err != nil {
		g.t.Fatal(err)
	}
	registered := 0
	for _, entry := range entries {
		if said := entry.Statement.(statement.OfficerAction); said.Action == "system.keys-registered" {
			registered++
		}
	}
	if registered != 3 { // with the one that is not ours
		g.t.Errorf("keys were registered %d times in the ledger, want 3", registered)
	}
	s, err := r.subscribe(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	if err := s.ask(g.t.Context(), http.MethodGet, path, nil, new(any)); err == nil || !strings.Contains(err.Error(), "keys that it enrolled") {
		g.t.Errorf("a reseller reads a system's keys: %v", err)
	}
}
