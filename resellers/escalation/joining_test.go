package escalation

import (
	"testing"
	"time"

	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// joining is a case with one finding since day 0 that an attestation cures, and one that joins it and is never cured.
func joining(t tester, joins time.Time) *life {
	l := newLife(t)
	l.policy.Rules = policy.Rules{}
	first := findings.Finding{ID: "a", Rule: "rule.a", Severity: policy.Serious, Since: start, Evidence: []int64{2}, Cures: "a cure"}
	second := findings.Finding{ID: "b", Rule: "rule.b", Severity: policy.Serious, Since: joins, Evidence: []int64{2}, Cures: "another cure"}
	l.assess = func(_ policy.Policy, h history.History, now time.Time) (open []findings.Finding, turns time.Time) {
		if _, cured := findings.Cured(&l.policy, &h, first.Rule, first.Since, first.Evidence); !cured {
			open = append(open, first)
		}
		if now.Before(joins) {
			return open, joins
		}
		return append(open, second), time.Time{}
	}
	l.enrol(start)
	l.settle(start)
	return l
}

func TestAFindingThatJoinsKeepsTheClockAndGetsItsCureFloorOnceItStandsAlone(t *testing.T) {
	l := joining(t, on(13))
	l.run(start, on(13))
	if len(l.c.Behind()) != 2 || !l.c.LimitAt.Equal(on(30)) || !l.c.CureBy.Equal(on(14)) || !l.wake.Equal(on(14)) {
		t.Fatalf("joined: %+v, wakes at %v", l.c, l.wake)
	}
	if l.next.Unless != "a cure (cures rule.a) and another cure (cures rule.b)" {
		t.Errorf("unless %q", l.next.Unless)
	}
	l.attest(on(13.5), "initial") // cures the first; the second was found 12 hours ago
	l.settle(on(13.5))
	if !l.wake.Equal(on(16)) || l.c.Standing != Warned || l.next.Unless != "another cure (cures rule.b)" {
		t.Fatalf("alone: wakes at %v, wanted %v; %+v", l.wake, on(16), l.next)
	}
	l.run(on(13.5), on(100))
	if !l.c.RestrictedAt.Equal(on(16)) || !l.c.ClosingAt.Equal(on(21)) || !l.c.TerminatedAt.Equal(on(29)) || l.c.PastCount != 0 {
		t.Errorf("restricted %v, closing %v, terminated %v", l.c.RestrictedAt, l.c.ClosingAt, l.c.TerminatedAt)
	}
}

func TestAnOldFindingDoesNotWaitForOneThatJoined(t *testing.T) {
	l := joining(t, on(13))
	l.run(start, on(100))
	if !l.c.RestrictedAt.Equal(on(14)) || !l.c.ClosingAt.Equal(on(21)) || !l.c.TerminatedAt.Equal(on(29)) {
		t.Errorf("restricted %v, closing %v, terminated %v", l.c.RestrictedAt, l.c.ClosingAt, l.c.TerminatedAt)
	}
}

func TestChangesAreTakenInTheOrderOfTheFactsHoweverLateTheyAreSeen(t *testing.T) {
	for name, c := range map[string]struct {
		joins, attests float64
		same           bool
	}{
		"true before the cure: it joins the case":       {10, 12, true},
		"true in the second of the cure: it joins":      {12, 12, true},
		"true after the cure: a case of its own begins": {12.5, 12, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := joining(t, on(c.joins))
			first := l.c.ID
			l.attest(on(c.attests), "initial")
			state := l.settle(on(13)) // both are seen only now
			if (l.c.ID == first) != c.same || (l.c.PastCount == 0) != c.same || l.c.Standing != Warned {
				t.Errorf("stated %v; case %s, the first one %s", kinds(state), l.c.ID, first)
			}
			if limit := on(c.joins + 30); !c.same && !l.c.LimitAt.Equal(limit) {
				t.Errorf("limit %v, wanted %v", l.c.LimitAt, limit)
			}
		})
	}
}
