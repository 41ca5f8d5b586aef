package mail

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func letter(to string) Letter {
	return Letter{ID: "0190f0a0", To: to, Subject: "A warning was issued", Text: "plain\n", HTML: "<p>rich</p>", At: noon}
}

// configured is a Server for a running one.
func configured(t *testing.T, address string) *Server {
	t.Helper()
	s, err := Configure(address, "", "cip@provider.example")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestALetterReachesARealServerWhole(t *testing.T) {
	server := startSMTP(t)
	s := configured(t, fmt.Sprintf("smtp://127.0.0.1:%d", server.port))
	if report := s.Send(t.Context(), letter("ana@reseller.example")); report != (Report{Outcome: Sent, Status: 250}) {
		t.Fatalf("reported %+v", report)
	}
	got := server.next()
	message, err := mail.ReadMessage(strings.NewReader(got.Data))
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"Message-Id": "<0190f0a0@provider.example>", "From": "<cip@provider.example>", "To": "<ana@reseller.example>", "Subject": "A warning was issued",
		"Auto-Submitted": "auto-generated", "Date": "Sun, 01 Mar 2026 12:00:00 +0000", "User-Agent": "",
	} {
		if got := message.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	_, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(message.Body, parameters["boundary"])
	for _, want := range []string{"plain", "<p>rich</p>"} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(part); err != nil || strings.TrimSpace(string(text)) != want {
			t.Errorf("a part is %q, %v, want %q", text, err, want)
		}
	}
}

func TestWhatBecameOfALetterIsReportedWithoutNamingAnybody(t *testing.T) {
	server := startSMTP(t)
	s := configured(t, fmt.Sprintf("smtp://127.0.0.1:%d", server.port))
	gone := configured(t, "smtp://127.0.0.1:1")
	for _, c := range []struct {
		by     *Server
		to     string
		want   Outcome
		status int
		says   string
	}{
		{s, "refused@reseller.example", Refused, 550, "for good (SMTP 550)"},
		{s, "later@reseller.example", Failed, 451, "not take the letter now (SMTP 451)"},
		{s, "lost@reseller.example", Unknown, 0, "whether it was taken is unknown"},
		{s, "no address", Refused, 0, "is no mail address"},
		{gone, "ana@reseller.example", Failed, 0, "was not reached"},
	} {
		report := c.by.Send(t.Context(), letter(c.to))
		if report.Outcome != c.want || report.Status != c.status || !strings.Contains(report.Problem, c.says) || strings.Contains(report.Problem, "reseller") {
			t.Errorf("%s: %+v", c.to, report)
		}
	}
}

func TestAServerThatIsNotThisMachineMustEncrypt(t *testing.T) {
	certFile, keyFile, pool := certificate(t)
	withTLS := startSMTP(t, "--tls", certFile, keyFile, "--user", "gateway:secret")
	without := startSMTP(t)
	// The same as for a server elsewhere: only a test's certificate is trusted too.
	remote := func(port int, user, password string, trusted bool) *Server {
		s := configured(t, fmt.Sprintf("smtp://127.0.0.1:%d", port))
		s.plain, s.user, s.password = false, user, password
		s.patience = time.Second // a handshake that failed leaves the library waiting for a goodbye
		if trusted {
			s.trust = &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
		}
		return s
	}
	if report := remote(withTLS.port, "gateway", "secret", true).Send(t.Context(), letter("ana@reseller.example")); report.Outcome != Sent {
		t.Fatalf("with STARTTLS: %+v", report)
	}
	if got := withTLS.next(); !got.TLS || !got.Authenticated {
		t.Errorf("it came %+v", got)
	}
	for want, s := range map[string]*Server{
		"offers no STARTTLS":        remote(without.port, "", "", true),
		"user or the password":      remote(withTLS.port, "gateway", "wrong", true),
		"certificate does not hold": remote(withTLS.port, "gateway", "secret", false),
	} {
		report := s.Send(t.Context(), letter("ana@reseller.example"))
		if report.Outcome != Failed || !strings.Contains(report.Problem, want) || strings.Contains(report.Problem, "secret") {
			t.Errorf("wanted %q, reported %+v", want, report)
		}
	}
}

func TestTLSFromTheFirstByte(t *testing.T) {
	certFile, keyFile, pool := certificate(t)
	server := startSMTP(t, "--implicit", "--tls", certFile, keyFile)
	s := configured(t, fmt.Sprintf("smtps://127.0.0.1:%d", server.port))
	if report := s.Send(t.Context(), letter("ana@reseller.example")); report.Outcome != Failed || !strings.Contains(report.Problem, "certificate") {
		t.Errorf("a certificate that nobody signed: %+v", report)
	}
	s.trust = &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	if report := s.Send(t.Context(), letter("ana@reseller.example")); report.Outcome != Sent {
		t.Fatalf("reported %+v", report)
	}
	if got := server.next(); !got.TLS {
		t.Errorf("it came %+v", got)
	}
}

func TestAServerIsConfiguredByItsAddress(t *testing.T) {
	for address, want := range map[string]Server{
		"smtp://mail.example":              {host: "mail.example", port: 587},
		"smtps://u:p@mail.example":         {host: "mail.example", port: 465, implicit: true, user: "u", password: "p"},
		"smtp://u:p@mail.example:25":       {host: "mail.example", port: 25, user: "u", password: "p"},
		"smtp://localhost:1025":            {host: "localhost", port: 1025, plain: true},
		"smtp://[::1]:1025/":               {host: "::1", port: 1025, plain: true},
		"smtps://127.0.0.1:465":            {host: "127.0.0.1", port: 465, implicit: true},
		"smtp://cip%40p.example:x@mail.eu": {host: "mail.eu", port: 587, user: "cip@p.example", password: "x"},
	} {
		want.patience = patience
		want.from = mail.Address{Name: "CIP", Address: "cip@provider.example"}
		got, err := Configure(address, "", "CIP <cip@provider.example>")
		if err != nil || *got != want {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
	if got, err := Configure("smtp://u:old@mail.example", "new", "cip@provider.example"); err != nil || got.password != "new" {
		t.Errorf("the password given apart: %v", err)
	}
	for _, c := range []struct{ address, from, says string }{
		{"mail.example", "cip@provider.example", "wanted smtp://"}, {"http://mail.example", "cip@provider.example", "wanted smtp://"},
		{"smtp://", "cip@provider.example", "wanted smtp://"}, {"smtp://mail.example/x", "cip@provider.example", "wanted smtp://"},
		{"smtp://u@mail.example", "cip@provider.example", "a user and a password, or neither"}, {"smtp://mail.example:0", "cip@provider.example", "a port"},
		{"smtp://u:hush@mail.example", "cip", "the sender's address"},
	} {
		if _, err := Configure(c.address, "", c.from); !errors.Is(err, ErrConfiguration) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s, %s: %v", c.address, c.from, err)
		}
	}
}
