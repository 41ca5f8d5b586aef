package policy

// Rules are the rules that this version of the program can judge, each under its name. One that a policy does not name is
// off: it finds nothing.
type Rules struct {
	CIPMissing         Rule           `json:"cip.missing,omitzero"`         // no attestation this long after enrolment
	CIPStale           StaleRule      `json:"cip.stale,omitzero"`           // the last attestation is this old
	CIPIncomplete      Rule           `json:"cip.incomplete,omitzero"`      // an attestation says that an element is not in place
	CIPCopyMissing     Rule           `json:"cip.copy-missing,omitzero"`    // the written program is not in hand this long after an attestation
	CustomerUnverified UnverifiedRule `json:"customer.unverified,omitzero"` // an open account of somebody who is not verified
	CustomerStale      RefreshRule    `json:"customer.stale,omitzero"`      // a verification older than its risk tier allows
	CustomerIncomplete Rule           `json:"customer.incomplete,omitzero"` // a verification without an element that is asked for
	Custom             []CustomRule   `json:"custom,omitzero"`              // whatever else a provider asks, in the order of the file
}

// Rule is one rule under which a reseller can fall short.
type Rule struct {
	Name     string   `json:"name"`           // "cip.missing"
	On       bool     `json:"on"`             // a rule that is off finds nothing
	After    Number   `json:"after,omitzero"` // how long until the shortfall is one; nothing where it is one at once
	Severity Severity `json:"severity"`       // serious opens a case, minor puts on watch
	Finding  string   `json:"finding"`        // the shortfall in words: "No CIP attestation was accepted within ..."
	Cure     string   `json:"cure"`           // what cures it, in words for the reseller
	Source   string   `json:"source"`         // where the duty stands
	Status   Origin   `json:"status"`
}

// StaleRule is a rule of which is reminded before it finds anything.
type StaleRule struct {
	Rule
	Reminders Reminders `json:"reminders,omitzero"`
}

// Reminders are how long before a finding opens the reseller is reminded, the longest first.
type Reminders struct {
	Value  []Duration `json:"value"`
	Source string     `json:"source"`
	Status Origin     `json:"status"`
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

// Severity says what a finding does.
type Severity string

// The severities a rule may have here. A critical finding goes straight to closing an account, with approvals that this
// version does not have; Parse refuses it.
const (
	Minor   Severity = "minor"   // puts the reseller on watch
	Serious Severity = "serious" // opens a case
)

// All returns every rule that the policy names, in the order in which they are judged.
func (r Rules) All() []Rule {
	var all []Rule
	for _, rule := range []Rule{
		r.CIPMissing, r.CIPStale.Rule, r.CIPIncomplete, r.CIPCopyMissing, r.CustomerUnverified.Rule, r.CustomerStale.Rule, r.CustomerIncomplete,
	} {
		if rule.Name != "" {
			all = append(all, rule)
		}
	}
	for _, custom := range r.Custom {
		all = append(all, custom.Rule)
	}
	return all
}

// Rule returns the rule of this name.
func (p Policy) Rule(name string) (Rule, bool) {
	for _, rule := range p.Rules.All() {
		if rule.Name == name {
			return rule, true
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
	CustomPrefix       = "custom."
)

// maxCustom bounds what judging one reseller costs.
const maxCustom = 50

func (r *reader) rules(v value) Rules {
	f, custom := r.named(v, CustomPrefix,
		CIPMissing, CIPStale, CIPIncomplete, CIPCopyMissing, CustomerUnverified, CustomerStale, CustomerIncomplete)
	rules := Rules{
		CIPMissing:         r.delayed(CIPMissing, f[0]),
		CIPStale:           r.stale(CIPStale, f[1]),
		CIPIncomplete:      r.atOnce(CIPIncomplete, f[2]),
		CIPCopyMissing:     r.delayed(CIPCopyMissing, f[3]),
		CustomerUnverified: r.unverified(CustomerUnverified, f[4]),
		CustomerStale:      r.refresh(CustomerStale, f[5]),
		CustomerIncomplete: r.atOnce(CustomerIncomplete, f[6]),
	}
	if len(custom) > maxCustom {
		r.fault(v, "at most 50 custom rules", describe(v.node))
		return rules
	}
	for _, own := range custom {
		rules.Custom = append(rules.Custom, r.custom(own))
	}
	return rules
}

// ruleFields are what every rule says of itself; each kind of rule has its own numbers beside them.
var ruleFields = []string{"on", "severity", "finding", "cure", "source", "status"}

// about reads what every rule says of itself.
func (r *reader) about(name string, f []value) Rule {
	return Rule{
		Name:     name,
		On:       r.boolean(f[0]),
		Severity: Severity(r.word(f[1], string(Minor), string(Serious))),
		Finding:  r.text(f[2]),
		Cure:     r.text(f[3]),
		Source:   r.text(f[4]),
		Status:   r.origin(f[5]),
	}
}

func (r *reader) atOnce(name string, v value) Rule {
	if v.node == nil {
		return Rule{}
	}
	return r.about(name, r.object(v, ruleFields...))
}

func (r *reader) delayed(name string, v value) Rule {
	if v.node == nil {
		return Rule{}
	}
	f := r.object(v, with(ruleFields, "after")...)
	rule := r.about(name, f)
	rule.After = r.number(f[6])
	return rule
}

func (r *reader) stale(name string, v value) StaleRule {
	if v.node == nil {
		return StaleRule{}
	}
	f := r.grown(v, with(ruleFields, "after"), "reminders")
	rule := StaleRule{Rule: r.about(name, f)}
	rule.After = r.number(f[6])
	reminders := r.object(f[7], "value", "source", "status")
	rule.Reminders = Reminders{Value: r.durations(reminders[0]), Source: r.text(reminders[1]), Status: r.origin(reminders[2])}
	for _, before := range rule.Reminders.Value {
		if before >= rule.After.Value && rule.After.Value > 0 {
			r.fault(reminders[0], "reminders shorter than "+name+"'s after, "+rule.After.Value.String(), before.String())
		}
	}
	return rule
}

func (r *reader) unverified(name string, v value) UnverifiedRule {
	if v.node == nil {
		return UnverifiedRule{}
	}
	f := r.object(v, with(ruleFields, "after", "share")...)
	rule := UnverifiedRule{Rule: r.about(name, f), Share: r.percent(f[7])}
	rule.After = r.number(f[6])
	return rule
}

func (r *reader) refresh(name string, v value) RefreshRule {
	if v.node == nil {
		return RefreshRule{}
	}
	f := r.object(v, with(ruleFields, "refresh")...)
	tiers := r.object(f[6], "low", "medium", "high")
	return RefreshRule{Rule: r.about(name, f),
		Refresh: Refresh{Low: r.number(tiers[0]), Medium: r.number(tiers[1]), High: r.number(tiers[2])}}
}

func with(fields []string, more ...string) []string {
	return append(append([]string(nil), fields...), more...)
}
