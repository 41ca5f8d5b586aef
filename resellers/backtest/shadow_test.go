package backtest_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// life is what one reseller lives through by a shelf whose policy in force may change.
type life struct {
	t       interface{ Fatal(...any) }
	shelf   policy.Shelf
	history history.History
	c       escalation.Case
	house   escalation.House
	entries []statement.Entry
	wake    time.Time
}

func shelfOf(t interface{ Fatal(...any) }, inForce policy.Policy, earlier ...policy.Policy) policy.Shelf {
	shelf, err := policy.NewShelf(inForce, earlier...)
	if err != nil {
		t.Fatal(err)
	}
	return shelf
}

func (l *life) fold(at time.Time, by envelope.Entity, said statement.Statement) {
	e := statement.Entry{LeafIndex: l.history.Next + 2, AcceptedAt: at, About: reseller, By: by, JTI: fmt.Sprint("jti-", len(l.entries)), Statement: said}
	l.entries = append(l.entries, e)
	l.history, l.c = l.history.With(e), l.c.With(e)
}

func (l *life) judge(now time.Time) {
	for {
		p, err := l.shelf.For(l.c.Policy)
		if err != nil {
			l.t.Fatal(err)
		}
		p.Guard = policy.Guard{}
		found, turns := findings.Assess(&p, &l.history, now)
		states, next, err := escalation.Decide(&p, reseller, l.c, l.history, l.house, found, now)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, said := range states {
			l.fold(now, gateway, said)
		}
		if l.wake = escalation.Wake(next, turns); len(states) == 0 {
			return
		}
	}
}

func (l *life) runTo(to time.Time) {
	for !l.wake.IsZero() && !l.wake.After(to) {
		l.judge(l.wake)
	}
}

func (l *life) says(at time.Time, by envelope.Entity, said statement.Statement) {
	l.runTo(at)
	if l.c.Standing == escalation.Terminated && by == reseller {
		return // refused at the door
	}
	l.fold(at, by, said)
	l.judge(at)
}

// approve lets the next people that are asked approve.
func (l *life) approve(now time.Time) {
	p, err := l.shelf.For(l.c.Policy)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, a := range escalation.Approvals(&p, reseller, l.c, l.history, l.house, now) {
		if a.Pending() && !now.Before(a.AskedAt) {
			who := fmt.Sprintf("officer-%d", len(a.Given))
			l.fold(now, gateway, statement.OfficerAction{Officer: statement.Officer{ID: who, Name: who}, Action: escalation.ActionApproved,
				On: statement.Target{Type: "approval", ID: a.ID}, Reason: "It is time."})
			l.judge(now)
			return
		}
	}
}

// beside is what would have been stated from an entry on, had the policy of the shelf been put in force there.
func beside(t interface{ Fatal(...any) }, shelf policy.Shelf, entries []statement.Entry, from int, until time.Time) []backtest.Stated {
	r := backtest.Beside(shelf, nil, reseller, entries[from].LeafIndex+1, entries[from].AcceptedAt)
	for _, e := range entries {
		if err := r.Take(e); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := r.Until(until)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// since are the lines of a ledger behind an entry.
func since(entries []statement.Entry, leaf int64) []backtest.Stated {
	var lines []backtest.Stated
	for _, e := range entries {
		if line, happened := backtest.Was(e); happened && e.LeafIndex > leaf {
			lines = append(lines, line)
		}
	}
	return lines
}

func withinTheHour(a, b backtest.Stated) bool {
	return a.What == b.What && a.Rule == b.Rule && a.At.Sub(b.At).Abs() <= time.Hour
}

// What a shadow says would happen is what happens where the policy is really put in force at that moment: cases that are open keep
// theirs, and all else is judged by it.
func TestAShadowForetellsWhatPuttingThePolicyInForceBrings(t *testing.T) {
	old, next := earlier(t, file(t)), stricter(t)
	rapid.Check(t, func(t *rapid.T) {
		beats := rapid.SliceOfN(rapid.IntRange(1, 9000), 1, 6).Draw(t, "hours between attestations")
		switched := rapid.IntRange(0, len(beats)-1).Draw(t, "switched behind")
		live, changed := &life{t: t, shelf: shelfOf(t, old)}, &life{t: t, shelf: shelfOf(t, old)}
		now, at, from := start, time.Time{}, 0
		for _, l := range []*life{live, changed} {
			l.says(now, gateway, enrolled())
		}
		for i, hours := range beats {
			now = now.Add(time.Duration(hours) * time.Hour)
			live.says(now, reseller, attested(now))
			changed.says(now, reseller, attested(now))
			if i == switched {
				from, at = len(live.entries)-1, live.entries[len(live.entries)-1].AcceptedAt
				changed.shelf = shelfOf(t, next, old)
				changed.house = changed.house.PutInForce(next.ID(), at, live.entries[from].LeafIndex)
				if changed.c.Standing != escalation.Terminated {
					changed.judge(at)
				}
			}
		}
		until := now.Add(time.Duration(rapid.IntRange(0, 9000).Draw(t, "quiet")) * time.Hour)
		live.runTo(until)
		changed.runTo(until)
		leaf := live.entries[from].LeafIndex
		got := beside(t, shelfOf(t, next, old), live.entries, from, until)
		wanted := since(changed.entries, leaf)
		// Behind its termination nobody knows what it would have done.
		if ended := live.history.TerminatedAt; !ended.IsZero() {
			wanted = slices.DeleteFunc(wanted, func(l backtest.Stated) bool { return l.At.After(ended) })
		}
		if !slices.EqualFunc(got, wanted, withinTheHour) {
			t.Fatalf("switched at %s\nshadow  %v\nwanted %v", at, got, wanted)
		}
	})
}

// A shadow of the policy in force differs in nothing, whatever people do and however long they take.
func TestAShadowOfThePolicyInForceDiffersInNothingWhateverPeopleDo(t *testing.T) {
	third, err := os.ReadFile("../policy/testdata/us-iaas-2024.3.yaml") // by which no step waits for proof of notice
	if err != nil {
		t.Fatal(err)
	}
	both := []policy.Policy{policy.Default(), earlier(t, string(third))}
	rapid.Check(t, func(t *rapid.T) {
		p := both[rapid.IntRange(0, 1).Draw(t, "policy")]
		live := &life{t: t, shelf: shelfOf(t, p)}
		live.says(start, gateway, enrolled())
		now := start
		for range rapid.IntRange(80, 160).Draw(t, "looks") {
			// Never in the very second in which a step falls due: then a replay takes what was said for the earlier of the two.
			now = now.Add(time.Duration(rapid.IntRange(4, 20).Draw(t, "hours"))*time.Hour + 61*time.Second)
			live.runTo(now)
			switch rapid.IntRange(0, 99).Draw(t, "does") {
			case 97: // draws are mostly small: a life in which every third look brings an attestation tells nothing
				live.says(now, reseller, attested(now))
			case 3, 5, 9, 17, 31, 40:
				live.approve(now)
			case 60, 61:
				if live.c.ID != "" && live.c.TerminatedAt.IsZero() {
					live.says(now, gateway, statement.OfficerAction{Officer: statement.Officer{ID: "o", Name: "O"}, Action: escalation.ActionHeld,
						On: statement.Target{Type: "case", ID: live.c.ID}, Reason: "Time.", EndsAt: now.Add(5 * day),
						Details: []statement.Field{{Name: "kind", Value: string(escalation.HoldOfficer)}}})
				}
			}
		}
		from := rapid.IntRange(0, len(live.entries)-1).Draw(t, "from")
		for from+1 < len(live.entries) && live.entries[from+1].AcceptedAt.Equal(live.entries[from].AcceptedAt) {
			from++ // what follows from one thing is stated in one commit, and nothing comes in between
		}
		got, wanted := beside(t, shelfOf(t, p), live.entries, from, now), since(live.entries, live.entries[from].LeafIndex)
		if !slices.EqualFunc(got, wanted, withinTheHour) {
			t.Fatalf("from %d at %s until %s\nshadow %v\nlive   %v", from, live.entries[from].AcceptedAt, now, got, wanted)
		}
	})
}

func TestWhereAShadowPartsFromWhatHappenedApprovalsAreTakenAsGiven(t *testing.T) {
	live := &life{t: t, shelf: shelfOf(t, policy.Default())}
	live.says(start, gateway, enrolled())
	live.runTo(start.Add(200 * day)) // nobody approves anything: it waits for ever
	if live.c.Standing == escalation.Terminated {
		t.Fatal("it ended by itself")
	}
	sooner := changedDefault(t, "cure:\n    value: 14d", "cure:\n    value: 10d")
	same, other := beside(t, shelfOf(t, policy.Default()), live.entries, 0, start.Add(200*day)), beside(t, shelfOf(t, sooner, policy.Default()), live.entries, 0, start.Add(200*day))
	last := func(lines []backtest.Stated) string { return lines[len(lines)-1].What }
	if last(same) != live.c.Standing.String() || last(other) != "terminated" {
		t.Errorf("the same policy comes to %s, wanted %s; the other to %s, wanted terminated", last(same), live.c.Standing, last(other))
	}
}

// changedDefault is the next version of the shipped policy with one piece replaced.
func changedDefault(t *testing.T, old, replacement string) policy.Policy {
	t.Helper()
	text := policy.Default().Document()
	if !strings.Contains(text, old) {
		t.Fatalf("the shipped policy has no %q", old)
	}
	text = strings.Replace(text, old, replacement, 1)
	text = strings.Replace(text, fmt.Sprintf("\nversion: %d\n", policy.Default().Version), "\nversion: 99\n", 1)
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A policy that is tried from the beginning was in force all along; one that is tried from an entry on came with that entry, and its
// clock runs from there.
func TestTheClockOfAShadowBeginsWithIt(t *testing.T) {
	p := changedDefault(t, "after:\n      value: 30d", "after:\n      value: 10d")
	before := earlier(t, file(t))
	house := escalation.House{}.PutInForce(before.ID(), start.Add(-day), 0).PutInForce(p.ID(), start.Add(25*day), 5)
	houses := backtest.Houses{{At: start.Add(-day), House: escalation.House{InForce: house.InForce[:1]}}, {At: start.Add(25 * day), House: house}}
	enrols := statement.Entry{LeafIndex: 2, AcceptedAt: start, About: reseller, By: gateway, Statement: enrolled()}
	for name, c := range map[string]struct {
		replay *backtest.Replay
		ends   int
	}{
		"from the beginning":                {backtest.New(p, houses, reseller), 39},
		"from day 20 on":                    {backtest.Beside(shelfOf(t, p, before), houses, reseller, 3, start.Add(20*day)), 49},
		"from day 26 on, when it was there": {backtest.Beside(shelfOf(t, p, before), houses, reseller, 6, start.Add(26*day)), 54},
	} {
		if err := c.replay.Take(enrols); err != nil {
			t.Fatal(err)
		}
		lines, err := c.replay.Until(start.Add(100 * day))
		if err != nil {
			t.Fatal(err)
		}
		last := lines[len(lines)-1]
		if last.What != "terminated" || !last.At.Equal(start.Add(time.Duration(c.ends)*day)) {
			t.Errorf("%s: %v, wanted it terminated on day %d", name, lines, c.ends)
		}
	}
}
