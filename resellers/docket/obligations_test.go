package docket

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
	"github.com/cipgate/cipgate/resellers/policy"
)

// proving is the shipped policy with nobody asked: its closures and terminations wait for proof of notice.
func proving(t *testing.T) policy.Policy {
	t.Helper()
	file := policy.Default().Document()
	for _, people := range []string{"1", "2"} {
		file = strings.ReplaceAll(strings.ReplaceAll(file, "people: "+people, "people: 0"), "critical: "+people, "critical: 0")
	}
	p, err := policy.Parse([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tries records that an officer called a reseller of the last step of its case and nobody answered.
func (w *world) tries(entity envelope.Entity) {
	w.t.Helper()
	file, err := w.mustDocket().Open(w.t.Context(), entity.ID())
	if err != nil {
		w.t.Fatal(err)
	}
	w.act(entity, "Mara", escalation.ActionNotified, "notice", file.Case.Told.Notices[0], func(s *statement.OfficerAction) {
		s.Details = []statement.Field{{Name: "channel", Value: "call"}, {Name: "whom", Value: "compliance"}, {Name: "at", Value: w.now.Format(time.RFC3339)},
			{Name: "answered", Value: escalation.Unanswered}}
	})
}

func (w *world) ends(o obligations.Obligation, action, by string, change func(*statement.OfficerAction)) {
	w.t.Helper()
	w.act(o.About, by, action, obligations.On, o.ID, change)
}

// A silent reseller is restricted on day 44. Its closure is due on day 51, its termination on day 59, and nothing proves that it was told.
func TestCallsBecomeATaskAndObligationsAreKeptAndEndAndARebuildSaysTheSame(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.policy = proving(t)
		d := w.mustDocket()
		sweep := func(at time.Duration) time.Time {
			w.now = epoch.Add(at)
			next, err := d.Sweep(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return next
		}
		list := func(wanted Wanted) []obligations.Obligation {
			all, err := d.Obligations(t.Context(), wanted, nil, 10)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		calls := func() []Call {
			all, err := d.Calls(t.Context(), nil, 10)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		if err := d.Activate(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.enrol(silent)
		sweep(30 * day)
		if next := sweep(44 * day); !next.Equal(epoch.Add(49 * day)) { // the call, five days behind the restriction
			t.Errorf("woken at %s", next)
		}
		if all := calls(); len(all) > 0 {
			t.Errorf("calls before their day: %+v", all)
		}
		sweep(49 * day)
		if all := calls(); len(all) != 1 || !all[0].Notice.CallBy.Equal(epoch.Add(51*day)) || all[0].Notice.Of != escalation.StepRestrict || all[0].File.Entity != silent {
			t.Fatalf("calls: %+v", all)
		}
		w.tries(silent)
		sweep(50 * day)
		if len(calls()) != 1 {
			t.Error("one try ended the task")
		}
		sweep(52 * day)
		watch, err := d.Watch(t.Context())
		if err != nil || watch.Alarm() != "" || watch.Duties.LateCalls != 1 || !strings.Contains(watch.Duties.Alarm(), "1 resellers were to be called") {
			t.Errorf("%+v: %q, %v", watch, watch.Duties.Alarm(), err)
		}
		w.tries(silent) // the second one, on another day, and a day later the account is ordered closed
		sweep(53 * day)
		if file, _ := d.Open(t.Context(), silent.ID()); file.Case.Standing != escalation.Closing || len(calls()) > 0 {
			t.Fatalf("%s", file.Case.Standing)
		}

		open := list(Wanted{State: obligations.Open})
		if len(open) != 2 || open[0].Kind != policy.ClosureReport || !open[0].DueAt.Equal(epoch.Add(56*day)) || open[0].About != silent ||
			open[1].Kind != policy.Certification || open[1].About != self || !open[1].DueAt.Equal(epoch.Add(365*day)) {
			t.Fatalf("open: %+v", open)
		}
		report, certification := open[0], open[1]
		sweep(57 * day)
		if watch, err = d.Watch(t.Context()); err != nil || watch.Duties.OverdueCount != 1 || watch.Duties.Open != 2 || !strings.Contains(watch.Duties.Alarm(), "1 obligations are overdue") {
			t.Errorf("%+v, %v", watch.Duties, err)
		}
		id := silent.ID()
		for name, c := range map[string]struct {
			wanted Wanted
			want   int
		}{
			"overdue": {Wanted{State: obligations.Overdue}, 1}, "of the reseller": {Wanted{About: &id}, 1}, "of a kind": {Wanted{Kind: policy.Certification}, 1},
			"ended": {Wanted{State: obligations.State(obligations.Fulfilled)}, 0}, "all": {Wanted{}, 2},
		} {
			if got := list(c.wanted); len(got) != c.want {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if rest, err := d.Obligations(t.Context(), Wanted{}, &DuePlace{DueAt: open[0].DueAt, ID: open[0].ID}, 10); err != nil || len(rest) != 1 || rest[0].ID != certification.ID {
			t.Errorf("behind the first: %+v, %v", rest, err)
		}

		// One waives nothing, and without a reference nothing is fulfilled; the certification opens the next one, a year behind its own date.
		w.ends(report, obligations.ActionFulfilled, "Mara", nil)
		w.ends(certification, obligations.ActionWaived, "Mara", nil)
		sweep(57 * day)
		if got := list(Wanted{State: obligations.Open}); len(got) != 2 {
			t.Errorf("ended by what ends nothing: %+v", got)
		}
		w.ends(report, obligations.ActionFulfilled, "Mara", func(s *statement.OfficerAction) {
			s.Details = []statement.Field{{Name: obligations.DetailReference, Value: "FBI-17"}}
		})
		w.ends(certification, obligations.ActionWaived, "Mara", func(s *statement.OfficerAction) { s.ProposedBy = &statement.Officer{ID: "jon", Name: "Jon"} })
		sweep(57 * day)
		got, err := d.Obligation(t.Context(), report.ID)
		if err != nil || got.Closed.How != obligations.Fulfilled || got.Closed.Reference != "FBI-17" || got.Closed.By.Name != "Mara" || !got.Late() {
			t.Errorf("%+v, %v", got, err)
		}
		if open = list(Wanted{State: obligations.Open}); len(open) != 1 || open[0].Subject != "2" || !open[0].DueAt.Equal(epoch.Add(730*day)) {
			t.Errorf("open: %+v", open)
		}
		if _, err := d.Obligation(t.Context(), "none"); !errors.Is(err, ErrNoObligation) {
			t.Error(err)
		}

		sweep(59*day + 12*time.Hour) // the end of the wait
		if file, _ := d.Open(t.Context(), silent.ID()); file.Case.Standing != escalation.Terminated {
			t.Errorf("%s", file.Case.Standing)
		}
		before := tables(t, w)
		if err := d.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := tables(t, w); after != before {
			t.Errorf("after the rebuild:\n got %s\nwant %s", after, before)
		}
	})
}
