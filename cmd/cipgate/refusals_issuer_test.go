package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// terminate lets a reseller that never attests run out of its time.
func (g *gateway) terminate(r *reseller) {
	g.t.Helper()
	for range 2 {
		if err := g.Advance(g.t.Context(), 31*24*time.Hour); err != nil {
			g.t.Fatal(err)
		}
	}
	g.standsAs(r, "terminated")
}

func (g *gateway) standsAs(r *reseller, standing string) {
	g.t.Helper()
	var got stands
	g.get("/v1/resellers/"+r.about.Entity.ID().String(), &got)
	if got.Standing != standing {
		g.t.Fatalf("standing %q, wanted %q", got.Standing, standing)
	}
}

// A terminated entity states nothing any more but what is evidence: that it mended what it was terminated for, disputes it, or
// carried out an order.
func TestOfATerminatedResellerOnlyEvidenceIsRecorded(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, walksAlone(t))
		r := g.enrol("Silent Cloud Pte Ltd")
		g.terminate(r)
		size, evidence := g.size(), map[statement.Kind]bool{statement.KindRemediation: true, statement.KindOrderConfirmation: true}
		for _, kind := range statement.Kinds() {
			f := newForge(t, r, g.clock.Now()).states(kind)
			if !kind.ByGateway() && !evidence[kind] && kind != statement.KindCIPAttestation && kind != statement.KindForwarded {
				f = f.about(kind, string(statement.Example(kind)))
			}
			response, text := g.do(http.MethodPost, "/events", asSET, []byte(f.signed()))
			if evidence[kind] {
				size++
				if response.StatusCode != http.StatusAccepted {
					t.Errorf("%s: %d %s", kind, response.StatusCode, text)
				}
				continue
			}
			if response.StatusCode != 400 || !strings.Contains(text, `"err":"invalid_issuer"`) || !strings.Contains(text, "terminated") || !strings.Contains(text, "remediation") {
				t.Errorf("%s: %d %s", kind, response.StatusCode, text)
			}
			if verdict := g.validate(asSET, f.signed()); verdict.Accepted || verdict.Problems[0].Code != "invalid_issuer" || !strings.Contains(verdict.Problems[0].Source, "invalid_issuer") {
				t.Errorf("%s in a dry run: %+v", kind, verdict)
			}
		}
		dispute := newForge(t, r, g.clock.Now()).with("claims", "events", map[string]any{statement.KindRemediation.URI(): map[string]any{
			"kind": "dispute", "ground": "false-positive", "text": "We did attest.", "finding": "cip.missing.20260228T080000Z"}})
		if verdict := g.validate(asSET, dispute.signed()); !verdict.Accepted {
			t.Errorf("a dispute in a dry run: %+v", verdict)
		}
		if response, text := g.do(http.MethodPost, "/events", asSET, []byte(dispute.signed())); response.StatusCode != http.StatusAccepted {
			t.Errorf("a dispute: %d %s", response.StatusCode, text)
		}
		if size++; g.size() != size {
			t.Errorf("the ledger grew to %d, wanted %d", g.size(), size)
		}
		g.settled()
		g.standsAs(r, "terminated")
		// Whoever cannot sign is not told that it was terminated.
		forged := newForge(t, r, g.clock.Now()).signed()
		forged = forged[:len(forged)-86] + encode(make([]byte, 64))
		if _, text := g.do(http.MethodPost, "/events", asSET, []byte(forged)); !strings.Contains(text, "authentication_failed") || strings.Contains(text, "terminated") {
			t.Errorf("to a stranger: %s", text)
		}
	})
}

func TestOnlyTheGatewayStatesWhatTheGatewayStates(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", nil)
	r := g.enrol("Example Cloud GmbH")
	size := g.size()
	for _, kind := range statement.Kinds() {
		f := newForge(t, r, g.clock.Now()).states(kind).with("claims", "sub_id", map[string]any{"format": "uri", "uri": string(r.about.Entity)})
		if !kind.ByGateway() {
			continue
		}
		response, text := g.do(http.MethodPost, "/events", asSET, []byte(f.signed()))
		if response.StatusCode != 400 || !strings.Contains(text, `"err":"access_denied"`) || !strings.Contains(text, kind.URI()) {
			t.Errorf("%s: %d %s", kind, response.StatusCode, text)
		}
	}
	if g.size() != size {
		t.Errorf("the ledger grew from %d to %d", size, g.size())
	}
}

// pushIsRefused pushes an attestation that a reseller signs, and demands that it is refused so.
func (g *gateway) pushIsRefused(r *reseller, code string, says ...string) {
	g.t.Helper()
	token := newForge(g.t, r, g.clock.Now()).signed()
	response, text := g.do(http.MethodPost, "/events", asSET, []byte(token))
	if response.StatusCode != 400 || !strings.Contains(text, `"err":"`+code+`"`) {
		g.t.Errorf("wanted %s, got %d %s", code, response.StatusCode, text)
	}
	for _, words := range says {
		if !strings.Contains(text, words) {
			g.t.Errorf("wanted %q, got %s", words, text)
		}
	}
	if verdict := g.validate(asSET, token); verdict.Accepted || len(verdict.Problems) != 1 || verdict.Problems[0].Code != code {
		g.t.Errorf("a dry run: %+v", verdict)
	}
}

func TestAKeyThatWasReplacedOrRevokedAndAnEnrolmentThatWaitsAreRefused(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", isSandbox)
	open := func(r *reseller) *reseller { // as its home is now, with new keys where there are
		again, err := openReseller(r.home)
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	r := g.enrol("Example Cloud GmbH")
	old := newForge(t, r, g.clock.Now())
	if code, text := says(t, "keys", "rotate", "--home", r.home, "--overlap", "1h"); code != exitDone {
		t.Fatal(text)
	}
	if response, text := g.do(http.MethodPost, "/events", asSET, []byte(old.signed())); response.StatusCode != http.StatusAccepted {
		t.Errorf("in the overlap: %d %s", response.StatusCode, text)
	}
	if err := g.Advance(t.Context(), 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	g.refusesKey(old)
	for _, since := range []string{"", g.clock.Now().Add(-time.Hour).Format(time.RFC3339)} {
		now := open(r)
		revoked := newForge(t, now, g.clock.Now())
		args := []string{"keys", "revoke", "--home", r.home}
		if since != "" {
			args = append(args, "--compromised-since", since)
		}
		if code, text := says(t, append(args, "--", now.statements.KeyID())...); code != exitDone {
			t.Fatal(text)
		}
		g.refusesKey(revoked)
	}
	if response, text := g.do(http.MethodPost, "/events", asSET, []byte(newForge(t, open(r), g.clock.Now()).signed())); response.StatusCode != http.StatusAccepted {
		t.Errorf("with the new key: %d %s", response.StatusCode, text)
	}

	var made invited
	err := newClient(g.base, g.token).post(t.Context(), "/v1/invitations",
		map[string]any{"name": "Waiting Cloud GmbH", "country": "DE", "contact": "compliance@example.com", "approval": true}, &made)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if code, text := says(t, "join", made.URL, "--home", home); code != exitDone {
		t.Fatal(text)
	}
	waiting, err := openReseller(home)
	if err != nil {
		t.Fatal(err)
	}
	g.pushIsRefused(waiting, "invalid_issuer", "awaits approval", "POST /enrolments")
}

// refusesKey pushes what a key signed that does not verify any more.
func (g *gateway) refusesKey(f forge) {
	g.t.Helper()
	fresh := f.with("claims", "jti", uuid.NewString()).with("claims", "iat", g.clock.Now().Unix())
	response, text := g.do(http.MethodPost, "/events", asSET, []byte(fresh.signed()))
	if response.StatusCode != 400 || !strings.Contains(text, `"err":"invalid_key"`) || !strings.Contains(text, "/header/kid") || !strings.Contains(text, "not revoked") {
		g.t.Errorf("%d %s", response.StatusCode, text)
	}
}

func TestAKeyThatIsEnrolledToEncryptWithSignsNothing(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", nil)
	r := g.enrol("Example Cloud GmbH")
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sealing := jose.JSONWebKey{Key: private.Public(), KeyID: "sealing", Use: "enc", Algorithm: "ECDH-ES+A256KW"}
	keys, err := r.statements.SignToken("jwk-set+jwt", map[string]any{"iss": r.about.Entity, "aud": r.about.Audience, "iat": g.clock.Now().Unix(),
		"keys": []jose.JSONWebKey{r.statements.Public(), sealing}})
	if err != nil {
		t.Fatal(err)
	}
	path := "/enrolments/" + r.about.Entity.ID().String() + "/jwks"
	if response, text := g.do(http.MethodPost, path, http.Header{"Content-Type": {"application/jwk-set+jwt"}}, keys); response.StatusCode >= 300 {
		t.Fatalf("taking the key in: %d %s", response.StatusCode, text)
	}
	f := newForge(t, r, g.clock.Now()).with("header", "kid", "sealing").with("header", "alg", "ES256")
	response, text := g.do(http.MethodPost, "/events", asSET, []byte(f.signed()))
	if response.StatusCode != 400 || !strings.Contains(text, `"err":"invalid_key"`) || !strings.Contains(text, "to encrypt with") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	if response, text := g.do(http.MethodPost, "/events", asSET, []byte(newForge(t, r, g.clock.Now()).signed())); response.StatusCode != http.StatusAccepted {
		t.Errorf("with the key beside it: %d %s", response.StatusCode, text)
	}
}
