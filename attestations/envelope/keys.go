package envelope

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
)

// MaxKeys is how many keys a set may hold.
const MaxKeys = 32

// Keys are one entity's public keys by `kid`. Every one of them passed the checks of NewKeys, so Verify need not look
// at a key again. Keys do not change once made. The zero Keys hold none, and verify nothing.
type Keys struct {
	list      []*key
	published []byte
}

// key is one public key and what it may verify.
type key struct {
	jwk        jose.JSONWebKey // public; with kid, and with use and alg as they were published
	thumbprint string
	algorithms []string // what may verify with it; none for a key to encrypt with
	prepared   *preparedEd25519
}

// NewKeys checks each key of a set and refuses the whole set if one is bad: a key without `kid` or with one that another
// key has, a private or secret one, another type than Ed25519, P-256, P-384 or RSA, a weak one, one whose `alg` or
// `use` does not fit it, one that stands there twice. A P-256 key with `use` "enc" is kept: sealed statements are
// encrypted to it (protocol.md, "Identity and keys"), and no signature verifies with it. Errors are *Fault with ErrKey.
func NewKeys(set jose.JSONWebKeySet) (Keys, error) {
	published := make([]publishedKey, len(set.Keys))
	for i, jwk := range set.Keys {
		published[i] = publishedKey{jwk: jwk}
	}
	return newKeys(published)
}

// publishedKey is a key as its owner published it. operations is `key_ops`, nil if absent.
type publishedKey struct {
	jwk        jose.JSONWebKey
	operations []string
}

func newKeys(set []publishedKey) (Keys, error) {
	if len(set) > MaxKeys {
		return Keys{}, &Fault{
			Reason:  ErrKey,
			Pointer: "/keys",
			Wanted:  fmt.Sprintf("at most %d keys", MaxKeys),
			Got:     fmt.Sprintf("%d keys", len(set)),
			Fix:     "Remove the keys that are no longer used.",
		}
	}
	keys := Keys{list: make([]*key, 0, len(set))}
	public := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(set))}
	for i, one := range set {
		pointer := "/keys/" + strconv.Itoa(i)
		checked, err := newKey(pointer, one)
		if err != nil {
			return Keys{}, err
		}
		for _, other := range keys.list {
			if other.jwk.KeyID == checked.jwk.KeyID {
				return Keys{}, badKey(pointer+"/kid", "a kid that no other key of the set has", short(checked.jwk.KeyID)+" twice",
					"Give each key a kid of its own. Its RFC 7638 thumbprint is best: "+checked.thumbprint+".")
			}
			if other.thumbprint == checked.thumbprint {
				return Keys{}, badKey(pointer, "each key once", "the same key under two kids", "Remove one of the two.")
			}
		}
		keys.list = append(keys.list, checked)
		public.Keys = append(public.Keys, checked.jwk)
	}
	var err error
	if keys.published, err = json.Marshal(public); err != nil {
		return Keys{}, fmt.Errorf("envelope: write a JWK set: %w", err)
	}
	return keys, nil
}

func badKey(pointer, wanted, got, fix string) error {
	return &Fault{Reason: ErrKey, Pointer: pointer, Wanted: wanted, Got: got, Fix: fix}
}

// The uses of a key, RFC 7517, section 4.2.
const (
	useSignature  = "sig"
	useEncryption = "enc"
)

// sealing is how a statement is encrypted to a P-256 key: protocol.md, "Federation".
const sealing = "ECDH-ES+A256KW"

func newKey(pointer string, published publishedKey) (*key, error) {
	jwk := published.jwk
	if jwk.KeyID == "" || len(jwk.KeyID) > 255 || !printable(jwk.KeyID) {
		return nil, badKey(pointer+"/kid", "a kid of 1 to 255 printable ASCII characters", short(jwk.KeyID),
			"Set kid. The RFC 7638 thumbprint of the key is best.")
	}
	fits, err := checkPublicKey(pointer, jwk.Key)
	if err != nil {
		return nil, err
	}
	use, err := intendedUse(pointer, jwk.Use, jwk.Algorithm, published.operations)
	if err != nil {
		return nil, err
	}
	if use == useEncryption {
		if fits[0] != ES256 {
			return nil, badKey(pointer+"/use", `"sig", or "enc" for a P-256 key`, `"enc"`,
				"To encrypt, publish a P-256 key. Publish this one with use sig, or not at all.")
		}
		fits = []string{sealing}
	}
	if jwk.Algorithm != "" {
		if !slices.Contains(fits, jwk.Algorithm) {
			return nil, badKey(pointer+"/alg", fmt.Sprintf("an alg that this key can be used with: %q", fits), short(jwk.Algorithm),
				"Correct alg, or leave it out.")
		}
		if jwk.Algorithm != EdDSA && jwk.Algorithm != Ed25519 { // two names of one algorithm, RFC 9864, section 2.2
			fits = []string{jwk.Algorithm}
		}
	}
	if use == useEncryption {
		fits = nil
	}
	checked := &key{
		jwk:        jose.JSONWebKey{Key: jwk.Key, KeyID: jwk.KeyID, Algorithm: jwk.Algorithm, Use: jwk.Use},
		algorithms: fits,
	}
	if published.operations != nil {
		checked.jwk.Use = use // go-jose writes no key_ops; use says the same
	}
	sum, err := checked.jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("envelope: thumbprint of a key: %w", err)
	}
	checked.thumbprint = base64.RawURLEncoding.EncodeToString(sum)
	if public, ok := jwk.Key.(ed25519.PublicKey); ok {
		if checked.prepared, err = prepareEd25519(public); err != nil {
			return nil, err
		}
	}
	return checked, nil
}

// checkPublicKey checks the key itself and names the algorithms that can verify with it.
func checkPublicKey(pointer string, public any) ([]string, error) {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return []string{EdDSA, Ed25519}, checkEd25519(pointer, k)
	case *ecdsa.PublicKey:
		return checkECDSA(pointer, k)
	case *rsa.PublicKey:
		return []string{PS256, RS256}, checkRSA(pointer, k)
	case ed25519.PrivateKey, *ecdsa.PrivateKey, *rsa.PrivateKey, []byte:
		return nil, secretKey(pointer)
	}
	return nil, badKey(pointer, "a public key: Ed25519, P-256, P-384 or RSA", "another kind of key", "Make an Ed25519 key.")
}

func secretKey(pointer string) error {
	return badKey(pointer, "a public key", "a private or secret key",
		"Send the public key alone. This key is not secret any more: make a new one and never use this one again.")
}

// intendedUse reads `use`, `alg` and `key_ops` together, RFC 7517, sections 4.2 to 4.4. They must not contradict.
func intendedUse(pointer, use, algorithm string, operations []string) (string, error) {
	switch {
	case use != "" && use != useSignature && use != useEncryption:
		return "", badKey(pointer+"/use", `"sig" or "enc"`, short(use), "Set use to sig for a key that signs.")
	case use == "" && (algorithm == sealing || slices.Contains(operations, "deriveKey") || slices.Contains(operations, "deriveBits")):
		use = useEncryption
	case use == "":
		use = useSignature
	}
	if operations == nil {
		return use, nil
	}
	allowed, needed := []string{"verify", "sign"}, "verify"
	if use == useEncryption {
		allowed, needed = []string{"deriveKey", "deriveBits", "wrapKey", "encrypt"}, ""
	}
	for i, operation := range operations {
		if !slices.Contains(allowed, operation) || slices.Contains(operations[:i], operation) {
			return "", badKey(pointer+"/key_ops", fmt.Sprintf("only operations of a key with use %s, each once", use), short(operation),
				`Set key_ops to ["verify"] for a key that signs, or leave it out.`)
		}
	}
	if needed != "" && !slices.Contains(operations, needed) {
		return "", badKey(pointer+"/key_ops", `the operation "verify"`, fmt.Sprintf("%d others", len(operations)),
			`Set key_ops to ["verify"] for a key that signs, or leave it out.`)
	}
	return use, nil
}

// find returns the key of that id, or nil.
func (k Keys) find(keyID string) *key {
	for _, one := range k.list {
		if one.jwk.KeyID == keyID {
			return one
		}
	}
	return nil
}

// IDs are the keys' `kid`, in the set's order.
func (k Keys) IDs() []string {
	ids := make([]string, len(k.list))
	for i, one := range k.list {
		ids[i] = one.jwk.KeyID
	}
	return ids
}

// Thumbprints are the keys' RFC 7638 SHA-256 thumbprints in base64url, in the set's order. They name a key whatever
// its `kid` is: by them one finds a key that somebody else enrolled before.
func (k Keys) Thumbprints() []string {
	thumbprints := make([]string, len(k.list))
	for i, one := range k.list {
		thumbprints[i] = one.thumbprint
	}
	return thumbprints
}

// Len is how many keys there are.
func (k Keys) Len() int { return len(k.list) }

// Marshal writes the set as a JWK Set. ParseKeys reads the same keys from it.
func (k Keys) Marshal() []byte {
	if k.list == nil {
		return []byte(`{"keys":[]}`)
	}
	return slices.Clone(k.published)
}
