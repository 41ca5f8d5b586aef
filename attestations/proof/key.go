package proof

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// algorithm is the signature type Ed25519 of C2SP signed-note.
const algorithm = 0x01

var errLogKey = errors.New("the log key cannot be used")

// NewLogSigner makes the log's signer of an Ed25519 private key. The origin is the log's name, a URL without its scheme;
// it may hold neither spaces nor plus signs (C2SP signed-note, "Format").
func NewLogSigner(origin string, key ed25519.PrivateKey) (note.Signer, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%w: %d bytes, an Ed25519 private key has %d", errLogKey, len(key), ed25519.PrivateKeySize)
	}
	vkey := Vkey(origin, key.Public().(ed25519.PublicKey))
	name, hash, _ := strings.Cut(vkey, "+")
	hash, _, _ = strings.Cut(hash, "+")
	seed := base64.StdEncoding.EncodeToString(append([]byte{algorithm}, key.Seed()...))
	signer, err := note.NewSigner("PRIVATE+KEY+" + name + "+" + hash + "+" + seed)
	if err != nil {
		return nil, fmt.Errorf("%w: %q is no name for a log, a URL without scheme, spaces and plus signs is", errLogKey, origin)
	}
	return signer, nil
}

// Vkey returns the verifier key that note.NewVerifier reads: the origin, a plus sign, eight hexadecimal digits of the
// key's hash, a plus sign, the base64 of 0x01 and the public key. Origin and key must be such as NewLogSigner takes;
// the result is empty for a key of another length.
func Vkey(origin string, public ed25519.PublicKey) string {
	vkey, err := note.NewEd25519VerifierKey(origin, public)
	if err != nil {
		return ""
	}
	return vkey
}
