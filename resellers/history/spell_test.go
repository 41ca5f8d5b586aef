package history

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/statement"
)

func TestASpellLastsFromTheEntryThatBeginsItToTheOneThatEndsIt(t *testing.T) {
	var s Spell
	for i, step := range []struct {
		holds bool
		want  Spell
	}{
		{false, Spell{}},
		{true, Spell{Since: start.Add(time.Hour), LeafIndex: 1}},
		{true, Spell{Since: start.Add(time.Hour), LeafIndex: 1}},
		{false, Spell{Since: start.Add(time.Hour), LeafIndex: 1, EndedAt: start.Add(3 * time.Hour), EndLeaf: 3}},
		{false, Spell{Since: start.Add(time.Hour), LeafIndex: 1, EndedAt: start.Add(3 * time.Hour), EndLeaf: 3}},
		{true, Spell{Since: start.Add(5 * time.Hour), LeafIndex: 5, Earlier: []End{{At: start.Add(3 * time.Hour), LeafIndex: 3}}}},
	} {
		s = s.with(step.holds, int64(i), start.Add(time.Duration(i)*time.Hour))
		if !reflect.DeepEqual(s, step.want) || s.Lasts() != step.holds {
			t.Errorf("step %d: %+v", i, s)
		}
	}
}

func TestASpellKnowsWhichEntryEndedEachOfThoseBeforeIt(t *testing.T) {
	var s Spell
	for i := range int64(41) { // 0 begins the first one, 1 ends it, and so on; 40 begins the last one
		before := s
		s = s.with(i%2 == 0, i, start.Add(time.Duration(i)*time.Hour))
		copied := slices.Clone(before.Earlier)
		if _ = before.with(i%2 == 0, 1000, start); !slices.Equal(copied, before.Earlier) {
			t.Fatal("a spell changed the one that it came from")
		}
	}
	if len(s.Earlier) != keptEnds || !s.Lasts() {
		t.Fatalf("%+v", s)
	}
	for began, want := range map[int64]int64{38: 39, 36: 37, 24: 25, 0: 25} { // of the oldest ones the first end that is held
		if end, is := s.EndAfter(began); !is || end.LeafIndex != want || !end.At.Equal(start.Add(time.Duration(want)*time.Hour)) {
			t.Errorf("the spell that began with %d ended with %+v, %v; wanted %d", began, end, is, want)
		}
	}
	if end, is := s.EndAfter(40); is {
		t.Errorf("the one that lasts ended with %+v", end)
	}
}

func TestEveryElementThatIsNotInPlaceIsNamedAsTheStatementNamesIt(t *testing.T) {
	text, err := json.Marshal(statement.Elements{ResellerOversight: &statement.Element{}})
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	absent := notInPlace(&statement.Elements{ResellerOversight: &statement.Element{}})
	for _, name := range absent {
		delete(members, name)
	}
	if len(absent) != 16 || len(members) != 0 {
		t.Errorf("%d are named, and not %v", len(absent), members)
	}
	if got := notInPlace(&statement.Elements{}); len(got) != 15 || slices.Contains(got, "reseller_oversight") {
		t.Errorf("who has no resellers: %v", got)
	}
}

func TestAShareIsReadOffForEveryPercentageSinceWhenItWasExceeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h History
		var counted [100]Share // by percentage, counted one by one
		for i := range rapid.IntRange(1, 40).Draw(t, "entries") {
			at := start.Add(time.Duration(i) * time.Hour)
			f := Figures{Customers: rapid.IntRange(0, 60).Draw(t, "customers")}
			f.CustomersUnverified = rapid.IntRange(0, f.Customers).Draw(t, "unverified")
			before := slices.Clone(h.Shares)
			next := h
			next.Shares = shared(h.Shares, f, int64(i), at)
			if !slices.Equal(before, h.Shares) {
				t.Fatal("the history that it came from changed")
			}
			h = next
			for percent := 1; percent < 100; percent++ {
				allowed := (f.Customers*percent + 99) / 100 // in whole customers, rounded up
				switch more := f.CustomersUnverified > allowed; {
				case !more:
					counted[percent] = Share{}
				case counted[percent].Since.IsZero():
					counted[percent] = Share{Since: at, LeafIndex: int64(i)}
				}
				got, more := h.UnverifiedShare(percent)
				got.Percent = 0
				if want := counted[percent]; got != want || more == want.Since.IsZero() {
					t.Fatalf("entry %d, %d percent: %+v, wanted %+v; steps %+v", i, percent, got, want, h.Shares)
				}
			}
		}
	})
}

func TestWhoWaitedLongestIsKeptAsLongAsTheFirstOneIsKnown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBook()
		var waiting Waiting
		for leafIndex := range rapid.Int64Range(0, 40).Draw(t, "entries") {
			b.take(t, drawEntry(t, leafIndex))
			var all []Customer
			var counted Waiting
			for _, text := range b.customers {
				c := load[Customer](t, text)
				all = append(all, c)
				if q, waiter, waits := c.Waits(); waits {
					counted.Join(q, waiter)
				}
			}
			rapid.Permutation(all).Draw(t, "order")
			if waiting, _ = waiting.With(all); !reflect.DeepEqual(waiting, counted) {
				t.Fatalf("%s\ncounted %+v", fmt.Sprint(waiting), counted)
			}
		}
	})
}
