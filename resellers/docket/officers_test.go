package docket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

func officer(name string) statement.Officer {
	return statement.Officer{ID: strings.ToLower(name), Name: name}
}

// act states what an officer did about an entity, or about the gateway itself, as the desk does.
func (w *world) act(about envelope.Entity, by, action, on, id string, change func(*statement.OfficerAction)) {
	w.t.Helper()
	said := statement.OfficerAction{Officer: officer(by), Action: action, On: statement.Target{Type: on, ID: id}, Reason: "a reason"}
	if change != nil {
		change(&said)
	}
	w.stated++
	w.append(w.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: w.now, JTI: fmt.Sprintf("action-%d", w.stated),
		EventURI: statement.KindOfficerAction.URI(), Subject: envelope.Subject{Format: "uri", URI: string(about)}, Event: said}))
}

// caseOf is the id of the open case of a reseller, as its ledger says.
func (w *world) caseOf(entity envelope.Entity) string {
	w.t.Helper()
	entries, err := w.ledger.About(w.t.Context(), entity.ID(), 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if opened, ok := e.Statement.(statement.FindingOpened); ok && opened.Case != "" {
			return opened.Case
		}
	}
	w.t.Fatalf("no case of %s is open", entity)
	return ""
}

func (w *world) approve(entity envelope.Entity, by string, step statement.Statement) {
	w.t.Helper()
	w.act(entity, by, escalation.ActionApproved, "approval", escalation.ID(entity, step), nil)
}

func (w *world) approveClosure(by string) {
	w.approve(silent, by, statement.ClosureOrdered{Case: w.caseOf(silent), Scope: escalation.CloseAccount})
}

func (w *world) approveTermination(by string) {
	w.approve(silent, by, statement.RelationshipTerminated{Case: w.caseOf(silent)})
}

// asking is the shipped policy, by which people are asked, without waiting for proof of notice.
func asking(t *testing.T) policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(strings.Replace(policy.Default().Document(), "value: [close, terminate]", "value: []", 1)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// asked is a story in which people are asked, hold, pause and approve; one reseller falls and the other one is cured.
var asked = []scene{
	{0, func(w *world) { w.enrol(silent); w.enrol(late) }},
	{30 * day, nil},
	{44 * day, nil},
	{45 * day, func(w *world) { w.attest(late) }},
	{47 * day, func(w *world) {
		w.act(silent, "Mara", escalation.ActionHeld, "case", w.caseOf(silent), func(s *statement.OfficerAction) {
			s.EndsAt, s.Details = epoch.Add(49*day), []statement.Field{{Name: "kind", Value: "officer"}}
		})
	}},
	{48 * day, nil}, // the closure, held until day 53, is not asked about before day 50
	{50 * day, nil},
	{53 * day, nil}, // due, and nobody has said anything
	{54 * day, func(w *world) { w.act(self, "Mara", escalation.ActionPaused, "gateway", string(self), nil) }},
	{54 * day, func(w *world) { w.approveClosure("Mara") }},
	{55 * day, func(w *world) { w.act(self, "Jon", escalation.ActionResumed, "gateway", string(self), nil) }},
	{56 * day, func(w *world) { w.approveTermination("Mara") }},
	{60 * day, nil}, // the limit passes
	{61 * day, func(w *world) { w.approveTermination("Jon") }},
	{90 * day, nil},
}

func TestAStepThatAsksPeopleIsListedInTheOrderInWhichItFallsDueAndTakenOnceApproved(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.policy = asking(t)
		d := w.mustDocket()
		for _, scene := range asked {
			w.now = epoch.Add(scene.at)
			if scene.say != nil {
				scene.say(w)
			}
			next, err := d.Sweep(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			list, err := d.Asked(t.Context(), nil, 10)
			if err != nil {
				t.Fatal(err)
			}
			listed := scene.at >= 50*day && scene.at < 54*day || scene.at >= 56*day && scene.at < 61*day
			if (len(list) == 1) != listed && scene.at != 54*day {
				t.Errorf("on day %d asked %+v", scene.at/day, list)
			}
			switch scene.at {
			case 48 * day:
				if !next.Equal(epoch.Add(50 * day)) {
					t.Errorf("woken at %s", next)
				}
			case 53 * day:
				if a := list[0].Approvals; len(a) != 1 || a[0].Step != escalation.StepClose || !a[0].StepAt.Equal(epoch.Add(53*day)) || a[0].Whose(w.now) != "deputy" {
					t.Errorf("asked %+v", a)
				}
				if rest, err := d.Asked(t.Context(), &list[0].Place, 10); err != nil || len(rest) > 0 {
					t.Errorf("behind the only one: %+v, %v", rest, err)
				}
				lines, err := d.List(t.Context(), nil, 10)
				if err != nil || !strings.Contains(lines[1].Next.Waits, "approval of one officer") {
					t.Errorf("%+v, %v", lines, err)
				}
			}
			watch, err := d.Watch(t.Context())
			if err != nil || watch.Alarm() != "" {
				t.Errorf("on day %d: %q, %v", scene.at/day, watch.Alarm(), err)
			}
		}
		const want = "0:entity-enrolled 30:finding-opened 30:warning-issued 30:standing-changed 44:restriction-ordered 44:standing-changed " +
			"47:officer-action 54:officer-action 55:closure-ordered 55:standing-changed 56:officer-action 60:finding-opened 60:limit-passed 61:officer-action 61:closure-ordered 61:relationship-terminated 61:standing-changed"
		if got := kindsAbout(t, w, silent); got != want {
			t.Errorf("about the silent one:\n got %s\nwant %s", got, want)
		}
		before := tables(t, w)
		if err := d.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := tables(t, w); after != before {
			t.Errorf("rebuilt\n%s\nwanted\n%s", after, before)
		}
	})
}

func TestKilledBetweenAnyTwoStepsWhatPeopleSaidIsFoldedAndTheirStepsTakenOnce(t *testing.T) {
	killedAtEachStep(t, asked, 60, 3)
}

func TestTheWatchdogNamesACaseThatIsLateOrHasNoNextStep(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		play(t, w, fall[:4], &killer{after: -1})
		d := w.mustDocket()
		w.now = epoch.Add(44*day + Lateness)
		if watch, err := d.Watch(t.Context()); err != nil || watch.Alarm() != "" || watch.Open != 2 {
			t.Errorf("%+v, %v", watch, err)
		}
		w.now = w.now.Add(time.Second)
		watch, err := d.Watch(t.Context())
		if err != nil || watch.LateCount != 2 || len(watch.Late) != 2 || !strings.Contains(watch.Alarm(), "2 cases are past their next step") || watch.Behind <= Lateness {
			t.Errorf("%+v, %v", watch, err)
		}
		if err := db.Exec("UPDATE docket_files SET step_at = ? WHERE entity = ?", never, string(silent)).Error; err != nil {
			t.Fatal(err)
		}
		if watch, err = d.Watch(t.Context()); err != nil || watch.LateCount != 1 || watch.LostCount != 1 || watch.Lost[0].Entity != silent {
			t.Errorf("%+v, %v", watch, err)
		}
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if watch, err = d.Watch(t.Context()); err != nil || watch.Alarm() != "" {
			t.Errorf("%+v, %v", watch, err)
		}
	})
}

// racedLedger lets another node judge the same moment in front of each decision about a reseller.
type racedLedger struct {
	*ledger.Ledger
	before func()
}

func (r *racedLedger) AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error) {
	if before := r.before; before != nil {
		r.before = nil
		before()
	}
	return r.Ledger.AppendAfter(ctx, seen, sets...)
}

func TestTwoNodesTogetherNeverExceedTheGuard(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		play(t, w, []scene{fall[0], fall[1], fall[3], fall[4]}, &killer{after: -1}) // two resellers, both restricted: one may be closed a day
		w.now = epoch.Add(51 * day)
		other := w.mustDocket()
		log := &racedLedger{Ledger: w.ledger, before: func() {
			if err := other.Settle(t.Context(), late.ID()); err != nil {
				t.Error(err)
			}
		}}
		d, err := w.docket(db, log)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Settle(t.Context(), silent.ID()); err != nil { // between its reservation and its append the other node tries
			t.Fatal(err)
		}
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		closed := func() string { return kindsAbout(t, w, silent) + " " + kindsAbout(t, w, late) }
		if got := closed(); strings.Count(got, "51:closure-ordered") != 1 {
			t.Fatalf("on day 51: %s", got)
		}
		tripped(t, d, Tripped{escalation.GuardClosures, w.now.UTC().Truncate(day)})
		w.now = epoch.Add(52*day - 9*time.Hour) // the next day, UTC
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := closed(); strings.Count(got, "closure-ordered") != 2 {
			t.Errorf("on the next day: %s", got)
		}
		tripped(t, d)
	})
}

// tripped demands what the guard holds back now.
func tripped(t *testing.T, d *Docket, want ...Tripped) {
	t.Helper()
	got, err := d.Tripped(t.Context())
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the guard holds back %+v, %v, want %+v", got, err, want)
	}
}

func TestWhatWasReservedAndNotStatedIsGivenBack(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		play(t, w, []scene{fall[0], fall[1], fall[3], fall[4]}, &killer{after: -1})
		w.now = epoch.Add(51 * day)
		d, err := w.docket(db, &racedLedger{Ledger: w.ledger, before: func() { panic(errKilled) }})
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if killed, _ := recover().(error); !errors.Is(killed, errKilled) {
					t.Errorf("it was not killed: %v", killed)
				}
			}()
			_ = d.Settle(t.Context(), silent.ID())
		}()
		w.attest(silent) // so that nothing is stated for what was reserved
		if _, err := w.mustDocket().Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var left int64
		if err := db.Model(&guardRow{}).Where("leaf_index < 0").Count(&left).Error; err != nil || left > 0 {
			t.Errorf("%d reservations are left, %v", left, err)
		}
		w.now = epoch.Add(52*day - 9*time.Hour) // who found the number taken comes the next day, UTC
		if _, err := w.mustDocket().Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := kindsAbout(t, w, late); !strings.Contains(got, "closure-ordered") {
			t.Errorf("the other reseller: %s", got)
		}
	})
}

func TestFindingsAboutTooManyResellersInAnHourAreHeldUntilTwoPeopleReleaseThem(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		const many = 22 // two more than the guard lets through in an hour
		for i := range many {
			w.enrol(envelope.Entity(fmt.Sprintf("%s/e/r-%02d", self, i)))
		}
		d := w.mustDocket()
		sweep := func(at time.Duration) int {
			t.Helper()
			w.now = epoch.Add(at)
			if _, err := d.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			entries, err := w.ledger.Entries(t.Context(), 0, 1000, statement.KindFindingOpened)
			if err != nil {
				t.Fatal(err)
			}
			return len(entries)
		}
		if opened := sweep(30 * day); opened != 20 {
			t.Fatalf("%d findings were opened", opened)
		}
		tripped(t, d, Tripped{escalation.GuardFindings, epoch.Add(30 * day)})
		if opened := sweep(31 * day); opened != 20 {
			t.Fatalf("the next day %d findings were open: nobody had said that they are no fault of ours", opened)
		}
		if err := d.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if opened := sweep(31 * day); opened != 20 {
			t.Fatalf("after a rebuild %d findings were open", opened)
		}
		release := func(proposed *statement.Officer) {
			w.act(self, "Mara", escalation.ActionGuardReleased, "gateway", string(self), func(s *statement.OfficerAction) {
				s.ProposedBy, s.EndsAt, s.Details = proposed, w.now.Add(day), []statement.Field{{Name: "guard", Value: "findings"}}
			})
		}
		release(nil)
		if opened := sweep(31 * day); opened != 20 {
			t.Fatalf("one officer released them: %d", opened)
		}
		jon := officer("Jon")
		release(&jon)
		if opened := sweep(31 * day); opened != many {
			t.Fatalf("two people released them: %d", opened)
		}
		tripped(t, d)
		file, err := d.Open(t.Context(), envelope.Entity(fmt.Sprintf("%s/e/r-%02d", self, many-1)).ID())
		if err != nil || file.House.Counts.Resellers != many {
			t.Fatalf("%+v, %v", file.House, err)
		}
		if f := file.Case.Findings; len(f) != 1 || !f[0].Since.Equal(epoch.Add(30*day)) {
			t.Errorf("%+v", f)
		}
	})
}

// The guard counts resellers. One that is counted already makes no more of them: what is found of it beside is opened when it is true, and
// does not sleep until the guard forgets the others.
func TestAFurtherFindingOfAResellerThatTheGuardCountsIsOpenedAtOnce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		text := w.policy.Document()
		before, guard, _ := strings.Cut(text, "\n  findings:\n    count: 20\n    share: 5\n    within: 1h\n")
		p, err := policy.Parse([]byte(before + "\n  findings:\n    count: 2\n    share: 1\n    within: 7d\n" + guard))
		if err != nil {
			t.Fatal(err)
		}
		w.policy = p
		d := w.mustDocket()
		sweep := func(at time.Duration) {
			t.Helper()
			w.now = epoch.Add(at)
			if _, err := d.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.enrol(silent)
		w.enrol(late)
		sweep(2 * day)
		third := self + "/e/third"
		w.enrol(third)
		sweep(29 * day)
		w.act(self, "Mara", escalation.ActionGuardReleased, "gateway", string(self), func(s *statement.OfficerAction) {
			jon := officer("Jon")
			s.ProposedBy, s.EndsAt, s.Details = &jon, w.now.Add(2*day), []statement.Field{{Name: "guard", Value: "findings"}}
		})
		sweep(30 * day) // of two resellers a finding is opened, as many as the guard lets through: it was released, and does not trip
		tripped(t, d)
		w.now = epoch.Add(31*day + 12*time.Hour)
		w.act(silent, "Mara", escalation.ActionEvidence, "reseller", string(silent), func(s *statement.OfficerAction) {
			s.Details = []statement.Field{{Name: "evidence", Value: "e-1"}, {Name: "ground", Value: "cip-failure"}, {Name: "severity", Value: "serious"},
				{Name: "received_at", Value: w.now.Format(time.RFC3339)}, {Name: "audience", Value: "reseller"}}
		})
		sweep(31*day + 12*time.Hour)
		if got := kindsAbout(t, w, silent); !strings.Contains(got, "31:officer-action 31:finding-opened") {
			t.Errorf("of the reseller of which evidence was recorded: %s", got)
		}
		sweep(33 * day)
		if got := kindsAbout(t, w, third); strings.Contains(got, "finding-opened") {
			t.Errorf("of one reseller too many: %s", got)
		}
	})
}
