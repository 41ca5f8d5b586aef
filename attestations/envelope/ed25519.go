package envelope

import (
	"crypto/ed25519"
	"fmt"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// preparedEd25519 is a public key with its point decompressed and a table of its multiples, 1.3 KiB, made once when the key set is
// read. A signature then costs two thirds of what crypto/ed25519 takes, and signatures are the largest part of what a submission
// costs.
type preparedEd25519 struct{ key *voi.ExpandedPublicKey }

func prepareEd25519(public ed25519.PublicKey) (*preparedEd25519, error) {
	key, err := voi.NewExpandedPublicKey(voi.PublicKey(public))
	if err != nil {
		return nil, fmt.Errorf("envelope: prepare an Ed25519 key: %w", err)
	}
	return &preparedEd25519{key: key}, nil
}

// asStandardLibrary gives the verdict of crypto/ed25519 on every input: one equation without the cofactor, R compared byte for byte,
// S in its one encoding (RFC 8032, section 5.1.7, the stricter reading). TestTheFastEd25519AndTheStandardLibraryGiveOneVerdict and
// FuzzEd25519 hold it to that.
var asStandardLibrary = &voi.Options{Verify: voi.VerifyOptionsStdLib}

func (p *preparedEd25519) verify(signed, signature []byte) bool {
	return len(signature) == ed25519.SignatureSize && voi.VerifyExpandedWithOptions(p.key, signed, signature, asStandardLibrary)
}
