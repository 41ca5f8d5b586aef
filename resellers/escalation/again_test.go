package escalation

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/policy"
)

// onlyStale is a reseller under a policy that asks for nothing but that verifications are renewed, and that takes it seriously.
func onlyStale(t tester) *life {
	l := newLife(t)
	stale := l.policy.Rules.CustomerStale
	stale.Severity = policy.Serious
	l.policy.Rules = policy.Rules{CustomerStale: stale}
	l.enrol(start)
	l.verify(start, "c")
	l.account(start, "c", "opened")
	l.settle(start)
	return l
}

func TestAFindingThatComesAgainWithTheSameFactsIsAnotherOne(t *testing.T) {
	l := onlyStale(t)
	l.settle(on(400))
	first, opened := l.c.ID, l.c.Findings[0].ID
	var seen []string
	for i := range 3 {
		at := on(401 + 2*float64(i))
		l.account(at, "c", "closed")
		l.settle(at)
		if l.c.ID != "" || len(l.c.Findings) > 0 {
			t.Fatalf("cured, and %+v", l.c)
		}
		l.account(at.Add(day), "c", "opened")
		l.settle(at.Add(day))                                 // fails if it has a jti that stands already
		want := []Standing{Warned, Restricted, Restricted}[i] // and the third case in a year starts at restricted: nobody gets time by it
		if l.c.Standing != want || l.c.ID == first || len(l.c.Findings) != 1 || !l.c.WarnedAt.Equal(at.Add(day)) {
			t.Fatalf("time %d: %+v", i, l.c)
		}
		id := l.c.Findings[0].ID
		if findings.Named(id) != opened || id == opened || strings.Contains(strings.Join(seen, " "), id) {
			t.Errorf("time %d: %s, after %s and %v", i, id, opened, seen)
		}
		seen = append(seen, id)
	}
	if _, again := l.replayed(); again.Findings[0].ID != l.c.Findings[0].ID || again.Opened != 4 {
		t.Errorf("a replay comes to %+v", again)
	}
}

// No two decisions about one entity have the same jti: settle fails if they do. And nothing that is done keeps the case from going on.
func TestNoTwoDecisionsHaveTheSameIdentityWhateverComesAndGoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		l.policy.Rules.CustomerStale.Severity = rapid.SampledFrom([]policy.Severity{policy.Minor, policy.Serious, policy.Critical}).Draw(t, "severity")
		l.enrol(start)
		at := start
		for range rapid.IntRange(1, 40).Draw(t, "moves") {
			at = at.Add(rapid.SampledFrom([]time.Duration{0, time.Second, day, 40 * day, 370 * day}).Draw(t, "later"))
			who := rapid.SampledFrom([]string{"c", "d"}).Draw(t, "customer")
			switch rapid.IntRange(0, 4).Draw(t, "move") {
			case 0:
				l.account(at, who, "opened")
			case 1:
				l.account(at, who, "closed")
			case 2:
				l.verify(at, who)
			case 3:
				l.attest(at, "annual")
			case 4:
				l.attestIncomplete(at)
			}
			if rapid.Bool().Draw(t, "looks") {
				l.settle(at.Add(time.Millisecond))
			}
		}
		l.settle(at.Add(time.Minute))
	})
}

func TestASpellThatEndsAndBeginsAgainBeforeAnybodyLooksEndsTheCase(t *testing.T) {
	for name, between := range map[string]time.Duration{"days": 2 * day, "a second": time.Second, "less than a second": 400 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t)
			l.policy.Rules = policy.Rules{CIPIncomplete: l.policy.Rules.CIPIncomplete}
			l.enrol(start)
			l.attestIncomplete(on(1))
			l.settle(on(1))
			first := l.c.ID
			l.run(on(1), on(16)) // restricted
			l.attest(on(17).Add(100*time.Millisecond), "change")
			ended := l.history.Seen()
			l.attestIncomplete(on(17).Add(100*time.Millisecond + between))
			state := l.settle(on(20))
			if l.c.ID == "" || l.c.ID == first || l.c.Standing != Warned || l.c.PastCount != 1 || len(l.c.Orders) > 0 || !l.c.WarnedAt.Equal(on(20)) {
				t.Errorf("stated %v: %+v", kinds(state), l.c)
			}
			if cured, is := state[0].(statement.FindingCured); !is || cured.CuredBy != ended {
				t.Errorf("%+v, wanted cured by entry %d", state[0], ended)
			}
			// Nobody gets more time than the policy gives from when it fell short again.
			if limit := l.c.LimitAt; limit.After(on(20 + 30)) {
				t.Errorf("limit %v", limit)
			}
		})
	}
}

func TestANumberThatANewPolicyChangesOpensNoSecondFindingOfTheSame(t *testing.T) {
	l := newLife(t)
	rule := l.policy.Rules.CIPMissing
	rule.Severity = policy.Minor
	l.policy.Rules = policy.Rules{CIPMissing: rule}
	l.enrol(start)
	l.settle(on(30))
	if len(l.c.Findings) != 1 || l.c.ID != "" {
		t.Fatalf("%+v", l.c)
	}
	l.policy.Version++
	l.policy.Rules.CIPMissing.Severity = policy.Serious
	l.policy.Rules.CIPMissing.After.Value = policy.Duration(33 * day)
	if state := l.settle(on(40)); len(state) > 0 {
		t.Errorf("stated %v", kinds(state))
	}
	l.attest(on(41), "initial")
	if state := l.settle(on(41)); len(l.c.Findings) > 0 || l.c.Standing != Good {
		t.Errorf("stated %v, %+v", kinds(state), l.c)
	}
}

func TestANumberThatANewPolicyChangesFindsNothingAgainThatWasSettled(t *testing.T) {
	l := newLife(t)
	rule := l.policy.Rules.CIPMissing
	l.policy.Rules = policy.Rules{CIPMissing: rule}
	l.enrol(start)
	l.settle(on(30))
	finding := l.c.Findings[0].ID
	l.decide(on(31), "Ben", l.dispute(on(31), finding, "false-positive"), finding, "upheld")
	l.settle(on(31))
	l.policy.Version++
	l.policy.Rules.CIPMissing.After.Value = policy.Duration(20 * day)
	if state := l.settle(on(32)); len(state) > 0 || !l.wake.Equal(on(51)) {
		t.Errorf("stated %v, wakes at %v", kinds(state), l.wake)
	}
	l.settle(on(51)) // as long after it was settled as the policy in force gives
	if len(l.c.Findings) != 1 || l.c.Findings[0].ID == finding {
		t.Errorf("%+v", l.c)
	}
}

func TestACaseThatBeginsWhereAnotherOneEndsIsLeftToThePolicyInForce(t *testing.T) {
	l := newLife(t)
	l.policy.Rules = policy.Rules{CIPIncomplete: l.policy.Rules.CIPIncomplete}
	l.enrol(start)
	l.attestIncomplete(on(1))
	l.settle(on(1))
	l.attest(on(2), "change")
	l.attestIncomplete(on(3))
	pinned := l.c.Policy
	for _, said := range l.judge(on(4)) {
		if opened, is := said.(statement.FindingOpened); is {
			t.Errorf("opened by the policy of the case that ended: %+v", opened)
		}
	}
	if l.c.ID != "" || l.c.Policy != "" || l.wake.After(on(4).Add(time.Second)) {
		t.Fatalf("%+v, wakes at %v", l.c, l.wake)
	}
	l.policy.Version++ // the one in force
	l.judge(on(4))
	if l.c.ID == "" || l.c.Policy == pinned || l.c.Policy != l.policy.ID() {
		t.Errorf("pinned to %s, by %s: %+v", pinned, l.policy.ID(), l.c)
	}
}
