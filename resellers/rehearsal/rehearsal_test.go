package rehearsal

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/policy"
)

func attestation(at time.Time) map[string]any {
	var event map[string]any
	if err := json.Unmarshal(statement.Example(statement.KindCIPAttestation), &event); err != nil {
		panic(err)
	}
	event["attested_on"] = at.Format(time.DateOnly)
	return event
}

// saidOfItself are the kinds that the gateway stated about itself, and of officers' actions what they were.
func (w *world) saidOfItself() string {
	w.t.Helper()
	var words []string
	entries, err := w.log.About(w.t.Context(), self.ID(), 0, 1000)
	w.must(err)
	for _, e := range entries {
		word := string(e.Statement.Kind())
		switch said := e.Statement.(type) {
		case statement.OfficerAction:
			word = said.Action + " of " + said.On.ID
		case statement.PolicyActivated:
			word += " " + said.Policy
		case statement.PolicyShadowed:
			word += " " + said.State
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

func TestAPolicyComesIntoForceOnlyAfterWhatItMovesWasShown(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		w.enrol("aurora")
		w.enrol("borealis")
		w.attest("borealis")
		w.passTo(epoch.Add(20 * dayH))
		lenient := next(t, 90, firstWithin, firstWithinLong)
		moves, err := w.Consequences(ctx, lenient)
		w.must(err)
		if moves.Resellers != 2 || moves.Moving != 1 || moves.Names[0].Entity != entity("aurora") || moves.Totals.Steps != 1 || len(moves.TurnsUp) != 0 ||
			len(moves.Totals.Opens) != 0 || moves.Names[0].Steps[0].On != "2026-04-30" || moves.Names[0].Instead[0].On != "2026-03-31" {
			t.Errorf("%+v", moves)
		}
		before := w.saidOfItself()
		for name, c := range map[string]struct {
			p             policy.Policy
			shown, reason string
			is            error
			says          string
		}{
			"not shown":               {lenient, "guessed", "Because.", ErrNotShown, "Look at it again"},
			"shown of another policy": {next(t, 91, firstWithin, firstWithinLong), moves.Shown, "Because.", ErrNotShown, "Look at it again"},
			"no reason":               {lenient, moves.Shown, " ", ErrRefused, "reason"},
			"in force already":        {policy.Default(), moves.Shown, "Because.", ErrRefused, "in force already"},
			"another text of a version that was in force": {next(t, policy.Default().Version, firstWithin, firstWithinLong), moves.Shown, "Because.", ErrRefused, "Raise the version"},
			"a gateway that it does not fit":              {next(t, 92, "max_path_length:\n    value: 3", "max_path_length:\n    value: 60"), moves.Shown, "Because.", ErrRefused, "--intake-queue"},
		} {
			if _, err := w.Propose(ctx, jon, c.p, c.shown, c.reason); !errors.Is(err, c.is) || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("%s: %v, wanted %v that says %q", name, err, c.is, c.says)
			}
			if errors.Is(c.is, ErrNotShown) {
				c.is, c.says = ErrNotProposed, "cipgate policy propose FILE"
			}
			if _, err := w.Activate(ctx, mara, c.p, c.shown, c.reason); !errors.Is(err, c.is) || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("%s: %v, wanted %v that says %q", name, err, c.is, c.says)
			}
		}
		if after := w.saidOfItself(); after != before {
			t.Errorf("what was refused was stated: %s", after)
		}
		proposed, err := w.Propose(ctx, jon, lenient, moves.Shown, "It asks too much too soon.")
		w.must(err)
		if _, err := w.Activate(ctx, mara, lenient, "guessed", "Because."); !errors.Is(err, ErrNotShown) {
			t.Errorf("proposed, and not shown to who activates: %v", err)
		}
		w.at = w.at.Add(dayH) // a day later the same would move on the same days, and it was shown of another day
		if _, err := w.Activate(ctx, mara, lenient, moves.Shown, "Because."); !errors.Is(err, ErrNotShown) {
			t.Errorf("shown the day before: %v", err)
		}
		moves, err = w.Consequences(ctx, lenient)
		w.must(err)
		done, err := w.Activate(ctx, mara, lenient, moves.Shown, "The board decided.")
		w.must(err)
		if done.Policy != "us-iaas-2024.90" || done.Replaces != policy.Default().ID() || done.Backtest != "" || done.Proposal.ID != proposed.ID || w.docket.InForce().ID() != done.Policy {
			t.Errorf("%+v, in force %s", done, w.docket.InForce().ID())
		}
		if got, wanted := w.saidOfItself(), before+"; policy.proposed of us-iaas-2024.90; policy-activated us-iaas-2024.90; policy.activated of us-iaas-2024.90"; got != wanted {
			t.Errorf("stated\n%s\nwanted\n%s", got, wanted)
		}
		w.passTo(epoch.Add(40 * dayH))
		if file, err := w.docket.Open(ctx, entity("aurora").ID()); err != nil || file.Case.ID != "" {
			t.Errorf("the first attestation is owed within 60 days now, and it was warned: %+v, %v", file.Case, err)
		}
		// A process that starts later goes by it, and one that was in force is put in force again.
		if d := w.newDocket(); d.InForce().ID() != done.Policy {
			t.Errorf("a process that starts goes by %s", d.InForce().ID())
		}
		back := policy.Default()
		moves, err = w.Consequences(ctx, back)
		w.must(err)
		if moves.Totals.Opens["cip.missing"] != 1 || moves.Totals.Cases != 1 || moves.Totals.Warned != 1 || moves.Names[0].After != "warned" || len(moves.TurnsUp) == 0 {
			t.Errorf("back to the shipped one: %+v", moves)
		}
	})
}

func TestWhatTurnsAutomationUpNeedsABacktestOfTheSameFileOnRecord(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		w.enrol("aurora")
		w.passTo(epoch.Add(20 * dayH))
		strict, other := next(t, 90, firstWithin, firstWithinTen), next(t, 91, firstWithin, firstWithinTen)
		activate := func(p policy.Policy) (Activated, error) {
			moves, err := w.Consequences(ctx, p)
			w.must(err)
			if _, err := w.Propose(ctx, jon, p, moves.Shown, "It finds too late."); err != nil {
				return Activated{}, err
			}
			return w.Activate(ctx, mara, p, moves.Shown, "The board decided.")
		}
		refusedFor := func(why string) {
			t.Helper()
			_, err := activate(strict)
			if text := fmt.Sprint(err); !errors.Is(err, ErrRefused) || !strings.Contains(text, why) || !strings.Contains(text, "rules.cip.missing.after.value from 30d to 10d") ||
				!strings.Contains(text, strict.Digest()) || !strings.Contains(text, "cipgate policy backtest FILE --record") {
				t.Errorf("%v, wanted a refusal that says %q, what turns up, and what to type", err, why)
			}
		}
		refusedFor("none is")
		if _, err := w.Ask(ctx, mara, other, "Another file."); err != nil {
			t.Fatal(err)
		}
		if ran, err := w.Run(ctx, w.clock); err != nil || !ran {
			t.Fatalf("%t, %v", ran, err)
		}
		refusedFor("none is")

		asked, err := w.Ask(ctx, mara, strict, "Before the board decides.")
		w.must(err)
		if asked.State != Asked || asked.Leaf != -1 {
			t.Errorf("%+v", asked)
		}
		// A process that takes it and is killed leaves it to the next one, once its lease is over.
		if row, found, err := w.take(ctx, w.at); err != nil || !found || row.ID != asked.ID {
			t.Fatalf("%+v, %t, %v", row, found, err)
		}
		if ran, err := w.Run(ctx, w.clock); err != nil || ran {
			t.Fatalf("two processes made one backtest: %v", err)
		}
		if ran, err := w.again().Run(ctx, func() time.Time { return w.at.Add(2 * lease) }); err != nil || !ran {
			t.Fatalf("%t, %v", ran, err)
		}
		made, err := w.Backtest(ctx, asked.ID)
		w.must(err)
		if made.State != Done || made.Leaf < 0 || made.Report == nil || made.Report.Digest != strict.Digest() || made.Report.Would.Warned != 1 || made.Report.Was.Warned != 0 || made.Done != 1 {
			t.Errorf("%+v", made)
		}
		entries, err := w.log.About(ctx, self.ID(), made.Leaf, 1)
		w.must(err)
		said, is := entries[0].Statement.(statement.OfficerAction)
		if !is || said.Officer != mara || said.Action != ActionBacktested || said.On.ID != strict.ID() || detail(said, "digest") != strict.Digest() || detail(said, "warned_would") != "1" || detail(said, "warned_was") != "0" {
			t.Errorf("%+v", entries[0])
		}
		if all, err := w.Backtests(ctx, 10); err != nil || len(all) != 2 || all[0].ID != asked.ID || all[0].Report != nil {
			t.Errorf("%+v, %v", all, err)
		}
		w.passTo(w.at.Add(7 * dayH))
		refusedFor("the last one is of 2026-03-21")
		again, err := w.Ask(ctx, mara, strict, "A week later.")
		w.must(err)
		if _, err := w.Run(ctx, w.clock); err != nil {
			t.Fatal(err)
		}
		done, err := activate(strict)
		w.must(err)
		if done.Backtest != again.ID || done.Moves.Totals.Warned != 1 {
			t.Errorf("%+v", done)
		}
		w.passTo(w.at.Add(time.Hour))
		if file, err := w.docket.Open(ctx, entity("aurora").ID()); err != nil || file.Case.Policy != strict.ID() {
			t.Errorf("the case that opened now is pinned to %s, %v", file.Case.Policy, err)
		}
	})
}

func TestAShadowReportsEachDayWhereItDiffersAndAKillLosesNothing(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		if more, at, err := w.Turn(ctx, 10); more || !at.IsZero() || err != nil {
			t.Fatalf("no shadow runs: %t, %s, %v", more, at, err)
		}
		for _, name := range []string{"aurora", "borealis", "cirrus"} {
			w.enrol(name)
		}
		w.passTo(epoch.Add(5 * dayH))
		w.attest("cirrus")
		strict := next(t, 90, firstWithin, firstWithinTen)
		if _, err := w.StopShadow(ctx, mara, "None runs."); !errors.Is(err, ErrRefused) {
			t.Errorf("none runs: %v", err)
		}
		if _, err := w.StartShadow(ctx, mara, strict, ""); !errors.Is(err, ErrRefused) {
			t.Errorf("no reason: %v", err)
		}
		shadow, err := w.StartShadow(ctx, mara, strict, "To see whom it would hit.")
		w.must(err)
		if _, err := w.StartShadow(ctx, mara, strict, "Again."); !errors.Is(err, ErrRefused) || !strings.Contains(fmt.Sprint(err), "runs already") {
			t.Errorf("started twice: %v", err)
		}
		said := w.saidOfItself()
		// The tenth day passes: the shadow warns two. On the way each process is killed at some point; a new one goes on.
		for at := w.at; at.Before(epoch.Add(12 * dayH)); at = at.Add(7 * time.Hour) {
			w.passTo(at)
			w.Rehearsal = w.again()
		}
		w.attest("borealis") // live in time, in the shadow late
		w.passTo(epoch.Add(32 * dayH))
		reports, err := w.Reports(ctx, shadow.ID, "", 100)
		w.must(err)
		if len(reports) != 27 || reports[0].Day.Day != "2026-04-01" || reports[26].Day.Day != "2026-03-06" {
			t.Fatalf("%d reports, from %s", len(reports), reports[0].Day.Day)
		}
		on := func(day string) Report {
			report, err := w.ReportOf(ctx, shadow.ID, day)
			w.must(err)
			return report
		}
		if tenth := on("2026-03-11"); tenth.OnlyShadow.Warned != 2 || tenth.Differing != 2 || tenth.Would.Findings["cip.missing"] != 2 || tenth.OnlyLive.Warned != 0 || tenth.Apart != 2 ||
			tenth.Resellers != 3 || tenth.Names[0].Shadow != "warned" || tenth.Names[0].Live != "pending" || tenth.InForce != policy.Default().ID() {
			t.Errorf("%+v", tenth)
		}
		if cured := on("2026-03-13"); cured.Apart != 1 {
			t.Errorf("borealis attested: %+v", cured)
		}
		if quiet := on("2026-03-09"); quiet.Differing != 0 || quiet.Apart != 0 {
			t.Errorf("%+v", quiet)
		}
		if live := on("2026-03-31"); live.OnlyLive.Warned != 1 || live.OnlyShadow.Warned != 0 || live.Names[0].Entity != entity("aurora") {
			t.Errorf("the policy in force warned it on the 30th day: %+v", live)
		}
		if got := w.saidOfItself(); got != said {
			t.Errorf("a shadow has stated something: %s", got)
		}
		if _, err := w.ReportOf(ctx, shadow.ID, "2026-04-02"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a day that is not over: %v", err)
		}

		// What was computed is dropped and computed again; what was told stays.
		w.must(w.Rebuild(ctx))
		w.passTo(epoch.Add(33 * dayH))
		after, err := w.Reports(ctx, shadow.ID, "", 100)
		w.must(err)
		if len(after) != 28 || fmt.Sprint(after[1:]) != fmt.Sprint(reports) || after[0].Apart != 1 {
			t.Errorf("rebuilt, %d reports, apart %d", len(after), after[0].Apart)
		}
		if stopped, err := w.StopShadow(ctx, mara, "Seen enough."); err != nil || stopped.ID != shadow.ID {
			t.Errorf("%+v, %v", stopped, err)
		}
		if last, err := w.again().LastShadow(ctx); err != nil || last.ID != shadow.ID {
			t.Errorf("%+v, %v", last, err)
		}
		if runs, _, err := w.again().Shadow(ctx); err != nil || !runs.None() {
			t.Errorf("%+v, %v", runs, err)
		}
	})
}

// A day costs what was said on it: who said nothing, and of whom nothing turned, is not replayed.
func TestOnlyWhomADayMovedIsReplayed(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		for i := range 6 {
			w.enrol(fmt.Sprint("reseller-", i))
			w.attest(fmt.Sprint("reseller-", i))
		}
		shadow, err := w.StartShadow(ctx, mara, next(t, 90, firstWithin, firstWithinTen), "To see.")
		w.must(err)
		w.passTo(epoch.Add(2 * dayH))
		w.attest("reseller-3")
		w.passTo(epoch.Add(3*dayH - 9*time.Hour - time.Second)) // the last second of a day
		w.at = w.at.Add(2 * time.Second)
		// With room for one reseller a turn it takes one that replays, and one that finds nobody left.
		for i, wanted := range []bool{true, false} {
			if more, _, err := w.Turn(ctx, 1); err != nil || more != wanted {
				t.Fatalf("turn %d: more is %t, %v", i, more, err)
			}
		}
		if reports, err := w.Reports(ctx, shadow.ID, "", 1); err != nil || reports[0].Day.Day != "2026-03-03" || reports[0].Resellers != 6 {
			t.Errorf("%+v, %v", reports, err)
		}
	})
}
