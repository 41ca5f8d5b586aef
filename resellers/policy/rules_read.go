package policy

// maxCustom bounds what judging one reseller costs.
const maxCustom = 50

func (r *reader) rules(v value) Rules {
	f, custom := r.named(v, CustomPrefix,
		CIPMissing, CIPStale, CIPIncomplete, CIPCopyMissing, CustomerUnverified, CustomerStale, CustomerIncomplete, CustomerProhibited,
		ReportLate, AbuseUnanswered, OrderOverdue, ContactUnreachable, ContactUnconfirmed, EvidenceRecorded)
	rules := Rules{
		CIPMissing:         r.delayed(CIPMissing, f[0]),
		CIPStale:           r.stale(CIPStale, f[1]),
		CIPIncomplete:      r.atOnce(CIPIncomplete, f[2]),
		CIPCopyMissing:     r.copied(CIPCopyMissing, f[3]),
		CustomerUnverified: r.unverified(CustomerUnverified, f[4]),
		CustomerStale:      r.refresh(CustomerStale, f[5]),
		CustomerIncomplete: r.atOnce(CustomerIncomplete, f[6]),
		CustomerProhibited: r.atOnce(CustomerProhibited, f[7]),
		ReportLate:         r.reported(ReportLate, f[8]),
		AbuseUnanswered:    r.delayed(AbuseUnanswered, f[9]),
		OrderOverdue:       r.delayed(OrderOverdue, f[10]),
		ContactUnreachable: r.delayed(ContactUnreachable, f[11]),
		ContactUnconfirmed: r.delayed(ContactUnconfirmed, f[12]),
		EvidenceRecorded:   r.recorded(EvidenceRecorded, f[13]),
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

const (
	curedBy   = "cured_by"  // left out where the facts cure
	reminders = "reminders" // left out where nobody is reminded
)

// about reads what every rule says of itself. f has the ruleFields in their order.
func (r *reader) about(name string, f []value, severities ...Severity) Rule {
	if severities == nil {
		severities = []Severity{Minor, Serious, Critical}
	}
	words := make([]string, len(severities))
	for i, severity := range severities {
		words[i] = string(severity)
	}
	return Rule{
		Name:     name,
		On:       r.boolean(f[0]),
		Severity: Severity(r.word(f[1], words...)),
		Finding:  r.text(f[2]),
		Cure:     r.text(f[3]),
		Source:   r.text(f[4]),
		Status:   r.origin(f[5]),
	}
}

// curer reads who cures, where a rule says so.
func (r *reader) curer(v value) CuredBy { return CuredBy(r.word(v, string(ByOfficer))) }

// onlyOfficer is curer for a rule whose facts never cease: what came late stays late.
func (r *reader) onlyOfficer(v value) CuredBy {
	if r.curer(v); v.node == nil {
		r.fault(v, "officer, since nothing that the reseller states ends what this rule finds", "nothing: it is missing")
	}
	return ByOfficer
}

func (r *reader) atOnce(name string, v value) Rule {
	if v.node == nil {
		return Rule{}
	}
	f := r.optional(v, ruleFields, curedBy)
	rule := r.about(name, f)
	rule.CuredBy = r.curer(f[6])
	return rule
}

func (r *reader) delayed(name string, v value) Rule {
	if v.node == nil {
		return Rule{}
	}
	f := r.optional(v, with(ruleFields, "after"), curedBy, reminders)
	rule := r.about(name, f)
	rule.After, rule.CuredBy = r.number(f[6]), r.curer(f[7])
	rule.Reminders = r.reminders(name, f[8], rule.After)
	return rule
}

// stale reads the rule about attestations that are out of date, of which is always reminded.
func (r *reader) stale(name string, v value) Rule {
	if v.node == nil {
		return Rule{}
	}
	if r.earlier {
		return r.delayed(name, v)
	}
	f := r.optional(v, with(ruleFields, "after", reminders), curedBy)
	rule := r.about(name, f)
	rule.After, rule.CuredBy = r.number(f[6]), r.curer(f[8])
	rule.Reminders = r.reminders(name, f[7], rule.After)
	return rule
}

// reminders reads of which times before a finding is reminded: each must lie in the time until it opens.
func (r *reader) reminders(rule string, v value, within ...Number) Reminders {
	f := r.object(v, "value", "source", "status")
	read := Reminders{Value: r.durations(f[0]), Source: r.text(f[1]), Status: r.origin(f[2])}
	for _, before := range read.Value {
		for _, n := range within {
			if n.Value > 0 && before >= n.Value {
				r.fault(f[0], "reminders shorter than "+rule+"'s after, "+n.Value.String(), before.String())
			}
		}
	}
	return read
}

func (r *reader) copied(name string, v value) CopyRule {
	if v.node == nil {
		return CopyRule{}
	}
	f := r.optional(v, with(ruleFields, "after"), "requested", curedBy, reminders)
	if f[7].node == nil && !r.earlier {
		r.fault(f[7], "this field", "nothing: it is missing")
	}
	rule := CopyRule{Rule: r.about(name, f), Requested: r.number(f[7])}
	rule.After, rule.CuredBy = r.number(f[6]), r.curer(f[8])
	rule.Reminders = r.reminders(name, f[9], rule.After, rule.Requested)
	return rule
}

func (r *reader) unverified(name string, v value) UnverifiedRule {
	if v.node == nil {
		return UnverifiedRule{}
	}
	f := r.optional(v, with(ruleFields, "after", "share"), curedBy, reminders)
	rule := UnverifiedRule{Rule: r.about(name, f), Share: r.percent(f[7])}
	rule.After, rule.CuredBy = r.number(f[6]), r.curer(f[8])
	rule.Reminders = r.reminders(name, f[9], rule.After)
	return rule
}

func (r *reader) refresh(name string, v value) RefreshRule {
	if v.node == nil {
		return RefreshRule{}
	}
	f := r.optional(v, with(ruleFields, "refresh"), curedBy, reminders)
	tiers := r.object(f[6], "low", "medium", "high")
	rule := RefreshRule{Rule: r.about(name, f),
		Refresh: Refresh{Low: r.number(tiers[0]), Medium: r.number(tiers[1]), High: r.number(tiers[2])}}
	rule.CuredBy = r.curer(f[7])
	rule.Reminders = r.reminders(name, f[8], rule.Refresh.Low, rule.Refresh.Medium, rule.Refresh.High)
	return rule
}

func (r *reader) reported(name string, v value) ReportRule {
	if v.node == nil {
		return ReportRule{}
	}
	f := r.optional(v, with(ruleFields, "ai_training", "suspicious_activity", "covered"), curedBy)
	rule := ReportRule{Rule: r.about(name, f), AITraining: r.number(f[6]), SuspiciousActivity: r.number(f[7]), Covered: r.covered(f[8])}
	rule.CuredBy = r.onlyOfficer(f[9])
	return rule
}

// recorded reads the rule about evidence that officers record: each with its own severity.
func (r *reader) recorded(name string, v value) Rule {
	if v.node == nil {
		return Rule{}
	}
	f := r.optional(v, ruleFields, curedBy)
	rule := r.about(name, f, AsRecorded)
	rule.CuredBy = r.onlyOfficer(f[6])
	return rule
}

func with(fields []string, more ...string) []string {
	return append(append([]string(nil), fields...), more...)
}
