package backtest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

func entity(i int) envelope.Entity {
	return envelope.Entity(fmt.Sprintf("https://provider.example/e/%04d", i))
}

// standing is a reseller of which this is open and comes next.
func standing(s escalation.Standing, findings []escalation.Open, future ...escalation.Step) backtest.State {
	c := escalation.Case{Standing: s, Findings: findings}
	if s >= escalation.Warned {
		c.ID = "case-of-" + findings[0].ID
	}
	return backtest.State{Case: c, Prospect: escalation.Prospect{Future: future}}
}

func TestWhatMovesIsCountedOverAllAndListedByNameAndHasOneName(t *testing.T) {
	missing := []escalation.Open{{ID: "f1", Rule: "cip.missing", Severity: "serious", Cure: "an attestation"}}
	stale := []escalation.Open{{ID: "f2", Rule: "customer.stale", Severity: "minor", Cure: "a verification"}}
	restricted := escalation.Step{What: "restricted: no new accounts", At: start.Add(14 * day)}
	good := standing(escalation.Good, nil)
	look := func(now time.Time, last backtest.State, covered ...backtest.Covered) backtest.Moves {
		m := backtest.NewMoves(policy.Default(), policy.Shipped()[1], now)
		for _, one := range []struct{ before, after backtest.State }{
			{good, good},
			{good, standing(escalation.Warned, missing, restricted)},
			{standing(escalation.Watch, stale), good},
			{standing(escalation.Warned, missing, restricted), standing(escalation.Warned, missing, restricted)}, // keeps its policy
			{good, last},
		} {
			if err := m.Add(entity(m.Resellers), "Reseller", one.before, one.after, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Add(entity(m.Resellers), "Trainer", good, good, covered); err != nil {
			t.Fatal(err)
		}
		return m.End()
	}
	training := backtest.Covered{Transaction: "t-1", ReportBy: start.Add(15 * day)}
	soon := standing(escalation.Good, nil, restricted)
	m := look(start, soon, training)
	if m.Resellers != 6 || m.Moving != 4 || m.Pinned != 1 || len(m.Names) != 4 || m.Names[0].Entity != entity(1) || m.Names[3].Covered[0] != training {
		t.Errorf("%+v", m)
	}
	if m.Totals.Opens["cip.missing"] != 1 || m.Totals.Closes["customer.stale"] != 1 || m.Totals.Cases != 1 || m.Totals.Warned != 1 || m.Totals.Steps != 2 || m.Totals.Covered != 1 || m.Totals.CasesEnd != 0 {
		t.Errorf("%+v", m.Totals)
	}
	if len(m.Changes) == 0 || m.Replaces != policy.Default().ID() || m.Shown == "" {
		t.Errorf("%+v", m)
	}

	if again := look(start.Add(8*time.Hour), soon, training); again.Shown != m.Shown {
		t.Error("the same on the same day has another name")
	}
	later := standing(escalation.Good, nil, escalation.Step{What: restricted.What, At: restricted.At.Add(day)})
	others := []string{m.Shown}
	for name, other := range map[string]backtest.Moves{
		"the next day":           look(start.Add(day), soon, training),
		"a step on another day":  look(start, later, training),
		"nothing covered":        look(start, soon),
		"one that does not move": look(start, good, training),
	} {
		if slices.Contains(others, other.Shown) {
			t.Errorf("%s has the name of another one", name)
		}
		others = append(others, other.Shown)
	}
}

func TestTheNamesThatAreNotListedAreInTheName(t *testing.T) {
	missing := []escalation.Open{{ID: "f1", Rule: "cip.missing", Severity: "serious"}}
	look := func(last escalation.Standing) backtest.Moves {
		m := backtest.NewMoves(policy.Default(), policy.Shipped()[1], start)
		for i := range 1100 {
			s := escalation.Warned
			if i == 1099 {
				s = last
			}
			if err := m.Add(entity(i), "R", standing(escalation.Good, nil), standing(s, missing), nil); err != nil {
				t.Fatal(err)
			}
		}
		return m.End()
	}
	a, b := look(escalation.Warned), look(escalation.Closing)
	if a.Moving != 1100 || len(a.Names) != 1000 || a.Shown == b.Shown {
		t.Errorf("%d moving, %d listed, same name: %t", a.Moving, len(a.Names), a.Shown == b.Shown)
	}
}

func TestADayTellsWhoseStepsOnlyOneOfTheTwoTookAndWhatBothTookWithinTheHourIsNone(t *testing.T) {
	line := func(what string, hours int) backtest.Stated {
		return backtest.Stated{At: start.Add(time.Duration(hours) * time.Hour), What: what}
	}
	d := backtest.NewDay(start, "next", "now")
	d.Add(backtest.Followed{Entity: entity(1), Would: []backtest.Stated{line("warned", 0)}, Was: []backtest.Stated{line("warned", 1)}, Shadow: escalation.Warned, Live: escalation.Warned})
	d.Add(backtest.Followed{Entity: entity(2), Would: []backtest.Stated{line("warned", 0), line("restricted", 30)}, Was: []backtest.Stated{line("warned", 5)}, Shadow: escalation.Restricted, Live: escalation.Warned})
	d.Add(backtest.Followed{Entity: entity(3), Was: []backtest.Stated{line("warned", -30), line("closing", 3), {At: start, What: backtest.FindingOpened, Rule: "cip.missing"}}, Shadow: escalation.Good, Live: escalation.Closing})
	if d.Resellers != 3 || d.Differing != 2 || d.Apart != 2 || len(d.Names) != 2 {
		t.Errorf("%+v", d)
	}
	if d.OnlyShadow.Warned != 1 || d.OnlyLive.Warned != 1 || d.OnlyLive.Closing != 1 || d.OnlyShadow.Restricted != 0 || d.Was.Findings["cip.missing"] != 1 || d.Would.Warned != 2 || d.Was.Warned != 2 {
		t.Errorf("%+v, %+v, %+v", d.OnlyShadow, d.OnlyLive, d.Was)
	}
	if two := d.Names[0]; two.Entity != entity(2) || len(two.OnlyShadow) != 1 || len(two.OnlyLive) != 1 || two.Shadow != "restricted" || two.Live != "warned" {
		t.Errorf("%+v", two)
	}
	next := backtest.NewDay(start.Add(day), "next", "now")
	next.Add(backtest.Followed{Entity: entity(2), Would: []backtest.Stated{line("warned", 0), line("restricted", 30)}, Was: []backtest.Stated{line("warned", 5)}, Shadow: escalation.Restricted, Live: escalation.Warned})
	if next.OnlyShadow.Restricted != 1 || next.OnlyShadow.Warned != 0 || next.OnlyLive.Warned != 0 {
		t.Errorf("%+v", next)
	}
}
