package statement

// CustomerVerification is what an entity states about one customer, or about one beneficial owner of a customer: that it
// verified who that is, could not, or verified it again (15 CFR 7.302, proposed). The customer is the token's sub_id, an
// opaque id. What is stated is result, method, days, countries and digests; whose passport it was stays with the entity.
type CustomerVerification struct {
	Party            string     `json:"party"`             // customer, owner
	Form             string     `json:"form"`              // individual, entity
	Result           string     `json:"result"`            // verified, reverified, not-verified
	CheckedOn        Date       `json:"checked_on"`        // the day of the result; of the last attempt where there is none
	ReasonableBelief bool       `json:"reasonable_belief"` // that the true identity is known; as Result says
	RiskTier         string     `json:"risk_tier"`         // low, medium, high: how soon it must be verified again
	Owner            *Owner     `json:"owner,omitzero"`    // exactly where Party is owner
	Method           string     `json:"method,omitzero"`   // documentary, non-documentary, both; empty only where not verified
	NextDue          Date       `json:"next_due,omitzero"` // by when the entity itself means to verify again
	Attempts         int64      `json:"attempts,omitzero"` // how often it was tried
	Actions          []string   `json:"actions,omitzero"`  // exactly where not verified: no-account, limited-use, closed, watched
	USPerson         *USPerson  `json:"us_person,omitzero"`
	Countries        *Countries `json:"countries,omitzero"` // nil only where not verified
	Collected        []string   `json:"collected,omitzero"` // name, address, payment, email, ...: what of 7.302 is in hand
	Documents        []Copy     `json:"documents,omitzero"` // by digest; a scan never comes here
	Identity         *Identity  `json:"identity,omitzero"`  // only for a provider whose policy asks for it
	Supersedes       string     `json:"supersedes,omitzero"`
}

// Owner is the beneficial owner that is meant: who controls a customer, or owns a quarter of it (15 CFR 7.301, proposed).
type Owner struct {
	ID           string `json:"id"`                     // opaque, the entity's own; the same in every statement about that owner
	Basis        string `json:"basis"`                  // control, ownership, both
	SharePercent int64  `json:"share_percent,omitzero"` // 1 to 100, rounded up; 0 exactly where Basis is control
}

// USPerson says whether somebody was found to be a U.S. person, and on what footing. Nil in a CustomerVerification says
// that nothing was found: then the person is foreign (15 CFR 7.302, proposed).
type USPerson struct {
	Found            bool   `json:"found"`
	ReasonableBelief bool   `json:"reasonable_belief"`
	Basis            string `json:"basis,omitzero"`  // citizen, permanent-resident, organised-in-us, in-us; empty only where not found
	Method           string `json:"method,omitzero"` // documentary, non-documentary, both; empty only where not found
}

// Countries are where somebody belongs, ISO 3166-1 alpha-2: what a special measure against a jurisdiction is held against.
type Countries struct {
	Home           string   `json:"home"`                     // of an individual's residence, of an entity's organisation
	PrincipalPlace string   `json:"principal_place,omitzero"` // of business
	Ownership      []string `json:"ownership,omitzero"`       // of those who own or control it
}

// Identity names the person. It is stated only to a provider whose policy asks for it, to be screened.
type Identity struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitzero"`
	Address string   `json:"address,omitzero"`
	Country string   `json:"country,omitzero"` // of the address, ISO 3166-1 alpha-2
}

// Kind returns KindCustomerVerification.
func (CustomerVerification) Kind() Kind { return KindCustomerVerification }
