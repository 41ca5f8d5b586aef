package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestMain(m *testing.M) {
	defer removeBinary()
	migrationstest.Main(m)
}

// gateway is a whole program under test, reached over real HTTP.
type gateway struct {
	*Program
	t     *testing.T
	base  string
	token string
	stop  func()
}

// startGateway opens the program on a store and serves it on a free port until the test ends.
func startGateway(t *testing.T, database string, change func(*Config)) *gateway {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := defaults()
	config.Data, config.Database, config.Listen = t.TempDir(), database, listener.Addr().String()
	if change != nil {
		change(&config)
	}
	if err := config.check(); err != nil {
		t.Fatal(err)
	}
	if file := filepath.Join(config.Data, "cipgate.db"); config.Database == "" {
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			migrationstest.File(t, file)
		}
	}
	return serveGateway(t, config, listener)
}

func serveGateway(t *testing.T, config Config, listener net.Listener) *gateway {
	t.Helper()
	program, err := open(t.Context(), config, slog.New(slog.NewTextHandler(logTo{t}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- program.Serve(ctx, listener) }()
	stopped := false
	g := &gateway{Program: program, t: t, base: config.PublicURL}
	g.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serving: %v", err)
		}
		if err := program.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	t.Cleanup(g.stop)
	token, err := os.ReadFile(filepath.Join(config.Data, "admin.token"))
	if err != nil {
		t.Fatal(err)
	}
	g.token = strings.TrimSpace(string(token))
	return g
}

type logTo struct{ t *testing.T }

func (l logTo) Write(line []byte) (int, error) {
	if told := secretIn(line); told != "" {
		l.t.Errorf("a log tells %s", told)
	}
	l.t.Logf("log: %s", bytes.TrimSpace(line))
	return len(line), nil
}

// secrets are what no log ever tells: a signed token, whoever's it is, a bearer's token, and the secrets that are given.
var secrets = regexp.MustCompile(`eyJ[\w-]{8,}\.[\w-]*|(?i:bearer) [\w-]{16,}`)

// secretIn returns the first secret in a log, as far as it may be shown; "" if there is none.
func secretIn(log []byte, given ...string) string {
	if found := secrets.Find(log); found != nil {
		return string(found[:12]) + "..."
	}
	for _, secret := range given {
		if secret != "" && bytes.Contains(log, []byte(secret)) {
			return "a secret that was told once"
		}
	}
	return ""
}

func TestSecretsAreFoundInALog(t *testing.T) {
	t.Parallel()
	for log, want := range map[string]bool{
		"level=ERROR msg=\"request failed\" operation=list-resellers error=\"no such reseller\"":          false,
		"level=INFO msg=push reseller=le2Cyg9pZO2kRAaVEOjUf1qeufk5Wwy7mSN2HlFJIB0":                        false,
		"level=INFO msg=push body=eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSJ9.c2lnbmF0dXJl": true,
		"level=WARN msg=\"401\" authorization=\"Bearer 0123456789abcdef\"":                                true,
		"level=INFO msg=link secret=once-told":                                                            true,
	} {
		if got := secretIn([]byte(log), "", "once-told"); (got != "") != want {
			t.Errorf("%s: found %q", log, got)
		}
	}
}

// within is the same running gateway for a subtest.
func (g *gateway) within(t *testing.T) *gateway {
	same := *g
	same.t = t
	return &same
}

// invite makes an invitation, as an officer does.
func (g *gateway) invite(name string) invited {
	g.t.Helper()
	var made invited
	err := newClient(g.base, g.token).post(g.t.Context(), "/v1/invitations",
		map[string]string{"name": name, "country": "DE", "contact": "compliance@example.com"}, &made)
	if err != nil {
		g.t.Fatal(err)
	}
	return made
}

// enrol invites a reseller and lets it join.
func (g *gateway) enrol(name string) *reseller {
	g.t.Helper()
	r, err := join(g.t.Context(), g.t.TempDir(), g.invite(name).URL)
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

// attestation is the smallest event that is accepted.
func attestation() map[string]any {
	var event map[string]any
	if err := json.Unmarshal(statement.Example(statement.KindCIPAttestation), &event); err != nil {
		panic(err)
	}
	return event
}

// do sends one request and returns the answer with its body read.
func (g *gateway) do(method, path string, header http.Header, body []byte) (*http.Response, string) {
	g.t.Helper()
	request, err := http.NewRequestWithContext(g.t.Context(), method, g.base+path, bytes.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	client := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return response, string(text)
}

// get asks /v1 as the administrator and decodes the answer.
func (g *gateway) get(path string, into any) {
	g.t.Helper()
	if err := newClient(g.base, g.token).get(g.t.Context(), path, into); err != nil {
		g.t.Fatal(err)
	}
}

// settled waits, by the sandbox's own means, until everything that was said has been folded and decided.
func (g *gateway) settled() {
	g.t.Helper()
	if _, err := g.keeper.round(g.t.Context(), g.Program); err != nil {
		g.t.Fatal(err)
	}
}

// size is how many entries the ledger holds.
func (g *gateway) size() int64 {
	g.t.Helper()
	size, err := g.ledger.Size(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	return size
}
