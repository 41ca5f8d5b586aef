package statement

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// What the gateway states about an entity, by its decisions. Field by field the schemas say more. Times are whole
// seconds in UTC: whatever a struct holds, that is how it is written.

// FindingOpened states that a shortfall was found under one rule of the policy.
type FindingOpened struct {
	Basis    `json:"basis"`
	Finding  string    `json:"finding"`
	Rule     string    `json:"rule"`     // such as cip.missing
	Severity string    `json:"severity"` // minor, serious, critical
	Since    time.Time `json:"since"`    // when the facts made it true
	Opened   time.Time `json:"opened"`   // when it was found
	Evidence []int64   `json:"evidence"` // leaf indexes; none where what is missing is the evidence
	Cure     string    `json:"cure"`     // in words
	Case     string    `json:"case,omitzero"`
}

// FindingCured states that a finding's facts no longer hold.
type FindingCured struct {
	Basis   `json:"basis"`
	Finding string `json:"finding"`
	Rule    string `json:"rule"`
	CuredBy int64  `json:"cured_by"` // leaf index of what cured it
}

// StandingChanged states an entity's standing before and after.
type StandingChanged struct {
	Basis  `json:"basis"`
	Number int    `json:"number"` // counts this entity's changes of standing from 1: which change it is
	Before string `json:"before"`
	After  string `json:"after"`
	Why    string `json:"why"`
}

// WarningIssued warns: what is open, what cures it, by when, how to dispute it.
type WarningIssued struct {
	Basis    `json:"basis"`
	Case     string    `json:"case"` // jti of the finding-opened that opened the case
	Findings []string  `json:"findings"`
	CureBy   time.Time `json:"cure_by"`
	LimitAt  time.Time `json:"limit_at"` // end of the 30-day limit clock
	ToCure   []string  `json:"to_cure"`
	Dispute  string    `json:"dispute"`
	// Evidence is what the findings rest on: in the ledger the entries alone; as it is told, those that are for the reader, described.
	Evidence []Evidence `json:"evidence,omitzero"`
}

// Evidence is an entry that a finding rests on.
type Evidence struct {
	Entry      int64     `json:"entry"`                // leaf index
	Kind       string    `json:"kind,omitzero"`        // of the statement
	ReceivedAt time.Time `json:"received_at,omitzero"` // when it was accepted, or as whoever recorded it says
	Digest     string    `json:"digest,omitzero"`      // base64url SHA-256 of the signed statement
	JTI        string    `json:"jti,omitzero"`         // of the reseller's own statement
}

// RestrictionOrdered orders that no new accounts be opened. It can be withdrawn.
type RestrictionOrdered struct {
	Basis    `json:"basis"`
	Case     string    `json:"case"`
	Order    string    `json:"order"` // no-new-accounts
	Findings []string  `json:"findings"`
	Next     string    `json:"next"` // what follows if nothing is cured
	NextAt   time.Time `json:"next_at"`
	LimitAt  time.Time `json:"limit_at"`
}

// ClosureOrdered orders accounts to be closed.
type ClosureOrdered struct {
	Basis        `json:"basis"`
	Case         string    `json:"case"`
	Scope        string    `json:"scope"` // reseller-account, customer-accounts, remaining-accounts
	Findings     []string  `json:"findings"`
	TerminatesAt time.Time `json:"terminates_at"`
	LimitAt      time.Time `json:"limit_at"`

	// Exactly where the scope is customer-accounts: which, and which part of all of them.
	Accounts []AccountNamed `json:"accounts,omitzero"` // MostAccounts at most
	Part     int            `json:"part,omitzero"`     // from 1
	Parts    int            `json:"parts,omitzero"`
	Total    int            `json:"total,omitzero"` // accounts of all parts
}

// OrderWithdrawn takes an order back.
type OrderWithdrawn struct {
	Basis `json:"basis"`
	Case  string `json:"case"`
	Order string `json:"order"`
	Why   string `json:"why"`
}

// RelationshipTerminated ends the relationship.
type RelationshipTerminated struct {
	Basis    `json:"basis"`
	Case     string    `json:"case"`
	Findings []string  `json:"findings"`
	LimitAt  time.Time `json:"limit_at"`
	Why      string    `json:"why"`
	// HandedOver is how many open accounts were ordered handed over with it, so that it closes the others alone.
	HandedOver int `json:"handed_over,omitzero"`
}

// PolicyActivated states that the gateway decides by this policy from now on. It is about the gateway itself.
type PolicyActivated struct {
	Policy      string    `json:"policy"` // such as us-iaas-2024.1
	Digest      string    `json:"digest"` // SHA-256 of the policy file, base64url
	Replaces    string    `json:"replaces,omitzero"`
	EffectiveAt time.Time `json:"effective_at"`
	Document    string    `json:"document,omitzero"` // the file itself, so that a rebuild needs no other copy
}

// EntityEnrolled states that an entity came into the chain, with the keys it proved.
type EntityEnrolled struct {
	Entity         envelope.Entity `json:"entity"`
	Name           string          `json:"name"`
	Country        string          `json:"country"` // ISO 3166-1 alpha-2
	Superior       envelope.Entity `json:"superior"`
	Contact        string          `json:"contact"`
	LEI            string          `json:"lei,omitzero"`
	Tier           int             `json:"tier"`
	Invitation     string          `json:"invitation"`
	FederationKeys jsontext.Value  `json:"federation_keys"` // JWK Set; signs entity statements
	Keys           jsontext.Value  `json:"keys"`            // JWK Set; signs SETs
	Configuration  string          `json:"configuration"`   // the entity's self-signed configuration, a compact JWT
}

func (CIPAttestation) Kind() Kind         { return KindCIPAttestation }
func (FindingOpened) Kind() Kind          { return KindFindingOpened }
func (FindingCured) Kind() Kind           { return KindFindingCured }
func (StandingChanged) Kind() Kind        { return KindStandingChanged }
func (WarningIssued) Kind() Kind          { return KindWarningIssued }
func (RestrictionOrdered) Kind() Kind     { return KindRestrictionOrdered }
func (ClosureOrdered) Kind() Kind         { return KindClosureOrdered }
func (OrderWithdrawn) Kind() Kind         { return KindOrderWithdrawn }
func (RelationshipTerminated) Kind() Kind { return KindRelationshipTerminated }
func (PolicyActivated) Kind() Kind        { return KindPolicyActivated }
func (EntityEnrolled) Kind() Kind         { return KindEntityEnrolled }

// The types behind the methods below have the fields and not the methods, so that writing them does not come back here.
type (
	findingOpened          FindingOpened
	findingCured           FindingCured
	standingChanged        StandingChanged
	warningIssued          WarningIssued
	restrictionOrdered     RestrictionOrdered
	closureOrdered         ClosureOrdered
	orderWithdrawn         OrderWithdrawn
	relationshipTerminated RelationshipTerminated
	policyActivated        PolicyActivated
)

func (s FindingOpened) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, findingOpened(s), wholeSeconds)
}

func (s FindingCured) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, findingCured(s), wholeSeconds)
}

func (s StandingChanged) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, standingChanged(s), wholeSeconds)
}

func (s WarningIssued) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, warningIssued(s), wholeSeconds)
}

func (s RestrictionOrdered) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, restrictionOrdered(s), wholeSeconds)
}

func (s ClosureOrdered) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, closureOrdered(s), wholeSeconds)
}

func (s OrderWithdrawn) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, orderWithdrawn(s), wholeSeconds)
}

func (s RelationshipTerminated) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, relationshipTerminated(s), wholeSeconds)
}

func (s PolicyActivated) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, policyActivated(s), wholeSeconds)
}

// wholeSeconds writes a time as RFC 3339 in UTC, without a fraction.
var wholeSeconds = json.WithMarshalers(json.MarshalToFunc(func(to *jsontext.Encoder, t time.Time) error {
	return to.WriteToken(jsontext.String(t.UTC().Format("2006-01-02T15:04:05Z")))
}))
