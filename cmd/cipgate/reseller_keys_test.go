package main

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// says runs one command and returns its exit code with all that it said.
func says(t *testing.T, args ...string) (code int, text string) {
	t.Helper()
	var out bytes.Buffer
	code = run(t.Context(), args, &out, &out)
	return code, out.String()
}

func isSandbox(c *Config) { c.Sandbox = true }

// refusedWith pushes a statement and demands that it is refused in these words.
func refusedWith(t *testing.T, r *reseller, words string) {
	t.Helper()
	if _, err := r.push(t.Context(), statement.KindCIPAttestation, attestation()); err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("pushed: wanted %q, got %v", words, err)
	}
}

func pushes(t *testing.T, r *reseller) {
	t.Helper()
	if _, err := r.push(t.Context(), statement.KindCIPAttestation, attestation()); err != nil {
		t.Error(err)
	}
}

func TestAResellerRotatesAndRevokesItsKeys(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		g := startGateway(t, url, isSandbox)
		r := g.enrol("Example Cloud GmbH")
		pushes(t, r)
		if code, text := says(t, "keys", "rotate", "--home", r.home); code != exitDone || !strings.Contains(text, "in force until") {
			t.Fatalf("rotate: %d, %s", code, text)
		}
		rotated, err := openReseller(r.home)
		if err != nil {
			t.Fatal(err)
		}
		if rotated.statements.KeyID() == r.statements.KeyID() {
			t.Error("the key in use is the old one")
		}
		pushes(t, r) // the overlap
		pushes(t, rotated)
		if err := g.Advance(t.Context(), 25*time.Hour); err != nil {
			t.Fatal(err)
		}
		refusedWith(t, r, "invalid_key")
		pushes(t, rotated)
		if kept, err := os.Stat(filepath.Join(r.home, "replaced", "statement-"+r.statements.KeyID()+".pem")); err != nil || kept.Mode().Perm() != 0o600 {
			t.Errorf("the old key: %v, %v", kept, err)
		}
		if code, text := says(t, "keys", "revoke", "--home", r.home, "--compromised-since", g.clock.Now().Add(-time.Hour).Format(time.RFC3339), "--", rotated.statements.KeyID()); code != exitDone || !strings.Contains(text, "compromised since") {
			t.Fatalf("revoke: %d, %s", code, text)
		}
		refusedWith(t, rotated, "invalid_key")
		replaced, err := openReseller(r.home)
		if err != nil {
			t.Fatal(err)
		}
		pushes(t, replaced)
		if code, text := says(t, "keys", "rotate", "--federation", "--overlap", "1h", "--home", r.home); code != exitDone {
			t.Errorf("rotate --federation: %d, %s", code, text)
		}
		code, text := says(t, "keys", "list", "--home", r.home, "--json")
		if code != exitDone || strings.Count(text, `"kid"`) != 5 || strings.Count(text, `"reason":"rotation"`) != 2 || strings.Count(text, `"reason":"compromise"`) != 1 {
			t.Errorf("list: %d, %s", code, text)
		}
		var marked struct {
			Items []struct {
				KeyID string `json:"kid"`
			} `json:"items"`
		}
		g.get("/v1/resellers/"+r.about.Entity.ID().String()+"/marked", &marked)
		if len(marked.Items) != 1 || marked.Items[0].KeyID != rotated.statements.KeyID() {
			t.Errorf("marked: %+v", marked)
		}
		// What it says of itself at the address that the gateway hosts names the keys of today.
		response, hosted := g.do(http.MethodGet, strings.TrimPrefix(string(r.about.Entity), g.base)+"/.well-known/openid-federation", nil, nil)
		if last, err := openReseller(r.home); err != nil || response.StatusCode != http.StatusOK || !strings.Contains(headerOf(t, hosted), last.federation.KeyID()) {
			t.Errorf("hosted: %d, %v", response.StatusCode, err)
		}
		data := g.config.Data
		g.stop()
		code, text = says(t, "ledger", "check", "--data", data, "--database", url, "--public-url", g.base, "--sandbox")
		if code != exitDone || !strings.Contains(text, "Marked: 1 submissions") {
			t.Errorf("ledger check: %d, %s", code, text)
		}
	})
}

func TestKeysAreRefusedInWordsThatSayWhatToDo(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", isSandbox)
	r := g.enrol("Example Cloud GmbH")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"keys", "rotate", "--overlap", "169h"}, "--overlap: wanted"},
		{[]string{"keys", "revoke", "unknown"}, "/claims/kids/0"},
		{[]string{"keys", "revoke", "--compromised-since", "yesterday", "--", r.statements.KeyID()}, "--compromised-since: wanted"},
		{[]string{"keys", "revoke", "--federation", "--", r.statements.KeyID()}, "/claims/kids/0"},
		{[]string{"keys", "revoke"}, "accepts 1 arg"},
	} {
		if code, text := says(t, append([]string{c.args[0], c.args[1], "--home", r.home}, c.args[2:]...)...); code != exitRefused || !strings.Contains(text, c.says) {
			t.Errorf("%v: %d, %s", c.args, code, text)
		}
	}
	pushes(t, r)
}

func TestTheDoorOfKeysSaysWhatItWants(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", isSandbox)
	id := g.enrol("Example Cloud GmbH").about.Entity.ID().String()
	keySet, jwt := http.Header{"Content-Type": {"application/jwk-set+jwt"}}, http.Header{"Content-Type": {"application/jwt"}}
	for _, c := range []struct {
		method, path string
		header       http.Header
		status       int
		says         string
	}{
		{http.MethodPost, "/enrolments/" + id + "/jwks", jwt, http.StatusUnsupportedMediaType, "wanted application/jwk-set+jwt"},
		{http.MethodPost, "/enrolments/" + id + "/revocations", keySet, http.StatusUnsupportedMediaType, "wanted application/key-revocation+jwt"},
		{http.MethodPost, "/enrolments/" + id + "/configuration", keySet, http.StatusUnsupportedMediaType, "wanted application/entity-statement+jwt"},
		{http.MethodPost, "/enrolments/" + id + "/jwks", keySet, http.StatusUnprocessableEntity, "compact"},
		{http.MethodPost, "/enrolments/acme/jwks", keySet, http.StatusBadRequest, "43 characters"},
		{http.MethodGet, "/enrolments/acme", nil, http.StatusBadRequest, "43 characters"},
		{http.MethodGet, "/enrolments/" + strings.Repeat("A", 43), nil, http.StatusNotFound, "no such entity"},
		{http.MethodPost, "/confirmations", nil, http.StatusUnauthorized, "Authorization: Bearer"},
		{http.MethodGet, "/v1/enrolments", nil, http.StatusUnauthorized, "Bearer"},
	} {
		if response, text := g.do(c.method, c.path, c.header, []byte("x")); response.StatusCode != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s %s: wanted %d with %q, got %d, %s", c.method, c.path, c.status, c.says, response.StatusCode, text)
		}
	}
}

// headerOf is the first part of a compact JWS, decoded.
func headerOf(t *testing.T, token string) string {
	t.Helper()
	header, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAResellerJoinsUnderItsOwnHost(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := os.ReadFile(filepath.Join(home, "served.jwt"))
		if r.URL.Path != "/cip/.well-known/openid-federation" || err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/entity-statement+jwt")
		_, _ = w.Write(text)
	}))
	t.Cleanup(host.Close)
	entity := host.URL + "/cip"
	g := startGateway(t, "", isSandbox)
	var made invited
	invitation := map[string]any{"name": "Example Cloud GmbH", "country": "DE", "contact": "compliance@example.com"}
	if err := newClient(g.base, g.token).post(t.Context(), "/v1/invitations", invitation, &made); err != nil {
		t.Fatal(err)
	}
	code, text := says(t, "join", made.URL, "--entity", entity, "--home", home)
	file := filepath.Join(home, configurationFile)
	if code != exitRefused || !strings.Contains(text, "got 404") && !strings.Contains(text, "status 200") || !strings.Contains(text, file) {
		t.Fatalf("before it is served: %d, %s", code, text)
	}
	if err := os.Rename(file, filepath.Join(home, "served.jwt")); err != nil {
		t.Fatal(err)
	}
	if code, text := says(t, "join", made.URL, "--entity", entity, "--home", home); code != exitDone || !strings.Contains(text, entity) {
		t.Fatalf("once it is served: %d, %s", code, text)
	}
	r, err := openReseller(home)
	if err != nil || string(r.about.Entity) != entity {
		t.Fatalf("joined as %s, %v", r.about.Entity, err)
	}
	pushes(t, r)
	if code, text := says(t, "keys", "rotate", "--home", home); code != exitDone || !strings.Contains(text, "serve "+file) {
		t.Errorf("rotate: %d, %s", code, text)
	}
	if code, text := says(t, "join", made.URL, "--entity", "http://reseller.example", "--home", t.TempDir()); code != exitRefused || !strings.Contains(text, "--entity") {
		t.Errorf("an identifier that is none: %d, %s", code, text)
	}
	// Outside of a sandbox nobody's word leads a gateway to its own machine.
	outside := startGateway(t, "", nil)
	if err := newClient(outside.base, outside.token).post(t.Context(), "/v1/invitations", invitation, &made); err != nil {
		t.Fatal(err)
	}
	if code, text := says(t, "join", made.URL, "--entity", entity, "--home", t.TempDir()); code != exitRefused || !strings.Contains(text, "address not allowed") {
		t.Errorf("outside of a sandbox: %d, %s", code, text)
	}
}

func TestAnEnrolmentAwaitsApproval(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", isSandbox)
	code, text := says(t, "invite", "--name", "Example Cloud GmbH", "--country", "DE", "--contact", "compliance@example.com", "--lei", "5493001KJTIIGC8Y1R12",
		"--approval", "--url", g.base, "--token", g.token, "--json")
	if code != exitDone {
		t.Fatal(text)
	}
	home := t.TempDir()
	address := g.base + "/enrol#" + between(text, `"token":"`, `"`)
	if code, text := says(t, "join", address, "--home", home); code != exitDone || !strings.Contains(text, "has yet to approve") {
		t.Fatalf("join: %d, %s", code, text)
	}
	r, err := openReseller(home)
	if err != nil {
		t.Fatal(err)
	}
	refusedWith(t, r, "invalid_issuer: /claims/iss: wanted an entity whose enrolment was approved, got one whose enrolment awaits approval")
	var waiting struct {
		Items []struct {
			ID  string `json:"id"`
			LEI string `json:"lei"`
		} `json:"items"`
	}
	g.get("/v1/enrolments", &waiting)
	if len(waiting.Items) != 1 || waiting.Items[0].ID != r.about.Entity.ID().String() || waiting.Items[0].LEI != "5493001KJTIIGC8Y1R12" {
		t.Fatalf("waiting: %+v", waiting)
	}
	api := newClient(g.base, g.token)
	if err := api.post(t.Context(), "/v1/enrolments/"+waiting.Items[0].ID+"/approve", map[string]string{"reason": ""}, &struct{}{}); err == nil {
		t.Error("approved without a reason")
	}
	var approved struct {
		Status string `json:"status"`
	}
	if err := api.post(t.Context(), "/v1/enrolments/"+waiting.Items[0].ID+"/approve", map[string]string{"reason": "Checked."}, &approved); err != nil || approved.Status != "active" {
		t.Fatalf("approved: %+v, %v", approved, err)
	}
	pushes(t, r)
	g.settled()
}

// between is what stands in a text between two others.
func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

func TestLostKeysNeedTwoPeopleAndAContactConfirms(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", isSandbox)
	r := g.enrol("Example Cloud GmbH")
	id := r.about.Entity.ID().String()
	var second string
	if _, err := g.auth.EnsureToken(t.Context(), "second officer", func(token string) error { second = token; return nil }); err != nil {
		t.Fatal(err)
	}
	first, other := newClient(g.base, g.token), newClient(g.base, second)
	var proposed struct {
		Proposal string `json:"proposal"`
	}
	if err := first.post(t.Context(), "/v1/resellers/"+id+"/recovery", map[string]string{"reason": "Their disk broke."}, &proposed); err != nil {
		t.Fatal(err)
	}
	path := "/v1/resellers/" + id + "/recovery/" + proposed.Proposal + "/approve"
	if err := first.post(t.Context(), path, struct{}{}, &struct{}{}); err == nil || !strings.Contains(err.Error(), "403") || !strings.Contains(err.Error(), "nobody approves what they proposed") {
		t.Errorf("by the same token: %v", err)
	}
	var made invited
	if err := other.post(t.Context(), path, struct{}{}, &made); err != nil {
		t.Fatal(err)
	}
	again, err := join(t.Context(), t.TempDir(), made.URL)
	if err != nil || again.about.Entity != r.about.Entity {
		t.Fatalf("joined again: %v", err)
	}
	refusedWith(t, r, "invalid_key")
	pushes(t, again)

	var asked struct {
		URL string `json:"url"`
	}
	if err := first.post(t.Context(), "/v1/resellers/"+id+"/contact/ask", struct{}{}, &asked); err != nil {
		t.Fatal(err)
	}
	if code, text := says(t, "confirm", asked.URL); code != exitDone || !strings.Contains(text, string(r.about.Entity)) {
		t.Errorf("confirm: %d, %s", code, text)
	}
	for address, want := range map[string]string{g.base + "/confirm/wrong": "no such link", "https://cip.provider.example": "wanted the address"} {
		if code, text := says(t, "confirm", address); code != exitRefused || !strings.Contains(text, want) {
			t.Errorf("confirm %s: %d, %s", address, code, text)
		}
	}
	g.settled()
}
