// Package trust writes and checks entity statements (OpenID Federation 1.1): what the gateway says of
// itself, and what a superior says of its subordinate. It decides who is bound to whom by which keys, and
// nothing about how well they behave: that is standing.
package trust

import (
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// TypeEntityStatement is the JWT type of OpenID Federation 1.1, section 3.1.
const TypeEntityStatement = "entity-statement+jwt"

// Gateway is what a gateway says of itself.
type Gateway struct {
	Entity     envelope.Entity
	Name       string
	Federation envelope.Signer // signs entity statements
	Statements []byte          // JWK Set of the keys that sign its SETs
	Lifetime   time.Duration   // how long a statement holds
}

type configurationClaims struct {
	Issuer   envelope.Entity `json:"iss"`
	Subject  envelope.Entity `json:"sub"`
	Audience envelope.Entity `json:"aud,omitempty"`
	IssuedAt int64           `json:"iat"`
	Expires  int64           `json:"exp"`
	JWKS     jsontext.Value  `json:"jwks"`
	// Superiors are the entities that vouch for the subject.
	Superiors []envelope.Entity `json:"authority_hints,omitempty"`
	Metadata  metadata          `json:"metadata"`
}

type metadata struct {
	Federation *federationMetadata `json:"federation_entity,omitempty"`
	Cipgate    cipgateMetadata     `json:"cipgate"`
}

type federationMetadata struct {
	Name string `json:"organization_name"`
}

type cipgateMetadata struct {
	JWKS            jsontext.Value `json:"jwks"`
	JWKSURI         string         `json:"jwks_uri,omitempty"`
	EventsEndpoint  string         `json:"events_endpoint,omitempty"`
	SchemasEndpoint string         `json:"schemas_endpoint,omitempty"`
	LogEndpoint     string         `json:"log_endpoint,omitempty"`
}

// Configuration returns the gateway's self-signed entity configuration (OpenID Federation 1.1, section 3).
func (g Gateway) Configuration(now time.Time) ([]byte, error) {
	keys, err := PublicKeys(g.Federation)
	if err != nil {
		return nil, err
	}
	base := string(g.Entity)
	return g.Federation.SignToken(TypeEntityStatement, configurationClaims{
		Issuer: g.Entity, Subject: g.Entity, IssuedAt: now.Unix(), Expires: now.Add(g.Lifetime).Unix(), JWKS: keys,
		Metadata: metadata{
			Federation: &federationMetadata{Name: g.Name},
			Cipgate: cipgateMetadata{JWKS: g.Statements, JWKSURI: base + "/jwks.json",
				EventsEndpoint: base + "/events", SchemasEndpoint: base + "/schemas/", LogEndpoint: base + "/log/"},
		},
	})
}

// Reseller is what a reseller says of itself when it enrols.
type Reseller struct {
	Entity     envelope.Entity
	Superior   envelope.Entity
	Audience   envelope.Entity // the gateway it enrols at
	Federation envelope.Signer
	Statements []byte // JWK Set of its statement keys
	Lifetime   time.Duration
}

// Configuration returns the reseller's self-signed entity configuration.
func (r Reseller) Configuration(now time.Time) ([]byte, error) {
	keys, err := PublicKeys(r.Federation)
	if err != nil {
		return nil, err
	}
	return r.Federation.SignToken(TypeEntityStatement, configurationClaims{
		Issuer: r.Entity, Subject: r.Entity, Audience: r.Audience, IssuedAt: now.Unix(), Expires: now.Add(r.Lifetime).Unix(),
		JWKS: keys, Superiors: []envelope.Entity{r.Superior},
		Metadata: metadata{Cipgate: cipgateMetadata{JWKS: r.Statements}},
	})
}

// Subordinate is an entity that a superior vouches for.
type Subordinate struct {
	Entity     envelope.Entity
	Federation []byte // JWK Set
	Statements []byte // JWK Set
}

// Statement returns what the gateway, as superior, says of a subordinate: its federation keys, and the
// statement keys it enrolled (OpenID Federation 1.1, section 3, subordinate statement).
func (g Gateway) Statement(about Subordinate, now time.Time) ([]byte, error) {
	return g.Federation.SignToken(TypeEntityStatement, configurationClaims{
		Issuer: g.Entity, Subject: about.Entity, IssuedAt: now.Unix(), Expires: now.Add(g.Lifetime).Unix(),
		JWKS: about.Federation, Metadata: metadata{Cipgate: cipgateMetadata{JWKS: about.Statements}},
	})
}

// PublicKeys returns the JWK Set with the public half of a signer's key, as statements publish it.
func PublicKeys(signer envelope.Signer) (jsontext.Value, error) {
	keys, err := envelope.NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{signer.Public()}})
	if err != nil {
		return nil, fmt.Errorf("publishing key %s: %w", signer.KeyID(), err)
	}
	return keys.Marshal(), nil
}
