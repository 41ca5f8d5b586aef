package envelope

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"filippo.io/edwards25519"
	"github.com/go-jose/go-jose/v4"
)

// lowOrder are all encodings of the eight points of low order, the non-canonical among them, after "Taming the many
// EdDSAs", table 6.
var lowOrder = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

func point(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestKeysRefuseEd25519PointsThatLetASignerDenyWhatItSigned(t *testing.T) {
	refused := func(t *testing.T, public []byte) {
		t.Helper()
		_, err := NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: ed25519.PublicKey(public), KeyID: "k"}}})
		faultOf(t, err, ErrKey)
		_, err = ParseKeys(fmt.Appendf(nil, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":%q}]}`, base64.RawURLEncoding.EncodeToString(public)))
		faultOf(t, err, ErrKey)
	}
	for _, text := range lowOrder {
		t.Run("low order "+text, func(t *testing.T) { refused(t, point(t, text)) })
	}
	sound := keyRing().ed25519.private.Public().(ed25519.PublicKey)
	for _, text := range lowOrder[1:8] {
		t.Run("mixed order "+text, func(t *testing.T) {
			p, err := new(edwards25519.Point).SetBytes(sound)
			if err != nil {
				t.Fatal(err)
			}
			torsion, err := new(edwards25519.Point).SetBytes(point(t, text))
			if err != nil {
				t.Fatal(err)
			}
			refused(t, p.Add(p, torsion).Bytes())
		})
	}
	for _, text := range []string{
		"0200000000000000000000000000000000000000000000000000000000000000", // not on the curve
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p+3, not canonical
	} {
		t.Run("no point "+text, func(t *testing.T) { refused(t, point(t, text)) })
	}
	t.Run("31 bytes", func(t *testing.T) { refused(t, sound[:31]) })
	t.Run("33 bytes", func(t *testing.T) { refused(t, append(bytes.Clone(sound), 0)) })
}

func TestKeysTakeEveryEd25519KeyThatALibraryMakes(t *testing.T) {
	for range 50 {
		public, _, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "k"}}}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNewKeysRefuses(t *testing.T) {
	r := keyRing()
	sound := r.rsa.private.Public().(*rsa.PublicKey)
	one := func(key any) []jose.JSONWebKey { return []jose.JSONWebKey{{Key: key, KeyID: "k"}} }
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// The library reads no such point, so it is made by hand.
	offTheCurve := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)} //nolint:staticcheck // deprecated because it can do this
	modulus := func(n *big.Int) *rsa.PublicKey { return &rsa.PublicKey{N: n, E: 65537} }
	power := func(bits uint) *big.Int { return new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1) }

	for name, test := range map[string]struct {
		keys    []jose.JSONWebKey
		pointer string
	}{
		"a key without kid":          {[]jose.JSONWebKey{{Key: r.ed25519.private.Public()}}, "/keys/0/kid"},
		"a kid of 256 characters":    {[]jose.JSONWebKey{{Key: r.ed25519.private.Public(), KeyID: strings.Repeat("k", 256)}}, "/keys/0/kid"},
		"a kid with a line break":    {[]jose.JSONWebKey{{Key: r.ed25519.private.Public(), KeyID: "a\nb"}}, "/keys/0/kid"},
		"one kid for two keys":       {append(one(r.ed25519.private.Public()), one(r.p256.private.Public())...), "/keys/1/kid"},
		"one key under two kids":     {append(one(r.ed25519.private.Public()), jose.JSONWebKey{Key: r.ed25519.private.Public(), KeyID: "l"}), "/keys/1"},
		"a private Ed25519 key":      {one(r.ed25519.private), "/keys/0"},
		"a private EC key":           {one(r.p256.private), "/keys/0"},
		"a private RSA key":          {one(r.rsa.private), "/keys/0"},
		"a secret":                   {one([]byte("0123456789abcdef0123456789abcdef")), "/keys/0"},
		"no key":                     {one(nil), "/keys/0"},
		"a P-521 key":                {one(&p521.PublicKey), "/keys/0/crv"},
		"a point off the curve":      {one(offTheCurve), "/keys/0"},
		"an EC key without a point":  {one(&ecdsa.PublicKey{Curve: elliptic.P256()}), "/keys/0"},
		"an EC key without curve":    {one(&ecdsa.PublicKey{}), "/keys/0"},
		"no EC key":                  {one((*ecdsa.PublicKey)(nil)), "/keys/0"},
		"no RSA key":                 {one((*rsa.PublicKey)(nil)), "/keys/0/n"},
		"RSA of 2047 bits":           {one(modulus(power(2047))), "/keys/0/n"},
		"RSA of 1024 bits":           {one(modulus(power(1024))), "/keys/0/n"},
		"RSA of 4097 bits":           {one(modulus(power(4097))), "/keys/0/n"},
		"RSA without modulus":        {one(&rsa.PublicKey{E: 65537}), "/keys/0/n"},
		"RSA with a negative one":    {one(modulus(new(big.Int).Neg(sound.N))), "/keys/0/n"},
		"RSA with exponent 3":        {one(&rsa.PublicKey{N: sound.N, E: 3}), "/keys/0/e"},
		"RSA with exponent 1":        {one(&rsa.PublicKey{N: sound.N, E: 1}), "/keys/0/e"},
		"RSA with an even exponent":  {one(&rsa.PublicKey{N: sound.N, E: 65538}), "/keys/0/e"},
		"RSA with a huge exponent":   {one(&rsa.PublicKey{N: sound.N, E: 1<<31 + 1}), "/keys/0/e"},
		"RSA with an even modulus":   {one(modulus(new(big.Int).Add(sound.N, big.NewInt(1)))), "/keys/0/n"},
		"RSA divisible by 3":         {one(modulus(new(big.Int).Mul(new(big.Int).SetBit(power(2047), 0, 1), big.NewInt(3)))), "/keys/0/n"},
		"use of another kind":        {[]jose.JSONWebKey{{Key: r.ed25519.private.Public(), KeyID: "k", Use: "tls"}}, "/keys/0/use"},
		"an Ed25519 key to encrypt":  {[]jose.JSONWebKey{{Key: r.ed25519.private.Public(), KeyID: "k", Use: "enc"}}, "/keys/0/use"},
		"an RSA key to encrypt":      {[]jose.JSONWebKey{{Key: sound, KeyID: "k", Use: "enc"}}, "/keys/0/use"},
		"a P-384 key to encrypt":     {[]jose.JSONWebKey{{Key: r.p384.private.Public(), KeyID: "k", Use: "enc"}}, "/keys/0/use"},
		"alg of another curve":       {[]jose.JSONWebKey{{Key: r.p384.private.Public(), KeyID: "k", Algorithm: "ES256"}}, "/keys/0/alg"},
		"alg of another type":        {[]jose.JSONWebKey{{Key: r.p256.private.Public(), KeyID: "k", Algorithm: "EdDSA"}}, "/keys/0/alg"},
		"alg HS256 on an RSA key":    {[]jose.JSONWebKey{{Key: sound, KeyID: "k", Algorithm: "HS256"}}, "/keys/0/alg"},
		"alg RS512":                  {[]jose.JSONWebKey{{Key: sound, KeyID: "k", Algorithm: "RS512"}}, "/keys/0/alg"},
		"alg none":                   {[]jose.JSONWebKey{{Key: sound, KeyID: "k", Algorithm: "none"}}, "/keys/0/alg"},
		"use enc with alg to sign":   {[]jose.JSONWebKey{{Key: r.p256.private.Public(), KeyID: "k", Use: "enc", Algorithm: "ES256"}}, "/keys/0/alg"},
		"use sig with alg to seal":   {[]jose.JSONWebKey{{Key: r.p256.private.Public(), KeyID: "k", Use: "sig", Algorithm: "ECDH-ES+A256KW"}}, "/keys/0/alg"},
		"more keys than anyone uses": {slices.Repeat(one(r.ed25519.private.Public()), MaxKeys+1), "/keys"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewKeys(jose.JSONWebKeySet{Keys: test.keys})
			if fault := faultOf(t, err, ErrKey); fault.Pointer != test.pointer {
				t.Errorf("got pointer %q, want %q: %v", fault.Pointer, test.pointer, err)
			}
		})
	}
}

func TestAlgOfAKeyBindsItsSignatures(t *testing.T) {
	r := keyRing()
	keys, err := NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: r.rsa.private.Public(), KeyID: "rsa", Algorithm: "PS256"},
		{Key: r.ed25519.private.Public(), KeyID: "ed", Algorithm: "EdDSA", Use: "sig"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, want := range map[string]error{PS256: nil, RS256: ErrKey, EdDSA: nil, Ed25519: nil} {
		t.Run(algorithm, func(t *testing.T) {
			_, err := verdict(forge(t, headerFor(algorithm), goodClaims(""), algorithm), keys, ourTerms())
			if want == nil && err != nil {
				t.Error(err)
			}
			if want != nil {
				faultOf(t, err, want)
			}
		})
	}
}

const (
	edX  = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" // RFC 8037, appendix A.2
	edD  = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
	ecXY = `"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"` // RFC 7515, appendix A.3
)

func TestParseKeysRefuses(t *testing.T) {
	set := func(keys string) string { return `{"keys":[` + keys + `]}` }
	ed := func(extra string) string {
		return set(`{"kty":"OKP","crv":"Ed25519","kid":"k","x":"` + edX + `"` + extra + `}`)
	}
	ec := func(extra string) string { return set(`{"kty":"EC","crv":"P-256","kid":"k",` + ecXY + extra + `}`) }
	n := base64.RawURLEncoding.EncodeToString(keyRing().rsa.private.Public().(*rsa.PublicKey).N.Bytes())
	zero := base64.RawURLEncoding.EncodeToString(append([]byte{0}, keyRing().rsa.private.Public().(*rsa.PublicKey).N.Bytes()...))

	for name, test := range map[string]struct {
		jwks    string
		reason  error
		pointer string
	}{
		"nothing":                         {``, ErrMalformed, ""},
		"an array":                        {`[]`, ErrMalformed, ""},
		"no keys":                         {`{}`, ErrMalformed, "/keys"},
		"Keys in another case":            {`{"Keys":[]}`, ErrMalformed, "/keys"},
		"keys an object":                  {`{"keys":{}}`, ErrMalformed, "/keys"},
		"keys twice":                      {`{"keys":[],"keys":[]}`, ErrMalformed, "/keys"},
		"data behind":                     {ed("") + "x", ErrMalformed, ""},
		"a set of no key":                 {set(``), ErrKey, "/keys"},
		"a set of encryption keys alone":  {ec(`,"use":"enc"`), ErrKey, "/keys"},
		"a set over its limit":            {`{"x":"` + strings.Repeat("a", maxKeySet) + `"}`, ErrTooLarge, "/keys"},
		"33 keys":                         {set(strings.TrimSuffix(strings.Repeat("1,", 33), ",")), ErrKey, "/keys"},
		"a key that is a string":          {set(`"k"`), ErrMalformed, "/keys/0"},
		"a member twice":                  {ed(`,"kid":"l"`), ErrMalformed, "/keys/0/kid"},
		"Kty in another case":             {ed(`,"Kty":"oct"`), ErrMalformed, "/keys/0/kty"},
		"D in another case":               {ed(`,"D":"x"`), ErrMalformed, "/keys/0/d"},
		"no kty":                          {set(`{"crv":"Ed25519","kid":"k","x":"` + edX + `"}`), ErrKey, "/keys/0"},
		"kty a number":                    {set(`{"kty":1}`), ErrMalformed, "/keys/0/kty"},
		"an unknown kty":                  {set(`{"kty":"AKP","kid":"k","alg":"ML-DSA-44","pub":"AA"}`), ErrKey, "/keys/0"},
		"kid null":                        {set(`{"kty":"OKP","crv":"Ed25519","kid":null,"x":"` + edX + `"}`), ErrMalformed, "/keys/0/kid"},
		"no kid":                          {set(`{"kty":"OKP","crv":"Ed25519","x":"` + edX + `"}`), ErrKey, "/keys/0/kid"},
		"X25519":                          {set(`{"kty":"OKP","crv":"X25519","kid":"k","x":"` + edX + `"}`), ErrKey, "/keys/0"},
		"Ed448":                           {set(`{"kty":"OKP","crv":"Ed448","kid":"k","x":"` + edX + `"}`), ErrKey, "/keys/0"},
		"secp256k1":                       {set(`{"kty":"EC","crv":"secp256k1","kid":"k",` + ecXY + `}`), ErrKey, "/keys/0"},
		"P-521":                           {set(`{"kty":"EC","crv":"P-521","kid":"k",` + ecXY + `}`), ErrKey, "/keys/0"},
		"EC with the other curve's point": {set(`{"kty":"EC","crv":"P-384","kid":"k",` + ecXY + `}`), ErrKey, "/keys/0"},
		"EC without y":                    {set(`{"kty":"EC","crv":"P-256","kid":"k","x":"` + edX + `"}`), ErrKey, "/keys/0/y"},
		"EC with a point off the curve":   {set(`{"kty":"EC","crv":"P-256","kid":"k","x":"` + edX + `","y":"` + edX + `"}`), ErrKey, "/keys/0"},
		"x missing":                       {set(`{"kty":"OKP","crv":"Ed25519","kid":"k"}`), ErrKey, "/keys/0/x"},
		"x with padding":                  {set(`{"kty":"OKP","crv":"Ed25519","kid":"k","x":"` + edX + `="}`), ErrKey, "/keys/0/x"},
		"x with a line break":             {set(`{"kty":"OKP","crv":"Ed25519","kid":"k","x":"` + edX + `\n"}`), ErrKey, "/keys/0/x"},
		"x with unused bits":              {set(`{"kty":"OKP","crv":"Ed25519","kid":"k","x":"` + edX[:42] + `p"}`), ErrKey, "/keys/0/x"},
		"x too short":                     {set(`{"kty":"OKP","crv":"Ed25519","kid":"k","x":"AAAA"}`), ErrKey, "/keys/0"},
		"x too long":                      {set(`{"kty":"OKP","crv":"Ed25519","kid":"k","x":"` + edX[:40] + edX[:40] + `"}`), ErrKey, "/keys/0"},
		"a private Ed25519 key":           {ed(`,"d":"` + edD + `"`), ErrKey, "/keys/0"},
		"a private member of any kind":    {ed(`,"qi":null`), ErrKey, "/keys/0"},
		"a secret":                        {set(`{"kty":"oct","kid":"k","k":"` + edD + `"}`), ErrKey, "/keys/0"},
		"kty oct without k":               {set(`{"kty":"oct","kid":"k"}`), ErrKey, "/keys/0"},
		"RSA with a zero byte in front":   {set(`{"kty":"RSA","kid":"k","e":"AQAB","n":"` + zero + `"}`), ErrKey, "/keys/0/n"},
		"RSA of 8192 bits":                {set(`{"kty":"RSA","kid":"k","e":"AQAB","n":"` + strings.Repeat("__-_", 341) + `_w"}`), ErrKey, "/keys/0/n"},
		"RSA with exponent 3":             {set(`{"kty":"RSA","kid":"k","e":"Aw","n":"` + n + `"}`), ErrKey, "/keys/0/e"},
		"RSA without e":                   {set(`{"kty":"RSA","kid":"k","n":"` + n + `"}`), ErrKey, "/keys/0/e"},
		"RSA with e of nine bytes":        {set(`{"kty":"RSA","kid":"k","e":"AQAAAAAAAAAB","n":"` + n + `"}`), ErrKey, "/keys/0"},
		"key_ops a string":                {ed(`,"key_ops":"verify"`), ErrMalformed, "/keys/0/key_ops"},
		"key_ops with a number":           {ed(`,"key_ops":["verify",1]`), ErrMalformed, "/keys/0/key_ops/1"},
		"key_ops empty":                   {ed(`,"key_ops":[]`), ErrKey, "/keys/0/key_ops"},
		"key_ops without verify":          {ed(`,"key_ops":["sign"]`), ErrKey, "/keys/0/key_ops"},
		"key_ops to encrypt":              {ec(`,"key_ops":["encrypt"]`), ErrKey, "/keys/0/key_ops"},
		"key_ops for both":                {ec(`,"key_ops":["verify","deriveKey"]`), ErrKey, "/keys/0/key_ops"},
		"key_ops twice":                   {ed(`,"key_ops":["verify","verify"]`), ErrKey, "/keys/0/key_ops"},
		"key_ops against use":             {ec(`,"use":"enc","key_ops":["verify"]`), ErrKey, "/keys/0/key_ops"},
		"use and alg against each other":  {ec(`,"use":"enc","alg":"ES256"`), ErrKey, "/keys/0/alg"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseKeys([]byte(test.jwks))
			fault := faultOf(t, err, test.reason)
			if fault.Pointer != test.pointer {
				t.Errorf("got pointer %q, want %q: %v", fault.Pointer, test.pointer, err)
			}
			if strings.Contains(err.Error(), edD) {
				t.Errorf("the fault repeats a private key: %v", err)
			}
		})
	}
}

func TestParseKeysReadsWhatMarshalWrites(t *testing.T) {
	keys := ourKeys(t)
	again, err := ParseKeys(keys.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if keys.Len() != 5 || !slices.Equal(again.IDs(), keys.IDs()) || !slices.Equal(again.Thumbprints(), keys.Thumbprints()) ||
		!bytes.Equal(again.Marshal(), keys.Marshal()) || !slices.Equal(keys.IDs(), []string{"ed", "p256", "p384", "rsa", "sealing"}) {
		t.Errorf("got %s, want %s", again.Marshal(), keys.Marshal())
	}
	clear(keys.Marshal())
	if keys.Marshal()[0] == 0 {
		t.Error("the keys change when a caller changes what Marshal gave")
	}
	if empty, err := NewKeys(jose.JSONWebKeySet{}); err != nil || string(empty.Marshal()) != `{"keys":[]}` || string((Keys{}).Marshal()) != `{"keys":[]}` {
		t.Errorf("an empty set is %s, %v", empty.Marshal(), err)
	}
}

func TestParseKeysPassesOverWhatItNeedNotKnow(t *testing.T) {
	keys, err := ParseKeys([]byte(`{"issuer":"x","keys":[
		{"kty":"OKP","crv":"Ed25519","kid":"k","x":"` + edX + `","key_ops":["verify"],"alg":"Ed25519","x5c":["not a certificate"],"exp":1,"n":"AA"},
		{"kty":"EC","crv":"P-256","kid":"s","key_ops":[],"use":"enc","alg":"ECDH-ES+A256KW",` + ecXY + `}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := keys.Thumbprints()[0]; got != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" { // RFC 8037, appendix A.3
		t.Errorf("got thumbprint %s", got)
	}
	want := `{"keys":[{"use":"sig","kty":"OKP","kid":"k","crv":"Ed25519","alg":"Ed25519","x":"` + edX + `"},` +
		`{"use":"enc","kty":"EC","kid":"s","crv":"P-256","alg":"ECDH-ES+A256KW",` + ecXY + `}]}`
	if string(keys.Marshal()) != want {
		t.Errorf("got  %s\nwant %s", keys.Marshal(), want)
	}
	if keys.find("s").algorithms != nil {
		t.Error("a key to encrypt with verifies signatures")
	}
}
