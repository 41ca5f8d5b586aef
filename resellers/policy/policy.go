// Package policy holds the numbers by which resellers are judged: each with its unit, its source and its status, read
// from a file that a lawyer can check against the rule. No number of the rule stands anywhere else in the program, since
// the rule is only proposed: a final rule, a contract or another country's rule is a new file, not a new release.
//
// It says what the numbers are and which dates follow from them (schedule.go). Whom they hit is decided in findings,
// and what is done about it in escalation.
package policy

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"
)

// Policy is one version of one policy file. Make one with Parse; the zero Policy has no rule that is on.
type Policy struct {
	Name       string `json:"name"`        // "us-iaas-2024"
	Version    int    `json:"version"`     // counts up with each change of the file
	Title      string `json:"title"`       // for people
	LegalBasis string `json:"legal_basis"` // the law or contract that it follows
	Status     string `json:"status"`      // of that law or contract: "proposed" or "in force"
	Rules      Rules  `json:"rules"`
	Case       Case   `json:"case"`
	Intake     Intake `json:"intake"`

	SpecialMeasures SpecialMeasures `json:"special_measures,omitzero"`
	Records         Records         `json:"records,omitzero"`
	Guard           Guard           `json:"guard,omitzero"`
	Hours           Hours           `json:"hours,omitzero"`
	Obligations     Obligations     `json:"obligations,omitzero"`
	Change          Changing        `json:"change,omitzero"`

	digest   string
	document string
}

// Origin says where a number or a duty comes from.
type Origin string

// The origins.
const (
	FromRule Origin = "rule"     // read in the rule
	Recalled Origin = "recalled" // believed to be in the rule, not confirmed
	Ours     Origin = "ours"     // not in the rule
)

// Number is a duration with where it comes from.
type Number struct {
	Value  Duration `json:"value"`
	Source string   `json:"source"`
	Status Origin   `json:"status"`
}

// From returns the moment this long after t.
func (n Number) From(t time.Time) time.Time { return t.Add(time.Duration(n.Value)) }

// Before returns the moment this long before t.
func (n Number) Before(t time.Time) time.Time { return t.Add(-time.Duration(n.Value)) }

// Clock says when the limit of a case begins to run. 15 CFR 7.303(d), proposed, leaves it open.
type Clock string

// The clocks. A third reading, from the day on which remediation failed, is not offered: with it the cure time, which
// is fitted into the limit, would depend on itself.
const (
	FromEvidence  Clock = "evidence-received" // when the facts made the finding true: the earliest, safe reading
	FromAwareness Clock = "awareness"         // when the gateway found it
)

// Case holds the numbers of the escalation.
type Case struct {
	ClockStart        Clock  `json:"clock_start"`
	ClockSource       string `json:"clock_source"`
	ClockStatus       Origin `json:"clock_status"`
	Limit             Number `json:"limit"`              // from the clock's start to the day nothing passes silently
	Cure              Number `json:"cure"`               // from the warning to the restriction
	CureMargin        Number `json:"cure_margin"`        // the cure time ends at least this long before the limit
	CureFloor         Number `json:"cure_floor"`         // and is never shorter than this
	Restriction       Number `json:"restriction"`        // from the end of the cure time to the closure
	ClosingMargin     Number `json:"closing_margin"`     // the closure comes at least this long before the limit
	TerminationMargin Number `json:"termination_margin"` // the termination comes this long before the limit
	StepFloor         Number `json:"step_floor"`         // never less than this between two steps, however late

	// What people do, and how long they have for it.
	Approvals           Approvals `json:"approvals,omitzero"`
	ApprovalLead        Number    `json:"approval_lead,omitzero"`         // a step is put before people this long before its time
	ApprovalDeputyAfter Number    `json:"approval_deputy_after,omitzero"` // this long after that it is the deputy's, and again the administrator's
	HoldReturn          Number    `json:"hold_return,omitzero"`           // after a hold no step comes sooner than this
	Repeat              Repeat    `json:"repeat,omitzero"`
	Appeal              Number    `json:"appeal,omitzero"` // a dispute is decided within this, or goes to the next officer
	Proof               Proof     `json:"proof,omitzero"`
	Close               Closing   `json:"close,omitzero"` // what is ordered closed
}

// Intake holds what a submission must meet beyond its schema.
type Intake struct {
	MaxAge           Number `json:"max_age"`                     // how far its iat may lie back
	MaxAhead         Number `json:"max_ahead"`                   // and ahead
	MaxPathLength    Count  `json:"max_path_length,omitzero"`    // how often one SET may be forwarded
	Identity         Choice `json:"identity,omitzero"`           // whether a customer-verification may name the person: RefuseIt or AcceptIt
	AITrainingFields Fields `json:"ai_training_fields,omitzero"` // what an ai-training may and must hold in its fields
	Enrolment        Choice `json:"enrolment,omitzero"`          // which enrolments wait for an officer's approval: AsInvited or EachApproved
}

// Count is a whole number with where it comes from.
type Count struct {
	Value  int    `json:"value"`
	Source string `json:"source"`
	Status Origin `json:"status"`
}

// Fields are names of fields that a statement may hold, those that it must hold first, with where they come from.
type Fields struct {
	Required []string `json:"required"`
	Optional []string `json:"optional"`
	Source   string   `json:"source"`
	Status   Origin   `json:"status"`
}

// AcceptIt says that what the rule does not ask for is taken in all the same.
const AcceptIt = "accept"

// Which enrolments wait for an officer's approval.
const (
	AsInvited    = "as-invited" // those whose invitation asks for it
	EachApproved = "approved"   // each
)

// Records says how long what was stated of a customer is kept, both from the later of the day its last account was closed and the
// day it was last accessed. Between the two it is erased on request.
type Records struct {
	Floor   Number `json:"floor"`   // never erased before
	Ceiling Number `json:"ceiling"` // erased on schedule after
}

// SpecialMeasures holds the numbers of special measures, 15 CFR 7.307, proposed.
type SpecialMeasures struct {
	Longest Number `json:"longest"` // one is in force at most this long unless it is extended
	Notice  Number `json:"notice"`  // and not sooner than this after it was determined
	Outside Choice `json:"outside"` // what is done with one that an officer imposes outside these numbers: RefuseIt or WarnOfIt
	// Likeness is from which likeness of two names on an officer looks at it, in percent. Nothing else follows from it.
	Likeness Percent `json:"likeness"`
}

// What is done with a special measure outside the rule's numbers.
const (
	RefuseIt = "refuse"
	WarnOfIt = "warn"
)

// Choice is a word with where it comes from.
type Choice struct {
	Value  string `json:"value"`
	Source string `json:"source"`
	Status Origin `json:"status"`
}

// Percent is a whole number from 1 to 100 with where it comes from.
type Percent struct {
	Value  int    `json:"value"`
	Source string `json:"source"`
	Status Origin `json:"status"`
}

// ID names this version: "us-iaas-2024.1". Decisions carry it in their basis, and an open case is pinned to it.
func (p Policy) ID() string { return p.Name + "." + strconv.Itoa(p.Version) }

// Digest is the SHA-256 of the file's bytes, base64url without padding: which text stood behind the ID.
func (p Policy) Digest() string { return p.digest }

// Document is the file itself, as Parse read it: what policy-activated carries, so that a rebuild needs no other copy.
func (p Policy) Document() string { return p.document }

func digestOf(file []byte) string {
	sum := sha256.Sum256(file)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
