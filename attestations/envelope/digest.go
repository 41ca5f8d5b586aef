package envelope

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// Digest is the SHA-256 of a compact JWS: the name of a statement in the log, in receipts and in URLs.
type Digest [sha256.Size]byte

// DigestOf returns the digest of a compact JWS.
func DigestOf(raw []byte) Digest { return sha256.Sum256(raw) }

// String returns the digest in base64url without padding, 43 characters.
func (d Digest) String() string { return base64.RawURLEncoding.EncodeToString(d[:]) }

// ParseDigest reads what String wrote, and nothing else.
func ParseDigest(s string) (Digest, error) {
	sum, err := parseSum(s)
	if err != nil {
		return Digest{}, fmt.Errorf("envelope: read a digest: %w", err)
	}
	return Digest(sum), nil
}

// parseSum reads the base64url form of 32 bytes. Strict refuses unused bits, the length refuses line breaks, which
// encoding/base64 would pass over.
func parseSum(s string) (sum [sha256.Size]byte, err error) {
	if len(s) != base64.RawURLEncoding.EncodedLen(len(sum)) {
		return sum, fmt.Errorf("wanted 43 characters of base64url, got %d", len(s))
	}
	n, err := base64.RawURLEncoding.Strict().Decode(sum[:], []byte(s))
	if err != nil || n != len(sum) {
		return [sha256.Size]byte{}, fmt.Errorf("wanted 43 characters of base64url without padding or line breaks")
	}
	return sum, nil
}
