package statement

import (
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Kind names what a statement says, such as "cip-attestation".
type Kind string

// What an enrolled entity states: of its program, of its customers, and in answer to the gateway.
const (
	KindCIPAttestation       Kind = "cip-attestation"
	KindCustomerVerification Kind = "customer-verification"
	KindAccountStatus        Kind = "account-status"
	KindSuspiciousActivity   Kind = "suspicious-activity"
	KindAITraining           Kind = "ai-training"
	KindRemediation          Kind = "remediation"
	KindOrderConfirmation    Kind = "order-confirmation"
	KindForwarded            Kind = "forwarded"
)

// What the gateway states. A finding-opened is about a shortfall, and so on down to relationship-reinstated, in the order
// in which a case goes; then what the gateway asks for, and last what it keeps on record of itself.
const (
	KindFindingOpened          Kind = "finding-opened"
	KindFindingCured           Kind = "finding-cured"
	KindStandingChanged        Kind = "standing-changed"
	KindWarningIssued          Kind = "warning-issued"
	KindRestrictionOrdered     Kind = "restriction-ordered"
	KindClosureOrdered         Kind = "closure-ordered"
	KindOrderWithdrawn         Kind = "order-withdrawn"
	KindRelationshipTerminated Kind = "relationship-terminated"
	KindRelationshipReinstated Kind = "relationship-reinstated"
	KindLimitPassed            Kind = "limit-passed"
	KindAppealDecided          Kind = "appeal-decided"
	KindInformationRequested   Kind = "information-requested"
	KindCIPRequested           Kind = "cip-requested"
	KindDocumentReceived       Kind = "document-received"
	KindSpecialMeasureImposed  Kind = "special-measure-imposed"
	KindSpecialMeasureLifted   Kind = "special-measure-lifted"
	KindExemptionGranted       Kind = "exemption-granted"
	KindExemptionWithdrawn     Kind = "exemption-withdrawn"
	KindPolicyActivated        Kind = "policy-activated"
	KindEntityEnrolled         Kind = "entity-enrolled"
	KindKeysChanged            Kind = "keys-changed"
	KindOfficerAction          Kind = "officer-action"
	KindRecordErased           Kind = "record-erased"
	KindOutageRecorded         Kind = "outage-recorded"
	KindNoticeProved           Kind = "notice-proved"
	KindStatedByLink           Kind = "stated-by-link"
	KindScreeningChanged       Kind = "screening-changed"
	KindTransactionCovered     Kind = "transaction-covered"
	KindSuperiorTold           Kind = "superior-told"
	KindPolicyShadowed         Kind = "policy-shadowed"
	KindHandOverOrdered        Kind = "hand-over-ordered"
	KindSuperiorChanged        Kind = "superior-changed"
)

const (
	uriBefore = "urn:cipgate:event:"
	uriAfter  = ":v1"
)

// URI returns the event type as it stands in the `events` claim.
func (k Kind) URI() string { return uriBefore + string(k) + uriAfter }

// KindOf returns the kind of an event type; false if nobody here knows it.
func KindOf(uri string) (Kind, bool) {
	name, ok := strings.CutPrefix(uri, uriBefore)
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, uriAfter)
	if !ok {
		return "", false
	}
	_, known := forms[Kind(name)]
	return Kind(name), known
}

// ByGateway is true for what only the gateway states.
func (k Kind) ByGateway() bool { return forms[k].gateway }

// Kinds returns every kind, submissions first.
func Kinds() []Kind { return append([]Kind(nil), kinds...) }

var kinds = []Kind{
	KindCIPAttestation, KindCustomerVerification, KindAccountStatus, KindSuspiciousActivity, KindAITraining,
	KindRemediation, KindOrderConfirmation, KindForwarded,
	KindFindingOpened, KindFindingCured, KindStandingChanged,
	KindWarningIssued, KindRestrictionOrdered, KindClosureOrdered, KindOrderWithdrawn, KindRelationshipTerminated,
	KindRelationshipReinstated, KindLimitPassed, KindAppealDecided, KindInformationRequested, KindCIPRequested, KindDocumentReceived,
	KindSpecialMeasureImposed, KindSpecialMeasureLifted, KindExemptionGranted, KindExemptionWithdrawn,
	KindPolicyActivated, KindEntityEnrolled, KindKeysChanged, KindOfficerAction, KindRecordErased, KindOutageRecorded,
	KindNoticeProved, KindStatedByLink, KindScreeningChanged, KindTransactionCovered, KindSuperiorTold,
	KindHandOverOrdered, KindSuperiorChanged, KindPolicyShadowed,
}

// form is how a kind is read.
type form struct {
	decode  func(event []byte) (Statement, error)
	gateway bool
	// exact says that decode alone refuses whatever the schema refuses, so that the schema is asked only to word a
	// refusal: submissions are many and the schema takes three times as long as all else. The gateway's own statements
	// are few, and the schema judges each.
	exact bool
	// customer says what a submission's sub_id is: its issuer at most, the customer, or either.
	customer customerRule
	// ofOthers says that one of the provider's own systems may state it too, about the reseller that its sub_id names.
	ofOthers bool
}

// customerRule says whether a submission names a customer.
type customerRule int

const (
	noCustomer customerRule = iota
	mayNameCustomer
	mustNameCustomer
)

var forms = map[Kind]form{
	KindCIPAttestation:         {decode: decodeExactly[CIPAttestation], exact: true},
	KindCustomerVerification:   {decode: decodeExactly[CustomerVerification], exact: true, customer: mustNameCustomer},
	KindAccountStatus:          {decode: decodeExactly[AccountStatus], exact: true, customer: mustNameCustomer},
	KindSuspiciousActivity:     {decode: decodeExactly[SuspiciousActivity], exact: true, customer: mayNameCustomer},
	KindAITraining:             {decode: decodeExactly[AITraining], exact: true, customer: mustNameCustomer},
	KindRemediation:            {decode: decodeExactly[Remediation], exact: true},
	KindOrderConfirmation:      {decode: decodeExactly[OrderConfirmation], exact: true, ofOthers: true},
	KindForwarded:              {decode: decodeExactly[Forwarded], exact: true},
	KindFindingOpened:          {decode: decode[FindingOpened], gateway: true},
	KindFindingCured:           {decode: decode[FindingCured], gateway: true},
	KindStandingChanged:        {decode: decode[StandingChanged], gateway: true},
	KindWarningIssued:          {decode: decode[WarningIssued], gateway: true},
	KindRestrictionOrdered:     {decode: decode[RestrictionOrdered], gateway: true},
	KindClosureOrdered:         {decode: decode[ClosureOrdered], gateway: true},
	KindOrderWithdrawn:         {decode: decode[OrderWithdrawn], gateway: true},
	KindRelationshipTerminated: {decode: decode[RelationshipTerminated], gateway: true},
	KindRelationshipReinstated: {decode: decode[RelationshipReinstated], gateway: true},
	KindLimitPassed:            {decode: decode[LimitPassed], gateway: true},
	KindAppealDecided:          {decode: decode[AppealDecided], gateway: true},
	KindInformationRequested:   {decode: decode[InformationRequested], gateway: true},
	KindCIPRequested:           {decode: decode[CIPRequested], gateway: true},
	KindDocumentReceived:       {decode: decode[DocumentReceived], gateway: true},
	KindSpecialMeasureImposed:  {decode: decode[SpecialMeasureImposed], gateway: true},
	KindSpecialMeasureLifted:   {decode: decode[SpecialMeasureLifted], gateway: true},
	KindExemptionGranted:       {decode: decode[ExemptionGranted], gateway: true},
	KindExemptionWithdrawn:     {decode: decode[ExemptionWithdrawn], gateway: true},
	KindPolicyActivated:        {decode: decode[PolicyActivated], gateway: true},
	KindEntityEnrolled:         {decode: decode[EntityEnrolled], gateway: true},
	KindKeysChanged:            {decode: decode[KeysChanged], gateway: true},
	KindOfficerAction:          {decode: decode[OfficerAction], gateway: true},
	KindRecordErased:           {decode: decode[RecordErased], gateway: true},
	KindOutageRecorded:         {decode: decode[OutageRecorded], gateway: true},
	KindNoticeProved:           {decode: decode[NoticeProved], gateway: true},
	KindStatedByLink:           {decode: decode[StatedByLink], gateway: true},
	KindScreeningChanged:       {decode: decode[ScreeningChanged], gateway: true},
	KindTransactionCovered:     {decode: decode[TransactionCovered], gateway: true},
	KindSuperiorTold:           {decode: decode[SuperiorTold], gateway: true},
	KindPolicyShadowed:         {decode: decode[PolicyShadowed], gateway: true},
	KindHandOverOrdered:        {decode: decode[HandOverOrdered], gateway: true},
	KindSuperiorChanged:        {decode: decode[SuperiorChanged], gateway: true},
}

// strict refuses members that the struct does not know; duplicate names, invalid UTF-8 and names in another case are
// refused by the library as it stands.
var strict = json.RejectUnknownMembers(true)

func decode[S Statement](event []byte) (Statement, error) {
	var s S
	if err := json.Unmarshal(event, &s, strict); err != nil {
		return nil, err
	}
	return s, nil
}

// unknownEvent refuses an event type that nobody knows. The type is repeated back only if it is one of this
// namespace: what else stands there is the sender's.
func unknownEvent(uri string) error {
	got := "an event type that this gateway does not know"
	if strings.HasPrefix(uri, uriBefore) && len(uri) <= 100 && isName(uri[len(uriBefore):]) {
		got = uri
	}
	var submissions []string
	for _, k := range kinds {
		if !k.ByGateway() {
			submissions = append(submissions, k.URI())
		}
	}
	return &envelope.Fault{
		Reason:  envelope.ErrMalformed,
		Pointer: "/claims/events",
		Wanted:  "an event type that this gateway knows",
		Got:     got,
		Fix:     "Use one of: " + strings.Join(submissions, ", ") + ".",
	}
}

// isName is true for what may be a name that somebody chose for a type or a member, and can be nothing personal: a few
// letters, digits and joints.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == ':' || c == '.') {
			return false
		}
	}
	return 0 < len(s) && len(s) <= 64
}
