package policy

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestTheRulesAboutDutiesSayWhatStandingMdSays(t *testing.T) {
	r := Default().Rules
	for _, want := range []struct {
		rule     Rule
		severity Severity
		number   Number
		value    string
	}{
		{r.CIPCopyMissing.Rule, Serious, r.CIPCopyMissing.Requested, "7d"},
		{r.CustomerProhibited, Critical, Number{}, "0s"},
		{r.ReportLate.Rule, Serious, r.ReportLate.AITraining, "15d"},
		{r.ReportLate.Rule, Serious, r.ReportLate.SuspiciousActivity, "3d"},
		{r.AbuseUnanswered, Serious, r.AbuseUnanswered.After, "5d"},
		{r.OrderOverdue, Critical, r.OrderOverdue.After, "3d"},
		{r.ContactUnreachable, Serious, r.ContactUnreachable.After, "7d"},
		{r.ContactUnconfirmed, Minor, r.ContactUnconfirmed.After, "90d"},
		{r.EvidenceRecorded, AsRecorded, Number{}, "0s"},
	} {
		if want.rule.Severity != want.severity || want.number.Value.String() != want.value || want.rule.Source == "" ||
			want.value != "0s" && (want.number.Source == "" || want.number.Status == "") {
			t.Errorf("%s is %s after %s, wanted %s after %s, with their sources", want.rule.Name, want.rule.Severity, want.number.Value, want.severity, want.value)
		}
	}
	for _, rule := range r.All() {
		if by := rule.CuredBy; (by == ByOfficer) != (rule.Name == ReportLate || rule.Name == EvidenceRecorded) {
			t.Errorf("%s is cured by %q", rule.Name, by)
		}
	}
}

func TestAThresholdCoversFromItsNumberOnAndItsModalityAlone(t *testing.T) {
	covered := Default().Rules.ReportLate.Covered
	strict := covered
	strict.Unstated.Value = NotCovered
	for name, c := range map[string]struct {
		covered    Covered
		operations string
		modalities []string
		want       bool
	}{
		"exactly":                       {covered, "1e26", nil, true},
		"written otherwise":             {covered, "10e25", []string{"text"}, true},
		"less":                          {covered, "9.99e25", []string{"text", "code"}, false},
		"biological from less on":       {covered, "1e23", []string{"text", "biological"}, true},
		"biological and less":           {covered, "9.9e22", []string{"biological"}, false},
		"of unknown modality":           {covered, "1e23", nil, true},
		"nothing stated, the safe one":  {covered, "", []string{"text"}, true},
		"nothing stated, the other one": {strict, "", []string{"biological"}, false},
		"by a policy without":           {Covered{}, "1e30", nil, false},
	} {
		if got := c.covered.Covers(c.operations, c.modalities); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if (Covered{}).Definition() != "" || covered.Definition() == strict.Definition() {
		t.Errorf("definitions %q and %q", covered.Definition(), strict.Definition())
	}
	turned := covered
	turned.Thresholds.Value = slices.Clone(covered.Thresholds.Value)
	slices.Reverse(turned.Thresholds.Value)
	if turned.Definition() != covered.Definition() {
		t.Error("the order of the file is another definition")
	}
}

func TestARuleAboutDutiesThatCannotBeMeantIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ old, replacement, says string }{
		"late, and cured by the next report": {"    cured_by: officer\n    severity: serious\n", "    severity: serious\n", "rules.report.late.cured_by: wanted officer"},
		"cured by somebody":                  {"    cured_by: officer\n    severity: serious\n", "    cured_by: anybody\n    severity: serious\n", "one of officer"},
		"evidence of one severity":           {"severity: as-recorded", "severity: serious", "one of as-recorded"},
		"as recorded by nobody":              {"severity: serious", "severity: as-recorded", "one of minor, serious, critical"},
		"a threshold of nothing":             {`"any 1e26"`, `"any 0"`, "a modality"},
		"a threshold of a number alone":      {`"any 1e26"`, `"1e26"`, "a modality"},
		"a modality nobody knows":            {`"any 1e26"`, `"smell 1e26"`, "a modality"},
		"no threshold":                       {`["any 1e26", "biological 1e23"]`, "[]", "1 to 20 thresholds"},
		"unstated, and neither":              {"value: covered\n", "value: maybe\n", "covered, not-covered"},
		"a reminder after the fact":          {"value: [24h]", "value: [5d]", "reminders shorter than abuse.unanswered's after"},
		"a request without its number":       {"    requested:\n", "    asked:\n", "rules.cip.copy-missing.requested"},
	} {
		_, err := Parse(edit(t, c.old, c.replacement))
		if fault := (*Fault)(nil); !errors.As(err, &fault) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, wanted a fault that says %q", name, err, c.says)
		}
	}
}

func TestAnyRuleMayAskForAnOfficerAndHaveReminders(t *testing.T) {
	file := edit(t, "    severity: minor\n    finding: A customer with an open account was verified longer ago",
		"    cured_by: officer\n    reminders: {value: [30d, 7d], source: Ours, status: ours}\n    severity: minor\n    finding: A customer with an open account was verified longer ago")
	p, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if rule := p.Rules.CustomerStale; rule.CuredBy != ByOfficer || len(rule.Reminders.Value) != 2 {
		t.Errorf("got %+v", rule)
	}
	changes := Diff(Default(), p)
	if !slices.ContainsFunc(changes, func(c Change) bool { return c.Field == "rules.customer.stale.cured_by" && c.After == "officer" }) {
		t.Errorf("the change is not told: %+v", changes)
	}
}

func TestTheVersionBeforeJudgesByTheRulesThatItNamed(t *testing.T) {
	file, err := os.ReadFile("testdata/us-iaas-2024.2.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseEarlier(file)
	if err != nil {
		t.Fatal(err)
	}
	if p.Rules.ReportLate.On || p.Rules.ReportLate.Covered.Definition() != "" || p.Rules.CIPCopyMissing.Requested.Value != 0 || len(p.Rules.All()) != 7 {
		t.Errorf("it judges by %+v", p.Rules.All())
	}
	if _, err := Parse(file); err == nil || !strings.Contains(err.Error(), "rules.cip.copy-missing.requested") {
		t.Errorf("put in force from now on: %v", err)
	}
}
