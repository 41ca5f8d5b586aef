package escalation

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestTheTableIsWhatIsPrinted(t *testing.T) {
	rows := Table(automatically())
	var steps []string
	states := map[statement.Kind]bool{}
	for _, r := range rows {
		steps = append(steps, r.Step)
		for _, kind := range r.States {
			states[kind] = true
		}
		if r.When == "" || r.Does == "" || r.Approval != "automatic" || r.Source == "" || len(r.From) == 0 {
			t.Errorf("a row with a hole: %+v", r)
		}
		for _, from := range r.From {
			if _, err := ParseStanding(from); err != nil && from != noCase {
				t.Errorf("%s: from %q", r.Step, from)
			}
		}
	}
	if want := []string{"withdraw", "cure", "open", "warn", "restrict", "close", "terminate", "limit", "standing"}; !slices.Equal(steps, want) {
		t.Errorf("steps %v, wanted %v", steps, want)
	}
	if len(states) != 10 {
		t.Errorf("the rows state %v", states)
	}
	rows[0].From[0], rows[0].States[0] = "spoilt", "spoilt"
	if reflect.DeepEqual(Table(policy.Default())[0], rows[0]) {
		t.Error("whoever prints the table can change it")
	}
}

func TestEveryRowStatesTheKindsItSays(t *testing.T) {
	l := silent(t, on(30), on(44), on(51))
	s := situation{policy: &l.policy, about: reseller, c: l.c, history: l.history, now: on(59)}
	for _, r := range table {
		if r.Step == "open" || r.Step == "cure" {
			continue // they need a change of facts; the stories have it
		}
		var got []statement.Kind
		s := s
		if r.Step == "withdraw" {
			s.c.Findings = nil
		}
		if r.Step == StepTerminate { // a hand-over is ordered where a successor is named
			s.c.Successor = &Successor{Entity: "https://successor.example", Until: on(90)}
		}
		for _, said := range r.state(&s) {
			if !slices.Contains(got, said.Kind()) {
				got = append(got, said.Kind())
			}
		}
		if !slices.Equal(got, r.States) {
			t.Errorf("%s states %v, its row says %v", r.Step, got, r.States)
		}
	}
}

func TestWhyIsToldSoThatAnOfficerUnderstandsIt(t *testing.T) {
	attested := silent(t, start)
	attested.attest(on(1), "initial")
	attested.settle(on(1))
	cured := silent(t, on(30))
	cured.attest(on(31), "initial")
	cured.settle(on(31))
	watched := newLife(t)
	watched.policy.Rules.CIPMissing.Severity = policy.Minor
	watched.enrol(start)
	watched.settle(on(30))
	for name, c := range map[string]struct {
		l    *life
		says []string
	}{
		"pending":         {silent(t, start), []string{"nothing was attested yet"}},
		"good":            {attested, []string{"An attestation was accepted"}},
		"good again":      {cured, []string{"no finding is open"}},
		"watch":           {watched, []string{"minor", "cip.missing, since 2026-01-31 00:00:00 UTC"}},
		"warned":          {silent(t, on(30)), []string{"cip.missing", "2026-02-14 00:00:00 UTC", `The step "warn"`, "ours, not in the rule", "us-iaas-2024.5", "Approval: automatic"}},
		"restricted":      {silent(t, on(30), on(44)), []string{"cure time ended at 2026-02-14", "closed at 2026-02-21", `The step "restrict"`}},
		"closing":         {silent(t, on(30), on(44), on(51)), []string{"terminated at 2026-03-01", "15 CFR 7.303(d), proposed: take steps to close"}},
		"terminated":      {silent(t, on(30), on(44), on(51), on(59)), []string{"not cured by 2026-03-01", "The limit of the case was 2026-03-02", "30 calendar days"}},
		"past the limit":  {silent(t, on(99)), []string{"after the limit of the case, 2026-03-02 00:00:00 UTC", "gateway took a step late"}},
		"terminated late": {silent(t, on(99), on(102), on(103), on(104)), []string{"after the limit of the case, 2026-03-02 00:00:00 UTC"}},
	} {
		t.Run(name, func(t *testing.T) {
			why := Why(c.l.policy, c.l.c)
			for _, says := range c.says {
				if !strings.Contains(why, says) {
					t.Errorf("%q is not in: %s", says, why)
				}
			}
		})
	}
}

func TestATerminationThatCameAnotherWayIsToldWithoutMadeUpDates(t *testing.T) {
	l := silent(t, start)
	l.take(gateway, on(3), "jti", statement.RelationshipTerminated{Basis: statement.Basis{Now: on(3)}})
	if state := l.settle(on(3)); len(state) != 1 || l.c.Standing != Terminated {
		t.Fatalf("%s, stated %v", l.c.Standing, kinds(state))
	}
	if prospect, err := Outlook(l.policy, reseller, l.c, l.history, House{}, on(4)); err != nil || prospect.LimitPassed {
		t.Errorf("%+v, %v", prospect, err)
	}
	if why := Why(l.policy, l.c); !strings.HasPrefix(why, "The relationship was terminated at 2026-01-04 00:00:00 UTC.") {
		t.Error(why)
	}
}

func TestAStandingIsReadAsItIsWritten(t *testing.T) {
	for s := Pending; s <= Terminated; s++ {
		if back := through(t, s); back != s {
			t.Errorf("%s was read as %s", s, back)
		}
	}
	if _, err := ParseStanding("excellent"); err == nil {
		t.Error("a standing nobody knows was read")
	}
	var s Standing
	if err := s.UnmarshalText([]byte("Good")); err == nil || s != Pending {
		t.Errorf("got %s, %v", s, err)
	}
	if Standing(99).String() != "standing 99" {
		t.Error(Standing(99).String())
	}
}

func TestTheDocketWakesForWhateverComesFirst(t *testing.T) {
	for name, c := range map[string]struct{ step, turns, want time.Time }{
		"nothing":           {time.Time{}, time.Time{}, time.Time{}},
		"only a step":       {on(1), time.Time{}, on(1)},
		"only a finding":    {time.Time{}, on(2), on(2)},
		"the step first":    {on(1), on(2), on(1)},
		"the finding first": {on(3), on(2), on(2)},
	} {
		if got := Wake(Step{At: c.step}, c.turns); !got.Equal(c.want) {
			t.Errorf("%s: got %v, wanted %v", name, got, c.want)
		}
	}
}
