package main

import (
	"crypto/ed25519"
	"path/filepath"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// below is a reseller of a reseller. This gateway's door enrols tier 1 alone, so a test states the enrolment as the gateway would.
type below struct {
	g      *gateway
	entity envelope.Entity
	signer envelope.Signer
}

// enrolBelow enrols an entity whose superior is another.
func (g *gateway) enrolBelow(superior envelope.Entity, name string) below {
	g.t.Helper()
	statements, federation := newSigner(g.t), newSigner(g.t)
	said := statement.EntityEnrolled{Entity: envelope.Entity(name), Name: "Below " + name, Country: "DE", Superior: superior,
		Contact: "compliance@example.com", Tier: 2, Invitation: uuid.NewString(), FederationKeys: publicKeys(g.t, federation),
		Keys: publicKeys(g.t, statements), Configuration: "e30.e30.AA"}
	key, err := readKey(filepath.Join(g.config.Data, "keys", "statement.pem"))
	if err != nil {
		g.t.Fatal(err)
	}
	own, err := envelope.NewSigner(key)
	if err != nil {
		g.t.Fatal(err)
	}
	self := g.config.entity()
	set, err := own.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: g.clock.Now(), JTI: said.Invitation, EventURI: said.Kind().URI(), Event: said,
		Subject: envelope.Subject{Format: "uri", URI: name}})
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := statement.Decode(set); err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.ledger.Append(g.t.Context(), set); err != nil {
		g.t.Fatal(err)
	}
	if err := g.registry.CatchUp(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	return below{g: g, entity: said.Entity, signer: statements}
}

// state signs the smallest example of a kind for the gateway.
func (b below) state(t *testing.T, kind statement.Kind) string {
	t.Helper()
	draft := envelope.Draft{Issuer: b.entity, Audience: b.g.config.entity(), IssuedAt: b.g.clock.Now(), JTI: uuid.NewString(),
		EventURI: kind.URI(), Event: jsontext.Value(statement.Example(kind))}
	if kind == statement.KindAccountStatus {
		draft.Subject = envelope.Subject{Format: "opaque", ID: "customer-1"}
	}
	set, err := b.signer.Sign(draft)
	if err != nil {
		t.Fatal(err)
	}
	return string(set.Raw())
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
