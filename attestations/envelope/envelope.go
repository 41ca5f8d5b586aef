// Package envelope decides one thing: are these bytes what a named entity signed, for us, now?
//
// A submission is a Security Event Token (RFC 8417) in compact JWS form. Parse reads it strictly, before any JOSE
// library sees it; Verify then asks for the key, the signature, and the claims, in this order. Only Verify and
// Signer.Sign make a Verified, so who holds one need not ask again.
//
// What the event inside says is not decided here (package statement), nor whether its issuer may say it (package
// intake), nor whether it was said before (package ledger).
package envelope

import (
	"time"
)

// SETType is the media type of a Security Event Token as `typ` carries it, RFC 8417, section 2.3.
const SETType = "secevent+jwt"

// Parsed is a token that is well formed. Nothing in it is proved yet: whoever wrote it may have written anything.
type Parsed struct {
	jws    jws
	issuer Entity
	claims *object // the claims' raw values, by claimNames
}

// Parse reads a SET: its size, the three parts of the JWS in their one canonical form, the header, the claims. It
// does not look at the signature, and at no claim but `iss`, which the caller needs to find the keys. It keeps a copy
// of raw. Errors are *Fault with ErrTooLarge or ErrMalformed.
func Parse(raw []byte) (Parsed, error) {
	token, err := split(raw)
	if err != nil {
		return Parsed{}, err
	}
	if err := token.readHeader(SETType); err != nil {
		return Parsed{}, err
	}
	claims, err := readSET(token.payload)
	if err != nil {
		return Parsed{}, err
	}
	issuer, err := readIssuer(claims.values[claimIssuer])
	if err != nil {
		return Parsed{}, err
	}
	return Parsed{jws: token, issuer: issuer, claims: claims}, nil
}

// Issuer is the `iss` claim as it stands. It is any text until it was looked up: an unknown issuer is the caller's
// refusal (invalid_issuer), not a malformed token.
func (p Parsed) Issuer() Entity { return p.issuer }

// KeyID is the header's `kid`, empty if there is none.
func (p Parsed) KeyID() string { return p.jws.keyID }

// Algorithm is the header's `alg`, whatever it says.
func (p Parsed) Algorithm() string { return p.jws.algorithm }

// Raw is the compact JWS. It must not be changed.
func (p Parsed) Raw() []byte { return p.jws.raw }

// Digest is the SHA-256 of the compact JWS.
func (p Parsed) Digest() Digest { return DigestOf(p.jws.raw) }

// Claims reads the claims and checks their form, and no more: neither signature, audience nor time. It is for entries
// that were verified before they came into the ledger, and for the dry run. Errors are *Fault.
func (p Parsed) Claims() (Claims, error) {
	if p.claims == nil {
		return Claims{}, errNotParsed
	}
	return p.readClaims(nil)
}

// Terms are what a token must meet here and now.
type Terms struct {
	Audience Entity        // the token must be meant for it
	Now      time.Time     // the time of judging
	MaxAge   time.Duration // how far `iat` may lie back
	MaxAhead time.Duration // how far `iat` may lie ahead: clocks differ
}

// Verify checks, in this order: that the header's `kid` names a key of the issuer and `alg` fits it; the signature;
// `aud`; `iat`; the form of `jti`; one event; no `exp`, `nbf`, `sub`; the form of `sub_id`, `toe`, `txn`. The first
// failure is returned as *Fault, with ErrKey, ErrSignature, ErrAudience or ErrMalformed. Whoever cannot sign learns
// nothing about the claims' checks.
func (p Parsed) Verify(keys Keys, terms Terms) (Verified, error) {
	if p.claims == nil {
		return Verified{}, errNotParsed
	}
	if err := p.jws.verify(keys); err != nil {
		return Verified{}, err
	}
	claims, err := p.readClaims(&terms)
	if err != nil {
		return Verified{}, err
	}
	return Verified{raw: p.jws.raw, digest: DigestOf(p.jws.raw), claims: claims, keyID: p.jws.keyID, kept: new(any)}, nil
}

// errNotParsed is what a Parsed or Token answers that no Parse made.
var errNotParsed error = &Fault{
	Reason: ErrMalformed,
	Wanted: "a token that was read",
	Got:    "none",
	Fix:    "Read the token first.",
}

// Verified is a SET whose signature, audience, time and form were checked, or that we signed ourselves.
type Verified struct {
	raw    []byte
	digest Digest
	claims Claims
	keyID  string
	kept   *any
}

// Raw is the compact JWS. It must not be changed.
func (v Verified) Raw() []byte { return v.raw }

// Digest is the SHA-256 of the compact JWS.
func (v Verified) Digest() Digest { return v.digest }

// Claims are the claims. What its slices hold must not be changed.
func (v Verified) Claims() Claims { return v.claims }

// KeyID is the `kid` of the key that signed.
func (v Verified) KeyID() string { return v.keyID }

// Keep notes what the event was read as, so that it is read once on its whole road. It must be called before the token is shared with
// another goroutine.
func (v Verified) Keep(read any) {
	if v.kept != nil {
		*v.kept = read
	}
}

// Kept is what Keep noted, nil if nothing.
func (v Verified) Kept() any {
	if v.kept == nil {
		return nil
	}
	return *v.kept
}

// IsZero is true for a Verified that neither Verify nor Sign made.
func (v Verified) IsZero() bool { return v.raw == nil }
