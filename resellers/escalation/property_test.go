package escalation

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// wander lives a drawn life: the reseller attests or stays silent, the gateway is up, down, late, or has a clock that is
// behind. It returns the time it ended at. punctual says that the gateway never missed a deadline.
func wander(t *rapid.T, l *life) (end time.Time, punctual bool) {
	now, punctual := start.Add(time.Duration(rapid.Int64Range(0, int64(day/time.Microsecond)).Draw(t, "microseconds"))*time.Microsecond), true
	l.enrol(now)
	l.settle(now)
	for range rapid.IntRange(1, 14).Draw(t, "moves") {
		switch move := rapid.IntRange(0, 7).Draw(t, "move"); {
		case move == 0: // the gateway is down, or nobody decides
			now = now.Add(span(t, "down"))
			if !l.wake.IsZero() && l.wake.Before(wholeSecond(now)) {
				punctual = false
			}
			l.settle(now)
		case move == 1: // a node whose clock is behind decides
			l.settle(now.Add(-time.Duration(rapid.Int64Range(0, int64(5*time.Minute)).Draw(t, "behind"))))
		case move == 2: // accepted, and judged later
			l.attest(now, "annual")
			unjudged := span(t, "unjudged")
			now = now.Add(unjudged)
			if l.c.ID != "" || unjudged >= 365*day {
				punctual = false
			}
			l.settle(now)
		case move <= 4: // accepted, and judged at once
			if move == 4 && !l.wake.IsZero() { // in the last second
				l.run(now, l.wake.Add(-time.Second))
				now = later(now, l.wake.Add(-time.Second))
			}
			l.attest(now, "annual")
			l.settle(now)
		default: // time goes by, and the docket is woken whenever it asked for
			until := now.Add(span(t, "quiet"))
			l.run(now, until)
			now = until
			l.settle(now)
		}
	}
	return now, punctual
}

// span draws a length of time that matters: from one inside a cure floor to one over a year, and some seconds.
func span(t *rapid.T, name string) time.Duration {
	days := rapid.SampledFrom([]int{0, 1, 3, 7, 13, 14, 25, 26, 29, 30, 31, 45, 70, 365, 400}).Draw(t, name)
	return time.Duration(days)*day + time.Duration(rapid.Int64Range(0, int64(day)).Draw(t, name+", and"))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func TestNoStepIsTakenEarlyOrTwiceOrAfterACureAndEveryFloorHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		_, punctual := wander(t, l)
		audit(t, l, punctual, false)
	})
}

func TestNoStepIsSkippedSilenceEndsInTermination(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		now, punctual := wander(t, l)
		l.run(now, now.Add(500*day))
		a := audit(t, l, punctual, false)
		if !a.terminated || l.c.Standing != Terminated || !l.wake.IsZero() {
			t.Fatalf("500 days of silence, and %s: %s", l.c.Standing, lines(l.told()))
		}
	})
}

func TestTheLimitIsNeverPassedSilently(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		now, _ := wander(t, l)
		l.run(now, now.Add(span(t, "quiet")))
		now = later(now, l.wake)
		for range 12 {
			if l.c.ID != "" && l.c.Standing != Terminated {
				passes := l.next.At.After(l.c.LimitAt)
				if l.next.LimitPassed != passes || strings.Contains(l.next.What, "after the limit of") != passes {
					t.Fatalf("limit %v, next %+v", l.c.LimitAt, l.next)
				}
				prospect, err := Outlook(l.policy, reseller, l.c, l.history, l.house, now)
				if err != nil {
					t.Fatal(err)
				}
				last := prospect.Future[len(prospect.Future)-1]
				if late := last.At.After(l.c.LimitAt) || now.After(l.c.LimitAt); prospect.LimitPassed != late {
					t.Fatalf("at %v, limit %v, ends %v, and says passed: %t", now, l.c.LimitAt, last.At, prospect.LimitPassed)
				}
			}
			if l.wake.IsZero() {
				return
			}
			now = l.wake
			l.settle(now)
		}
	})
}

func TestTheSameEntriesGiveTheSameCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		wander(t, l)
		h, c := l.replayed()
		if !reflect.DeepEqual(h, l.history) || !reflect.DeepEqual(c, l.c) {
			t.Fatalf("folded again:\n%+v\n%+v\nwanted\n%+v\n%+v", h, c, l.history, l.c)
		}
		for _, e := range l.entries {
			if again := c.With(e); !reflect.DeepEqual(again, c) {
				t.Fatalf("entry %d folded a second time changed the case", e.LeafIndex)
			}
		}
	})
}

func TestNothingIsStatedBeforeTheTimeItAskedToBeWoken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		now, _ := wander(t, l)
		until := now.Add(9000 * day)
		if !l.wake.IsZero() {
			until = l.wake.Add(-time.Nanosecond)
		}
		if until.Before(now) {
			return // a node with a clock behind asked last
		}
		at := now.Add(time.Duration(rapid.Int64Range(0, int64(until.Sub(now))).Draw(t, "later")))
		for _, at := range []time.Time{at, until} {
			found, _ := findings.Assess(&l.policy, &l.history, at)
			if state, _, _ := Decide(&l.policy, reseller, l.c, l.history, l.house, found, at); len(state) > 0 {
				t.Fatalf("asked to be woken at %v, and stated at %v: %+v", l.wake, at, state)
			}
		}
		if !l.wake.IsZero() {
			if state := l.settle(l.wake); len(state) == 0 {
				t.Fatalf("asked to be woken at %v for nothing", l.wake)
			}
		}
	})
}

func TestTheFutureThatIsShownIsTheOneThatComes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		now, _ := wander(t, l)
		shown, err := Outlook(l.policy, reseller, l.c, l.history, l.house, now)
		if err != nil {
			t.Fatal(err)
		}
		before := len(l.entries)
		l.run(now, now.Add(9000*day))
		var came []string
		for _, e := range l.entries[before:] {
			if s, ok := e.Statement.(statement.StandingChanged); ok {
				came = append(came, fmt.Sprintf("%s at %v", s.After, s.Basis.Now))
			}
		}
		var future []string
		for _, step := range shown.Future {
			if step.Waits != "" || step.What == limitPasses {
				continue
			}
			does, _, _ := strings.Cut(step.What, ":")
			future = append(future, fmt.Sprintf("%s at %v", does, step.At))
		}
		if !slices.Equal(came, future) {
			t.Fatalf("shown %v\ncame  %v", future, came)
		}
	})
}

// synthesize replaces the rules by drawn findings, several at a time, so that they overlap as those of later rules will.
// One with evidence far ahead is never cured.
func synthesize(t *rapid.T, l *life) {
	l.policy.Rules = policy.Rules{}
	var drawn []findings.Finding
	for i := range rapid.IntRange(1, 5).Draw(t, "findings") {
		f := findings.Finding{
			ID: fmt.Sprintf("rule.%d", i), Rule: fmt.Sprintf("rule.%d", i), Severity: policy.Serious, Cures: "a cure",
			Since: start.Add(time.Duration(rapid.IntRange(0, 90*24*60).Draw(t, "minute")) * time.Minute), Evidence: []int64{2},
		}
		if rapid.Bool().Draw(t, "stubborn") {
			f.Evidence = []int64{math.MaxInt32}
		}
		if rapid.IntRange(0, 3).Draw(t, "minor") == 0 {
			f.Severity = policy.Minor
		}
		drawn = append(drawn, f)
	}
	l.assess = func(_ policy.Policy, h history.History, now time.Time) (open []findings.Finding, turns time.Time) {
		if !h.TerminatedAt.IsZero() {
			return nil, time.Time{}
		}
		for _, f := range drawn {
			_, cured := findings.Cured(&l.policy, &h, f.Rule, f.Since, f.Evidence)
			switch {
			case cured:
			case !now.Before(f.Since):
				open = append(open, f)
			case turns.IsZero() || f.Since.Before(turns):
				turns = f.Since
			}
		}
		return open, turns
	}
}

func TestFindingsThatJoinACaseNeitherRestartItsClockNorShortenAFloor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		synthesize(t, l)
		now, _ := wander(t, l)
		l.run(now, now.Add(500*day))
		// One that joined late may move a step behind the time that was announced, so the gateway is not held to it.
		audit(t, l, false, true)
		stuck := slices.ContainsFunc(l.c.Findings, func(f Open) bool { return f.Severity == "serious" })
		if stuck != (l.c.Standing == Terminated) {
			t.Fatalf("%s with %+v", l.c.Standing, l.c.Findings)
		}
	})
}

func TestTheFoldTakesAnyEntryInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		wander(t, l)
		shuffled := rapid.Permutation(l.entries).Draw(t, "entries")
		var c Case
		var h history.History
		for i, e := range shuffled {
			e.LeafIndex = int64(i)
			h, c = h.With(e), c.With(e)
			if c.Seen() != int64(i) || h.Seen() != int64(i) {
				t.Fatalf("entry %d was not seen", i)
			}
			// Whatever it was led to, it can be judged and shown.
			if _, err := Outlook(l.policy, reseller, c, h, l.house, e.AcceptedAt); err != nil {
				t.Fatal(err)
			}
		}
	})
}
