package policy

// Rules are the rules that this version of the program can judge, each under its name. One that a policy does not name is
// off: it finds nothing.
type Rules struct {
	CIPMissing         Rule           `json:"cip.missing,omitzero"`         // no attestation this long after enrolment
	CIPStale           Rule           `json:"cip.stale,omitzero"`           // the last attestation is this old
	CIPIncomplete      Rule           `json:"cip.incomplete,omitzero"`      // an attestation says that an element is not in place
	CIPCopyMissing     CopyRule       `json:"cip.copy-missing,omitzero"`    // the written program is not in hand this long after an attestation
	CustomerUnverified UnverifiedRule `json:"customer.unverified,omitzero"` // an open account of somebody who is not verified
	CustomerStale      RefreshRule    `json:"customer.stale,omitzero"`      // a verification older than its risk tier allows
	CustomerIncomplete Rule           `json:"customer.incomplete,omitzero"` // a verification without an element that is asked for
	CustomerProhibited Rule           `json:"customer.prohibited,omitzero"` // an open account of somebody whom a special measure prohibits
	ReportLate         ReportRule     `json:"report.late,omitzero"`         // a report that came later than allowed, or is owed and did not come
	AbuseUnanswered    Rule           `json:"abuse.unanswered,omitzero"`    // an information request without an answer
	OrderOverdue       Rule           `json:"order.overdue,omitzero"`       // an order that was not confirmed as carried out
	ContactUnreachable Rule           `json:"contact.unreachable,omitzero"` // no notice could be proved by any channel
	ContactUnconfirmed Rule           `json:"contact.unconfirmed,omitzero"` // the contacts were not confirmed for this long
	EvidenceRecorded   Rule           `json:"evidence.recorded,omitzero"`   // evidence that an officer recorded
	Custom             []CustomRule   `json:"custom,omitzero"`              // whatever else a provider asks, in the order of the file
}

// Rule is one rule under which a reseller can fall short.
type Rule struct {
	Name      string    `json:"name"`               // "cip.missing"
	On        bool      `json:"on"`                 // a rule that is off finds nothing
	After     Number    `json:"after,omitzero"`     // how long until the shortfall is one; nothing where it is one at once
	Severity  Severity  `json:"severity"`           // what a finding under it does
	Finding   string    `json:"finding"`            // the shortfall in words: "No CIP attestation was accepted within ..."
	Cure      string    `json:"cure"`               // what cures it, in words for the reseller
	CuredBy   CuredBy   `json:"cured_by,omitzero"`  // ByOfficer where the facts alone do not
	Source    string    `json:"source"`             // where the duty stands
	Status    Origin    `json:"status"`             // of that source
	Reminders Reminders `json:"reminders,omitzero"` // nothing where nobody is reminded
}

// CuredBy says what cures a finding.
type CuredBy string

// What cures a finding.
const (
	ByFacts   CuredBy = ""        // the entry after which nothing falls short any more
	ByOfficer CuredBy = "officer" // only an officer who accepts a remediation of it, or decides its dispute for the reseller
)

// Reminders are how long before a finding opens the reseller is reminded, the longest first.
type Reminders struct {
	Value  []Duration `json:"value"`
	Source string     `json:"source"`
	Status Origin     `json:"status"`
}

// CopyRule is the rule about the written program: not in hand After an attestation, or not given this long after a request.
type CopyRule struct {
	Rule
	Requested Number `json:"requested,omitzero"`
}

// UnverifiedRule is the rule about customers that could not be verified: one for longer than After, or for that long more than
// a share of all customers.
type UnverifiedRule struct {
	Rule
	Share Percent `json:"share,omitzero"`
}

// RefreshRule is the rule about verifications that are older than their risk tier allows. Its After is not used.
type RefreshRule struct {
	Rule
	Refresh Refresh `json:"refresh,omitzero"`
}

// Refresh is how old a verification may be in each risk tier.
type Refresh struct {
	Low    Number `json:"low"`
	Medium Number `json:"medium"`
	High   Number `json:"high"`
}

// ReportRule is the rule about reports, each counted from the earliest knowledge until the ledger took it. Its After is not used.
type ReportRule struct {
	Rule
	AITraining         Number  `json:"ai_training,omitzero"`         // of a covered training
	SuspiciousActivity Number  `json:"suspicious_activity,omitzero"` // of suspected or actual malicious activity
	Covered            Covered `json:"covered,omitzero"`
}

// Severity says what a finding does.
type Severity string

// The severities of a finding.
const (
	Minor    Severity = "minor"    // puts the reseller on watch
	Serious  Severity = "serious"  // opens a case
	Critical Severity = "critical" // opens a case that goes to closing the account at once
	// AsRecorded is the severity of the rule about evidence alone: each finding has the one that the officer recorded.
	AsRecorded Severity = "as-recorded"
)

// All returns every rule that the policy names, in the order in which they are judged.
func (r Rules) All() []Rule {
	var all []Rule
	for _, rule := range r.fixed() {
		if rule.Name != "" {
			all = append(all, *rule)
		}
	}
	for _, custom := range r.Custom {
		all = append(all, custom.Rule)
	}
	return all
}

// fixed are the rules that this version knows by name, whether the policy names them or not.
func (r *Rules) fixed() [14]*Rule {
	return [...]*Rule{
		&r.CIPMissing, &r.CIPStale, &r.CIPIncomplete, &r.CIPCopyMissing.Rule, &r.CustomerUnverified.Rule, &r.CustomerStale.Rule, &r.CustomerIncomplete,
		&r.CustomerProhibited, &r.ReportLate.Rule, &r.AbuseUnanswered, &r.OrderOverdue, &r.ContactUnreachable, &r.ContactUnconfirmed, &r.EvidenceRecorded,
	}
}

// Rule returns the rule of this name.
func (p Policy) Rule(name string) (Rule, bool) {
	for _, rule := range p.Rules.fixed() {
		if rule.Name == name && name != "" {
			return *rule, true
		}
	}
	for i := range p.Rules.Custom {
		if custom := &p.Rules.Custom[i]; custom.Name == name {
			return custom.Rule, true
		}
	}
	return Rule{}, false
}

// The names of rules. Any name behind CustomPrefix is one of the provider's own.
const (
	CIPMissing         = "cip.missing"
	CIPStale           = "cip.stale"
	CIPIncomplete      = "cip.incomplete"
	CIPCopyMissing     = "cip.copy-missing"
	CustomerUnverified = "customer.unverified"
	CustomerStale      = "customer.stale"
	CustomerIncomplete = "customer.incomplete"
	CustomerProhibited = "customer.prohibited"
	ReportLate         = "report.late"
	AbuseUnanswered    = "abuse.unanswered"
	OrderOverdue       = "order.overdue"
	ContactUnreachable = "contact.unreachable"
	ContactUnconfirmed = "contact.unconfirmed"
	EvidenceRecorded   = "evidence.recorded"
	CustomPrefix       = "custom."
)
