package history

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// Verification is what a reseller last stated about who a party is: a customer, or a beneficial owner of one. The zero
// Verification is that of a party about which nothing was stated.
type Verification struct {
	Result    string         `json:"result,omitzero"`    // verified, not-verified; empty while nothing was stated
	Form      string         `json:"form,omitzero"`      // individual, entity
	Method    string         `json:"method,omitzero"`    // documentary, non-documentary, both
	RiskTier  string         `json:"risk_tier,omitzero"` // low, medium, high
	CheckedOn statement.Date `json:"checked_on,omitzero"`
	NextDue   statement.Date `json:"next_due,omitzero"` // by when the reseller itself means to verify again
	Actions   []string       `json:"actions,omitzero"`  // what is done where it is not verified
	USPerson  bool           `json:"us_person,omitzero"`
	Missing   []string       `json:"missing,omitzero"` // of 15 CFR 7.302, proposed, in its order: what is not said to be in hand
	// Home is where an individual resides or an entity is organised, ISO 3166-1 alpha-2. A statement that names no country
	// leaves the countries that were stated before.
	Home           string   `json:"home,omitzero"`
	PrincipalPlace string   `json:"principal_place,omitzero"`
	Ownership      []string `json:"ownership,omitzero"`

	AcceptedAt time.Time `json:"accepted_at,omitzero"` // when the ledger took the statement that this follows from
	LeafIndex  int64     `json:"leaf_index,omitzero"`
	JTI        string    `json:"jti,omitzero"`

	// VerifiedOn is the last day of which it is stated that the party was verified, zero if none is; it stays where a later
	// attempt failed.
	VerifiedOn statement.Date `json:"verified_on,omitzero"`
}

// What a Verification's Result can be.
const (
	Verified    = "verified"
	NotVerified = "not-verified"
)

// Verified is true if the newest statement says that the party is known.
func (v Verification) Verified() bool { return v.Result == Verified }

// with takes one more statement about the same party.
func (v Verification) with(said statement.CustomerVerification, e statement.Entry) Verification {
	corrects := v.JTI != "" && said.Supersedes == v.JTI
	if v.JTI != "" && !corrects && v.CheckedOn.After(said.CheckedOn) {
		return v // it came late: what is known is of a later day
	}
	next := Verification{
		Result: NotVerified, Form: said.Form, Method: said.Method, RiskTier: said.RiskTier,
		CheckedOn: said.CheckedOn, NextDue: said.NextDue, Actions: said.Actions,
		USPerson: said.USPerson != nil && said.USPerson.Found, Missing: missing(said),
		Home: v.Home, PrincipalPlace: v.PrincipalPlace, Ownership: v.Ownership,
		AcceptedAt: e.AcceptedAt.UTC(), LeafIndex: e.LeafIndex, JTI: e.JTI,
	}
	if c := said.Countries; c != nil {
		next.Home, next.PrincipalPlace, next.Ownership = c.Home, c.PrincipalPlace, c.Ownership
	}
	switch {
	case said.Result != NotVerified:
		next.Result, next.VerifiedOn = Verified, said.CheckedOn
	case !corrects: // else the verification that is corrected never was
		next.VerifiedOn = v.VerifiedOn
	}
	return next
}

// What 15 CFR 7.302, proposed, asks to collect of each party, and of entities beside it.
var (
	ofEverybody = []string{"name", "address", "payment", "email", "telephone", "ip-addresses"}
	ofEntities  = []string{"business-name", "jurisdiction", "principal-place"}
)

// missing returns what of 7.302 a statement does not say is in hand. Of who was not verified nothing is asked.
func missing(said statement.CustomerVerification) []string {
	if said.Result == NotVerified {
		return nil
	}
	var absent []string
	lacks := func(asked []string) {
		for _, element := range asked {
			if !slices.Contains(said.Collected, element) {
				absent = append(absent, element)
			}
		}
	}
	lacks(ofEverybody)
	if said.Form == "entity" {
		lacks(ofEntities)
	}
	return absent
}
