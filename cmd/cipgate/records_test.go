package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/documents"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/archive"
)

// attestsCopy is an attestation that names a written program.
func attestsCopy(program []byte) map[string]any {
	event := attestation()
	event["copy"] = map[string]any{"sha256": envelope.Digest(sha256.Sum256(program)).String()}
	return event
}

func TestAWrittenProgramIsHandedInAndReadByAnOfficer(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		r := g.enrol("Example Cloud GmbH")
		program := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("Our program. "), 300_000)...) // some 3.9 MB
		digest := envelope.Digest(sha256.Sum256(program)).String()
		file := filepath.Join(t.TempDir(), "program.pdf")
		if err := os.WriteFile(file, program, 0o600); err != nil {
			t.Fatal(err)
		}
		g.settled()
		if _, err := r.handIn(t.Context(), "application/pdf", program); err == nil || !strings.Contains(err.Error(), "Push the cip-attestation first") {
			t.Errorf("before it was attested: %v", err)
		}
		if _, err := r.push(t.Context(), statement.KindCIPAttestation, attestsCopy(program)); err != nil {
			t.Fatal(err)
		}
		g.settled()
		for range 2 {
			done, err := r.handIn(t.Context(), "application/pdf", program)
			if err != nil || done.Digest != digest || done.Bytes != int64(len(program)) {
				t.Fatalf("%+v, %v", done, err)
			}
		}

		path := "/v1/resellers/" + r.about.Entity.ID().String() + "/documents"
		if response, text := g.do(http.MethodGet, path+"/"+digest, http.Header{"Authorization": {"Bearer " + g.token}}, nil); response.StatusCode != http.StatusOK ||
			text != string(program) || response.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(response.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("the officer gets %d, %d bytes, %v", response.StatusCode, len(text), response.Header)
		}
		if response, _ := g.do(http.MethodGet, path+"/"+digest, nil, nil); response.StatusCode != http.StatusUnauthorized {
			t.Errorf("a stranger gets %d", response.StatusCode)
		}
		var listed struct {
			Items []handedIn `json:"items"`
		}
		g.get(path, &listed)
		if len(listed.Items) != 1 || listed.Items[0].Digest != digest {
			t.Errorf("listed: %+v", listed)
		}
	})
}

func TestADocumentThatCannotBeTakenIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", func(c *Config) { c.Timeout = 1 })
	r, other := g.enrol("Example Cloud GmbH"), g.enrol("Other Cloud Ltd")
	program := []byte("%PDF-1.7 Our program.")
	digest := envelope.Digest(sha256.Sum256(program)).String()
	if _, err := r.push(t.Context(), statement.KindCIPAttestation, attestsCopy(program)); err != nil {
		t.Fatal(err)
	}
	g.settled()
	size := g.size()
	claims := func(change map[string]any) map[string]any {
		c := map[string]any{"iss": r.about.Entity, "aud": r.about.Audience, "iat": time.Now().Unix(), "digest": digest}
		for name, value := range change {
			c[name] = value
		}
		return c
	}
	token := func(by *reseller, typ string, change map[string]any) string {
		raw, err := by.statements.SignToken(typ, claims(change))
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + string(raw)
	}
	good := token(r, documents.Type, nil)
	for _, test := range []struct {
		name, authorization, mediaType, path string
		body                                 []byte
		status                               int
		says                                 []string
	}{
		{"no token", "", "application/pdf", digest, program, 401, []string{"Authorization: Bearer TOKEN", "typ document+jwt"}},
		{"another type of token", token(r, "jwk-set+jwt", nil), "application/pdf", digest, program, 400, []string{"document+jwt"}},
		{"another's token", token(other, documents.Type, nil), "application/pdf", digest, program, 400, []string{"kid"}},
		{"another's document", token(other, documents.Type, map[string]any{"iss": other.about.Entity}), "application/pdf", digest, program, 422, []string{"copy.sha256", "Push the cip-attestation first"}},
		{"an unknown issuer", token(r, documents.Type, map[string]any{"iss": "https://nobody.example"}), "application/pdf", digest, program, 400, []string{"Enrol first"}},
		{"another audience", token(r, documents.Type, map[string]any{"aud": "https://other.example"}), "application/pdf", digest, program, 400, []string{"/claims/aud", string(r.about.Audience)}},
		{"an old token", token(r, documents.Type, map[string]any{"iat": time.Now().Add(-2 * time.Hour).Unix()}), "application/pdf", digest, program, 400, []string{"/claims/iat", "NTP"}},
		{"a token for another document", token(r, documents.Type, map[string]any{"digest": strings.Repeat("A", 43)}), "application/pdf", digest, program, 400, []string{"/claims/digest"}},
		{"no digest", good, "application/pdf", "program.pdf", program, 400, []string{"43 characters"}},
		{"other bytes", good, "application/pdf", digest, append(program, '.'), 422, []string{"exactly as it was"}},
		{"no bytes", good, "application/pdf", digest, nil, 422, []string{"got 0 bytes"}},
		{"a page", good, "text/html", digest, program, 422, []string{"application/pdf", "text/html"}},
		{"no type", good, "", digest, program, 415, []string{"Content-Type"}},
	} {
		header := http.Header{"Content-Type": {test.mediaType}, "Authorization": {test.authorization}}
		response, text := g.do(http.MethodPut, "/documents/"+test.path, header, test.body)
		if response.StatusCode != test.status {
			t.Errorf("%s: %d %s, wanted %d", test.name, response.StatusCode, text, test.status)
		}
		for _, words := range test.says {
			if !strings.Contains(text, words) {
				t.Errorf("%s: it does not say %q: %s", test.name, words, text)
			}
		}
	}
	if g.size() != size {
		t.Errorf("%d entries more", g.size()-size)
	}

	// One that is too large is refused by its length alone.
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	fmt.Fprintf(conn, "PUT /documents/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/pdf\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n%%PDF-1.7",
		digest, good, archive.MaxDocument+1)
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 413 ") || !strings.Contains(string(answer), fmt.Sprint(archive.MaxDocument)) {
		t.Errorf("too large: %s, %v", answer, err)
	}

	// One that stops sending holds nobody up for longer than a part may take.
	reader, writer := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, g.base+"/documents/"+digest, reader)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/pdf"}, "Authorization": {good}}
	go func() { _, _ = writer.Write(program[:5]) }()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	_ = writer.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("a document that never ends: %d", response.StatusCode)
	}
}

func TestAnOfficerHoldsAndErasesRecordsOverV1(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", func(c *Config) { c.Sandbox = true })
	r := g.enrol("Example Cloud GmbH")
	if _, err := r.push(t.Context(), statement.KindCIPAttestation, attestation()); err != nil {
		t.Fatal(err)
	}
	report := map[string]any{"certainty": "suspected", "discovered_at": g.clock.Now().Add(-time.Hour).UTC().Format(time.RFC3339), "categories": []string{"integrity"},
		"description": "Joe Doe scanned ports.", "audience": "provider"}
	raw, err := r.sign(t.Context(), statement.KindSuspiciousActivity, report, "customer-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.send(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
	g.settled()
	api := newClient(g.base, g.token)
	base := "/v1/resellers/" + r.about.Entity.ID().String()
	erase := map[string]string{"customer": "customer-1", "legal_basis": "Asked by letter."}
	if err := api.post(t.Context(), base+"/erasures", erase, &struct{}{}); err == nil || !strings.Contains(err.Error(), "are kept until") {
		t.Errorf("at once: %v", err)
	}
	if err := api.post(t.Context(), "/sandbox/clock", map[string]string{"advance": "P731D"}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	var hold struct {
		ID string `json:"id"`
	}
	if err := api.post(t.Context(), base+"/holds", map[string]string{"reason": "Litigation 4711"}, &hold); err != nil {
		t.Fatal(err)
	}
	if err := api.post(t.Context(), base+"/erasures", erase, &struct{}{}); err == nil || !strings.Contains(err.Error(), "Litigation 4711") {
		t.Errorf("while it is held: %v", err)
	}
	if err := api.post(t.Context(), base+"/holds/"+hold.ID+"/release", map[string]string{"reason": "Settled."}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	var done struct {
		Statements int `json:"statements"`
	}
	if err := api.post(t.Context(), base+"/erasures", erase, &done); err != nil || done.Statements != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	digest := envelope.DigestOf(raw).String()
	if response, text := g.do(http.MethodGet, "/receipts/"+digest, nil, nil); response.StatusCode != http.StatusOK || checkText([]byte(text), envelope.DigestOf(raw), g.vkey) != nil {
		t.Errorf("its receipt: %d %s", response.StatusCode, text)
	}
	if _, text := g.do(http.MethodGet, base+"/history", http.Header{"Authorization": {"Bearer " + g.token}}, nil); strings.Contains(text, "Joe Doe") {
		t.Error("the history still names whom it was about")
	}
	if err := g.ledger.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
