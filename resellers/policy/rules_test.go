package policy

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// own is the shipped file with a rule of the provider's own before the case section.
func own(t *testing.T, name, when string) []byte {
	t.Helper()
	return edit(t, "\ncase:\n", "\n  "+name+":\n    on: true\n    when: "+when+
		"\n    severity: minor\n    finding: Too many\n    cure: fewer\n    source: Contract, clause 7\n    status: ours\n\ncase:\n")
}

func TestACustomRuleIsAnExpressionOverTheFigures(t *testing.T) {
	for when, holds := range map[string]bool{
		"figures.customers > 10":                                           true,
		"figures.customers_unverified * 100 > figures.customers * 5":       true,
		"'KP' in figures.customers_by_country":                             false,
		"figures.country in ['DE', 'FR'] && figures.attestations == 0":     true,
		"figures.customers_by_country.exists(c, c == 'BR')":                true,
		"figures.customers == 0 || figures.owners / figures.customers > 5": false,
	} {
		p, err := Parse(own(t, "custom.ours", `"`+when+`"`))
		if err != nil {
			t.Errorf("%s: %v", when, err)
			continue
		}
		rule := p.Rules.Custom[0]
		if got := rule.Holds(&Figures{Country: "DE", Customers: 20, CustomersUnverified: 2, CustomersByCountry: map[string]int{"BR": 3}}); got != holds {
			t.Errorf("%s: %t, wanted %t", when, got, holds)
		}
		if found, known := p.Rule("custom.ours"); !known || found.Source != "Contract, clause 7" || rule.When != when {
			t.Errorf("%s: %+v, %t", when, found, known)
		}
	}
}

func TestAnExpressionThatCannotDecideIsRefusedWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct {
		rule, when string
		says       []string
	}{
		"a figure nobody counts":    {"custom.ours", "figures.customer > 10", []string{"column 11, rules.custom.ours.when", "undefined field 'customer'", "character 8"}},
		"no truth":                  {"custom.ours", "figures.customers + 1", []string{"true or false", "of type int"}},
		"unlike things":             {"custom.ours", "figures.customers > 'ten'", []string{"no matching overload"}},
		"no CEL":                    {"custom.ours", "figures.customers >", []string{"Syntax error"}},
		"the time":                  {"custom.ours", "now > timestamp('2026-01-01T00:00:00Z')", []string{"undeclared reference to 'now'"}},
		"a division by nought":      {"custom.ours", "figures.owners / figures.customers > 5", []string{"stated nothing", "division by zero"}},
		"a country that nobody has": {"custom.ours", "figures.customers_by_country['KP'] > 0", []string{"stated nothing", "no such key"}},
		"as long as a book":         {"custom.ours", strings.Repeat("figures.customers > 10 || ", 100) + "true", []string{"more than 2000"}},
		"work without an end":       {"custom.ours", "[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, a+b+c+d+e > figures.owners)))))", []string{"cost limit exceeded"}},
		"a name in capitals":        {"custom.OURS", "figures.customers > 10", []string{"small letters"}},
		"a rule that nobody judges": {"customer.rude", "figures.customers > 10", []string{"which is none of them", "or one that begins with custom."}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(own(t, c.rule, `"`+c.when+`"`))
			if fault := (*Fault)(nil); !errors.As(err, &fault) {
				t.Fatalf("got %v, wanted a *Fault", err)
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("got %v, wanted %q in it", err, says)
				}
			}
		})
	}
}

func TestARuleThatAPolicyDoesNotNameIsOff(t *testing.T) {
	file := string(usIaaS2024)
	begins, ends := strings.Index(file, "  customer.stale:"), strings.Index(file, "  customer.incomplete:")
	p, err := Parse([]byte(file[:begins] + file[ends:]))
	if err != nil {
		t.Fatal(err)
	}
	if _, named := p.Rule(CustomerStale); named || p.Rules.CustomerStale.On {
		t.Error("it is there")
	}
	if len(p.Rules.All()) != 13 {
		t.Errorf("got %+v", p.Rules.All())
	}
}

func TestRemindersAreShorterThanTheTimeTheyRemindOf(t *testing.T) {
	for list, says := range map[string]string{
		"[60d, 30d, 7d]": "", "[365d]": "reminders shorter", "[7d, 30d]": "the longest first", "[]": "a list of 1 to 20", "7d": "a list of 1 to 20", "[7]": "a duration with its unit",
	} {
		_, err := Parse(edit(t, "[60d, 30d, 7d]", list))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", list, err)
		}
	}
}

func TestTheTableOfFiguresIsTheOneInTheReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "\n"+FigureTable()+"\n") {
		t.Errorf("README.md wants this table:\n%s", FigureTable())
	}
}

func TestADiffNamesWhatChangesAndNothingElse(t *testing.T) {
	a := Default()
	remarked, err := Parse(append([]byte("# a remark\n"), usIaaS2024...))
	if err != nil {
		t.Fatal(err)
	}
	if changes := Diff(a, remarked); len(changes) != 0 {
		t.Errorf("a remark is a change: %+v", changes)
	}
	b, err := Parse([]byte(strings.Replace(string(own(t, "custom.ours", `"figures.customers > 10"`)), "value: 14d", "value: 13d", 1)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Change{
		"case.cure.value":        {"case.cure.value", "14d", "13d"},
		"rules.custom.ours.when": {"rules.custom.ours.when", "", "figures.customers > 10"},
		"rules.custom.ours.on":   {"rules.custom.ours.on", "", "true"},
	}
	changes := Diff(a, b)
	for _, change := range changes {
		if w, listed := want[change.Field]; listed && w != change {
			t.Errorf("got %+v, wanted %+v", change, w)
		}
		delete(want, change.Field)
		if change.Field != "case.cure.value" && !strings.HasPrefix(change.Field, "rules.custom.ours.") {
			t.Errorf("%+v did not change", change)
		}
	}
	if len(want) > 0 {
		t.Errorf("not named: %v", want)
	}
	back := Diff(b, a)
	for i, change := range changes {
		if back[i] != (Change{change.Field, change.After, change.Before}) {
			t.Errorf("the other way round: %+v", back[i])
		}
	}
}

// Whatever the bytes are, a policy that is taken can be shown, compared and read again from the ledger, and one that is not says where.
func FuzzParse(f *testing.F) {
	for _, p := range Shipped() {
		f.Add([]byte(p.Document()))
	}
	for _, s := range []string{"", "policy: x", "a: [", "rules:\n  custom.x:\n    when: figures", "policy: &a x\nversion: *a", "policy: a\nrules: {cip.missing: {on: true}}\n", "case: &a {limit: *a}\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := Parse(file)
		earlier, errEarlier := ParseEarlier(file)
		if err != nil {
			if fault := (*Fault)(nil); !errors.As(err, &fault) || fault.Line < 1 || fault.Column < 1 {
				t.Fatalf("refused without a place: %v", err)
			}
			return
		}
		numbers := []Number{p.Case.Limit, p.Case.Cure, p.Case.CureMargin, p.Case.CureFloor, p.Case.Restriction, p.Case.ClosingMargin,
			p.Case.TerminationMargin, p.Case.StepFloor, p.Intake.MaxAge, p.Intake.MaxAhead, p.Records.Floor, p.Records.Ceiling}
		for _, rule := range []Rule{p.Rules.CIPMissing, p.Rules.CIPStale, p.Rules.CIPCopyMissing.Rule, p.Rules.AbuseUnanswered, p.Rules.OrderOverdue, p.Rules.ContactUnreachable, p.Rules.ContactUnconfirmed, p.Rules.CustomerUnverified.Rule} {
			if rule.Name != "" {
				numbers = append(numbers, rule.After)
			}
		}
		for _, n := range numbers {
			if n.Value <= 0 || n.Source == "" || n.Status == "" {
				t.Fatalf("a number without value, source or status: %+v", p)
			}
		}
		if errEarlier != nil || earlier.ID() != p.ID() || len(Diff(p, earlier)) > 0 || len(p.Fields()) == 0 {
			t.Fatalf("read as %s, and again as %s, %v", p.ID(), earlier.ID(), errEarlier)
		}
	})
}
