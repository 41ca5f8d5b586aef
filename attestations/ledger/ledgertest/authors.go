package ledgertest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
	"golang.org/x/mod/sumdb/note"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
)

const (
	// Origin is the log's name in these tests.
	Origin = "gateway.example/log"
	// Gateway is whom statements are meant for, and who states standings.
	Gateway envelope.Entity = "https://gateway.example"
)

// Noon is when these tests begin.
var Noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// Key is a private key that is the same in every run, so that a failure can be repeated.
func Key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// LogKey is the log's signer, and what checks it.
func LogKey(tb testing.TB) (note.Signer, note.Verifier) {
	tb.Helper()
	key := Key(Origin)
	signer, err := proof.NewLogSigner(Origin, key)
	if err != nil {
		tb.Fatal(err)
	}
	verifier, err := note.NewVerifier(proof.Vkey(Origin, key.Public().(ed25519.PublicKey)))
	if err != nil {
		tb.Fatal(err)
	}
	return signer, verifier
}

// Bodies is a key for bodies, the same in one run of the tests.
func Bodies(tb testing.TB) tink.AEAD {
	tb.Helper()
	key, err := bodies()
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

var bodies = sync.OnceValues(func() (tink.AEAD, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	return aead.New(handle)
})

// Author is an entity that states something.
type Author struct {
	Entity envelope.Entity
	signer envelope.Signer
}

// NewAuthor makes the n-th reseller, always the same.
func NewAuthor(tb testing.TB, n int) Author {
	tb.Helper()
	entity := envelope.Entity(fmt.Sprintf("https://reseller-%d.example", n))
	signer, err := envelope.NewSigner(Key(string(entity)))
	if err != nil {
		tb.Fatal(err)
	}
	return Author{Entity: entity, signer: signer}
}

// Draft is the author's n-th attestation, of 1.6 KiB when signed, with a time-ordered jti.
func (a Author) Draft(n int) envelope.Draft {
	jti := uuid.UUID{6: 0x70, 8: 0x80}
	binary.BigEndian.PutUint32(jti[0:], uint32(n>>16))
	binary.BigEndian.PutUint16(jti[4:], uint16(n))
	copy(jti[12:], a.Entity[len("https://reseller-"):])
	return envelope.Draft{
		Issuer: a.Entity, Audience: Gateway, IssuedAt: Noon, JTI: jti.String(),
		EventURI: statement.KindCIPAttestation.URI(),
		Event:    jsontext.Value(fmt.Sprintf(attestation, n)),
	}
}

// Sign signs a draft of the author's.
func (a Author) Sign(tb testing.TB, d envelope.Draft) envelope.Verified {
	tb.Helper()
	set, err := a.signer.Sign(d)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// State is the author's n-th attestation.
func (a Author) State(tb testing.TB, n int) envelope.Verified {
	tb.Helper()
	return a.Sign(tb, a.Draft(n))
}

const attestation = `{"occasion": "change", "basis": "own", "attested_on": "2026-06-02",
	"responsible_contact": {"name": "Ana Souza", "title": "Head of Compliance", "email": "cip@reseller.example", "phone": "+55 11 5555 0100"},
	"elements": {"written_program": {"in_place": true}, "identification_data": {"in_place": true}, "access_addresses": {"in_place": true},
	"identity_verification": {"in_place": true}, "beneficial_owners": {"in_place": true}, "unverified_no_account": {"in_place": true},
	"unverified_limited_use": {"in_place": true}, "unverified_closure": {"in_place": true}, "unverified_redress": {"in_place": true},
	"reverification": {"in_place": true}, "record_retention": {"in_place": true}, "customer_disclosure": {"in_place": true},
	"third_party_access": {"in_place": true}, "ai_misuse": {"in_place": true}, "red_flags": {"in_place": true}},
	"material_changes": [{"what": "Change number %d.", "on": "2026-06-01"}]}`
