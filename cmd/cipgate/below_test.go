package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// below is a reseller of a reseller.
type below struct {
	*reseller
	g *gateway
}

// inviteBelow makes an invitation for a reseller of a reseller, as an officer does.
func (g *gateway) inviteBelow(superior, name string) (made invited, err error) {
	g.t.Helper()
	err = newClient(g.base, g.token).post(g.t.Context(), "/v1/invitations",
		map[string]string{"name": name, "country": "DE", "contact": "compliance@example.com", "superior": superior}, &made)
	return made, err
}

// enrolBelow invites a reseller of a reseller and lets it join.
func (g *gateway) enrolBelow(superior, name string) below {
	g.t.Helper()
	made, err := g.inviteBelow(superior, name)
	if err != nil {
		g.t.Fatal(err)
	}
	r, err := join(g.t.Context(), g.t.TempDir(), made.URL)
	if err != nil {
		g.t.Fatal(err)
	}
	return below{r, g}
}

// state signs the smallest example of a kind for the gateway.
func (b below) state(kind statement.Kind) string {
	b.g.t.Helper()
	f := newForge(b.g.t, b.reseller, b.g.clock.Now()).states(kind)
	if kind == statement.KindAccountStatus {
		f = f.about(kind, string(statement.Example(kind)))
	}
	return f.with("claims", "jti", uuid.NewString()).signed()
}

// wraps signs what forwards a SET.
func (b below) wraps(set string) string {
	b.g.t.Helper()
	return newForge(b.g.t, b.reseller, b.g.clock.Now()).forwards(b.g.clock.Now(), set).signed()
}

// dialog is a program that is spoken with line by line.
type dialog struct {
	t    *testing.T
	to   io.WriteCloser
	from *bufio.Reader
	said *strings.Builder
	wait func() error
}

func converse(t *testing.T, program string, args ...string) *dialog {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, program, args...)
	d := &dialog{t: t, said: &strings.Builder{}, wait: command.Wait}
	command.Env, command.Stderr = environment(), d.said
	var err error
	if d.to, err = command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.from = bufio.NewReader(out)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *dialog) says(line string) {
	d.t.Helper()
	if _, err := io.WriteString(d.to, line+"\n"); err != nil {
		d.t.Fatal(err)
	}
}

func (d *dialog) hears() string {
	d.t.Helper()
	line, err := d.from.ReadString('\n')
	if err != nil {
		d.t.Fatalf("%v, %v: %s", err, d.wait(), d.said)
	}
	return strings.TrimSpace(line)
}

// ends says no more, and returns what it hears until the program ended, which must be with exit code 0.
func (d *dialog) ends() []string {
	d.t.Helper()
	if err := d.to.Close(); err != nil {
		d.t.Fatal(err)
	}
	rest, err := io.ReadAll(d.from)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.wait(); err != nil {
		d.t.Fatalf("%v: %s", err, d.said)
	}
	return strings.Split(strings.TrimSpace(string(rest)), "\n")
}

func newSigner(t *testing.T) envelope.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := envelope.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func publicKeys(t *testing.T, signer envelope.Signer) []byte {
	t.Helper()
	keys, err := envelope.NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{signer.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	return keys.Marshal()
}
