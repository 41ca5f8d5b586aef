package statement

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ExemptionGranted states that the entity is exempt from the duty of a Customer Identification Program, as the Secretary granted it
// for an Abuse of IaaS Products Deterrence Program (15 CFR 7.306, proposed). About the exempt reseller, or about the gateway itself
// where the provider is exempt. Reports on AI training are not exempted. The same exemption stated again, with other words or another
// end, replaces what was stated of it before.
type ExemptionGranted struct {
	Exemption  string    `json:"exemption"`  // its id
	GrantedBy  string    `json:"granted_by"` // the Secretary, or to whom that was delegated
	GrantedOn  Date      `json:"granted_on"`
	Until      time.Time `json:"until"`               // the first moment at which it no longer holds; it holds from when this is accepted
	Conditions string    `json:"conditions,omitzero"` // empty if there are none
	Reference  string    `json:"reference"`           // of the Department's decision
	RecordedBy Officer   `json:"recorded_by"`
}

// ExemptionWithdrawn states that an exemption no longer holds, from when this is accepted. About whom it was granted to.
type ExemptionWithdrawn struct {
	Exemption  string  `json:"exemption"`
	Reason     string  `json:"reason"`
	Reference  string  `json:"reference,omitzero"` // of the Department's decision, if there is one
	RecordedBy Officer `json:"recorded_by"`
}

func (ExemptionGranted) Kind() Kind   { return KindExemptionGranted }
func (ExemptionWithdrawn) Kind() Kind { return KindExemptionWithdrawn }

// As in gateway.go: the fields and not the methods.
type exemptionGranted ExemptionGranted

func (s ExemptionGranted) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, exemptionGranted(s), wholeSeconds)
}

func (s ExemptionGranted) check(issuedAt time.Time) error {
	var granted, until error
	if s.GrantedOn.After(DateOf(issuedAt.UTC().Add(farthestEast))) {
		granted = fault(s.Kind(), "a day that is not after the token's iat", "a later day", "State an exemption once it is granted.", "granted_on")
	}
	if !s.Until.After(issuedAt) {
		until = fault(s.Kind(), "a time that is after the token's iat", "an earlier one", "An exemption that is over exempts from nothing; check the year.", "until")
	}
	return errors.Join(granted, until)
}
