package policy

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheShippedPolicySaysWhatStandingMdSays(t *testing.T) {
	p := Default()
	for _, want := range []struct {
		name   string
		number Number
		value  string
		status Origin
	}{
		{"cip.missing", p.Rules.CIPMissing.After, "30d", Ours},
		{"cip.stale", p.Rules.CIPStale.After, "365d", Ours},
		{"limit", p.Case.Limit, "30d", FromRule},
		{"cure", p.Case.Cure, "14d", Ours},
		{"cure_margin", p.Case.CureMargin, "5d", Ours},
		{"cure_floor", p.Case.CureFloor, "3d", Ours},
		{"restriction", p.Case.Restriction, "7d", Ours},
		{"closing_margin", p.Case.ClosingMargin, "3d", Ours},
		{"termination_margin", p.Case.TerminationMargin, "1d", Ours},
		{"step_floor", p.Case.StepFloor, "1d", Ours},
		{"approval_lead", p.Case.ApprovalLead, "3d", Ours},
		{"approval_deputy_after", p.Case.ApprovalDeputyAfter, "2d", Ours},
		{"hold_return", p.Case.HoldReturn, "3d", Ours},
		{"repeat.within", p.Case.Repeat.Within, "365d", Ours},
		{"appeal", p.Case.Appeal, "5d", Ours},
		{"max_age", p.Intake.MaxAge, "30d", Ours},
		{"max_ahead", p.Intake.MaxAhead, "1m", Ours},
		{"special_measures.longest", p.SpecialMeasures.Longest, "365d", FromRule},
		{"special_measures.notice", p.SpecialMeasures.Notice, "180d", FromRule},
		{"records.floor", p.Records.Floor, "730d", FromRule},
		{"records.ceiling", p.Records.Ceiling, "1826d", Ours},
	} {
		if want.number.Value.String() != want.value || want.number.Status != want.status || want.number.Source == "" {
			t.Errorf("%s is %v (%s), from %q; wanted %s (%s) with a source", want.name, want.number.Value, want.number.Status,
				want.number.Source, want.value, want.status)
		}
	}
	if p.Rules.CIPMissing.Severity != Serious || p.Rules.CIPStale.Severity != Serious || !p.Rules.CIPMissing.On || !p.Rules.CIPStale.On {
		t.Errorf("both rules are on and serious, got %+v", p.Rules)
	}
	if p.Case.ClockStart != FromEvidence || p.Status != "proposed" {
		t.Errorf("the clock starts with the evidence and the rule is proposed, got %s and %s", p.Case.ClockStart, p.Status)
	}
	if s := p.SpecialMeasures; s.Outside.Value != RefuseIt || s.Outside.Status != Ours || s.Likeness.Value != 90 || s.Likeness.Status != Ours {
		t.Errorf("a measure outside the rule is refused and names count from 90 percent on, got %+v", s)
	}
	if i := p.Intake; i.Identity.Value != RefuseIt || i.Identity.Status != Ours || i.MaxPathLength.Value != 3 || i.MaxPathLength.Status != Ours ||
		len(i.AITrainingFields.Required) != 0 || len(i.AITrainingFields.Optional) != 8 || i.AITrainingFields.Status != Recalled {
		t.Errorf("no names, three hops, and what a report may name, got %+v", i)
	}
	if p.ID() != "us-iaas-2024.5" || len(p.Digest()) != 43 {
		t.Errorf("got ID %s and digest %s", p.ID(), p.Digest())
	}
}

func TestARuleIsFoundByItsName(t *testing.T) {
	p := Default()
	for _, name := range []string{"cip.missing", "cip.stale"} {
		if rule, known := p.Rule(name); !known || rule.Name != name {
			t.Errorf("rule %s: got %+v, %t", name, rule, known)
		}
	}
	if _, known := p.Rule("cip.unheard-of"); known {
		t.Error("a rule that the policy does not have was found")
	}
}

// edit replaces one piece of the shipped file, which must be in it.
func edit(t *testing.T, old, replacement string) []byte {
	t.Helper()
	if !strings.Contains(string(usIaaS2024), old) {
		t.Fatalf("the shipped policy has no %q", old)
	}
	return []byte(strings.Replace(string(usIaaS2024), old, replacement, 1))
}

func TestAFaultNamesLineColumnFieldAndWhatWasWanted(t *testing.T) {
	for name, c := range map[string]struct {
		old, replacement string
		field            string
		says             []string
	}{
		"a number without a unit":           {"value: 30d", "value: 30", "rules.cip.missing.after.value", []string{"line 19, column 14", "a duration with its unit", `got "30"`}},
		"a unit nobody knows":               {"value: 30d", "value: 2w", "rules.cip.missing.after.value", []string{"line 19", "30d", `got "2w"`}},
		"a fraction":                        {"value: 30d", "value: 1.5d", "rules.cip.missing.after.value", []string{`got "1.5d"`}},
		"nothing at all as a duration":      {"value: 30d", "value: 0d", "rules.cip.missing.after.value", []string{"longer than nothing"}},
		"a duration of centuries":           {"value: 30d", "value: 36501d", "rules.cip.missing.after.value", []string{"at most 36500d"}},
		"a status nobody knows":             {"status: ours", "status: mine", "rules.cip.missing.after.status", []string{"rule, recalled, ours", `got "mine"`}},
		"a severity without a road":         {"severity: serious", "severity: grave", "rules.cip.missing.severity", []string{"minor, serious, critical", `got "grave"`}},
		"yes for true":                      {"on: true", "on: yes", "rules.cip.missing.on", []string{"true or false", `got "yes"`}},
		"a version of nought":               {"version: 5", "version: 0", "version", []string{"line 8, column 10", "whole number"}},
		"a version in words":                {"version: 5", "version: one", "version", []string{"whole number"}},
		"a name with a space":               {"policy: us-iaas-2024", "policy: us iaas", "policy", []string{"small letters"}},
		"a clock nobody knows":              {"value: evidence-received", "value: remediation-failed", "case.clock_start.value", []string{"evidence-received, awareness"}},
		"a field nobody knows":              {"  cure_floor:", "  cure_roof:", "case.cure_roof", []string{"one of the fields", "cure_floor"}},
		"a field that is missing":           {"    severity: serious\n", "", "rules.cip.missing.severity", []string{"it is missing"}},
		"a field twice":                     {"    severity: serious\n", "    severity: serious\n    severity: minor\n", "", []string{"line 23, column 5", "already defined"}},
		"an empty source":                   {"source: RFC 8417 sets no bound on the age of iat", "source: ''", "intake.max_age.source", []string{"wanted text"}},
		"a list for a mapping":              {"after:\n      value: 30d\n", "after:\n      - value: 30d\n", "", nil},
		"an alias":                          {"  cure:\n    value: 14d\n", "  cure: *limit\n  unused:\n    value: 14d\n", "case.cure", []string{"a mapping"}},
		"an anchor":                         {"  limit:\n    value", "  limit: &limit\n    value", "case.limit", []string{"a mapping"}},
		"a likeness of more than the same":  {"value: 90\n", "value: 101\n", "special_measures.likeness.value", []string{"from 1 to 100", `got "101"`}},
		"records erased before they may be": {"value: 1826d\n", "value: 700d\n", "records.ceiling", []string{"at least the floor of 730d", "got 700d"}},
		"a measure that is neither":         {"value: refuse\n    source: >-\n      A measure", "value: ignore\n    source: >-\n      A measure", "special_measures.outside.value", []string{"refuse, warn", `got "ignore"`}},
		"names that are neither":            {"value: refuse\n    source: >-\n      Nothing", "value: some\n    source: >-\n      Nothing", "intake.identity.value", []string{"refuse, accept", `got "some"`}},
		"a field's name of another form":    {"- payment_means", "- Payment-Means", "intake.ai_training_fields.optional", []string{"small letters", `got "Payment-Means"`}},
		"a field named twice":               {"- payment_means", "- customer_name", "intake.ai_training_fields.optional", []string{"each once"}},
		"a field required and optional":     {"required: []", "required: [customer_name]", "intake.ai_training_fields.optional", []string{"not required"}},
		"no list of fields":                 {"required: []", "required: none", "intake.ai_training_fields.required", []string{"a list of names", `got "none"`}},
		"numbers that do not fit the limit": {"value: 24h\n    source: No two", "value: 11d\n    source: No two", "case", []string{"a termination after 36d"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(edit(t, c.old, c.replacement))
			if err == nil {
				t.Fatal("accepted")
			}
			var fault *Fault
			if !errors.As(err, &fault) {
				t.Fatalf("got %v, wanted a *Fault", err)
			}
			if c.field != "" && !strings.Contains(err.Error(), c.field+":") {
				t.Errorf("got %v, wanted the field %s", err, c.field)
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("got %v, wanted it to say %q", err, says)
				}
			}
		})
	}
}

func TestEveryFaultOfAFileIsNamedAtOnce(t *testing.T) {
	file := strings.NewReplacer("version: 5", "version: x", "value: 14d", "value: 14", "max_ahead", "max_behind").Replace(string(usIaaS2024))
	_, err := Parse([]byte(file))
	for _, field := range []string{"version:", "case.cure.value:", "intake.max_behind:", "intake.max_ahead:"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("got %v, wanted %s in it", err, field)
		}
	}
}

func TestWhatIsNoPolicyFileIsRefused(t *testing.T) {
	for _, file := range []string{"", "\n", "# only a comment\n", "[]", "policy", "a: 1\n---\na: 1\n", "policy: [", "\t", "\x00", "a: 1"} {
		if _, err := Parse([]byte(file)); err == nil {
			t.Errorf("%q was accepted", file)
		}
	}
}

func TestADigestIsThatOfTheBytes(t *testing.T) {
	other, err := Parse(append([]byte("# a remark\n"), usIaaS2024...))
	if err != nil {
		t.Fatal(err)
	}
	if other.Digest() == Default().Digest() || other.ID() != Default().ID() {
		t.Error("the ID follows name and version, the digest every byte")
	}
}

func TestACaseIsJudgedByThePolicyItIsPinnedTo(t *testing.T) {
	first := Default()
	second, err := Parse(edit(t, "version: 5", "version: 6"))
	if err != nil {
		t.Fatal(err)
	}
	shelf, err := NewShelf(second, first)
	if err != nil {
		t.Fatal(err)
	}
	for pinned, want := range map[string]string{"": second.ID(), first.ID(): first.ID(), second.ID(): second.ID()} {
		if p, err := shelf.For(pinned); err != nil || p.ID() != want {
			t.Errorf("pinned to %q: got %s, %v, wanted %s", pinned, p.ID(), err, want)
		}
	}
	if _, err := shelf.For("us-iaas-2024.7"); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "us-iaas-2024.5, us-iaas-2024.6") {
		t.Errorf("got %v, wanted ErrUnknown and what is there", err)
	}
	if shelf.InForce().ID() != second.ID() {
		t.Errorf("%s is in force", shelf.InForce().ID())
	}
	changed, err := Parse(edit(t, "value: 14d", "value: 13d"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewShelf(first, changed); err == nil {
		t.Error("two texts under one ID were put on one shelf")
	}
	if _, err := NewShelf(first, first); err != nil {
		t.Errorf("the same text twice: %v", err)
	}
}

func TestTheDatesOfACase(t *testing.T) {
	day := func(days float64) time.Time {
		return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(days * 24 * float64(time.Hour)))
	}
	for name, c := range map[string]struct {
		warned                         float64 // the finding is of day 0
		restricted, closed             float64 // when the steps were taken
		cureBy, closesAt, terminatesAt float64
	}{
		"found on time":                                    {0, 14, 21, 14, 21, 29},
		"found late, still fits":                           {12, 25, 27, 25, 27, 29},
		"found later: the cure floor holds":                {24, 27, 28, 27, 28, 29},
		"found just in time for every floor":               {25, 28, 29, 28, 29, 30},
		"found too late: floors hold and the limit passes": {26, 29, 30, 29, 30, 31},
		"found after the limit":                            {40, 43, 44, 43, 44, 45},
		"restricted late, the announced closure stays":     {0, 19, 21, 14, 21, 29},
		"restricted late, the floor moves the closure":     {0, 20.5, 21.5, 14, 21.5, 29},
		"closed late, the floor moves the termination":     {0, 14, 28.5, 14, 21, 29.5},
	} {
		t.Run(name, func(t *testing.T) {
			numbers := Default().Case
			limit := numbers.LimitAt(day(0), day(c.warned))
			if !limit.Equal(day(30)) {
				t.Errorf("the limit is %v, wanted %v", limit, day(30))
			}
			for what, dates := range map[string][2]time.Time{
				"cure by":       {numbers.CureBy(day(c.warned), limit), day(c.cureBy)},
				"closes at":     {numbers.ClosesAt(day(c.cureBy), day(c.restricted), limit), day(c.closesAt)},
				"terminates at": {numbers.TerminatesAt(day(c.closed), limit), day(c.terminatesAt)},
			} {
				if !dates[0].Equal(dates[1]) {
					t.Errorf("%s: got %v, wanted %v", what, dates[0], dates[1])
				}
			}
		})
	}
}

func TestTheClockStartsAsThePolicySays(t *testing.T) {
	since := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	opened := since.Add(9 * time.Hour)
	p, err := Parse(edit(t, "value: evidence-received", "value: awareness"))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Case.LimitAt(since, opened); !got.Equal(opened.Add(30 * 24 * time.Hour)) {
		t.Errorf("from awareness: %v", got)
	}
	if got := Default().Case.LimitAt(since, opened); !got.Equal(since.Add(30 * 24 * time.Hour)) {
		t.Errorf("from evidence: %v", got)
	}
}

func TestWhateverNumbersAreAcceptedACaseFoundOnTimeEndsInsideItsLimit(t *testing.T) {
	days := rapid.IntRange(1, 40)
	rapid.Check(t, func(t *rapid.T) {
		file := string(usIaaS2024)
		for _, name := range []string{"limit", "cure", "cure_margin", "cure_floor", "restriction", "closing_margin", "termination_margin", "step_floor"} {
			head, tail, _ := strings.Cut(file, "\n  "+name+":\n    value: ")
			_, tail, _ = strings.Cut(tail, "\n")
			file = head + "\n  " + name + ":\n    value: " + (Duration(days.Draw(t, name)) * Day).String() + "\n" + tail
		}
		p, err := Parse([]byte(file))
		if err != nil {
			return
		}
		found := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		limit := p.Case.LimitAt(found, found)
		cureBy := p.Case.CureBy(found, limit)
		closesAt := p.Case.ClosesAt(cureBy, cureBy, limit)
		terminatesAt := p.Case.TerminatesAt(closesAt, limit)
		if terminatesAt.After(limit) || !terminatesAt.After(closesAt) || !closesAt.After(cureBy) || !cureBy.After(found) {
			t.Fatalf("found %v, cure by %v, closes %v, terminates %v, limit %v", found, cureBy, closesAt, terminatesAt, limit)
		}
	})
}
