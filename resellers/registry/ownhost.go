package registry

import (
	"context"
	"fmt"
	"slices"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// wellKnown is where an entity serves its configuration, appended to its identifier (OpenID Federation 1.1, section 9).
const wellKnown = "/.well-known/openid-federation"

// mediaEntityStatement is its media type (OpenID Federation 1.1, section 15.2).
const mediaEntityStatement = "application/" + TypeEntityStatement

// servedByItsHost demands that whoever enrols under a host of its own also speaks for that host: its well-known address
// must serve a configuration of the same entity with the same federation and statement keys.
func (r *Registry) servedByItsHost(ctx context.Context, sent configuration) error {
	address := string(sent.Issuer) + wellKnown
	refuse := func(wanted, got, fix string) error {
		return fmt.Errorf("%w: %w", ErrRefused, &envelope.Fault{Reason: envelope.ErrMalformed, Pointer: "/claims/iss",
			Wanted: wanted, Got: got, Fix: fix})
	}
	raw, err := r.fetch.Get(ctx, address, mediaEntityStatement)
	if err != nil {
		return refuse("your entity configuration at "+address, err.Error(),
			"Serve there what you send here, as "+mediaEntityStatement+", without a redirect, on port 443 of a public address; then enrol again. Without a host of your own, use the identifier that this gateway hosts.")
	}
	served, err := readSelfSigned(raw, r.now())
	if err != nil {
		return refuse("a self-signed entity configuration in force at "+address, "one that is not: "+err.Error(), "Serve there what you send here, and enrol again.")
	}
	if served.Issuer != sent.Issuer {
		return refuse("the configuration of "+string(sent.Issuer)+" at "+address, fmt.Sprintf("that of %.200q", string(served.Issuer)), "Serve there what you send here, and enrol again.")
	}
	for _, pair := range []struct {
		name         string
		sent, served envelope.Keys
	}{{"federation", sent.federation, served.federation}, {"statement", sent.statements, served.statements}} {
		for _, thumbprint := range pair.sent.Thumbprints() {
			if !slices.Contains(pair.served.Thumbprints(), thumbprint) {
				return refuse("the same "+pair.name+" keys at "+address+" as here", fmt.Sprintf("there a configuration without the key of thumbprint %s", thumbprint),
					"Serve there what you send here, and enrol again. A cache in front of the host may still hold an older one.")
			}
		}
	}
	return nil
}
