package envelope

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	reseller = "https://reseller.example"
	gateway  = "https://gateway.example/e/provider"
	setType  = SETType
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ourTerms() Terms {
	return Terms{Audience: gateway, Now: noon, MaxAge: 30 * 24 * time.Hour, MaxAhead: time.Minute}
}

// pair is a key pair of the tests' reseller.
type pair struct {
	kid     string
	private crypto.Signer
}

// ring is one pair for each kind of key; its kids say which.
type ring struct {
	ed25519, p256, p384, rsa pair
	sealing                  *ecdsa.PublicKey
}

// keyRing makes the pairs once: an RSA pair takes a while.
var keyRing = sync.OnceValue(func() ring {
	seed := sha256.Sum256([]byte("the tests' reseller"))
	p256, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err2 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	modulus, err3 := rsa.GenerateKey(rand.Reader, 2048)
	sealing, err4 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		panic(err)
	}
	return ring{
		ed25519: pair{"ed", ed25519.NewKeyFromSeed(seed[:])},
		p256:    pair{"p256", p256},
		p384:    pair{"p384", p384},
		rsa:     pair{"rsa", modulus},
		sealing: &sealing.PublicKey,
	}
})

func (r ring) set() jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{}
	for _, one := range []pair{r.ed25519, r.p256, r.p384, r.rsa} {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: one.private.Public(), KeyID: one.kid})
	}
	set.Keys = append(set.Keys, jose.JSONWebKey{Key: r.sealing, KeyID: "sealing", Use: "enc"})
	return set
}

func ourKeys(t testing.TB) Keys {
	t.Helper()
	keys, err := NewKeys(keyRing().set())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// encode joins parts as a compact JWS.
func encode(parts ...string) string {
	for i, part := range parts {
		parts[i] = base64.RawURLEncoding.EncodeToString([]byte(part))
	}
	return strings.Join(parts, ".")
}

// forge signs any header and payload, as they stand, with the algorithm: by the standard library, not by our code.
func forge(t testing.TB, header, payload, algorithm string) string {
	t.Helper()
	input := encode(header, payload)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature(t, input, algorithm))
}

func signature(t testing.TB, input, algorithm string) []byte {
	t.Helper()
	r := keyRing()
	var made []byte
	var err error
	switch algorithm {
	case EdDSA, Ed25519:
		made, err = r.ed25519.private.Sign(nil, []byte(input), crypto.Hash(0))
	case ES256:
		sum := sha256.Sum256([]byte(input))
		made, err = fixedLength(r.p256.private, sum[:], 32)
	case ES384:
		sum := sha512.Sum384([]byte(input))
		made, err = fixedLength(r.p384.private, sum[:], 48)
	case RS256:
		sum := sha256.Sum256([]byte(input))
		made, err = r.rsa.private.Sign(rand.Reader, sum[:], crypto.SHA256)
	case PS256:
		sum := sha256.Sum256([]byte(input))
		made, err = r.rsa.private.Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case "PS256 with a long salt":
		sum := sha256.Sum256([]byte(input))
		made, err = r.rsa.private.Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: 64, Hash: crypto.SHA256})
	default:
		err = fmt.Errorf("no algorithm %q", algorithm)
	}
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// fixedLength is the form that JWS gives an ECDSA signature, RFC 7518, section 3.4.
func fixedLength(private crypto.Signer, sum []byte, size int) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, private.(*ecdsa.PrivateKey), sum)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 2*size)
	r.FillBytes(out[:size])
	s.FillBytes(out[size:])
	return out, nil
}

// kidFor names the key that fits an algorithm.
func kidFor(algorithm string) string {
	switch algorithm {
	case ES256:
		return "p256"
	case ES384:
		return "p384"
	case RS256, PS256:
		return "rsa"
	}
	return "ed"
}

// headerFor is the header of a good token.
func headerFor(algorithm string) string {
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"secevent+jwt"}`, algorithm, kidFor(algorithm))
}

// goodClaims are the claims of a good token, with extra members behind them.
func goodClaims(extra string) string {
	return fmt.Sprintf(`{"iss":%q,"aud":%q,"iat":%d,"jti":"0190f0a0-0000-7000-8000-000000000001",`+
		`"events":{"urn:cipgate:event:cip-attestation:v1":{"occasion":"annual"}}%s}`, reseller, gateway, noon.Unix(), extra)
}

// faultOf fails unless err is one fault, of that reason alone, that helps whoever reads it.
func faultOf(t *testing.T, err, reason error) *Fault {
	t.Helper()
	var fault *Fault
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, want a fault: %v", err, reason)
	}
	for _, one := range []error{ErrTooLarge, ErrMalformed, ErrKey, ErrSignature, ErrAudience} {
		if errors.Is(err, one) != errors.Is(reason, one) {
			t.Fatalf("got reason %q (%v), want %q", fault.Reason, err, reason)
		}
	}
	if fault.Wanted == "" || fault.Got == "" || !strings.HasSuffix(fault.Fix, ".") {
		t.Errorf("the fault does not say what was wanted, got and to do: %#v", fault)
	}
	if text := fault.Error(); len(text) > 500 || !printable(text) {
		t.Errorf("the fault is too long or holds raw foreign characters: %q", text)
	}
	return fault
}

// vectors is a folder of test vectors that lies beside the project.
func vectors(t testing.TB, name string) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			t.Fatal("no go.mod above the test")
		}
		folder = parent
	}
	path := filepath.Join(folder, "..", "shared", "vectors", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the test vectors %s are not beside the project", name)
	}
	return path
}
