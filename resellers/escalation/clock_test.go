package escalation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// activate puts a policy in force, as an entry about the gateway that stands right behind all others.
func (l *life) activate(at time.Time, change func(*policy.Policy)) {
	l.policy.Version++
	change(&l.policy)
	l.house = l.house.PutInForce(l.policy.ID(), at, l.history.Seen()+1)
}

func passed(state []statement.Statement) bool {
	return slices.ContainsFunc(state, func(s statement.Statement) bool { return s.Kind() == statement.KindLimitPassed })
}

func TestALimitBeginsNoSoonerThanItsPolicyWasInForce(t *testing.T) {
	l := newLife(t)
	missing := l.policy.Rules.CIPMissing
	l.policy.Rules = policy.Rules{}
	l.activate(start.Add(-day), func(*policy.Policy) {})
	l.enrol(start)
	l.settle(on(400)) // nothing falls short: the rule is off
	l.activate(on(400), func(p *policy.Policy) { p.Rules.CIPMissing = missing })
	state := l.settle(on(400).Add(time.Second))
	if len(l.c.Findings) != 1 || !l.c.Findings[0].Since.Equal(on(30)) || l.c.Standing != Warned {
		t.Fatalf("stated %v: %+v", kinds(state), l.c)
	}
	if passed(state) || !l.c.LimitAt.Equal(on(430)) || !l.c.CureBy.Equal(on(414).Add(time.Second)) {
		t.Errorf("stated %v, cure by %v, limit %v, wanted no sooner than 30 days after the policy came", kinds(state), l.c.CureBy, l.c.LimitAt)
	}
	// Another policy in the meantime, or the same one again, moves nothing that was stated.
	l.house = l.house.PutInForce("other.1", on(405), l.history.Seen()+1).PutInForce(l.policy.ID(), on(406), l.history.Seen()+1)
	l.run(on(406), on(500))
	if !l.c.RestrictedAt.Equal(on(414).Add(time.Second)) || !l.c.TerminatedAt.Equal(on(429)) {
		t.Errorf("restricted %v, terminated %v", l.c.RestrictedAt, l.c.TerminatedAt)
	}
}

func TestALimitBeginsWithTheFactsThatCameWhileThePolicyWasInForce(t *testing.T) {
	for name, c := range map[string]struct {
		activated, sees, limit float64
	}{
		"in force before the reseller came":                   {-1, 30, 60},
		"put in force before it fell short, and facts before": {20, 30, 60},
		"put in force when it had fallen short":               {35, 35, 65},
		"in force, and the gateway was down":                  {-1, 100, 60},
		"put in force, and then the gateway was down":         {35, 100, 65},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t)
			l.policy.Rules = policy.Rules{CIPMissing: l.policy.Rules.CIPMissing}
			if c.activated < 0 {
				l.activate(on(c.activated), func(*policy.Policy) {})
			}
			l.enrol(start)
			if c.activated >= 0 {
				l.activate(on(c.activated), func(*policy.Policy) {})
			}
			state := l.settle(on(c.sees))
			if !l.c.LimitAt.Equal(on(c.limit)) || passed(state) != (c.sees >= c.limit) {
				t.Errorf("limit %v, wanted %v; stated %v", l.c.LimitAt, on(c.limit), kinds(state))
			}
		})
	}
}

// Evidence that an officer records is dated by the officer: when the provider got it, whatever policy came since.
func TestEvidenceThatIsRecordedLaterCountsFromWhenTheProviderGotIt(t *testing.T) {
	l := newLife(t)
	l.policy.Rules = policy.Rules{EvidenceRecorded: l.policy.Rules.EvidenceRecorded}
	l.enrol(start)
	l.activate(on(10), func(*policy.Policy) {})
	l.act(on(12), "Ada", ActionEvidence, "reseller", string(reseller), time.Time{}, "evidence", "e-1", "severity", "serious",
		"received_at", on(4).Format(time.RFC3339))
	l.settle(on(12))
	if !l.c.LimitAt.Equal(on(34)) {
		t.Errorf("limit %v, wanted %v", l.c.LimitAt, on(34))
	}
}

func TestAnotherCaseThatKeptAnotherPolicyLetsNoLimitPassUnseen(t *testing.T) {
	l := newLife(t)
	rules := l.policy.Rules
	l.policy.Rules = policy.Rules{CIPIncomplete: rules.CIPIncomplete}
	l.policy.Case.Approvals.Restrict = policy.Approval{People: 1, Critical: 1, Silence: policy.SilenceHolds}
	l.activate(start.Add(-day), func(*policy.Policy) {})
	l.enrol(start)
	l.attestIncomplete(on(1))
	l.account(on(1), "c", "opened")
	l.settle(on(1))
	keeps := l.policy
	next := l.policy
	next.Version++
	next.Rules = policy.Rules{CIPIncomplete: rules.CIPIncomplete, CustomerUnverified: rules.CustomerUnverified}
	l.house = l.house.PutInForce(next.ID(), on(5), l.history.Seen()+1)
	for at := on(1); l.c.ID != "" && at.Before(on(100)); at = at.Add(10 * day) { // the case waits for people
		l.settle(at)
	}
	l.attest(on(101), "change")
	cure := l.history.Seen()
	l.judge(on(101))
	if l.c.ID != "" || l.c.PastCount != 1 || l.c.Past[0].Policy != keeps.ID() || l.c.Past[0].Seen != cure {
		t.Fatalf("the case has not ended: %+v", l.c)
	}
	l.policy = next
	state := l.judge(on(101).Add(time.Second))
	if len(l.c.Findings) != 1 || !l.c.Findings[0].Since.Equal(on(31)) || passed(state) || !l.c.LimitAt.Equal(on(131)) {
		t.Errorf("stated %v, limit %v, wanted %v: %+v", kinds(state), l.c.LimitAt, on(131), l.c.Findings)
	}
}

func TestTheHouseKnowsWhenEachPolicyWasPutInForce(t *testing.T) {
	put := func(h House, leaf int64, by string) House {
		return h.With(statement.Entry{LeafIndex: leaf, AcceptedAt: on(float64(leaf)).Add(time.Millisecond), By: gateway, About: "https://gateway.example",
			Statement: statement.PolicyActivated{Policy: by}})
	}
	h := put(put(House{}, 1, "a.1"), 2, "a.2")
	if want := []InForce{{"a.1", on(1), 1}, {"a.2", on(2), 2}}; !slices.Equal(h.InForce, want) {
		t.Errorf("%+v, wanted %+v", h.InForce, want)
	}
	if again := put(h, 3, "a.1"); again.Same(h) || len(h.InForce) != 2 || !slices.Equal(through(t, again).InForce, again.InForce) {
		t.Errorf("%+v, of %+v", again, h)
	}
	other := h.With(statement.Entry{LeafIndex: 4, By: reseller, About: gateway, Statement: statement.PolicyActivated{Policy: "a.3"}})
	if !other.Same(h) {
		t.Error("somebody else put a policy in force")
	}
	for leaf := range int64(100) {
		h = put(h, 10+leaf, fmt.Sprint("b.", leaf))
	}
	if n := len(h.InForce); n != 64 || h.InForce[n-1].Policy != "b.99" {
		t.Errorf("%d are held", n)
	}
}

func TestWhatAnAppealFoundWrongOpensNothingUnderANewPolicyInTheSecondOfTheCure(t *testing.T) {
	l := newLife(t)
	unverified := l.policy.Rules.CustomerUnverified
	unverified.Severity = policy.Minor
	l.policy.Rules = policy.Rules{CustomerUnverified: unverified}
	l.enrol(start)
	l.attest(start, "initial")
	l.account(start, "c", "opened")
	l.settle(on(30))
	finding := l.c.Findings[0].ID
	dispute := l.dispute(on(31), finding, "false-positive")
	l.activate(on(40), func(p *policy.Policy) {
		p.Rules.CustomerUnverified.Severity, p.Rules.CustomerUnverified.After.Value = policy.Serious, policy.Duration(3*day)
	})
	l.settle(on(40))
	l.decide(on(600), "Ben", dispute, finding, "upheld")
	state := l.settle(on(600))
	if len(l.c.Findings) > 0 || l.c.ID != "" || l.c.Standing != Good || !l.wake.Equal(on(603)) {
		t.Fatalf("stated %v, wakes at %v: %+v", kinds(state), l.wake, l.c.Findings)
	}
	state = l.settle(on(603)) // as long after it was settled as the policy gives
	if len(l.c.Findings) != 1 || passed(state) || !l.c.LimitAt.Equal(on(633)) {
		t.Errorf("stated %v, limit %v: %+v", kinds(state), l.c.LimitAt, l.c.Findings)
	}
}
