package envelope

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math"
	"math/big"

	"filippo.io/edwards25519"
	"github.com/go-jose/go-jose/v4"
)

// The smallest and the largest RSA key, in bits. 2048 is RFC 7518's floor (sections 3.3 and 3.5); 4096 is where the
// JOSE library stops, and where one verification starts to cost more than four of Ed25519.
const (
	minRSA = 2048
	maxRSA = 4096
)

// minusOne is l-1, with l the order of the group that Ed25519 signs in.
var minusOne = func() *edwards25519.Scalar {
	one := make([]byte, 32)
	one[0] = 1
	scalar, err := edwards25519.NewScalar().SetCanonicalBytes(one)
	if err != nil {
		panic(err) // 1 is canonical
	}
	return scalar.Negate(scalar)
}()

// checkEd25519 takes a point of exactly the order l, in its one encoding. With a key of low order anybody can make
// signatures that verify; with one of mixed order, verifiers disagree about the same signature. Both let a signer deny
// what it signed ("Taming the many EdDSAs", 2020; RFC 8032, section 5.1.7, leaves it open).
func checkEd25519(pointer string, public ed25519.PublicKey) error {
	point, err := new(edwards25519.Point).SetBytes(public)
	// The few points with a second encoding all have low or mixed order, so the check below would refuse them too; this one
	// does not rest on that.
	if err != nil || !bytes.Equal(point.Bytes(), public) {
		return badKey(pointer, "an Ed25519 public key: 32 bytes that encode a point of the curve", "other bytes",
			"Make a new key pair with a usual library or with openssl genpkey.")
	}
	identity := edwards25519.NewIdentityPoint()
	// [l]P = [l-1]P + P. A scalar cannot be l itself: it counts modulo l.
	multiple := new(edwards25519.Point).ScalarMult(minusOne, point)
	multiple.Add(multiple, point)
	if point.Equal(identity) == 1 || multiple.Equal(identity) != 1 {
		return badKey(pointer, "an Ed25519 public key of the group's prime order", "a key of low or mixed order",
			"Make a new key pair with a usual library or with openssl genpkey. Those never make such a key.")
	}
	return nil
}

func checkECDSA(pointer string, public *ecdsa.PublicKey) ([]string, error) {
	if public == nil || public.Curve == nil || !(&jose.JSONWebKey{Key: public}).Valid() {
		return nil, badKey(pointer, "a P-256 or P-384 public key", "one without a point", "Make a new key pair.")
	}
	var algorithm string
	switch public.Curve {
	case elliptic.P256():
		algorithm = ES256
	case elliptic.P384():
		algorithm = ES384
	default:
		return nil, badKey(pointer+"/crv", "P-256 or P-384", "another curve", "Make an Ed25519 key, or a P-256 key.")
	}
	if _, err := public.ECDH(); err != nil { // checks that the point is on the curve and is not infinity
		return nil, badKey(pointer, "a point of the curve", "another point", "Make a new key pair.")
	}
	return []string{algorithm}, nil
}

func checkRSA(pointer string, public *rsa.PublicKey) error {
	if public == nil || public.N == nil || public.N.Sign() <= 0 {
		return badKey(pointer+"/n", "a modulus", "none", "Make a new key pair.")
	}
	if bits := public.N.BitLen(); bits < minRSA || bits > maxRSA {
		return wrongSize(pointer, bits)
	}
	if public.E < 65537 || public.E > math.MaxInt32 || public.E%2 == 0 {
		return badKey(pointer+"/e", "an odd exponent of at least 65537", fmt.Sprint(public.E),
			"Make a new RSA key with the usual exponent, 65537.")
	}
	if weakModulus(public.N) {
		return badKey(pointer+"/n", "a modulus that cannot be factored", "one with a small factor, or made by a chip with the ROCA fault (CVE-2017-15361)",
			"Make a new key pair with a usual library or with openssl genpkey, not on that chip.")
	}
	return nil
}

func wrongSize(pointer string, bits int) error {
	return badKey(pointer+"/n", fmt.Sprintf("a modulus of %d to %d bits", minRSA, maxRSA), fmt.Sprintf("%d bits", bits),
		"Make an Ed25519 key, or an RSA key of 3072 bits.")
}

// smallPrimes are those by which the ROCA fault is told, after Nemec et al., "The Return of Coppersmith's Attack", 2017.
var smallPrimes = []uint64{3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
	97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167}

// weakModulus finds a small factor, or a modulus that is a power of 65537 modulo each of the small primes. Of sound
// moduli less than one in a hundred million is.
func weakModulus(n *big.Int) bool {
	if n.Bit(0) == 0 {
		return true
	}
	roca := true
	remainder, prime := new(big.Int), new(big.Int)
	for _, p := range smallPrimes {
		r := remainder.Mod(n, prime.SetUint64(p)).Uint64()
		if r == 0 {
			return true
		}
		roca = roca && isPower(r, 65537%p, p)
	}
	return roca
}

// isPower says whether r is a power of g modulo p.
func isPower(r, g, p uint64) bool {
	for power := g; ; power = power * g % p {
		if power == r {
			return true
		}
		if power == 1 {
			return false
		}
	}
}
