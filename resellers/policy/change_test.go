package policy

import (
	"os"
	"strings"
	"testing"
)

// changed is the shipped policy with pieces replaced, each of which must stand in it.
func changed(t *testing.T, pieces ...string) Policy {
	t.Helper()
	file := Default().Document()
	for i := 0; i < len(pieces); i += 2 {
		if !strings.Contains(file, pieces[i]) {
			t.Fatalf("the shipped policy has no %q", pieces[i])
		}
		file = strings.Replace(file, pieces[i], pieces[i+1], 1)
	}
	p, err := Parse([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatTurnsAutomationUpIsNamedAndWhatTurnsItDownIsNot(t *testing.T) {
	shipped := func(t *testing.T) Policy { return changed(t) }
	for name, c := range map[string]struct {
		before, after func(*testing.T) Policy
		up, down      []string // the fields that are named one way, and the other way round
	}{
		"nothing": {shipped, shipped, nil, nil},
		"words alone": {shipped, func(t *testing.T) Policy {
			return changed(t, "title: Customer identification", "title: The customer identification", "version: 5", "version: 6")
		}, nil, nil},
		"fewer people": {shipped, func(t *testing.T) Policy {
			return changed(t, "terminate:\n      people: 2\n      critical: 2", "terminate:\n      people: 1\n      critical: 0")
		}, []string{"case.approvals.terminate.people", "case.approvals.terminate.critical"}, nil},
		"silence acts": {shipped, func(t *testing.T) Policy {
			return changed(t, "close:\n      people: 1\n      critical: 1\n      silence: holds", "close:\n      people: 1\n      critical: 1\n      silence: acts")
		}, []string{"case.approvals.close.silence"}, nil},
		"silence where nobody is asked": {shipped, func(t *testing.T) Policy {
			return changed(t, "warn:\n      people: 0\n      critical: 0\n      silence: acts", "warn:\n      people: 0\n      critical: 0\n      silence: holds")
		}, nil, nil},
		"a shorter cure": {shipped, func(t *testing.T) Policy { return changed(t, "cure:\n    value: 14d", "cure:\n    value: 13d") },
			[]string{"case.cure.value", "a case found on time: cured by", "a case found on time: closed at"}, nil},
		"a margin that grows": {shipped, func(t *testing.T) Policy {
			return changed(t, "termination_margin:\n    value: 24h", "termination_margin:\n    value: 48h")
		},
			[]string{"case.termination_margin.value", "a case found on time: terminated at"}, nil},
		"a clock that begins sooner": {func(t *testing.T) Policy { return changed(t, "value: evidence-received", "value: awareness") }, shipped,
			[]string{"case.clock_start.value"}, nil},
		"a rule that is turned on": {shipped, func(t *testing.T) Policy {
			return changed(t, "cip.copy-missing:\n    # Off as shipped: turn it on once the resellers were told how they hand the document itself in.\n    on: false", "cip.copy-missing:\n    on: true")
		}, []string{"rules.cip.copy-missing.on"}, nil},
		"a finding sooner": {shipped, func(t *testing.T) Policy {
			return changed(t, "cip.missing:\n    on: true\n    after:\n      value: 30d", "cip.missing:\n    on: true\n    after:\n      value: 20d")
		},
			[]string{"rules.cip.missing.after.value"}, nil},
		"a graver finding": {shipped, func(t *testing.T) Policy {
			return changed(t, "severity: minor\n    finding: A customer with an open account was verified longer", "severity: serious\n    finding: A customer with an open account was verified longer")
		},
			[]string{"rules.customer.stale.severity"}, nil},
		"a smaller share": {shipped, func(t *testing.T) Policy { return changed(t, "share:\n      value: 5", "share:\n      value: 4") },
			[]string{"rules.customer.unverified.share.value"}, nil},
		"a lower threshold": {shipped, func(t *testing.T) Policy { return changed(t, `"any 1e26"`, `"any 1e25"`) },
			[]string{"rules.report.late.covered.thresholds.value"}, nil},
		"a threshold that says the same twice": {shipped, func(t *testing.T) Policy { return changed(t, `"any 1e26"`, `"any 1e26", "text 2e26"`) }, nil, nil},
		"more through the guard": {shipped, func(t *testing.T) Policy {
			return changed(t, "terminations:\n    count: 3", "terminations:\n    count: 4")
		},
			[]string{"guard.terminations.count"}, nil},
		"longer hours": {func(t *testing.T) Policy { return changed(t, "hours:\n  on: false", "hours:\n  on: true") },
			func(t *testing.T) Policy {
				return changed(t, "hours:\n  on: false", "hours:\n  on: true", `to: "17:00"`, `to: "18:00"`)
			}, []string{"hours.from .. to"}, nil},
		"no hours at all": {func(t *testing.T) Policy { return changed(t, "hours:\n  on: false", "hours:\n  on: true") }, shipped, []string{"hours.on"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := c.before(t), c.after(t)
			holds := func(way string, got []Change, wanted []string) {
				var fields []string
				for _, change := range got {
					fields = append(fields, change.Field)
					if change.Before == change.After {
						t.Errorf("%s: %+v is no change", way, change)
					}
				}
				if strings.Join(fields, "; ") != strings.Join(wanted, "; ") {
					t.Errorf("%s: %q, wanted %q", way, fields, wanted)
				}
			}
			holds("up", TurnsUp(before, after), c.up)
			holds("down", TurnsUp(after, before), c.down)
		})
	}
}

func TestAPolicyOfAnEarlierProgramIsCompletedWithWhatItDidNotSayAndKeepsHowCasesAreDecided(t *testing.T) {
	text, err := os.ReadFile("testdata/us-iaas-2024.1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	old, err := ParseEarlier(text)
	if err != nil {
		t.Fatal(err)
	}
	whole := old.Completed(Default())
	if whole.Intake.MaxPathLength.Value == 0 || whole.Intake.Identity.Value == "" || whole.Records.Floor.Value == 0 || whole.SpecialMeasures.Likeness.Value == 0 {
		t.Errorf("it lacks what shells ask: %+v", whole)
	}
	if whole.Intake.MaxAge != old.Intake.MaxAge || whole.Case.Cure != old.Case.Cure || whole.Guard != old.Guard || whole.Digest() != old.Digest() {
		t.Error("what the file says was changed")
	}
	if same := Default().Completed(Policy{}); len(Diff(same, Default())) != 0 {
		t.Errorf("a whole policy was changed: %v", Diff(same, Default()))
	}
	if old.Change.Oldest() != 7*Day || Default().Change.Oldest() != 7*Day {
		t.Errorf("a backtest holds for %s and %s", old.Change.Oldest(), Default().Change.Oldest())
	}
}

func TestForHowLongAProposalHolds(t *testing.T) {
	for _, p := range append(Shipped(), Policy{}) { // a file that says nothing, too
		if fresh := p.Change.Fresh(); fresh != LongestProposal {
			t.Errorf("%s: %s", p.ID(), fresh)
		}
	}
	said := func(within string) (Policy, error) {
		file := Default().Document()
		from := strings.Index(file, "\n  proposal_within:\n    value: 14d")
		return Parse([]byte(file[:from] + strings.Replace(file[from:], "14d", within, 1)))
	}
	if p, err := said("3d"); err != nil || p.Change.Fresh() != 3*Day || len(Diff(Default(), p)) == 0 || len(TurnsUp(Default(), p)) > 0 {
		t.Errorf("%s, %v", p.Change.Fresh(), err)
	}
	if _, err := said("15d"); err == nil || !strings.Contains(err.Error(), "at most 14d") {
		t.Errorf("longer than any other proposal: %v", err)
	}
	file := Default().Document()
	from := strings.Index(file, "\n  proposal_within:")
	if p, err := Parse([]byte(file[:from] + "\n")); err != nil || p.Change.ProposalWithin.Value != 0 || p.Change.Fresh() != LongestProposal {
		t.Errorf("left out: %v", err)
	}
}
