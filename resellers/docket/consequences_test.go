package docket

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/policy"
)

// version is the world's policy under another version, with pieces replaced.
func (w *world) version(n int, pieces ...string) policy.Policy {
	w.t.Helper()
	file := strings.Replace(w.policy.Document(), fmt.Sprintf("\nversion: %d\n", w.policy.Version), fmt.Sprintf("\nversion: %d\n", n), 1)
	for i := 0; i < len(pieces); i += 2 {
		if !strings.Contains(file, pieces[i]) {
			w.t.Fatalf("the policy has no %q", pieces[i])
		}
		file = strings.Replace(file, pieces[i], pieces[i+1], 1)
	}
	p, err := policy.Parse([]byte(file))
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func TestWhatAPolicyWouldMoveIsShownAndThenIsWhatMoves(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.policy = w.version(89, `"any 1e26", "biological 1e23"`, `"any 1e26"`) // what states no modality may be of any
		d := w.mustDocket()
		if err := d.Activate(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.enrol(silent) // warned on day 30, before the policy changes: keeps the one that opened its case
		w.now = epoch.Add(25 * day)
		for _, entity := range []envelope.Entity{late, busy} {
			w.enrol(entity)
		}
		w.attest(busy)
		w.compute("small", "9e25", w.now)
		w.now = epoch.Add(36 * day)
		w.settle(d, nil)
		before := w.policy.ID()
		p := w.version(90, "after:\n      value: 30d", "after:\n      value: 10d", `"any 1e26"`, `"any 1e25"`)
		size := len(said(t, w))
		moves, err := d.Consequences(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if len(said(t, w)) != size {
			t.Error("looking has stated something")
		}
		if moves.Resellers != 3 || moves.Moving != 2 || moves.Pinned != 1 || moves.Totals.Opens["cip.missing"] != 1 || moves.Totals.Cases != 1 || moves.Totals.Warned != 1 ||
			moves.Totals.Covered != 1 || len(moves.Guard) != 0 {
			t.Errorf("%+v", moves)
		}
		covered := ""
		for _, one := range moves.Names {
			switch one.Entity {
			case late:
				if one.Before != "pending" || one.After != "warned" || len(one.Opens) != 1 || one.LimitOn != epoch.Add(66*day).Format(time.DateOnly) {
					t.Errorf("%+v", one) // it fell short a day before: by this policy nothing did
				}
			case busy:
				covered = fmt.Sprintf("%s by %s", one.Covered[0].Transaction, one.Covered[0].ReportBy.Format(time.DateOnly))
			default:
				t.Errorf("%s has a case, which keeps its policy: %+v", one.Entity, one)
			}
		}
		if wanted := "small by " + w.now.Add(15*day).Format(time.DateOnly); covered != wanted {
			t.Errorf("covered %q, wanted %q", covered, wanted)
		}
		// Obligations: the report about the training begins with the policy, that about a closing with the step that closes; what is open
		// keeps its date, and the certification of the program is open already.
		for _, one := range moves.Names {
			wanted := backtest.Clock{Kind: policy.AITrainingReport, Subject: "small", Due: w.now.Add(15 * day).Format(time.DateOnly)}
			if one.Entity == late {
				wanted = backtest.Clock{Kind: policy.ClosureReport, Due: reportedOn(t, one.Steps), Instead: reportedOn(t, one.Instead)}
			}
			if len(one.Clocks) != 1 || one.Clocks[0] != wanted {
				t.Errorf("owed about %s: %+v, wanted %+v", one.Entity, one.Clocks, wanted)
			}
		}
		if clocks := moves.Totals.Clocks; moves.Owed != 1 || len(moves.Gateway) != 0 || clocks.Begin[policy.AITrainingReport] != 1 || clocks.Move[policy.ClosureReport] != 1 || len(clocks.End) != 0 {
			t.Errorf("%d open, %v of the gateway, %+v", moves.Owed, moves.Gateway, clocks)
		}
		w.now = w.now.Add(2 * time.Hour)
		again, err := d.Consequences(t.Context(), p)
		if err != nil || again.Shown != moves.Shown {
			t.Errorf("two hours later the same has another name: %v", err)
		}

		// And that is what comes.
		w.policy = p
		next := w.mustDocket()
		if err := next.Activate(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.settle(next, nil)
		for entity, wanted := range map[envelope.Entity]string{silent: "warned " + before, late: "warned " + p.ID(), busy: "good "} {
			file, err := next.Open(t.Context(), entity.ID())
			if got := file.Case.Standing.String() + " " + file.Case.Policy; err != nil || got != wanted {
				t.Errorf("%s stands at %q, wanted %q, %v", entity, got, wanted, err)
			}
			if entity == late && !file.Case.LimitAt.Equal(epoch.Add(66*day+2*time.Hour)) {
				t.Errorf("limit %v: it begins when the policy does", file.Case.LimitAt)
			}
		}
		id := busy.ID()
		if owed, err := next.Obligations(t.Context(), Wanted{About: &id}, nil, 10); err != nil || len(owed) != 1 || owed[0].Kind != policy.AITrainingReport || owed[0].Subject != "small" ||
			owed[0].DueAt.Format(time.DateOnly) != w.now.Add(15*day).Format(time.DateOnly) {
			t.Errorf("owed now: %+v, %v", owed, err)
		}
		w.now = w.now.Add(15 * day)
		w.settle(next, nil)
		if file, err := next.Open(t.Context(), busy.ID()); err != nil || len(file.Case.Findings) != 1 || file.Case.Findings[0].Rule != policy.ReportLate {
			t.Errorf("15 days later: %+v, %v", file.Case.Findings, err)
		}
	})
}

// reportedOn is the day by which the closing among steps is reported, 72 hours after it.
func reportedOn(t *testing.T, steps []backtest.Ahead) string {
	t.Helper()
	for _, step := range steps {
		if strings.HasPrefix(step.What, "closing") {
			at, err := time.Parse(time.DateOnly, step.On)
			if err != nil {
				t.Fatal(err)
			}
			return at.Add(3 * day).Format(time.DateOnly)
		}
	}
	t.Fatalf("nothing is closed ahead: %+v", steps)
	return ""
}

func TestADutyThatAPolicyTurnsOnBeginsForTheGatewayItself(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		on := w.policy
		w.policy = w.version(89, "certification:\n    on: true", "certification:\n    on: false")
		d := w.mustDocket()
		if err := d.Activate(t.Context()); err != nil {
			t.Fatal(err)
		}
		moves, err := d.Consequences(t.Context(), on)
		if wanted := epoch.Add(365 * day).Format(time.DateOnly); err != nil || len(moves.Gateway) != 1 || moves.Gateway[0] != (backtest.Clock{Kind: policy.Certification, Due: wanted}) ||
			moves.Totals.Clocks.Begin[policy.Certification] != 1 || moves.Owed != 0 || moves.Moving != 0 {
			t.Errorf("%+v, %v; wanted a certification due %s", moves, err, wanted)
		}
	})
}

func TestWhatTheGuardWouldHoldOfAPolicysConsequencesIsSaid(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d := w.mustDocket()
		for i := range 25 {
			w.enrol(self + "/e/" + envelope.Entity(fmt.Sprint("reseller-", i)))
		}
		w.now = epoch.Add(15 * day)
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		moves, err := d.Consequences(t.Context(), w.version(90, "after:\n      value: 30d", "after:\n      value: 10d"))
		if err != nil {
			t.Fatal(err)
		}
		if moves.Totals.Warned != 25 || len(moves.Guard) != 1 || !strings.Contains(moves.Guard[0], "findings of 25 resellers") || !strings.Contains(moves.Guard[0], "those of 20 through within 1h") {
			t.Errorf("%+v, %q", moves.Totals, moves.Guard)
		}
	})
}

func TestNamesThatAreAlikeFromAnotherLikenessOnAreScreenedForAgain(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d, s := w.mustDocket(), w.screener(db)
		w.enrol(busy)
		w.settle(d, s)
		turn := func() screeningRow {
			t.Helper()
			w.settle(d, s)
			var at screeningRow
			if err := db.Where("id = 1").Take(&at).Error; err != nil {
				t.Fatal(err)
			}
			return at
		}
		before := turn()
		if again := turn(); again.Turn != before.Turn || before.Likeness == 0 {
			t.Errorf("%+v, %+v: it does not rest", before, again)
		}
		s.Adopt(int(before.Likeness) - 10)
		if after := turn(); after.Likeness != before.Likeness-10 || after.Turn == before.Turn {
			t.Errorf("%+v", after)
		}
	})
}
