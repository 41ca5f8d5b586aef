package statement_test

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// The smallest example of a kind is complete: signed as it is, it is a statement. A statement that is not well formed is
// refused with the place, what is wanted there, and what to do.
func ExampleDecode() {
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, event := range []string{
		string(statement.Example(statement.KindCIPAttestation)),
		`{"occasion":"initial","basis":"own","attestedOn":"2025-01-15"}`,
	} {
		set, err := signer.Sign(envelope.Draft{
			Issuer: "https://reseller.example", Audience: "https://gateway.example",
			IssuedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), JTI: "0190f0a0-0000-7000-8000-000000000001",
			EventURI: statement.KindCIPAttestation.URI(), Event: jsontext.Value(event),
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		said, err := statement.Decode(set)
		if err != nil {
			fmt.Println(err)
			return
		}
		attestation := said.(statement.CIPAttestation)
		fmt.Printf("%s: the program is %s, attested on %s\n", said.Kind(), attestation.Basis, attestation.AttestedOn)
	}
	// Output:
	// cip-attestation: the program is adopted, attested on 2025-01-15
	// /claims/events/urn:cipgate:event:cip-attestation:v1/attestedOn: wanted no members but agreement_id, attested_on, basis, copy, elements, material_changes, occasion, responsible_contact, yearly_attestations, got "attestedOn". Did you mean "attested_on"? 3 more members need work. The schema is /schemas/cip-attestation.v1.json.
}
