package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// audience is how both servers are called, wherever they listen: so a statement that was signed once is good for each run.
const audience envelope.Entity = "https://gateway.example"

// reseller is one client's identity, with the statements that it pushes, in order.
type reseller struct {
	name       string
	entity     envelope.Entity // as the gateway names it when it hosts it
	federation envelope.Signer
	statements envelope.Signer
	key        ed25519.PrivateKey // of statements
	tokens     [][]byte
}

// newResellers makes count resellers with keys of their own, and no statements yet.
func newResellers(count int) ([]reseller, error) {
	crowd := make([]reseller, count)
	for i := range crowd {
		r := &crowd[i]
		r.name = fmt.Sprintf("reseller %04d", i)
		r.entity = audience + envelope.Entity(fmt.Sprintf("/e/reseller-%04d", i))
		for _, signer := range []*envelope.Signer{&r.federation, &r.statements} {
			_, key, err := ed25519.GenerateKey(nil)
			if err != nil {
				return nil, fmt.Errorf("make a key: %w", err)
			}
			if *signer, err = envelope.NewSigner(key); err != nil {
				return nil, fmt.Errorf("make a key: %w", err)
			}
			r.key = key
		}
	}
	return crowd, nil
}

// signAll gives each reseller count statements, signed at now. Their jti are UUIDs of version 7, in the order in which the
// statements come when all clients get on equally fast: as if each had been signed just before it was pushed.
func signAll(crowd []reseller, count int, now time.Time) error {
	jtis := make([][]uuid.UUID, len(crowd))
	for range count {
		for i := range crowd {
			jti, err := uuid.NewV7()
			if err != nil {
				return fmt.Errorf("make a jti: %w", err)
			}
			jtis[i] = append(jtis[i], jti)
		}
	}
	var group sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range crowd {
		turns <- struct{}{}
		group.Go(func() {
			crowd[i].sign(jtis[i], now)
			<-turns
		})
	}
	group.Wait()
	return nil
}

// sign makes the tokens by hand: a client owes nothing to the gateway's code, and a million of them are wanted soon.
func (r *reseller) sign(jtis []uuid.UUID, now time.Time) {
	encode := base64.RawURLEncoding
	header := encode.AppendEncode(nil, fmt.Appendf(nil, `{"alg":"EdDSA","kid":%q,"typ":"secevent+jwt"}`, r.statements.KeyID()))
	attested := now.AddDate(0, 0, -1).Format(time.DateOnly)
	r.tokens = make([][]byte, len(jtis))
	// All tokens lie in one piece of memory, so that the collector need not look at each.
	var memory []byte
	for i, jti := range jtis {
		claims := fmt.Appendf(nil, `{"iss":%q,"aud":%q,"iat":%d,"jti":%q,"events":{%q:%s}}`,
			r.entity, audience, now.Unix(), jti, statement.KindCIPAttestation.URI(), fmt.Appendf(nil, attestation, attested, i))
		if memory == nil {
			size := len(header) + 1 + encode.EncodedLen(len(claims)) + 1 + encode.EncodedLen(ed25519.SignatureSize)
			memory = make([]byte, 0, len(jtis)*(size+32)) // i has more digits later on
		}
		begin := len(memory)
		memory = append(append(memory, header...), '.')
		memory = encode.AppendEncode(memory, claims)
		signature := ed25519.Sign(r.key, memory[begin:])
		memory = encode.AppendEncode(append(memory, '.'), signature)
		r.tokens[i] = memory[begin:len(memory):len(memory)]
	}
}

// jwks is what the rival is told of the reseller's keys.
func (r *reseller) jwks() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{r.statements.Public()}}
}

// attestation is a yearly certification as a reseller with a program of its own sends it: as a token, 1.6 KiB.
const attestation = `{"occasion":"annual","basis":"own","attested_on":%q,` +
	`"responsible_contact":{"name":"Ana Souza","title":"Head of Compliance","email":"cip@reseller.example","phone":"+55 11 5555 0100"},` +
	`"elements":{"written_program":{"in_place":true,"note":"Edition %d."},"identification_data":{"in_place":true},"access_addresses":{"in_place":true},` +
	`"identity_verification":{"in_place":true},"beneficial_owners":{"in_place":true},"unverified_no_account":{"in_place":true},` +
	`"unverified_limited_use":{"in_place":true},"unverified_closure":{"in_place":true},"unverified_redress":{"in_place":true},` +
	`"reverification":{"in_place":true},"record_retention":{"in_place":true},"customer_disclosure":{"in_place":true},` +
	`"third_party_access":{"in_place":true},"ai_misuse":{"in_place":true},"red_flags":{"in_place":true}},` +
	`"yearly_attestations":{"reviewed":true,"updated_for_offerings":true,"updated_for_threats":true,"complies":true,"resolutions_recorded":true}}`
