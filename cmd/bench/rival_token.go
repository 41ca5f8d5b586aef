package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// rivalChecker is what a careful engineer writes with go-jose, a strict JSON library and a JSON Schema library: whatever the protocol asks
// of a submission, in its order. Only what is read of the issuer comes from the store.
type rivalChecker struct {
	schemas  map[string]*jsonschema.Schema // by event type
	audience string
	now      func() time.Time
}

const (
	rivalMaxAge   = 30 * 24 * time.Hour
	rivalMaxAhead = time.Minute
	rivalMaxDepth = 64
)

// ed25519Name is the newer name of EdDSA (RFC 9864), which go-jose does not know.
const ed25519Name jose.SignatureAlgorithm = "Ed25519"

var rivalAlgorithms = []jose.SignatureAlgorithm{jose.EdDSA, ed25519Name, jose.ES256, jose.ES384, jose.PS256, jose.RS256}

type ed25519Key struct{ ed25519.PublicKey }

// VerifyPayload makes it a jose.OpaqueVerifier.
func (k ed25519Key) VerifyPayload(payload, signature []byte, _ jose.SignatureAlgorithm) error {
	if !ed25519.Verify(k.PublicKey, payload, signature) {
		return jose.ErrCryptoFailure
	}
	return nil
}

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

// rivalToken is a token that was read and not yet believed.
type rivalToken struct {
	text   string
	header rivalHeader
	claims rivalClaims
}

type rivalHeader struct {
	Algorithm string         `json:"alg"`
	KeyID     string         `json:"kid"`
	Type      string         `json:"typ"`
	Critical  jsontext.Value `json:"crit"`
	Unencoded jsontext.Value `json:"b64"`

	Others map[string]jsontext.Value `json:",embed"`
}

type rivalClaims struct {
	Issuer    string                    `json:"iss"`
	Audience  rivalAudience             `json:"aud"`
	IssuedAt  int64                     `json:"iat"`
	JTI       string                    `json:"jti"`
	Events    map[string]jsontext.Value `json:"events"`
	Expiry    jsontext.Value            `json:"exp"`
	NotBefore jsontext.Value            `json:"nbf"`
	Subject   jsontext.Value            `json:"sub"`

	Others map[string]jsontext.Value `json:",embed"`
}

// What another letter case makes an error of.
var (
	rivalHeaderNames = []string{"alg", "kid", "typ", "crit", "b64", "cty", "jwk", "jku", "x5c", "x5t", "x5t#S256", "x5u"}
	rivalClaimNames  = []string{"iss", "aud", "iat", "jti", "events", "sub_id", "toe", "txn", "exp", "nbf", "sub"}
)

// rivalAudience is a string or several (RFC 7519, section 4.1.3).
type rivalAudience []string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (a *rivalAudience) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	if from.PeekKind() == '"' {
		*a = make(rivalAudience, 1)
		return json.UnmarshalDecode(from, &(*a)[0])
	}
	return json.UnmarshalDecode(from, (*[]string)(a))
}

func newRivalChecker(audience string, now func() time.Time) (*rivalChecker, error) {
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
	return &rivalChecker{audience: audience, now: now,
		schemas: map[string]*jsonschema.Schema{statement.KindCIPAttestation.URI(): schema}}, nil
}

// read takes a token apart and reads it strictly, before any library looks at its header.
func (c *rivalChecker) read(text string) (*rivalToken, *rivalRefusal) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, refuse("invalid_request", "not a compact JWS: wanted three parts, got %d", len(parts))
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return nil, refuse("invalid_request", "part %d is not base64url that encodes to itself", i+1)
		}
	}
	token := &rivalToken{text: text}
	if len(decoded[0]) > envelope.MaxHeader {
		return nil, refuse("invalid_request", "header: wanted at most %d bytes, got %d", envelope.MaxHeader, len(decoded[0]))
	}
	if err := readStrictly(decoded[0], &token.header); err != nil {
		return nil, refuse("invalid_request", "header: %v", err)
	}
	if err := readStrictly(decoded[1], &token.claims); err != nil {
		return nil, refuse("invalid_request", "claims: %v", err)
	}
	header, claims := &token.header, &token.claims
	switch typ := strings.ToLower(header.Type); {
	case strings.TrimPrefix(typ, "application/") != "secevent+jwt":
		return nil, refuse("invalid_request", "typ: wanted secevent+jwt, got %q", header.Type)
	case header.Critical != nil || header.Unencoded != nil:
		return nil, refuse("invalid_request", "header: crit and b64 are not supported")
	}
	if err := errors.Join(wrongCase(header.Others, rivalHeaderNames), wrongCase(claims.Others, rivalClaimNames)); err != nil {
		return nil, refuse("invalid_request", "%v", err)
	}
	return token, nil
}

// readStrictly reads one JSON object. The library refuses names that come twice, invalid UTF-8 and trailing data, and tells upper case from lower.
func readStrictly(text []byte, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return err
	}
	// It has no bound for the depth that is as low as ours.
	for decoder := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true)); ; {
		if _, err := decoder.ReadToken(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if depth := decoder.StackDepth(); depth > rivalMaxDepth {
			return fmt.Errorf("wanted a depth of at most %d", rivalMaxDepth)
		}
	}
}

func wrongCase(others map[string]jsontext.Value, known []string) error {
	for name := range others {
		for _, meant := range known {
			if strings.EqualFold(name, meant) && name != meant {
				return fmt.Errorf("%q: wanted %q", name, meant)
			}
		}
	}
	return nil
}

// believe checks who signed, then what is stated. keys are those of the issuer that are in force.
func (c *rivalChecker) believe(token *rivalToken, keys *jose.JSONWebKeySet) (rivalSubmission, *rivalRefusal) {
	header, claims := &token.header, &token.claims
	found := keys.Key(header.KeyID)
	if header.KeyID == "" || len(found) != 1 {
		return rivalSubmission{}, refuse("invalid_key", "kid: %q names no key of the issuer", header.KeyID)
	}
	key := found[0].Key
	if public, ok := key.(ed25519.PublicKey); ok && header.Algorithm == string(ed25519Name) {
		key = ed25519Key{public}
	} else if found[0].Algorithm != header.Algorithm {
		return rivalSubmission{}, refuse("invalid_key", "alg: wanted %s, which the key is for, got %q", found[0].Algorithm, header.Algorithm)
	}
	jws, err := jose.ParseSignedCompact(token.text, rivalAlgorithms)
	if err != nil {
		return rivalSubmission{}, refuse("invalid_request", "not a signed token: %v", err)
	}
	if _, err := jws.Verify(key); err != nil {
		return rivalSubmission{}, refuse("authentication_failed", "the signature does not verify")
	}
	kind, refusal := c.checkClaims(claims)
	if refusal != nil {
		return rivalSubmission{}, refusal
	}
	return rivalSubmission{
		issuer: claims.Issuer, jti: claims.JTI, kind: kind, token: token.text, digest: sha256.Sum256([]byte(token.text)),
		issuedAt: time.Unix(claims.IssuedAt, 0).UTC(), acceptedAt: c.now().UTC(),
	}, nil
}

func (c *rivalChecker) checkClaims(claims *rivalClaims) (kind string, _ *rivalRefusal) {
	if !slices.Contains(claims.Audience, c.audience) {
		return "", refuse("invalid_audience", "aud: wanted %q", c.audience)
	}
	now, issued := c.now(), time.Unix(claims.IssuedAt, 0)
	if issued.After(now.Add(rivalMaxAhead)) || issued.Before(now.Add(-rivalMaxAge)) {
		return "", refuse("invalid_request", "iat: %s is too old or lies ahead", issued.UTC())
	}
	if !isJTI(claims.JTI) {
		return "", refuse("invalid_request", "jti: wanted 1 to 255 printable ASCII characters")
	}
	if claims.Expiry != nil || claims.NotBefore != nil || claims.Subject != nil {
		return "", refuse("invalid_request", "exp, nbf and sub do not belong into a SET")
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
		if err := checkDates(value, issued); err != nil {
			return "", refuse("invalid_request", "events: %v", err)
		}
		kind = uri
	}
	return kind, nil
}

// checkDates checks what the schema of an attestation cannot say. That text and dates are such is known by then; dates compare as text.
func checkDates(event any, issued time.Time) error {
	members, _ := event.(map[string]any)
	attested, _ := members["attested_on"].(string)
	if latest := issued.UTC().Add(14 * time.Hour).Format(time.DateOnly); attested > latest { // where today begins first
		return fmt.Errorf("attested_on: wanted a day that is not after iat, got %s", attested)
	}
	changes, _ := members["material_changes"].([]any)
	for _, change := range changes {
		members, _ := change.(map[string]any)
		if on, _ := members["on"].(string); on > attested {
			return fmt.Errorf("material_changes: wanted a day that is not after attested_on, got %s", on)
		}
	}
	return nil
}

// sameClaims says whether two tokens that were found good state the same, whenever they were signed.
func sameClaims(one, other string) bool {
	var both [2]map[string]any
	for i, token := range []string{one, other} {
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
		if err != nil || json.Unmarshal(payload, &both[i]) != nil {
			return false
		}
		maps.DeleteFunc(both[i], func(name string, _ any) bool { return name == "iat" })
	}
	return reflect.DeepEqual(both[0], both[1])
}

func isJTI(jti string) bool {
	for i := range len(jti) {
		if jti[i] < ' ' || jti[i] > '~' {
			return false
		}
	}
	return len(jti) > 0 && len(jti) <= 255
}
