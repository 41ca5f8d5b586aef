package envelope

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxKeySet is the size of the largest JWK Set, in bytes: what the guarded client reads (protocol.md, "Federation").
const maxKeySet = 64 << 10

// The members of a JWK that mean something here, RFC 7517, section 4, RFC 7518, section 6, RFC 8037, section 2.
const (
	memberType = iota
	memberKeyID
	memberUse
	memberOperations
	memberAlgorithm
	memberCurve
	memberX
	memberY
	memberN
	memberE
	firstSecretMember
)

var keyNames = []string{"kty", "kid", "use", "key_ops", "alg", "crv", "x", "y", "n", "e",
	"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

// ParseKeys reads a JWK Set as strictly as a token, then checks it as NewKeys does, and `key_ops` besides. At least
// one key must be able to sign. Members that are not known, and certificates, are passed over. Errors are *Fault with
// ErrTooLarge, ErrMalformed or ErrKey.
func ParseKeys(jwks []byte) (Keys, error) {
	if len(jwks) > maxKeySet {
		return Keys{}, &Fault{
			Reason:  ErrTooLarge,
			Pointer: "/keys",
			Wanted:  fmt.Sprintf("a JWK set of at most %d bytes", maxKeySet),
			Got:     fmt.Sprintf("%d bytes", len(jwks)),
			Fix:     "Leave certificates and old keys out.",
		}
	}
	set, err := readObject(jwks, "", []string{"keys"})
	if err != nil {
		return Keys{}, err
	}
	if set.values[0].Kind() != '[' {
		return Keys{}, &Fault{
			Reason:  ErrMalformed,
			Pointer: "/keys",
			Wanted:  "an array of keys",
			Got:     kindOf(set.values[0]),
			Fix:     `Send a JWK set: {"keys": [...]}.`,
		}
	}
	var values []jsontext.Value
	if err := json.Unmarshal(set.values[0], &values); err != nil {
		return Keys{}, notStrictJSON("/keys", err)
	}
	if len(values) > MaxKeys { // before the work that each key costs
		return newKeys(make([]publishedKey, len(values)))
	}
	published := make([]publishedKey, len(values))
	for i, value := range values {
		if published[i], err = readKey("/keys/"+strconv.Itoa(i), value); err != nil {
			return Keys{}, err
		}
	}
	keys, err := newKeys(published)
	if err != nil {
		return Keys{}, err
	}
	if !slices.ContainsFunc(keys.list, func(k *key) bool { return k.algorithms != nil }) {
		return Keys{}, badKey("/keys", "at least one key that signs", "none", "Add your Ed25519 public key with use sig.")
	}
	return keys, nil
}

// readKey reads one JWK strictly, and lets the JOSE library make the key of those members that a public key is made of.
func readKey(pointer string, data []byte) (publishedKey, error) {
	members, err := readObject(data, pointer, keyNames)
	if err != nil {
		return publishedKey{}, err
	}
	values := &members.values
	for i := firstSecretMember; i < len(keyNames); i++ {
		if values[i] != nil {
			return publishedKey{}, secretKey(pointer)
		}
	}
	var text [firstSecretMember]string
	for i := range text {
		if values[i] == nil || i == memberOperations {
			continue
		}
		if text[i], err = readText(values[i], pointer+"/"+keyNames[i], "a string"); err != nil {
			return publishedKey{}, err
		}
	}
	needed, err := neededMembers(pointer, text[memberType], text[memberCurve])
	if err != nil {
		return publishedKey{}, err
	}
	public := make(map[string]string)
	for _, i := range []int{memberType, memberKeyID, memberUse, memberAlgorithm, memberCurve} {
		if text[i] != "" {
			public[keyNames[i]] = text[i]
		}
	}
	for _, i := range needed {
		if !wholeNumber(text[i], i == memberN || i == memberE) {
			return publishedKey{}, badKey(pointer+"/"+keyNames[i], "base64url without padding, unused bits or needless zero bytes in front", kindOf(values[i])+" that is not",
				"Let a JOSE library write the key.")
		}
		public[keyNames[i]] = text[i]
	}
	if bits := base64url.DecodedLen(len(public[keyNames[memberN]])) * 8; bits > maxRSA { // the JOSE library would not say why
		return publishedKey{}, wrongSize(pointer, bits)
	}
	reduced, err := json.Marshal(public)
	if err != nil {
		return publishedKey{}, fmt.Errorf("envelope: write a JWK: %w", err)
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(reduced); err != nil {
		return publishedKey{}, badKey(pointer, "a public key of its kty and crv", "numbers that are not one: too short, too long, or not on the curve",
			"Make a new key pair, and let a JOSE library write the public key.")
	}
	operations, err := readOperations(pointer+"/key_ops", values[memberOperations])
	if err != nil {
		return publishedKey{}, err
	}
	return publishedKey{jwk: jwk, operations: operations}, nil
}

// neededMembers names what a public key of this type is made of.
func neededMembers(pointer, keyType, curve string) ([]int, error) {
	switch {
	case keyType == "OKP" && curve == "Ed25519":
		return []int{memberX}, nil
	case keyType == "EC" && (curve == "P-256" || curve == "P-384"):
		return []int{memberX, memberY}, nil
	case keyType == "RSA":
		return []int{memberN, memberE}, nil
	case keyType == "oct":
		return nil, secretKey(pointer)
	}
	got := "kty " + short(keyType)
	if curve != "" {
		got += " with crv " + short(curve)
	}
	return nil, badKey(pointer, "kty OKP with crv Ed25519, kty EC with crv P-256 or P-384, or kty RSA", got, "Make an Ed25519 key.")
}

// wholeNumber says whether text is the one base64url text of some bytes; of an integer, RFC 7518, section 2, the first
// byte is not zero, or the key would have two thumbprints.
func wholeNumber(text string, integer bool) bool {
	decoded := make([]byte, base64url.DecodedLen(len(text)))
	n, ok := decodePart(decoded, []byte(text))
	return ok && n > 0 && (!integer || decoded[0] != 0)
}

// readOperations reads `key_ops`; nil if it is absent.
func readOperations(pointer string, value jsontext.Value) ([]string, error) {
	if value == nil {
		return nil, nil
	}
	if value.Kind() != '[' {
		return nil, &Fault{
			Reason:  ErrMalformed,
			Pointer: pointer,
			Wanted:  "an array of strings",
			Got:     kindOf(value),
			Fix:     `Set key_ops to ["verify"], or leave it out.`,
		}
	}
	operations := texts{pointer: pointer, list: []string{}}
	if err := json.Unmarshal(value, &operations); err != nil {
		return nil, notStrictJSON(pointer, err)
	}
	return operations.list, nil
}
