package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// TypeEntityStatement is the JWT type of OpenID Federation 1.1, section 3.1.
const TypeEntityStatement = "entity-statement+jwt"

// configuration is a self-signed entity configuration (OpenID Federation 1.1, section 3) as far as an
// enrolment needs it.
type configuration struct {
	Issuer    envelope.Entity `json:"iss"`
	Subject   envelope.Entity `json:"sub"`
	Audience  audience        `json:"aud"`
	IssuedAt  float64         `json:"iat"`
	Expires   float64         `json:"exp"`
	JWKS      jsontext.Value  `json:"jwks"`
	Superiors []string        `json:"authority_hints"`
	Metadata  struct {
		Cipgate struct {
			JWKS     jsontext.Value `json:"jwks"`
			Contacts []string       `json:"contacts"`
		} `json:"cipgate"`
	} `json:"metadata"`

	federation, statements envelope.Keys
}

// audience is a string or an array of strings (RFC 7519, section 4.1.3).
type audience []string

func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

func (c configuration) thumbprints() []string {
	return append(c.federation.Thumbprints(), c.statements.Thumbprints()...)
}

func refusedClaim(pointer, wanted, got, fix string) error {
	return fmt.Errorf("%w: %w", ErrRefused, &envelope.Fault{Reason: envelope.ErrMalformed, Pointer: pointer, Wanted: wanted, Got: got, Fix: fix})
}

// readConfiguration checks everything about an entity configuration that needs no store: that it is what
// readSelfSigned asks for, and that it is for this gateway.
func readConfiguration(raw []byte, self envelope.Entity, now time.Time) (configuration, error) {
	c, err := readSelfSigned(raw, now)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if !slices.Contains(c.Audience, string(self)) {
		return c, refusedClaim("/claims/aud", string(self), fmt.Sprintf("%q", []string(c.Audience)), "Set aud to this gateway's entity identifier, so that nobody can use your configuration elsewhere.")
	}
	return c, nil
}

// isBelow checks that a configuration names who stands right above the entity.
func (c configuration) isBelow(superior envelope.Entity) error {
	if slices.Contains(c.Superiors, string(superior)) {
		return nil
	}
	return refusedClaim("/claims/authority_hints", fmt.Sprintf("an array with your superior, [%q]", superior), fmt.Sprintf("%.400q", c.Superiors),
		"Name the superior that stands in your invitation: GET /enrolments with its token shows it.")
}

// readSelfSigned checks that an entity configuration is signed by a federation key it carries itself, is in force, and
// that its two kinds of key are fit for use and kept apart (OpenID Federation 1.1, section 3.1.1).
func readSelfSigned(raw []byte, now time.Time) (configuration, error) {
	var c configuration
	refuse := func(pointer, wanted, got, fix string) (configuration, error) {
		return c, &envelope.Fault{Reason: envelope.ErrMalformed, Pointer: pointer, Wanted: wanted, Got: got, Fix: fix}
	}
	if len(raw) > maxConfiguration {
		return c, &envelope.Fault{Reason: envelope.ErrTooLarge, Wanted: fmt.Sprintf("an entity configuration of at most %d bytes", maxConfiguration),
			Got: fmt.Sprintf("%d bytes", len(raw)), Fix: "Leave out what is not about you: certificates, trust marks of others, old keys."}
	}
	token, err := envelope.ParseToken(raw, TypeEntityStatement)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(token.Payload(), &c); err != nil {
		return refuse("/claims", "the claims of an entity configuration (iss, sub, aud, iat, exp, jwks, authority_hints, metadata.cipgate.jwks)",
			"claims of another form: "+err.Error(), "Compare them with the example that the enrolment page shows.")
	}
	if c.federation, err = envelope.ParseKeys(c.JWKS); err != nil {
		return c, fmt.Errorf("the federation keys: %w", under("/claims/jwks", err))
	}
	if err := token.Verify(c.federation); err != nil {
		return c, fmt.Errorf("the self-signature: %w", err)
	}
	if c.Issuer == "" || c.Issuer != c.Subject {
		return refuse("/claims/sub", "the same value as iss", fmt.Sprintf("iss %q, sub %q", c.Issuer, c.Subject), "An entity configuration is about its own issuer: set both to your entity identifier.")
	}
	if issued := unixTime(c.IssuedAt); issued.After(now.Add(maxAhead)) {
		return refuse("/claims/iat", "a time at most 60 s ahead of "+now.UTC().Format(time.RFC3339), issued.Format(time.RFC3339), "Set your clock (NTP) and sign again.")
	}
	if expires := unixTime(c.Expires); !expires.After(now) {
		return refuse("/claims/exp", "a time after "+now.UTC().Format(time.RFC3339), expires.Format(time.RFC3339), "Sign a new configuration with a later exp.")
	}
	if c.statements, err = envelope.ParseKeys(c.Metadata.Cipgate.JWKS); err != nil {
		return c, fmt.Errorf("the statement keys: %w", under("/claims/metadata/cipgate/jwks", err))
	}
	if err := errors.Join(plainKids("/claims/jwks/keys", c.federation), plainKids("/claims/metadata/cipgate/jwks/keys", c.statements)); err != nil {
		return c, err
	}
	for _, thumbprint := range c.statements.Thumbprints() {
		if slices.Contains(c.federation.Thumbprints(), thumbprint) {
			return refuse("/claims/metadata/cipgate/jwks", "statement keys that are not among the federation keys in jwks", "a key used for both (thumbprint "+thumbprint+")",
				"Make a second key: federation keys sign entity statements, statement keys sign events.")
		}
	}
	return c, nil
}

// maxAhead is how far ahead of the gateway's clock a signed request may be (protocol.md, "Submissions").
const maxAhead = time.Minute

// maxConfiguration is the size of the largest entity configuration, in bytes: what the ledger keeps of one, and what the
// guarded client reads of it.
const maxConfiguration = 64 << 10

// plainKids refuses a kid with a space in it: a change of keys names them in the ledger as plain words.
func plainKids(pointer string, keys envelope.Keys) error {
	for i, kid := range keys.IDs() {
		if strings.Contains(kid, " ") {
			return &envelope.Fault{Reason: envelope.ErrKey, Pointer: fmt.Sprintf("%s/%d/kid", pointer, i), Wanted: "a kid without spaces",
				Got: "one with a space", Fix: "The RFC 7638 thumbprint of the key is best: " + keys.Thumbprints()[i] + "."}
		}
	}
	return nil
}

// under puts a pointer in front of a fault's own: a key set was read by itself, and stands inside a token.
func under(pointer string, err error) error {
	var fault *envelope.Fault
	if !errors.As(err, &fault) {
		return err
	}
	moved := *fault
	moved.Pointer = pointer + fault.Pointer
	return &moved
}

func unixTime(seconds float64) time.Time {
	return time.UnixMicro(int64(seconds * 1e6)).UTC()
}
