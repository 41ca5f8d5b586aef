package escalation

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

var names = []string{"Mara", "Jon", "Ada"}

// meddle lets officers, the reseller and the gateway's own troubles happen to a life under the shipped policy, in any order and whether
// they make sense or not: what should not get into the ledger is in it too. It returns the time it ended at.
func meddle(t *rapid.T, l *life) (end time.Time) {
	l.policy = ladderAlone()
	l.policy.Case.Proof.AtLimit.Value = rapid.SampledFrom([]string{policy.GoesOn, policy.Waits}).Draw(t, "at limit")
	if rapid.IntRange(0, 3).Draw(t, "hours") == 0 {
		l.policy.Hours = policy.Hours{On: true, Zone: "UTC+5:30", Weekdays: []string{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "17:00", Blackout: []string{"02-20"}}
	}
	now := start
	l.enrol(now)
	l.settle(now)
	for range rapid.IntRange(1, 25).Draw(t, "moves") {
		until := now.Add(span(t, "quiet") / time.Duration(rapid.IntRange(1, 4).Draw(t, "part")))
		if rapid.IntRange(0, 5).Draw(t, "down") > 0 {
			l.run(now, until)
		}
		now = until
		by := rapid.SampledFrom(names).Draw(t, "by")
		step := rapid.SampledFrom([]string{StepClose, StepTerminate, StepTerminate, StepRestrict}).Draw(t, "step")
		ends := now.Add(span(t, "ends"))
		switch rapid.IntRange(0, 15).Draw(t, "move") {
		case 0, 1, 2:
			l.approve(now, by, step)
		case 3:
			l.refuse(now, by, step)
		case 4:
			l.hold(now, by, rapid.SampledFrom([]HoldKind{HoldOfficer, HoldCustomerHarm, HoldStay}).Draw(t, "kind"), ends)
		case 5:
			action := rapid.SampledFrom([]string{ActionLifted, ActionLiftProposed}).Draw(t, "lift")
			if len(l.c.Holds) > 0 {
				l.act(now, by, action, "hold", l.c.Holds[len(l.c.Holds)-1].ID, time.Time{})
			}
		case 6:
			l.act(now, by, ActionExtended, "case", l.c.ID, ends)
		case 7:
			l.act(now, by, ActionLimitExtended, "case", l.c.ID, ends, "proposed", rapid.SampledFrom(names).Draw(t, "proposed"))
		case 8:
			if len(l.c.Findings) > 0 {
				l.dispute(now, l.c.Findings[0].ID, "false-positive")
			}
		case 9:
			if len(l.c.Reviews) > 0 {
				l.decide(now, by, l.c.Reviews[0].ID, l.c.Reviews[0].Finding, "rejected")
			}
		case 10:
			l.outage(now.Add(-span(t, "out")/30), now)
		case 11:
			action := rapid.SampledFrom([]string{ActionPaused, ActionResumed, ActionResumed}).Draw(t, "pause")
			l.house = l.house.With(statement.Entry{AcceptedAt: now, About: gateway, By: gateway, Statement: statement.OfficerAction{
				Officer: officer(by), Action: action, On: statement.Target{Type: "gateway", ID: string(gateway)}, Reason: "r"}})
		case 12:
			l.attest(now, "annual")
		case 13:
			if len(l.c.Told.Notices) > 0 {
				l.calls(now, rapid.SampledFrom([]string{"yes", "no", "no"}).Draw(t, "answered"))
			}
		case 14:
			if len(l.c.Told.Notices) > 0 {
				l.acknowledge(now)
			}
		default:
			// nothing but time
		}
		l.settle(now)
	}
	return now
}

// consent reads a ledger again and fails on whatever was done without the people whom the shipped policy asks.
func consent(t tester, entries []statement.Entry) {
	t.Helper()
	given := map[string]map[string]bool{} // by approval, who
	refused := map[string]string{}
	known := "" // the step that comes next: nothing that is said of another one counts
	for _, e := range entries {
		switch s := e.Statement.(type) {
		case statement.WarningIssued:
			known = ID(e.About, statement.RestrictionOrdered{Case: s.Case, Order: NoNewAccounts})
		case statement.RestrictionOrdered:
			known = ID(e.About, statement.ClosureOrdered{Case: s.Case, Scope: CloseAccount})
		case statement.OfficerAction:
			if s.On.ID != known {
				continue
			}
			switch s.Action {
			case ActionApproved:
				if refused[s.On.ID] == s.Officer.ID {
					continue
				}
				delete(refused, s.On.ID)
				if given[s.On.ID] == nil {
					given[s.On.ID] = map[string]bool{}
				}
				given[s.On.ID][s.Officer.ID] = true
			case ActionRefused:
				delete(given[s.On.ID], s.Officer.ID)
				refused[s.On.ID] = s.Officer.ID
			}
		case statement.ClosureOrdered:
			if s.Scope == RemainingAccounts {
				break // goes with the termination
			}
			if len(given[e.JTI]) < 1 || refused[e.JTI] != "" {
				t.Fatalf("closed at %v with %v, refused by %q", s.Basis.Now, given[e.JTI], refused[e.JTI])
			}
			known = ID(e.About, statement.RelationshipTerminated{Case: s.Case})
		case statement.RelationshipTerminated:
			if len(given[e.JTI]) < 2 || refused[e.JTI] != "" {
				t.Fatalf("terminated at %v with %v, refused by %q", s.Basis.Now, given[e.JTI], refused[e.JTI])
			}
		}
	}
}

func TestWhateverPeopleDoNothingIsTakenWithoutThemOrSoonerThanAnnounced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		now := meddle(t, l)
		l.run(now, now.Add(400*day))
		audit(t, l, false, false)
		consent(t, l.entries)
	})
}

func TestWhateverPeopleDoTheFutureThatIsShownComesAndWakingIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		now := meddle(t, l)
		shown, err := Outlook(l.policy, reseller, l.c, l.history, l.house, now)
		if err != nil {
			t.Fatal(err)
		}
		var future []string
		for _, step := range shown.Future {
			if step.Waits == "" || step.What == limitPasses {
				does, _, _ := strings.Cut(step.What, ":")
				future = append(future, fmt.Sprintf("%s at %v", does, step.At))
			}
		}
		before := len(l.entries)
		for i := 0; !l.wake.IsZero() && i < 40; i++ {
			for _, early := range []time.Time{l.wake.Add(-time.Second), l.wake.Add(-time.Nanosecond)} {
				found, _ := l.assess(l.policy, l.history, early)
				if state, _, _ := Decide(&l.policy, reseller, l.c, l.history, l.house, found, early); len(state) > 0 {
					t.Fatalf("asked to be woken at %v, and stated at %v: %+v", l.wake, early, state)
				}
			}
			if state := l.settle(l.wake); len(state) == 0 {
				t.Fatalf("woken for nothing; next %+v", l.next)
			}
		}
		var came []string
		for _, e := range l.entries[before:] {
			switch s := e.Statement.(type) {
			case statement.StandingChanged:
				came = append(came, fmt.Sprintf("%s at %v", s.After, s.Basis.Now))
			case statement.LimitPassed:
				came = append(came, fmt.Sprintf("%s at %v", limitPasses, s.Basis.Now))
			}
		}
		slices.Sort(came) // what happens in one second is shown in another order than it is stated
		slices.Sort(future)
		if !slices.Equal(came, future) {
			t.Fatalf("shown %v\ncame  %v", future, came)
		}
	})
}

func TestWhateverPeopleDoACaseThatStandsStillSaysWhatItWaitsFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		now := meddle(t, l)
		if l.c.ID == "" || l.c.Standing == Terminated {
			return
		}
		switch {
		case l.next.Waits != "":
			for _, m := range (&situation{policy: &l.policy, about: reseller, c: l.c, history: l.history, house: l.house, now: wholeSecond(now)}).moves() {
				if n, _ := (&situation{policy: &l.policy, about: reseller, c: l.c}).people(m); n == 0 && l.house.Paused == nil {
					t.Fatalf("it waits for nobody: %+v", l.next)
				}
			}
		case !l.next.At.After(wholeSecond(now)):
			t.Fatalf("at %v the next step was due: %+v", now, l.next)
		}
	})
}

func TestWhateverPeopleDoTheSameEntriesGiveTheSameCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		meddle(t, l)
		h, c := l.replayed()
		if !reflect.DeepEqual(h, l.history) || !reflect.DeepEqual(c, l.c) {
			t.Fatalf("folded again:\n%+v\nwanted\n%+v", c, l.c)
		}
		for _, e := range l.entries {
			if again := c.With(e); !reflect.DeepEqual(again, c) {
				t.Fatalf("entry %d folded a second time changed the case", e.LeafIndex)
			}
		}
	})
}

func TestTheFoldTakesWhateverPeopleDoInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		meddle(t, l)
		l.take(gateway, start.Add(day), "reinstated", statement.RelationshipReinstated{Why: "w", WhoseError: "gateway", By: officer("Ada")})
		var c Case
		var h history.History
		for i, e := range rapid.Permutation(l.entries).Draw(t, "entries") {
			e.LeafIndex = int64(i)
			h, c = h.With(e), c.With(e)
			if _, err := Outlook(l.policy, reseller, c, h, l.house, e.AcceptedAt); err != nil {
				t.Fatal(err)
			}
			if back := through(t, c); !reflect.DeepEqual(back, c) {
				t.Fatalf("a case read back as another:\n%+v\n%+v", c, back)
			}
		}
	})
}
