// Package policy holds the numbers by which resellers are judged: each with its unit, its source and its status, read
// from a file that a lawyer can check against the rule. No number of the rule stands anywhere else in the program, since
// the rule is only proposed: a final rule, a contract or another country's rule is a new file, not a new release.
//
// It says what the numbers are and which dates follow from them (schedule.go). Whom they hit is decided in findings,
// and what is done about it in escalation.
package policy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
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

	digest   string
	document string
}

// Rules are the rules that this version of the program can judge, each under its name.
type Rules struct {
	CIPMissing Rule `json:"cip.missing"` // no attestation this long after enrolment
	CIPStale   Rule `json:"cip.stale"`   // the last attestation is this old
}

// Rule is one rule under which a reseller can fall short.
type Rule struct {
	Name     string   `json:"name"`     // "cip.missing"
	On       bool     `json:"on"`       // a rule that is off finds nothing
	After    Number   `json:"after"`    // how long until the shortfall is one
	Severity Severity `json:"severity"` // serious opens a case, minor puts on watch
	Finding  string   `json:"finding"`  // the shortfall in words: "No CIP attestation was accepted within ..."
	Cure     string   `json:"cure"`     // what cures it, in words for the reseller
	Source   string   `json:"source"`   // where the duty stands
	Status   Origin   `json:"status"`
}

// Severity says what a finding does.
type Severity string

// The severities a rule may have here. A critical finding goes straight to closing an account, with approvals that this
// version does not have; Parse refuses it.
const (
	Minor   Severity = "minor"   // puts the reseller on watch
	Serious Severity = "serious" // opens a case
)

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
}

// Intake holds the numbers of protocol.md's checks of a submission's iat.
type Intake struct {
	MaxAge   Number `json:"max_age"`
	MaxAhead Number `json:"max_ahead"`
}

// ID names this version: "us-iaas-2024.1". Decisions carry it in their basis, and an open case is pinned to it.
func (p Policy) ID() string { return p.Name + "." + strconv.Itoa(p.Version) }

// Digest is the SHA-256 of the file's bytes, base64url without padding: which text stood behind the ID.
func (p Policy) Digest() string { return p.digest }

// Document is the file itself, as Parse read it: what policy-activated carries, so that a rebuild needs no other copy.
func (p Policy) Document() string { return p.document }

// Rule returns the rule of this name.
func (p Policy) Rule(name string) (Rule, bool) {
	for _, rule := range [...]Rule{p.Rules.CIPMissing, p.Rules.CIPStale} {
		if rule.Name == name {
			return rule, true
		}
	}
	return Rule{}, false
}

//go:embed us-iaas-2024.yaml
var usIaaS2024 []byte

// Default returns the policy the program is shipped with.
func Default() Policy {
	p, err := Parse(usIaaS2024)
	if err != nil {
		// The bytes are part of the program, and a test parses them.
		panic(fmt.Sprintf("policy: the embedded policy does not parse: %v", err))
	}
	return p
}

func digestOf(file []byte) string {
	sum := sha256.Sum256(file)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
