package docket

import (
	"errors"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// stricter is the next version of the world's policy, by which an attestation is good for ten days.
func (w *world) stricter() policy.Policy {
	w.t.Helper()
	file := strings.Replace(w.policy.Document(), "\nversion: 5\n", "\nversion: 6\n", 1)
	file = strings.Replace(file, "value: 365d", "value: 10d", 1) // cip.stale's
	file = strings.Replace(file, "reminders:\n      value: [60d, 30d, 7d]", "reminders:\n      value: [7d]", 1)
	next, err := policy.Parse([]byte(file))
	if err != nil {
		w.t.Fatal(err)
	}
	return next
}

func TestANewPolicyWakesEveryFileThatSleepsAlsoIfItsProcessIsKilledBehindTheActivation(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		if err := w.mustDocket().Activate(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.enrol(silent)
		play(t, w, []scene{{30 * day, nil}, {44 * day, nil}, {51 * day, nil}, {59 * day, nil}}, &killer{after: -1})
		w.now = epoch.Add(60 * day)
		w.enrol(late)
		w.attest(late)
		next, err := w.mustDocket().Sweep(t.Context())
		if err != nil || !next.After(w.now.Add(300*day)) {
			t.Fatalf("woken at %s, %v: it does not sleep", next, err)
		}
		ended, err := w.mustDocket().Open(t.Context(), silent.ID())
		if err != nil || ended.Case.Standing != escalation.Terminated {
			t.Fatalf("%s, %v", ended.Case.Standing, err)
		}

		w.now = epoch.Add(80 * day)
		w.policy = w.stricter()
		if err := w.mustDocket().Activate(t.Context()); err != nil { // and is killed: the next process activates nothing
			t.Fatal(err)
		}
		d := w.mustDocket()
		if err := d.Activate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := d.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		due, err := d.due(t.Context(), 0)
		if err != nil || len(due) != 1 || due[0] != late.ID() {
			t.Errorf("due are %v, %v, wanted the one that sleeps and not the one that is terminated", due, err)
		}
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := kindsAbout(t, w, late); !strings.Contains(got, "80:finding-opened") {
			t.Errorf("by the new policy it has been stale for ten days: %s", got)
		}
		before, saidBefore := tables(t, w), len(said(t, w))
		if err := d.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := tables(t, w); after != before || len(said(t, w)) != saidBefore {
			t.Errorf("rebuilt\n%s\nwanted\n%s", after, before)
		}
	})
}

func TestWhoRunsWithAnotherPolicyThanTheOneInForceDecidesNothingAndPutsNothingAway(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		old := w.mustDocket()
		if err := old.Activate(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.enrol(late)
		w.attest(late)
		w.now = epoch.Add(5 * day)
		if _, err := old.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		// Between judging and putting away by the old policy, the new one comes into force.
		file, err := old.open(t.Context(), late.ID())
		if err != nil {
			t.Fatal(err)
		}
		judged, err := old.reserved(t.Context(), file, w.now)
		if err != nil || len(judged.statements) > 0 {
			t.Fatalf("%+v, %v", judged.statements, err)
		}
		w.policy = w.stricter()
		if err := w.mustDocket().Activate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := old.CatchUp(t.Context()); err != nil { // it wakes the file, as every gateway would
			t.Fatal(err)
		}
		if err := old.putAway(t.Context(), judged); err != nil {
			t.Fatal(err)
		}
		w.enrol(silent) // and what it folds from here on it leaves to others to judge
		for _, decide := range []func() error{
			func() error { _, err := old.Sweep(t.Context()); return err },
			func() error { return old.Settle(t.Context(), late.ID()) },
		} {
			if err := decide(); !errors.Is(err, ErrSuperseded) || !strings.Contains(err.Error(), "Restart it with that policy") {
				t.Errorf("it decided: %v", err)
			}
		}
		d := w.mustDocket()
		if due, err := d.due(t.Context(), 0); err != nil || len(due) != 2 {
			t.Errorf("due are %v, %v: it put a file away", due, err)
		}
		next, err := d.Sweep(t.Context())
		if err != nil || !next.Equal(epoch.Add(10*day)) {
			t.Errorf("by the policy in force it is judged again at %s, %v", next, err)
		}
		if watch, err := d.Watch(t.Context()); err != nil || watch.Alarm() != "" {
			t.Errorf("%+v, %v", watch, err)
		}
	})
}
