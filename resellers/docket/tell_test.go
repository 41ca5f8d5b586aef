package docket

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/policy"
)

// settle folds, screens and decides until nothing is left to do, as the keeper does, and returns when the docket wants to be woken.
func (w *world) settle(d *Docket, s *Screener) (next time.Time) {
	w.t.Helper()
	for range 2 {
		var err error
		if next, err = d.Sweep(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if s != nil {
			w.screen(d, s)
		}
	}
	return next
}

// said tells which statements of these kinds stand about an entity, with a word on each.
func (w *world) said(about envelope.Entity, kinds ...statement.Kind) string {
	w.t.Helper()
	entries, err := w.ledger.About(w.t.Context(), about.ID(), 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	var told []string
	for _, e := range entries {
		if !slices.Contains(kinds, e.Statement.Kind()) {
			continue
		}
		switch s := e.Statement.(type) {
		case statement.ScreeningChanged:
			told = append(told, fmt.Sprintf("%d: %d customers, itself %t", s.Number, s.Customers, s.Itself))
		case statement.TransactionCovered:
			told = append(told, s.Transaction+" "+s.Ground+" by "+s.Policy)
		case statement.FindingOpened:
			told = append(told, "opened "+s.Rule)
		case statement.FindingCured:
			told = append(told, "cured "+s.Rule)
		}
	}
	return strings.Join(told, "; ")
}

var foundOrCured = []statement.Kind{statement.KindFindingOpened, statement.KindFindingCured}

// same checks that folding and screening everything again gives the same files, and that nothing more is stated.
func (w *world) same(s *Screener, about envelope.Entity) {
	w.t.Helper()
	d := w.mustDocket()
	before, err := d.Open(w.t.Context(), about.ID())
	if err != nil {
		w.t.Fatal(err)
	}
	size, err := w.ledger.Size(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, rebuild := range []func() error{func() error { return d.Rebuild(w.t.Context()) }, func() error { return s.Rebuild(w.t.Context()) }} {
		if err := rebuild(); err != nil {
			w.t.Fatal(err)
		}
	}
	w.settle(d, s)
	after, err := d.Open(w.t.Context(), about.ID())
	if err != nil {
		w.t.Fatal(err)
	}
	if !reflect.DeepEqual(after.History, before.History) || !reflect.DeepEqual(after.Case, before.Case) {
		w.t.Errorf("after a rebuild\n%+v\n%+v\nwas\n%+v\n%+v", after.History, after.Case, before.History, before.Case)
	}
	if again, err := w.ledger.Size(w.t.Context()); err != nil || again != size {
		w.t.Errorf("a rebuild stated something: %d entries, were %d, %v", again, size, err)
	}
}

func TestWhomAMeasureProhibitsIsStatedOnceWhenItComesIntoForceAndWhenItGoes(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.policy = policy.Default() // a critical finding closes and ends nothing here: nobody approves
		d, s := w.mustDocket(), w.screener(db)
		told := func(say, changes, found string) {
			t.Helper()
			if got := w.said(busy, statement.KindScreeningChanged); got != changes {
				t.Errorf("%s: %q, wanted %q", say, got, changes)
			}
			if got := w.said(busy, foundOrCured...); got != found {
				t.Errorf("%s: %q, wanted %q", say, got, found)
			}
		}
		w.enrol(busy)
		w.attest(busy)
		w.verify(busy, "c-1", "IR", "low")
		w.account(busy, "c-1", "a-1", "opened")
		w.verify(busy, "c-2", "BR", "low")
		w.own(busy, "c-2", "o-1", "IR")
		w.against("m-1", country("IR"), 10, 29)
		if next := w.settle(d, s); !next.Equal(midnight(10)) {
			t.Errorf("wakes at %s, and the measure comes into force at %s", next, midnight(10))
		}
		const incomplete = "opened customer.incomplete"
		told("ahead", "", incomplete)
		w.now = midnight(10)
		w.settle(d, s)
		told("in force", "1: 1 customers, itself false", incomplete+"; opened customer.prohibited")
		w.settle(w.mustDocket(), w.screener(db))
		told("looked at again", "1: 1 customers, itself false", incomplete+"; opened customer.prohibited")
		w.same(s, busy)

		w.account(busy, "c-2", "a-1", "opened") // its owner falls under the measure
		w.settle(d, s)
		told("another one", "1: 1 customers, itself false; 2: 2 customers, itself false", incomplete+"; opened customer.prohibited")
		w.now = w.now.Add(day)
		w.against("m-1", country("IR"), 30, 59) // extended, which finds everybody again
		w.settle(d, s)
		w.account(busy, "c-1", "a-1", "closed")
		w.settle(d, s)
		told("one of them closed", "1: 1 customers, itself false; 2: 2 customers, itself false; 3: 1 customers, itself false", incomplete+"; opened customer.prohibited")
		w.account(busy, "c-2", "a-1", "closed")
		w.settle(d, s)
		const all = "1: 1 customers, itself false; 2: 2 customers, itself false; 3: 1 customers, itself false; 4: 0 customers, itself false"
		cured := incomplete + "; opened customer.prohibited; cured customer.incomplete; cured customer.prohibited"
		told("nobody any more", all, cured)
		w.same(s, busy)

		w.now = midnight(59) // too short before its end for the case to get far
		w.account(busy, "c-2", "a-2", "opened")
		w.settle(d, s)
		w.now = midnight(60)
		w.settle(d, s)
		if got := w.said(busy, statement.KindScreeningChanged); !strings.HasSuffix(got, "; 5: 1 customers, itself false; 6: 0 customers, itself false") {
			t.Errorf("when the measure is over: %q", got)
		}
		if got := w.said(busy, foundOrCured...); !strings.HasSuffix(got, "cured customer.prohibited") {
			t.Errorf("when the measure is over: %q", got)
		}
		w.same(s, busy)
	})
}

// A large reseller under a new version is walked in many steps; the versions before find what they found until then.
func TestWhatIsFoundOfAResellerIsNotTakenBackWhileEverybodyIsScreenedAgain(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d, s := w.mustDocket(), w.screener(db)
		w.enrol(busy)
		w.attest(busy)
		for i := range screenBatch + 10 {
			w.verify(busy, fmt.Sprintf("c-%04d", i), "BR", "low")
		}
		w.verify(busy, "z", "IR", "low") // in the last step of the walk
		w.account(busy, "z", "a-1", "opened")
		w.against("m-1", country("IR"), 0, 99)
		w.settle(d, s)
		w.against("m-1", country("IR"), 0, 199)
		for more := true; more; {
			if _, err := d.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			var err error
			if more, _, err = s.Screen(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		w.settle(d, s)
		// The second one names another version as its evidence.
		if got := w.said(busy, statement.KindScreeningChanged); got != "1: 1 customers, itself false; 2: 1 customers, itself false" {
			t.Errorf("stated %q", got)
		}
		if got := w.said(busy, foundOrCured...); got != "opened customer.incomplete; opened customer.prohibited" {
			t.Errorf("found %q", got)
		}
	})
}

// compute has a reseller report a training with so many operations, known since then.
func (w *world) compute(transaction, operations string, knew time.Time) {
	w.t.Helper()
	w.state(busy, "c-1", statement.AITraining{Transaction: transaction, State: "occurred", StartedOn: w.today(),
		Knowledge:  []statement.Knowledge{{Actor: "reseller", KnewAt: knew.Truncate(time.Second)}},
		Parameters: &statement.TrainingParameters{Operations: operations}})
}

// moved puts a policy in force whose definition has another threshold.
func (w *world) moved(version int, threshold string) *Docket {
	w.t.Helper()
	file := strings.Replace(w.policy.Document(), fmt.Sprintf("\nversion: %d\n", w.policy.Version), fmt.Sprintf("\nversion: %d\n", version), 1)
	before, after, found := strings.Cut(file, "thresholds:\n        value: [")
	_, after, closed := strings.Cut(after, "]")
	if !found || !closed {
		w.t.Fatal("the policy has no thresholds")
	}
	p, err := policy.Parse([]byte(before + "thresholds:\n        value: [" + threshold + "]" + after))
	if err != nil {
		w.t.Fatal(err)
	}
	w.policy = p
	d := w.mustDocket()
	if err := d.Activate(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return d
}

func TestTrainingsAreJudgedWhenTheyAreReportedAndAllOfThemWhenTheDefinitionMoves(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d, s := w.moved(90, "any 1e26"), w.screener(db)
		told := func(say, covered, found string) {
			t.Helper()
			if got := w.said(busy, statement.KindTransactionCovered); got != covered {
				t.Errorf("%s: %q, wanted %q", say, got, covered)
			}
			if got := w.said(busy, foundOrCured...); got != found {
				t.Errorf("%s: %q, wanted %q", say, got, found)
			}
		}
		w.enrol(busy)
		w.attest(busy)
		w.compute("small", "9e25", w.now.Add(-20*day)) // late, and nothing that must be reported
		w.compute("large", "1e26", w.now.Add(-15*day)) // in time
		w.settle(d, nil)
		const large = "large reported by us-iaas-2024.90"
		told("as reported", large, "")
		w.same(s, busy)

		w.now = w.now.Add(day)
		d = w.moved(91, "any 1e25")
		w.settle(d, nil)
		const both = large + "; small definition-moved by us-iaas-2024.91"
		told("the definition moved", both, "")
		w.same(s, busy)
		w.now = w.now.Add(15*day - time.Second)
		w.settle(d, nil)
		told("a second before", both, "")
		w.now = w.now.Add(time.Second)
		w.settle(d, nil)
		told("15 days later", both, "opened report.late")
		w.compute("small", "9e25", w.now)
		w.settle(d, nil)
		told("what came late stays late", both, "opened report.late")

		d = w.moved(92, "any 1e27")
		w.settle(d, nil)
		told("it moved back, and what was found stays found", both, "opened report.late")
		w.compute("third", "5e26", w.now.Add(-40*day))
		w.settle(d, nil)
		told("reported when it was not covered", both, "opened report.late")
		d = w.moved(93, "any 1e26")
		w.settle(d, nil)
		told("and covered then", both+"; third definition-moved by us-iaas-2024.93", "opened report.late")
		w.same(s, busy)
	})
}

func TestATrainingThatIsReportedLateIsAFindingUntilAnOfficerAcceptsWhatWasDone(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d, s := w.moved(90, "any 1e26"), w.screener(db)
		w.enrol(busy)
		w.attest(busy)
		w.compute("large", "2e26", w.now.Add(-15*day-time.Second))
		w.settle(d, nil)
		w.compute("large", "2e26", w.now.Add(-15*day-time.Second)) // again: the same facts
		w.settle(d, nil)
		if got := w.said(busy, statement.KindTransactionCovered, statement.KindFindingOpened); got != "large reported by us-iaas-2024.90; opened report.late" {
			t.Errorf("stated %q", got)
		}
		file, err := d.Open(t.Context(), busy.ID())
		if err != nil || len(file.Case.Findings) != 1 {
			t.Fatalf("%+v, %v", file.Case, err)
		}
		w.state(busy, "", statement.Remediation{RemediationKind: "cure", Text: "It was a public holiday.", Finding: file.Case.Findings[0].ID})
		w.settle(d, nil)
		if file, err = d.Open(t.Context(), busy.ID()); err != nil || len(file.Case.Reviews) != 1 {
			t.Fatalf("nothing waits for an officer: %+v, %v", file.Case, err)
		}
		w.say(busy, statement.OfficerAction{Officer: statement.Officer{ID: "o-1", Name: "Mara Lind"}, Action: "remediation.accepted",
			On: statement.Target{Type: "remediation", ID: file.Case.Reviews[0].ID}, Reason: "It was a public holiday",
			Details: []statement.Field{{Name: "finding", Value: file.Case.Findings[0].ID}}})
		w.settle(d, nil)
		if got := w.said(busy, foundOrCured...); got != "opened report.late; cured report.late" {
			t.Errorf("stated %q", got)
		}
		w.same(s, busy)
	})
}
