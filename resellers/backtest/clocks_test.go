package backtest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestWhichObligationsBeginEndOrAreDueOtherwise(t *testing.T) {
	shorter, off := policy.Default(), policy.Default()
	shorter.Obligations.ClosureReport.Within.Value = policy.Duration(48 * time.Hour)
	off.Obligations.ClosureReport.On = false
	closing := func(at time.Time) backtest.State {
		return backtest.State{Prospect: escalation.Prospect{Future: []escalation.Step{{What: "restricted: no new accounts", At: start}, {What: "closing: the account is ordered closed", At: at}}}}
	}
	opened := func(all ...obligations.Obligation) backtest.State { return backtest.State{Opened: all} }
	report := obligations.Obligation{Kind: policy.AITrainingReport, Subject: "t-1", DueAt: start.Add(15 * day)}
	closed := obligations.Obligation{Kind: policy.ClosureReport, Subject: "case-1", DueAt: start.Add(3 * day)}
	other := closed
	other.Subject, other.DueAt = "case-2", start.Add(2*day)
	for name, c := range map[string]struct {
		after         policy.Policy
		without, with backtest.State
		wanted        string
	}{
		"nothing":                      {shorter, opened(), opened(), "[]"},
		"a report begins":              {shorter, opened(), opened(report), "[{ai-training t-1 2026-01-16 }]"},
		"a step on the same day":       {policy.Default(), closing(start.Add(20 * day)), closing(start.Add(20 * day)), "[]"},
		"a step on another day":        {policy.Default(), closing(start.Add(20 * day)), closing(start.Add(10 * day)), "[{closure-report  2026-01-14 2026-01-24}]"},
		"a shorter time for it":        {shorter, closing(start.Add(20 * day)), closing(start.Add(20 * day)), "[{closure-report  2026-01-23 2026-01-24}]"},
		"a step that waits for people": {shorter, closing(time.Time{}), closing(time.Time{}), "[{closure-report  2d after the accounts are ordered closed 3d after the accounts are ordered closed}]"},
		"none is owed any more":        {off, closing(start.Add(20 * day)), closing(start.Add(20 * day)), "[{closure-report   2026-01-24}]"},
		"a case under another name":    {policy.Default(), opened(closed), opened(other), "[{closure-report  2026-01-03 2026-01-04}]"},
	} {
		m := backtest.NewMoves(policy.Default(), c.after, start)
		if err := m.Add(entity(1), "R", c.without, c.with, nil); err != nil {
			t.Fatal(err)
		}
		moves, got := m.End(), "[]"
		if len(moves.Names) > 0 {
			got = fmt.Sprint(moves.Names[0].Clocks)
		}
		clocks := moves.Totals.Clocks
		if n := len(clocks.Begin) + len(clocks.End) + len(clocks.Move); got != c.wanted || n != moves.Moving {
			t.Errorf("%s: %s, wanted %s; counted %d of %d", name, got, c.wanted, n, moves.Moving)
		}
	}
	m := backtest.NewMoves(policy.Default(), shorter, start)
	bare := m.End()
	m = backtest.NewMoves(policy.Default(), shorter, start)
	m.House([]obligations.Obligation{{Kind: policy.Certification, DueAt: start.Add(365 * day)}}, 4)
	if house := m.End(); house.Shown == bare.Shown || house.Moved == bare.Moved || house.Owed != 4 || house.Totals.Clocks.Begin[policy.Certification] != 1 || house.Moving != 0 {
		t.Errorf("%+v", house)
	}
}
