package envelope

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Signer signs with one private key, which it never shows: the key may lie in a file, a chip or a service. Its `kid` is
// the key's RFC 7638 thumbprint.
type Signer struct {
	private   crypto.Signer
	algorithm string
	keys      Keys // the public half, to check each signature by
}

// NewSigner takes a private key: Ed25519 signs EdDSA, P-256 ES256, P-384 ES384, RSA PS256. The public key must pass the
// checks of NewKeys. Errors are *Fault with ErrKey.
func NewSigner(private crypto.Signer) (Signer, error) { return newSigner(private, "") }

// NewRS256Signer takes an RSA private key and signs RS256, for receivers that know nothing newer; NewSigner signs PS256 with such a key.
func NewRS256Signer(private *rsa.PrivateKey) (Signer, error) { return newSigner(private, RS256) }

func newSigner(private crypto.Signer, algorithm string) (Signer, error) {
	if private == nil {
		return Signer{}, badKey("", "a private key", "none", "Give the gateway its signing key.")
	}
	public := jose.JSONWebKey{Key: private.Public(), Use: useSignature}
	fits, err := checkPublicKey("", public.Key)
	if err != nil {
		return Signer{}, err
	}
	if public.Algorithm = algorithm; algorithm == "" {
		public.Algorithm = fits[0]
	}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return Signer{}, fmt.Errorf("envelope: thumbprint of a key: %w", err)
	}
	public.KeyID = base64url.EncodeToString(sum)
	keys, err := NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	if err != nil {
		return Signer{}, err
	}
	return Signer{private: private, algorithm: public.Algorithm, keys: keys}, nil
}

// KeyID is the `kid` that the signer writes, empty for the zero Signer.
func (s Signer) KeyID() string { return s.Public().KeyID }

// Public is the public key with kid, alg and use, as it is published.
func (s Signer) Public() jose.JSONWebKey {
	if s.keys.Len() == 0 {
		return jose.JSONWebKey{}
	}
	return s.keys.list[0].jwk
}

// Draft is a SET to be signed.
type Draft struct {
	Issuer, Audience Entity
	IssuedAt         time.Time // cut to seconds
	JTI, EventURI    string
	Event            any       // written as JSON; must be an object
	Subject          Subject   // left out if zero
	TOE              time.Time // cut to seconds; left out if zero
	Txn              string    // left out if empty
}

// draftClaims is a Draft as JSON.
type draftClaims struct {
	Issuer    Entity                    `json:"iss"`
	Audience  Entity                    `json:"aud"`
	IssuedAt  int64                     `json:"iat"`
	JTI       string                    `json:"jti"`
	SubjectID *draftSubject             `json:"sub_id,omitempty"`
	TOE       *int64                    `json:"toe,omitempty"`
	Txn       string                    `json:"txn,omitempty"`
	Events    map[string]jsontext.Value `json:"events"`
}

type draftSubject struct {
	Format string `json:"format"`
	ID     string `json:"id,omitempty"`
	URI    string `json:"uri,omitempty"`
}

// Sign writes a SET and signs it. What comes out has passed the same checks as what comes in, signature included: a
// draft that breaks a rule, and a key that signs wrongly, are errors here and not at whoever receives it. With an
// Ed25519 key the same draft gives the same bytes.
func (s Signer) Sign(d Draft) (Verified, error) {
	for _, entity := range []Entity{d.Issuer, d.Audience} {
		if _, err := ParseEntity(string(entity)); err != nil {
			return Verified{}, fmt.Errorf("envelope: sign: %w", err)
		}
	}
	event, err := json.Marshal(d.Event, json.Deterministic(true))
	if err != nil {
		return Verified{}, fmt.Errorf("envelope: sign: write the event: %w", err)
	}
	claims := draftClaims{
		Issuer:   d.Issuer,
		Audience: d.Audience,
		IssuedAt: d.IssuedAt.Unix(),
		JTI:      d.JTI,
		Txn:      d.Txn,
		Events:   map[string]jsontext.Value{d.EventURI: event},
	}
	if d.Subject != (Subject{}) {
		claims.SubjectID = &draftSubject{Format: d.Subject.Format, ID: d.Subject.ID, URI: d.Subject.URI}
	}
	if !d.TOE.IsZero() {
		seconds := d.TOE.Unix()
		claims.TOE = &seconds
	}
	raw, err := s.sign(SETType, claims)
	if err != nil {
		return Verified{}, err
	}
	parsed, err := Parse(raw)
	if err != nil {
		return Verified{}, fmt.Errorf("envelope: read what was signed: %w", err)
	}
	verified, err := parsed.Verify(s.keys, Terms{Audience: d.Audience, Now: time.Unix(claims.IssuedAt, 0)})
	if err != nil {
		return Verified{}, fmt.Errorf("envelope: check what was signed: %w", err)
	}
	return verified, nil
}

// SignToken writes claims as JSON, which must be an object, and signs them as a JWT of that type. The same checks as
// ParseToken's and the signature's are made before it is given out.
func (s Signer) SignToken(typ string, claims any) ([]byte, error) {
	raw, err := s.sign(typ, claims)
	if err != nil {
		return nil, err
	}
	token, err := ParseToken(raw, typ)
	if err != nil {
		return nil, fmt.Errorf("envelope: read what was signed: %w", err)
	}
	if err := token.Verify(s.keys); err != nil {
		return nil, fmt.Errorf("envelope: check what was signed: %w", err)
	}
	return raw, nil
}

var errNoKey = errors.New("envelope: sign: the signer has no key")

func (s Signer) sign(typ string, claims any) ([]byte, error) {
	if s.private == nil {
		return nil, errNoKey
	}
	payload, err := json.Marshal(claims, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("envelope: sign: write the claims: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.SignatureAlgorithm(s.algorithm),
		Key:       jose.JSONWebKey{Key: cryptosigner.Opaque(salted{s.private}), KeyID: s.KeyID()},
	}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return nil, fmt.Errorf("envelope: sign: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return nil, fmt.Errorf("envelope: sign: %w", err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		return nil, fmt.Errorf("envelope: sign: %w", err)
	}
	return []byte(compact), nil
}

// salted is a private key whose PSS salt is as long as the hash, RFC 7518, section 3.5. The JOSE library would ask for the
// longest that fits.
type salted struct{ crypto.Signer }

// Sign passes everything else on.
func (s salted) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: pss.Hash}
	}
	signature, err := s.Signer.Sign(random, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("use the private key: %w", err)
	}
	return signature, nil
}
