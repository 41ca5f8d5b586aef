package escalation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestACaseThatTheProviderTookBackPushesNoneOutOfTheCount(t *testing.T) {
	l := silent(t, on(30))
	l.policy.Case.Repeat.Within.Value = 3 * 365 * policy.Day
	l.policy.Rules.CIPStale.After.Value = 60 * policy.Day
	for range 2 { // two that were right
		for l.c.ID == "" {
			l.settle(l.wake)
		}
		at := l.c.WarnedAt.Add(day)
		l.attest(at, "annual")
		l.settle(at)
	}
	ends := func(at time.Time, upheld bool) {
		l.act(at, "Ada", ActionEvidence, "reseller", string(reseller), time.Time{}, "evidence", fmt.Sprint("e-", at), "severity", "serious")
		l.settle(at)
		finding := l.c.Findings[len(l.c.Findings)-1].ID
		if upheld {
			l.decide(at, "Ben", l.dispute(at, finding, "false-positive"), finding, "upheld")
		}
		l.settle(at.Add(time.Second))
	}
	now := l.entries[len(l.entries)-1].AcceptedAt.Truncate(time.Second)
	for range 2 * pastKept { // and more than are held that were wrong
		now = now.Add(time.Hour)
		if ends(now, true); l.c.ID != "" {
			t.Fatalf("%+v", l.c)
		}
	}
	if l.c.PastCount != 2+2*pastKept || len(l.c.Past) != pastKept {
		t.Fatalf("%d past cases, %d held", l.c.PastCount, len(l.c.Past))
	}
	now = now.Add(time.Hour)
	ends(now, false)
	if got := l.c.RestrictedAt; !got.Equal(now) {
		t.Errorf("the third case that was right: %s, restricted %v, wanted at once, %v", l.c.Standing, got, now)
	}
}

// The file may hold less than all cases that ended, and must answer as if it held them all.
func TestWhatIsHeldOfPastCasesAnswersAsAllOfThemWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situation{policy: new(policy.Policy), c: Case{ID: "open"}}
		var all, held []Past
		ids := []string{"a.1", "a.2", "a.3"}
		at, seen, by := start, int64(0), ids[0]
		for range rapid.IntRange(0, 60).Draw(t, "cases") {
			opened := at.Add(time.Duration(rapid.Int64Range(1, 40).Draw(t, "days")) * day)
			at = opened.Add(time.Duration(rapid.Int64Range(0, 30).Draw(t, "lasts")) * day)
			seen += rapid.Int64Range(1, 3).Draw(t, "entries")
			if rapid.IntRange(0, 9).Draw(t, "moves on") == 0 { // a policy is kept for long
				by = rapid.SampledFrom(ids).Draw(t, "policy")
			}
			one := Past{Policy: by, OpenedAt: opened, EndedAt: at, Seen: seen,
				Wrong: rapid.IntRange(0, 3).Draw(t, "wrong") > 0}
			all, held = append(all, one), remembered(held, one)
		}
		if len(held) > pastKept || len(held) < min(len(all), pastKept) {
			t.Fatalf("%d of %d are held", len(held), len(all))
		}
		repeat := &s.policy.Case.Repeat
		repeat.Within.Value = policy.Duration(rapid.Int64Range(1, 900).Draw(t, "within")) * policy.Day
		s.c.OpenedAt = at.Add(day)
		for repeat.Count.Value = 2; repeat.Count.Value <= policy.MaxRepeat; repeat.Count.Value++ {
			s.c.Past = all
			want := s.repeats()
			if s.c.Past = held; s.repeats() != want {
				t.Fatalf("counted to %d: wanted %t\nof   %+v\nheld %+v", repeat.Count.Value, want, all, held)
			}
		}
		s.policy.Name, s.policy.Version = "a", rapid.IntRange(1, len(ids)+1).Draw(t, "judged by")
		for leaf := range seen + 1 {
			s.c.Past = all
			want := s.judgedSince(leaf)
			if s.c.Past = held; !s.judgedSince(leaf).Equal(want) {
				t.Fatalf("judged by %s: entry %d since %v, wanted %v\nof   %+v\nheld %+v", s.policy.ID(), leaf, s.judgedSince(leaf), want, all, held)
			}
		}
	})
}

func TestATerminationThatIsTakenBackPushesNoneOutOfTheCountEither(t *testing.T) {
	l := silent(t, on(30), on(44), on(51), on(59))
	for i := range pastKept {
		l.c.Past = remembered(l.c.Past, Past{ID: fmt.Sprint(i), Policy: l.policy.ID(), Wrong: i >= countedKept})
	}
	l.c.Faced = true // some of it was right
	l.take(gateway, on(70), "reinstated", statement.RelationshipReinstated{Why: "ours", WhoseError: "gateway", By: officer("Mara"), Case: l.c.ID})
	counted := slices.DeleteFunc(slices.Clone(l.c.Past), func(p Past) bool { return p.Wrong })
	if last := l.c.Past[len(l.c.Past)-1]; len(counted) < countedKept || !last.Wrong || last.WhoseError != "gateway" {
		t.Errorf("%d count, the last one is %+v", len(counted), last)
	}
}
