package findings

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

const (
	reseller envelope.Entity = "https://reseller.example"
	gateway  envelope.Entity = "https://gateway.example"
	day                      = 24 * time.Hour
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// life folds an enrolment at the start and an attestation after each of these times.
func life(attests ...time.Duration) history.History {
	h := history.History{}.With(statement.Entry{LeafIndex: 7, AcceptedAt: start, About: reseller, By: gateway,
		Statement: statement.EntityEnrolled{Entity: reseller, Name: "Example", Country: "DE"}})
	for i, after := range attests {
		h = h.With(statement.Entry{LeafIndex: int64(10 + i), AcceptedAt: start.Add(after), About: reseller, By: reseller,
			Statement: statement.CIPAttestation{Occasion: "annual"}})
	}
	return h
}

func TestFindingsOpenExactlyWhenTheirTimeHasCome(t *testing.T) {
	never := time.Duration(-1)
	for name, c := range map[string]struct {
		history history.History
		now     time.Duration
		open    string // id
		turns   time.Duration
	}{
		"just enrolled": {life(), 0, "", 30 * day},
		"a second before the first attestation is due": {life(), 30*day - time.Second, "", 30 * day},
		"a nanosecond before":                          {life(), 30*day - time.Nanosecond, "", 30 * day},
		"at the moment it is due":                      {life(), 30 * day, "cip.missing.20260131T000000Z", never},
		"long after":                                   {life(), 900 * day, "cip.missing.20260131T000000Z", never},
		"attested in time":                             {life(12 * day), 30 * day, "", 377 * day},
		"attested at the last moment":                  {life(30 * day), 30 * day, "", 395 * day},
		"attested late":                                {life(40 * day), 41 * day, "", 405 * day},
		"a second before a year is over":               {life(12 * day), 377*day - time.Second, "", 377 * day},
		"when a year is over":                          {life(12 * day), 377 * day, "cip.stale.20270113T000000Z", never},
		"a second attestation moves the year":          {life(12*day, 200*day), 377 * day, "", 565 * day},
		"nobody was enrolled":                          {history.History{}, 900 * day, "", never},
	} {
		t.Run(name, func(t *testing.T) {
			open, turns := assess(policy.Default(), c.history, start.Add(c.now))
			var id string
			if len(open) > 0 {
				id = open[0].ID
			}
			if id != c.open || len(open) > 1 {
				t.Errorf("open: %+v, wanted %q", open, c.open)
			}
			if c.turns == never && !turns.IsZero() || c.turns != never && !turns.Equal(start.Add(c.turns)) {
				t.Errorf("the answer turns at %v, wanted %v", turns, c.turns)
			}
		})
	}
}

func TestAFindingSaysWhatItIsAndFromWhat(t *testing.T) {
	open, _ := assess(policy.Default(), life(), start.Add(31*day))
	want := []Finding{{
		ID: "cip.missing.20260131T000000Z", Rule: "cip.missing", Severity: policy.Serious, Since: start.Add(30 * day), Evidence: []int64{7},
		Words: policy.Default().Rules.CIPMissing.Finding, Cures: "an accepted cip-attestation", Given: true,
	}}
	if !reflect.DeepEqual(open, want) {
		t.Errorf("got %+v\nwanted %+v", open, want)
	}
}

func TestARuleThatIsOffFindsNothing(t *testing.T) {
	p := policy.Default()
	p.Rules.CIPMissing.On, p.Rules.CIPStale.On = false, false
	for _, h := range []history.History{life(), life(day)} {
		if open, turns := assess(p, h, start.Add(9000*day)); len(open) > 0 || !turns.IsZero() {
			t.Errorf("got %+v, %v", open, turns)
		}
	}
}

func TestNothingIsOwedAfterATermination(t *testing.T) {
	h := life().With(statement.Entry{LeafIndex: 20, AcceptedAt: start.Add(59 * day), About: reseller, By: gateway, Statement: statement.RelationshipTerminated{}})
	if open, turns := assess(policy.Default(), h, start.Add(9000*day)); len(open) > 0 || !turns.IsZero() {
		t.Errorf("got %+v, %v", open, turns)
	}
}

func TestAPartOfASecondIsRoundedUpNeverOpeningEarly(t *testing.T) {
	h := history.History{Entity: reseller, EnrolledAt: start.Add(1500 * time.Millisecond)}
	due := start.Add(30*day + 2*time.Second)
	if open, turns := assess(policy.Default(), h, due.Add(-time.Nanosecond)); len(open) > 0 || !turns.Equal(due) {
		t.Errorf("before: %+v, turns %v, wanted %v", open, turns, due)
	}
	if open, _ := assess(policy.Default(), h, due); len(open) != 1 || !open[0].Since.Equal(due) {
		t.Errorf("at the moment: %+v", open)
	}
}

func TestWhatCuresAFindingIsTheFirstAttestationAfterItsEvidence(t *testing.T) {
	if _, cured := curedOf(policy.Default(), life(), "cip.missing", start.Add(30*day), []int64{7}); cured {
		t.Error("nothing was attested")
	}
	if by, cured := curedOf(policy.Default(), life(40*day, 50*day), "cip.missing", start.Add(30*day), []int64{7}); !cured || by.LeafIndex != 10 {
		t.Errorf("missing: %+v, %t", by, cured)
	}
	if by, cured := curedOf(policy.Default(), life(day, 400*day, 401*day), "cip.stale", start.Add(366*day), []int64{10}); !cured || by.LeafIndex != 11 {
		t.Errorf("stale: %+v, %t", by, cured)
	}
	if _, cured := curedOf(policy.Default(), life(day), "cip.stale", start.Add(366*day), []int64{10}); cured {
		t.Error("the evidence itself is no cure")
	}
}

// A drawn life: attestations at whole and broken seconds over some three years.
func draw(t *rapid.T) history.History {
	var attests []time.Duration
	at := time.Duration(0)
	for range rapid.IntRange(0, 5).Draw(t, "attestations") {
		at += time.Duration(rapid.Int64Range(1, int64(400*day)).Draw(t, "after"))
		attests = append(attests, at.Truncate(time.Microsecond))
	}
	return life(attests...)
}

func TestTheAnswerTurnsAtTheTimeItSaysAndNotBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := draw(t)
		now := start.Add(time.Duration(rapid.Int64Range(0, int64(2000*day)).Draw(t, "now")))
		open, turns := assess(policy.Default(), h, now)
		if turns.IsZero() {
			later, again := assess(policy.Default(), h, now.Add(5000*day))
			if !reflect.DeepEqual(later, open) || !again.IsZero() {
				t.Fatalf("said never, and turned from %+v to %+v", open, later)
			}
			return
		}
		if !turns.After(now) {
			t.Fatalf("at %v the answer turns at %v", now, turns)
		}
		if before, _ := assess(policy.Default(), h, turns.Add(-time.Nanosecond)); !reflect.DeepEqual(before, open) {
			t.Fatalf("turned before %v: %+v to %+v", turns, open, before)
		}
		if then, _ := assess(policy.Default(), h, turns); len(then) != len(open)+1 {
			t.Fatalf("did not turn at %v: %+v to %+v", turns, open, then)
		}
	})
}

func TestAFindingOnceOpenStaysTheSameUntilAnEntryCuresIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := draw(t)
		now := start.Add(time.Duration(rapid.Int64Range(0, int64(2000*day)).Draw(t, "now")))
		later := now.Add(time.Duration(rapid.Int64Range(0, int64(2000*day)).Draw(t, "later")))
		open, _ := assess(policy.Default(), h, now)
		still, _ := assess(policy.Default(), h, later)
		for i, f := range open {
			if !reflect.DeepEqual(still[i], f) {
				t.Fatalf("changed with time alone: %+v to %+v", f, still[i])
			}
			if _, cured := curedOf(policy.Default(), h, f.Rule, f.Since, f.Evidence); cured {
				t.Fatalf("open and cured: %+v", f)
			}
		}
		next := h.With(statement.Entry{LeafIndex: 99, AcceptedAt: later, About: reseller, By: reseller, Statement: statement.CIPAttestation{}})
		after, _ := assess(policy.Default(), next, later)
		if len(after) > 0 {
			t.Fatalf("an attestation was accepted now, and still open: %+v", after)
		}
		for _, f := range still {
			if by, cured := curedOf(policy.Default(), next, f.Rule, f.Since, f.Evidence); !cured || by.LeafIndex != 99 {
				t.Fatalf("%+v is not open any more, and not cured: %+v, %t", f, by, cured)
			}
		}
	})
}

func TestWhatIsAheadIsWhatWillOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := draw(t)
		now := start.Add(time.Duration(rapid.Int64Range(0, int64(2000*day)).Draw(t, "now")))
		ahead := aheadOf(policy.Default(), h, now)
		open, turns := assess(policy.Default(), h, now)
		if (len(ahead) == 0) != turns.IsZero() {
			t.Fatalf("ahead %+v, turns %v", ahead, turns)
		}
		for _, f := range ahead {
			then, _ := assess(policy.Default(), h, f.Since)
			if len(then) <= len(open) {
				t.Fatalf("%+v did not open", f)
			}
		}
	})
}
