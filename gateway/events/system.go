package events

import (
	"bytes"
	"encoding/base64"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// bySystem says whether a SET that was accepted is one of the provider's own systems': such a system has no standing to look at. An
// identifier of one holds its mark, so that of nearly every other SET no more than that is looked for.
func (d Doors) bySystem(accepted []byte) bool {
	_, rest, _ := bytes.Cut(accepted, []byte{'.'})
	payload, _, _ := bytes.Cut(rest, []byte{'.'})
	claims, err := base64.RawURLEncoding.AppendDecode(nil, payload)
	if err != nil || !bytes.Contains(claims, []byte("systems")) {
		return false
	}
	var said struct {
		Issuer envelope.Entity `json:"iss"`
	}
	if json.Unmarshal(claims, &said) != nil {
		return false
	}
	_, is := envelope.SystemLabel(d.Gateway, said.Issuer)
	return is
}
