package envelope

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"
)

// The signature algorithms, RFC 7518, section 3.1, RFC 8037, section 3.1. EdDSA and Ed25519 are two names of one
// (RFC 9864). Nothing else verifies.
const (
	EdDSA   = "EdDSA"
	Ed25519 = "Ed25519"
	ES256   = "ES256"
	ES384   = "ES384"
	PS256   = "PS256"
	RS256   = "RS256"
)

var algorithms = []string{EdDSA, Ed25519, ES256, ES384, PS256, RS256}

// knownAlgorithm names the algorithm of a plain JSON string without making a string of it; empty if it is none of ours.
func knownAlgorithm(value jsontext.Value) string {
	if value.Kind() != '"' {
		return ""
	}
	for _, name := range algorithms {
		if string(value[1:len(value)-1]) == name {
			return name
		}
	}
	return ""
}

// verify finds the key, then checks the signature. Until the key is found and its algorithm fits, the signature is not
// looked at. Nothing in the header but alg and kid has a say (RFC 8725, sections 3.1 and 3.10).
func (j *jws) verify(keys Keys) error {
	if !slices.Contains(algorithms, j.algorithm) {
		return badKey("/header/alg", fmt.Sprintf("one of %q", algorithms), short(j.algorithm),
			"Sign with the private key of a pair that you enrolled, and name its algorithm in alg.")
	}
	if j.keyID == "" {
		return badKey("/header/kid", "the kid of a key that the issuer has enrolled", "none",
			"Set kid in the header to the kid under which you enrolled the key that signs.")
	}
	found := keys.find(j.keyID)
	if found == nil {
		return badKey("/header/kid", "the kid of a key that the issuer has enrolled", short(j.keyID),
			"Check that iss and kid belong together, and that the key is enrolled and not revoked.")
	}
	if found.algorithms == nil {
		return badKey("/header/kid", "the kid of a key that signs", short(j.keyID)+", a key to encrypt with",
			"Sign with the key that you enrolled with use sig.")
	}
	if !slices.Contains(found.algorithms, j.algorithm) {
		return badKey("/header/alg", fmt.Sprintf("an algorithm of this key: %q", found.algorithms), short(j.algorithm),
			"Set alg to the algorithm of the key that kid names, or kid to the key that signed.")
	}
	if len(j.signature) == 0 {
		return badSignature("an empty third part", "Sign the token.")
	}
	if found.prepared != nil {
		// The hot path. It gives the same verdict as go-jose, which has no other Ed25519 and does not know its new name.
		if !found.prepared.verify(j.signed, j.signature) {
			return wrongSignature()
		}
		return nil
	}
	parsed, err := j.reread()
	if err != nil {
		return err
	}
	payload, err := parsed.Verify(found.verifier(j.algorithm))
	if err != nil || !bytes.Equal(payload, j.payload) {
		return wrongSignature()
	}
	return nil
}

func badSignature(got, fix string) error {
	return &Fault{
		Reason:  ErrSignature,
		Pointer: "/signature",
		Wanted:  "a signature that verifies with the key that kid names",
		Got:     got,
		Fix:     fix,
	}
}

func wrongSignature() error {
	return badSignature("one that does not",
		"Check that this key pair signed, and that nothing changed the token afterwards. The signature is over the first two parts and the dot between them.")
}

// reread lets the JOSE library read the token after us.
func (j *jws) reread() (*jose.JSONWebSignature, error) {
	parsed, err := jose.ParseSignedCompact(string(j.raw), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(j.algorithm)})
	if err != nil {
		// The library's text can repeat what the header says, so it stays here.
		return nil, &Fault{
			Reason:  ErrMalformed,
			Pointer: "/header",
			Wanted:  "header parameters in the form that RFC 7515 gives them",
			Got:     "a parameter that a JOSE library cannot read, such as a jwk that is not a public key or an x5c that is not a certificate",
			Fix:     "Leave everything but alg, kid and typ out of the header. Nothing else is used.",
		}
	}
	return parsed, nil
}

// verifier is what the JOSE library verifies with.
func (k *key) verifier(algorithm string) any {
	if public, ok := k.jwk.Key.(*rsa.PublicKey); ok && algorithm == PS256 {
		return saltedVerifier{public}
	}
	return k.jwk.Key
}

// saltedVerifier asks for a salt as long as the hash, RFC 7518, section 3.5. The JOSE library takes any length.
type saltedVerifier struct{ public *rsa.PublicKey }

// VerifyPayload makes it a jose.OpaqueVerifier.
func (v saltedVerifier) VerifyPayload(payload, signature []byte, algorithm jose.SignatureAlgorithm) error {
	if algorithm != jose.PS256 {
		return jose.ErrUnsupportedAlgorithm
	}
	sum := sha256.Sum256(payload)
	if err := rsa.VerifyPSS(v.public, crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}); err != nil {
		return fmt.Errorf("verify PS256: %w", err)
	}
	return nil
}
