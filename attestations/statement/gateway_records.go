package statement

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What the gateway puts on record beside its decisions: keys, officers' actions, special measures, documents, requests.
// Those about the gateway as a whole have it as their subject: special measures, outages.

// KeysChanged states that an entity's keys are others from now on. A SET is judged by the keys in force when it was
// accepted, never by today's.
type KeysChanged struct {
	Purpose          string         `json:"purpose"` // statement, federation: which of the two sets
	Reason           string         `json:"reason"`  // rotation, compromise, lost, revoked
	OldKids          []string       `json:"old_kids"`
	Keys             jsontext.Value `json:"keys,omitzero"` // the new JWK Set; nil where keys were only taken away
	ValidFrom        time.Time      `json:"valid_from"`
	OverlapUntil     time.Time      `json:"overlap_until,omitzero"`     // until when the old keys verify too; exactly for a rotation
	CompromisedSince time.Time      `json:"compromised_since,omitzero"` // exactly for a compromise: entries up to then stand
}

// Officer is who acted: an id that does not change, and the name it was shown by then.
type Officer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Target is what an officer acted on.
type Target struct {
	Type string `json:"type"` // reseller, customer, finding, case, order, approval, remediation, hold, notice, measure, policy, gateway, obligation
	ID   string `json:"id"`
}

// OfficerAction states what an officer did, to what, and why. What may be done, and by whom, is not decided here.
type OfficerAction struct {
	Officer    Officer   `json:"officer"`
	Action     string    `json:"action"` // such as hold.placed
	On         Target    `json:"on"`
	Reason     string    `json:"reason"`
	EndsAt     time.Time `json:"ends_at,omitzero"`     // zero if it has no end
	ProposedBy *Officer  `json:"proposed_by,omitzero"` // nil if nobody else proposed it
	Document   string    `json:"document,omitzero"`    // the policy file, exactly where one is proposed
	Details    []Field   `json:"details,omitzero"`
}

// SpecialMeasureImposed states a special measure against a jurisdiction or a person (15 CFR 7.307, proposed). About the
// gateway itself.
type SpecialMeasureImposed struct {
	Measure      string       `json:"measure"` // its id
	Scope        MeasureScope `json:"scope"`
	Effect       string       `json:"effect"`              // prohibit, condition
	Conditions   string       `json:"conditions,omitzero"` // exactly where Effect is condition
	DeterminedOn Date         `json:"determined_on"`
	EffectiveOn  Date         `json:"effective_on"`
	ExpiresOn    Date         `json:"expires_on"` // the last day of it
	List         string       `json:"list"`       // the version of the list it was read from
	Source       string       `json:"source"`
}

// MeasureScope is whom a measure hits: a jurisdiction, or a person.
type MeasureScope struct {
	Country string          `json:"country,omitzero"` // ISO 3166-1 alpha-2; exactly where Person is nil
	Person  *MeasuredPerson `json:"person,omitzero"`
}

// MeasuredPerson is a person as a measure names it.
type MeasuredPerson struct {
	Names     []string `json:"names"`
	Aliases   []string `json:"aliases,omitzero"`
	Countries []string `json:"countries,omitzero"` // ISO 3166-1 alpha-2
}

// SpecialMeasureLifted states that a measure no longer holds. About the gateway itself.
type SpecialMeasureLifted struct {
	Measure  string `json:"measure"`
	LiftedOn Date   `json:"lifted_on"`
	Reason   string `json:"reason"`
	List     string `json:"list"`
	Source   string `json:"source"`
}

// DocumentReceived states that a document is in hand, such as the written program. The document itself is kept elsewhere.
type DocumentReceived struct {
	Document   Copy      `json:"document"`
	From       string    `json:"from"` // who handed it in: an entity identifier, or a person's words for it
	ReceivedAt time.Time `json:"received_at"`
	Request    string    `json:"request,omitzero"` // of the cip-requested that it answers
}

// RecordErased states that bodies were erased. Their digests stay in the log, and every proof with them.
type RecordErased struct {
	Digests    []string `json:"digests"`
	Reason     string   `json:"reason"` // schedule, request
	LegalBasis string   `json:"legal_basis"`
}

// InformationRequested opens an inquiry: a question that the entity must answer by a remediation. No finding yet.
type InformationRequested struct {
	Inquiry  string    `json:"inquiry"`
	Question string    `json:"question"`
	DueAt    time.Time `json:"due_at"`
}

// CIPRequested asks for the written program (15 CFR 7.303, proposed).
type CIPRequested struct {
	Request string    `json:"request"`
	DueAt   time.Time `json:"due_at"`
	Why     string    `json:"why,omitzero"`
}

// AppealDecided decides an appeal.
type AppealDecided struct {
	Remediation string  `json:"remediation"` // jti of what is decided
	Finding     string  `json:"finding"`
	Decision    string  `json:"decision"` // upheld: the appellant is right; rejected: the finding stands
	By          Officer `json:"by"`
	Why         string  `json:"why"`
}

// RelationshipReinstated takes a termination back.
type RelationshipReinstated struct {
	Why        string  `json:"why"`
	WhoseError string  `json:"whose_error"` // gateway, provider, superior, reseller, nobody
	By         Officer `json:"by"`
	Case       string  `json:"case,omitzero"` // the case that the termination ended
}

// OutageRecorded states a time in which the gateway could take no submissions: it is added to deadlines. About the
// gateway itself.
type OutageRecorded struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Why  string    `json:"why,omitzero"`
}

func (KeysChanged) Kind() Kind            { return KindKeysChanged }
func (OfficerAction) Kind() Kind          { return KindOfficerAction }
func (SpecialMeasureImposed) Kind() Kind  { return KindSpecialMeasureImposed }
func (SpecialMeasureLifted) Kind() Kind   { return KindSpecialMeasureLifted }
func (DocumentReceived) Kind() Kind       { return KindDocumentReceived }
func (RecordErased) Kind() Kind           { return KindRecordErased }
func (InformationRequested) Kind() Kind   { return KindInformationRequested }
func (CIPRequested) Kind() Kind           { return KindCIPRequested }
func (AppealDecided) Kind() Kind          { return KindAppealDecided }
func (RelationshipReinstated) Kind() Kind { return KindRelationshipReinstated }
func (OutageRecorded) Kind() Kind         { return KindOutageRecorded }

// As in gateway.go: the fields and not the methods.
type (
	keysChanged          KeysChanged
	officerAction        OfficerAction
	documentReceived     DocumentReceived
	informationRequested InformationRequested
	cipRequested         CIPRequested
	outageRecorded       OutageRecorded
)

func (s KeysChanged) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, keysChanged(s), wholeSeconds)
}

func (s OfficerAction) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, officerAction(s), wholeSeconds)
}

func (s DocumentReceived) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, documentReceived(s), wholeSeconds)
}

func (s InformationRequested) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, informationRequested(s), wholeSeconds)
}

func (s CIPRequested) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, cipRequested(s), wholeSeconds)
}

func (s OutageRecorded) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, outageRecorded(s), wholeSeconds)
}
