package envelope

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"math/big"
	"testing"

	"filippo.io/edwards25519"
	"pgregory.net/rapid"
)

// sameVerdict asks both. The keys are such as NewKeys lets through: of prime order, in their one encoding.
func sameVerdict(t interface{ Fatalf(string, ...any) }, public ed25519.PublicKey, message, signature []byte) bool {
	prepared, err := prepareEd25519(public)
	if err != nil {
		t.Fatalf("a key that passed the checks cannot be prepared: %v", err)
	}
	want := len(public) == ed25519.PublicKeySize && ed25519.Verify(public, message, signature)
	if got := prepared.verify(message, signature); got != want {
		t.Fatalf("key %x, message %x, signature %x: crypto/ed25519 says %v, the fast one %v", public, message, signature, want, got)
	}
	return want
}

// mixedSignature is made for R plus a point of small order: the equation with the cofactor holds, the one without does not.
func mixedSignature(t *rapid.T, private ed25519.PrivateKey, message []byte, torsion *edwards25519.Point) []byte {
	hash := sha512.Sum512(private.Seed())
	secret, err := edwards25519.NewScalar().SetBytesWithClamping(hash[:32])
	if err != nil {
		t.Fatalf("a scalar: %v", err)
	}
	nonce, err := edwards25519.NewScalar().SetUniformBytes(hash[:])
	if err != nil {
		t.Fatalf("a scalar: %v", err)
	}
	r := new(edwards25519.Point).ScalarBaseMult(nonce)
	r.Add(r, torsion)
	challenge := sha512.Sum512(bytes.Join([][]byte{r.Bytes(), private.Public().(ed25519.PublicKey), message}, nil))
	k, err := edwards25519.NewScalar().SetUniformBytes(challenge[:])
	if err != nil {
		t.Fatalf("a scalar: %v", err)
	}
	s := edwards25519.NewScalar().MultiplyAdd(k, secret, nonce)
	return append(r.Bytes(), s.Bytes()...)
}

func TestTheFastEd25519AndTheStandardLibraryGiveOneVerdict(t *testing.T) {
	verdicts := map[bool]int{}
	rapid.Check(t, func(r *rapid.T) {
		private := ed25519.NewKeyFromSeed(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(r, "seed"))
		public := private.Public().(ed25519.PublicKey)
		message := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(r, "message")
		signature := ed25519.Sign(private, message)
		low, err := hex.DecodeString(rapid.SampledFrom(lowOrder).Draw(r, "a point of small order"))
		if err != nil {
			r.Fatalf("test data: %v", err)
		}
		switch rapid.SampledFrom([]string{"good", "good", "bit", "S+l", "S+2^252", "R of small order", "zero", "mixed R", "short", "long", "message"}).Draw(r, "what") {
		case "bit":
			bit := rapid.IntRange(0, 511).Draw(r, "bit")
			signature[bit/8] ^= 1 << (bit % 8)
		case "S+l":
			order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
			addToS(signature, order)
		case "S+2^252":
			addToS(signature, new(big.Int).Lsh(big.NewInt(1), 252))
		case "R of small order":
			copy(signature, low)
		case "zero":
			copy(signature, low)
			clear(signature[32:])
		case "mixed R":
			torsion, err := new(edwards25519.Point).SetBytes(low)
			if err != nil {
				return // an encoding that nobody takes
			}
			signature = mixedSignature(r, private, message, torsion)
		case "short":
			signature = signature[:rapid.IntRange(0, 63).Draw(r, "length")]
		case "long":
			signature = append(signature, 0)
		case "message":
			message = append(message, 0)
		}
		verdicts[sameVerdict(r, public, message, signature)]++
	})
	if verdicts[true] == 0 || verdicts[false] == 0 {
		t.Errorf("verdicts: %v, wanted some of each", verdicts)
	}
}

// addToS adds to the scalar of a signature, as far as 32 bytes hold the sum.
func addToS(signature []byte, more *big.Int) {
	reversed := func(b []byte) []byte {
		out := make([]byte, len(b))
		for i := range b {
			out[len(b)-1-i] = b[i]
		}
		return out
	}
	sum := new(big.Int).Add(new(big.Int).SetBytes(reversed(signature[32:])), more)
	if sum.BitLen() <= 256 {
		copy(signature[32:], reversed(sum.FillBytes(make([]byte, 32))))
	}
}

func FuzzEd25519(f *testing.F) {
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	public := private.Public().(ed25519.PublicKey)
	f.Add([]byte("message"), ed25519.Sign(private, []byte("message")))
	for _, low := range lowOrder {
		point, err := hex.DecodeString(low)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte("message"), append(point, make([]byte, 32)...))
	}
	f.Fuzz(func(t *testing.T, message, signature []byte) { sameVerdict(t, public, message, signature) })
}
