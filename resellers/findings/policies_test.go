package findings

import (
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// within is a policy that gives this rule another time.
func within(p policy.Policy, rule string, after time.Duration) policy.Policy {
	p.Version++
	n := policy.Duration(after)
	switch rule {
	case "customer.unverified":
		p.Rules.CustomerUnverified.After.Value = n
	case "customer.stale":
		p.Rules.CustomerStale.Refresh.High.Value = n
	case "cip.copy-missing":
		p.Rules.CIPCopyMissing.After.Value = n
	case "cip.missing":
		p.Rules.CIPMissing.After.Value = n
	}
	return p
}

// oneThing is, of a rule that gives a time, a life in which one thing falls short under it from day 40 on, and what cures that.
var oneThing = map[string]struct {
	from  time.Duration
	lives func(*book)
	cures func(*book, time.Duration) int64
}{
	"customer.unverified": {10 * day, func(b *book) { b.account(10*day, "c", "opened") }, func(b *book, at time.Duration) int64 { return b.verify(at, "c", "high") }},
	"customer.stale": {10 * day, func(b *book) { b.account(day, "c", "opened"); b.verify(10*day, "c", "high") },
		func(b *book, at time.Duration) int64 { return b.verify(at, "c", "high") }},
	"cip.copy-missing": {10 * day, func(b *book) { b.attest(10*day, "own", "A", true) }, func(b *book, at time.Duration) int64 { return b.document(at, "A") }},
	"cip.missing":      {0, func(*book) {}, func(b *book, at time.Duration) int64 { return b.attest(at, "adopted", "", true) }},
}

func TestWhatAnAppealFoundWrongUnderOnePolicyIsFoundByNoOther(t *testing.T) {
	for rule, c := range oneThing {
		t.Run(rule, func(t *testing.T) {
			b, p := newBook(), within(only(t, rule), rule, 40*day-c.from)
			c.lives(b)
			open, _ := assess(p, b.h, start.Add(40*day))
			if len(open) != 1 || !open[0].Since.Equal(start.Add(40*day)) {
				t.Fatalf("found %+v", open)
			}
			b.say(50*day, "", statement.FindingOpened{Finding: open[0].ID, Severity: "serious", Evidence: open[0].Evidence})
			b.say(50*day, "", statement.AppealDecided{Finding: open[0].ID, Decision: "upheld"})
			for _, after := range []time.Duration{5 * day, 39 * day, 45 * day, 300 * day} {
				other := within(p, rule, after)
				anew := start.Add(50*day + after)
				if again, turns := assess(other, b.h, start.Add(50*day)); len(again) > 0 || !turns.Equal(anew) {
					t.Errorf("by a policy that gives %v: %+v, turns at %v, wanted %v", after, again, turns, anew)
				}
				again, _ := assess(other, b.h, anew)
				if len(again) != 1 || again[0].ID == open[0].ID || again[0].Evidence[0] != open[0].Evidence[0] {
					t.Errorf("as long after it was settled as the policy gives, %v: %+v", after, again)
				}
				// And then what the first appeal decided does not cure what is found anew.
				if by, cured := curedOf(other, b.h, rule, again[0].Since, again[0].Evidence); cured {
					t.Errorf("cured by %+v", by)
				}
			}
		})
	}
}

func TestAnOpenFindingStaysOneUnderEveryPolicyUntilItIsCured(t *testing.T) {
	for rule, c := range oneThing {
		t.Run(rule, func(t *testing.T) {
			b, p := newBook(), within(only(t, rule), rule, 40*day-c.from)
			c.lives(b)
			open, _ := assess(p, b.h, start.Add(40*day))
			first := open[0]
			b.say(45*day, "", statement.SuspiciousActivity{Certainty: "suspected"}) // of something else
			policies := []policy.Policy{within(p, rule, 5*day), within(p, rule, 39*day), within(p, rule, 300*day)}
			for _, other := range policies {
				if by, cured := curedOf(other, b.h, rule, first.Since, first.Evidence); cured {
					t.Errorf("cured by %+v, which says nothing of it", by)
				}
				found, _ := assess(other, b.h, start.Add(400*day))
				if len(found) != 1 || !goesOn(other, b.h, found[0], rule, first.Since, first.Evidence) {
					t.Errorf("another finding of the same: %+v", found)
				}
			}
			leaf := c.cures(b, 50*day)
			for _, other := range append(policies, p) {
				if by, cured := curedOf(other, b.h, rule, first.Since, first.Evidence); !cured || by.LeafIndex != leaf {
					t.Errorf("cured by %+v, %t, wanted by entry %d", by, cured, leaf)
				}
			}
		})
	}
}

// A policy that does not know the rule gives it no time. What is owed anew a moment later is not what was owed before.
func TestWhatIsOwedAnewInTheSecondOfTheCureWasCured(t *testing.T) {
	b, p := newBook(), only(t, "cip.copy-missing")
	b.attest(0, "own", "A", true)
	open, _ := assess(p, b.h, start.Add(30*day))
	first := open[0]
	p.Rules.CIPCopyMissing = policy.CopyRule{}
	if _, cured := curedOf(p, b.h, first.Rule, first.Since, first.Evidence); cured {
		t.Fatal("cured by nothing")
	}
	document := b.document(40*day+100*time.Millisecond, "A")
	b.attest(40*day+400*time.Millisecond, "own", "B", true)
	if by, cured := curedOf(p, b.h, first.Rule, first.Since, first.Evidence); !cured || by.LeafIndex != document {
		t.Errorf("cured by %+v, %t, wanted by entry %d", by, cured, document)
	}
}
