package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cipgate/cipgate/attestations/statement"
)

// rivalChecker is what a careful engineer writes with go-jose and a JSON Schema library: the signature, and every claim that
// the protocol asks for.
type rivalChecker struct {
	keys     map[string]jose.JSONWebKeySet // by issuer
	schemas  map[string]*jsonschema.Schema // by event type
	audience string
	now      func() time.Time
}

const (
	rivalMaxAge   = 30 * 24 * time.Hour
	rivalMaxAhead = time.Minute
)

var rivalAlgorithms = []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256, jose.ES384, jose.PS256, jose.RS256}

// rivalRefusal is the body of an answer 400 (RFC 8935, section 2.3).
type rivalRefusal struct {
	Code        string `json:"err"`
	Description string `json:"description"`
}

func refuse(code, format string, args ...any) *rivalRefusal {
	return &rivalRefusal{code, fmt.Sprintf(format, args...)}
}

// rivalSubmission is a token that was found good.
type rivalSubmission struct {
	issuer, jti, kind string
	issuedAt          time.Time
	acceptedAt        time.Time
	digest            [sha256.Size]byte
	token             string
}

type rivalClaims struct {
	Issuer   string                     `json:"iss"`
	Audience rivalAudience              `json:"aud"`
	IssuedAt int64                      `json:"iat"`
	JTI      string                     `json:"jti"`
	Events   map[string]json.RawMessage `json:"events"`
}

// rivalAudience is a string or several (RFC 7519, section 4.1.3).
type rivalAudience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *rivalAudience) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		*a = make(rivalAudience, 1)
		return json.Unmarshal(text, &(*a)[0])
	}
	return json.Unmarshal(text, (*[]string)(a))
}

func newRivalChecker(keys map[string]jose.JSONWebKeySet, audience string, now func() time.Time) (*rivalChecker, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	const file = "cip-attestation.v1.json"
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(statement.Schema(statement.KindCIPAttestation)))
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	if err := compiler.AddResource(file, document); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	schema, err := compiler.Compile(file)
	if err != nil {
		return nil, fmt.Errorf("compile the schema: %w", err)
	}
	return &rivalChecker{keys: keys, audience: audience, now: now,
		schemas: map[string]*jsonschema.Schema{statement.KindCIPAttestation.URI(): schema}}, nil
}

func (c *rivalChecker) check(token string) (rivalSubmission, *rivalRefusal) {
	jws, err := jose.ParseSignedCompact(token, rivalAlgorithms)
	if err != nil {
		return rivalSubmission{}, refuse("invalid_request", "not a signed token: %v", err)
	}
	header := jws.Signatures[0].Protected
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	if typ = strings.ToLower(typ); strings.TrimPrefix(typ, "application/") != "secevent+jwt" {
		return rivalSubmission{}, refuse("invalid_request", "typ: wanted secevent+jwt, got %q", typ)
	}
	// The issuer must be known before its key is; the claims are believed only once the signature holds.
	var claims rivalClaims
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &claims); err != nil {
		return rivalSubmission{}, refuse("invalid_request", "claims: %v", err)
	}
	keys, known := c.keys[claims.Issuer]
	if !known {
		return rivalSubmission{}, refuse("invalid_issuer", "iss: %q is not enrolled", claims.Issuer)
	}
	found := keys.Key(header.KeyID)
	if len(found) != 1 || found[0].Algorithm != header.Algorithm {
		return rivalSubmission{}, refuse("invalid_key", "kid: %q names no key of the issuer for %s", header.KeyID, header.Algorithm)
	}
	if _, err := jws.Verify(found[0].Key); err != nil {
		return rivalSubmission{}, refuse("authentication_failed", "the signature does not verify")
	}
	kind, refusal := c.checkClaims(&claims)
	if refusal != nil {
		return rivalSubmission{}, refusal
	}
	return rivalSubmission{
		issuer: claims.Issuer, jti: claims.JTI, kind: kind, token: token, digest: sha256.Sum256([]byte(token)),
		issuedAt: time.Unix(claims.IssuedAt, 0).UTC(), acceptedAt: c.now().UTC(),
	}, nil
}

func (c *rivalChecker) checkClaims(claims *rivalClaims) (kind string, _ *rivalRefusal) {
	meant := false
	for _, audience := range claims.Audience {
		meant = meant || audience == c.audience
	}
	if !meant {
		return "", refuse("invalid_audience", "aud: wanted %q", c.audience)
	}
	now, issued := c.now(), time.Unix(claims.IssuedAt, 0)
	if issued.After(now.Add(rivalMaxAhead)) || issued.Before(now.Add(-rivalMaxAge)) {
		return "", refuse("invalid_request", "iat: %s is too old or lies ahead", issued.UTC())
	}
	if !isJTI(claims.JTI) {
		return "", refuse("invalid_request", "jti: wanted 1 to 255 printable ASCII characters")
	}
	if len(claims.Events) != 1 {
		return "", refuse("invalid_request", "events: wanted one, got %d", len(claims.Events))
	}
	for uri, event := range claims.Events {
		schema, known := c.schemas[uri]
		if !known {
			return "", refuse("invalid_request", "events: unknown type %q", uri)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(event))
		if err != nil {
			return "", refuse("invalid_request", "events: %v", err)
		}
		if err := schema.Validate(value); err != nil {
			return "", refuse("invalid_request", "events: %v", err)
		}
		kind = uri
	}
	return kind, nil
}

func isJTI(jti string) bool {
	for i := range len(jti) {
		if jti[i] < ' ' || jti[i] > '~' {
			return false
		}
	}
	return len(jti) > 0 && len(jti) <= 255
}
