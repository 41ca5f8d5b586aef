package envelope

// Token is any other signed JWT of ours or theirs: an entity statement, a key set, a standing. It is read as strictly
// as a SET, and its claims are left to whoever asked for it.
type Token struct{ jws jws }

// The claims of RFC 7519, section 4.1, and of OpenID Federation that no token may write in another letter case.
var tokenNames = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "jwks", "keys", "metadata", "authority_hints"}

// ParseToken reads a compact JWS whose `typ` is typ, or absent if that is empty, and whose payload is a JSON object. The signature is not looked at
// yet. It keeps a copy of raw. Errors are *Fault with ErrTooLarge or ErrMalformed.
func ParseToken(raw []byte, typ string) (Token, error) {
	token, err := split(raw)
	if err != nil {
		return Token{}, err
	}
	if err := token.readHeader(typ); err != nil {
		return Token{}, err
	}
	if _, err := readObject(token.payload, "/claims", tokenNames); err != nil {
		return Token{}, err
	}
	return Token{jws: token}, nil
}

// Verify checks that `kid` names one of the keys, that `alg` fits it, and the signature: nothing else. Errors are
// *Fault with ErrKey, ErrSignature or ErrMalformed.
func (t Token) Verify(keys Keys) error {
	if t.jws.raw == nil {
		return errNotParsed
	}
	return t.jws.verify(keys)
}

// Payload is the claims, strict JSON. It must not be changed.
func (t Token) Payload() []byte { return t.jws.payload }

// KeyID is the header's `kid`, empty if there is none.
func (t Token) KeyID() string { return t.jws.keyID }

// Algorithm is the header's `alg`, whatever it says.
func (t Token) Algorithm() string { return t.jws.algorithm }

// Raw is the compact JWS. It must not be changed.
func (t Token) Raw() []byte { return t.jws.raw }

// Digest is the SHA-256 of the compact JWS.
func (t Token) Digest() Digest { return DigestOf(t.jws.raw) }
