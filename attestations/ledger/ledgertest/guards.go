package ledgertest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func guards(t *testing.T, u *User) {
	l := u.open(t)
	watched, other := NewAuthor(t, 1), NewAuthor(t, 2)
	after := func(leafIndex int64) ledger.Seen {
		return ledger.Seen{About: watched.Entity.ID(), LeafIndex: leafIndex}
	}

	// Nothing stands about it: who has seen nothing may decide.
	if _, err := l.AppendAfter(t.Context(), after(-1), watched.State(t, 0), watched.State(t, 1)); err != nil {
		t.Fatalf("nothing seen, nothing there: %v", err)
	}
	appended(t, l, other.State(t, 0)) // 2: about another, moves nothing
	for _, test := range []struct {
		name  string
		seen  int64
		moved bool
	}{
		{"who has seen nothing", -1, true},
		{"who has seen the first", 0, true},
		{"who has seen all about it", 1, false},
		{"who has seen the newest of all", 2, true}, // entry 3, by the one before, is newer
	} {
		receipts, err := l.AppendAfter(t.Context(), after(test.seen), watched.State(t, 10+int(test.seen)))
		if errors.Is(err, ledger.ErrMoved) != test.moved || !test.moved && (err != nil || receipts[0].LeafIndex != 3) {
			t.Errorf("%s: %+v, %v", test.name, receipts, err)
		}
	}
	// A decision that stands is not taken again by who had not seen it, even with the same words.
	if _, err := l.AppendAfter(t.Context(), after(1), watched.State(t, 11)); !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("the same decision again: %v", err)
	}
	// With it seen, the same words are the same statement.
	if receipts, err := l.AppendAfter(t.Context(), after(3), watched.State(t, 11)); err != nil || !receipts[0].Duplicate {
		t.Errorf("the same decision again, seen: %+v, %v", receipts, err)
	}
}

// twoDeciders: each reads what stands, decides, and appends only if nothing is newer. However they interleave, no two
// decisions rest on the same view.
func twoDeciders(t *testing.T, u *User) {
	first, second := u.open(t), u.open(t)
	author := NewAuthor(t, 1)
	var next, moved atomic.Int64
	var group sync.WaitGroup
	for _, l := range []*ledger.Ledger{first, first, second, second} {
		group.Go(func() {
			for range 10 {
				for {
					entries, err := l.About(t.Context(), author.Entity.ID(), 0, 100)
					if err != nil {
						t.Error(err)
						return
					}
					seen := ledger.Seen{About: author.Entity.ID(), LeafIndex: int64(len(entries)) - 1}
					receipts, err := l.AppendAfter(t.Context(), seen, author.State(t, int(next.Add(1))))
					if errors.Is(err, ledger.ErrMoved) {
						moved.Add(1)
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					if receipts[0].LeafIndex != seen.LeafIndex+1 {
						t.Errorf("decided on %d, stands at %d", seen.LeafIndex, receipts[0].LeafIndex)
					}
					break
				}
			}
		})
	}
	group.Wait()
	if got := size(t, first); got != 40 {
		t.Errorf("%d decisions, wanted 40 (%d were refused)", got, moved.Load())
	}
}

// decidesInTurn: while an entity states without a pause, through two gateways, every decision about it rests on all that stands below
// it.
func decidesInTurn(t *testing.T, u *User) {
	first, second := u.open(t), u.open(t)
	author := NewAuthor(t, 1)
	var next atomic.Int64
	var busy, deciders sync.WaitGroup
	stop := make(chan struct{})
	for _, l := range []*ledger.Ledger{first, first, second} {
		busy.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := l.Append(t.Context(), author.State(t, int(next.Add(1)))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for _, l := range []*ledger.Ledger{first, second} {
		deciders.Go(func() {
			for range 10 {
				folded, err := l.Size(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				folded--
				seen := ledger.Seen{About: author.Entity.ID(), LeafIndex: folded}
				receipts, err := l.AppendInTurn(t.Context(), seen, func(newer []statement.Entry) ([]envelope.Verified, error) {
					for _, entry := range newer {
						if entry.LeafIndex != folded+1 { // this author's are all the entries there are
							t.Errorf("after entry %d it was given entry %d", folded, entry.LeafIndex)
						}
						folded = entry.LeafIndex
					}
					return []envelope.Verified{author.State(t, int(next.Add(1))), author.State(t, int(next.Add(1)))}, nil
				})
				if err != nil || len(receipts) != 2 || receipts[0].LeafIndex != folded+1 || receipts[1].LeafIndex != folded+2 {
					t.Errorf("decided on all up to %d: %+v, %v", folded, receipts, err)
				}
			}
		})
	}
	deciders.Wait()
	close(stop)
	busy.Wait()

	before := size(t, first)
	seen := ledger.Seen{About: author.Entity.ID(), LeafIndex: before - 1}
	receipts, err := first.AppendInTurn(t.Context(), seen, func([]statement.Entry) ([]envelope.Verified, error) { return nil, nil })
	if err != nil || len(receipts) != 0 || size(t, first) != before {
		t.Errorf("nothing to state: %+v, %v, %d entries more", receipts, err, size(t, first)-before)
	}
	refused := errors.New("it cannot decide")
	if _, err := first.AppendInTurn(t.Context(), seen, func([]statement.Entry) ([]envelope.Verified, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("the decider's error: %v", err)
	}
}

// model is the ledger as one would describe it: a list.
type model struct {
	base    int64 // what stood before this history
	entries []modelEntry
	authors []Author
	issued  []int      // how many statements each author has made
	latest  *time.Time // when the newest entry was accepted, across histories
}

type modelEntry struct {
	author, n int
	at        time.Time
}

func (m *model) last(author int) int64 {
	for i := len(m.entries) - 1; i >= 0; i-- {
		if m.entries[i].author == author {
			return m.base + int64(i)
		}
	}
	return -1
}

func (m *model) find(author, n int) (int64, bool) {
	for i, entry := range m.entries {
		if entry.author == author && entry.n == n {
			return m.base + int64(i), true
		}
	}
	return 0, false
}

// agreesWithModel lets rapid make histories of calls, reopenings and clock movements, and compares every answer. The histories
// follow one another in one log, each with authors of its own.
func agreesWithModel(t *testing.T, u *User) {
	db := migrationstest.Open(t, u.url)
	l := u.openOn(t, db)
	authors, latest := 0, Noon
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{base: size(t, l), latest: &latest}
		for range 3 {
			m.authors = append(m.authors, NewAuthor(t, authors))
			m.issued = append(m.issued, 0)
			authors++
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"append", "append", "append after", "append after", "move the clock", "reopen"}).Draw(rt, "step") {
			case "append":
				m.call(t, rt, l, &u.clock, nil)
			case "append after":
				about := rapid.IntRange(0, 2).Draw(rt, "about")
				seen := &ledger.Seen{About: m.authors[about].Entity.ID(), LeafIndex: m.last(about)}
				if seen.LeafIndex >= 0 && rapid.Bool().Draw(rt, "stale") {
					seen.LeafIndex--
				}
				m.call(t, rt, l, &u.clock, seen)
			case "move the clock":
				u.clock.Move(time.Duration(rapid.IntRange(-30, 60).Draw(rt, "seconds")) * time.Second)
			case "reopen":
				if err := l.Close(); err != nil {
					rt.Fatal(err)
				}
				l = u.openOn(t, db)
			}
		}
		m.compare(t, rt, l)
	})
	if err := l.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// call draws one to three statements: new ones, the same again, signed again, or twins.
func (m *model) call(t *testing.T, rt *rapid.T, l *ledger.Ledger, clock *Clock, seen *ledger.Seen) {
	var sets []envelope.Verified
	var want []ledger.Receipt
	var added []modelEntry
	twinned := false
	for range rapid.IntRange(1, 3).Draw(rt, "sets") {
		author := rapid.IntRange(0, 2).Draw(rt, "author")
		a, n := m.authors[author], m.issued[author]
		old := n > 0 && rapid.Bool().Draw(rt, "old")
		if old {
			n = rapid.IntRange(0, n-1).Draw(rt, "n")
		} else {
			m.issued[author]++
		}
		leafIndex, stands := m.find(author, n)
		for i, entry := range added {
			if entry.author == author && entry.n == n {
				leafIndex, stands = m.base+int64(len(m.entries)+i), true
			}
		}
		set := a.State(t, n)
		switch rapid.IntRange(0, 4).Draw(rt, "how") {
		case 0:
			if stands {
				set, twinned = twin(t, a, n), true
			}
		case 1:
			if stands {
				set = signedLater(t, a, n)
			}
		}
		sets = append(sets, set)
		want = append(want, ledger.Receipt{LeafIndex: leafIndex, Digest: a.State(t, n).Digest(), Duplicate: stands})
		if !stands {
			want[len(want)-1].LeafIndex = m.base + int64(len(m.entries)+len(added))
			added = append(added, modelEntry{author: author, n: n})
		}
	}

	receipts, err := m.send(t, l, seen, sets)
	moved := seen != nil && m.moved(*seen)
	switch {
	case twinned && errors.Is(err, ledger.ErrTwin):
		return
	case moved && errors.Is(err, ledger.ErrMoved):
		return
	case twinned || moved || err != nil:
		rt.Fatalf("got %v; a twin: %v, moved: %v", err, twinned, moved)
	}
	if now := clock.Now(); len(added) > 0 && now.After(*m.latest) {
		*m.latest = now
	}
	for i, got := range receipts {
		if want[i].Duplicate {
			got.AcceptedAt = time.Time{} // of an earlier commit, which compare looks at
		} else {
			want[i].AcceptedAt = m.latest.UTC()
		}
		if got != want[i] {
			rt.Fatalf("receipt %d is %+v, wanted %+v", i, got, want[i])
		}
	}
	for _, entry := range added {
		entry.at = *m.latest
		m.entries = append(m.entries, entry)
	}
}

func (m *model) send(t *testing.T, l *ledger.Ledger, seen *ledger.Seen, sets []envelope.Verified) ([]ledger.Receipt, error) {
	if seen == nil {
		return l.Append(t.Context(), sets...)
	}
	return l.AppendAfter(t.Context(), *seen, sets...)
}

func (m *model) moved(seen ledger.Seen) bool {
	for author := range m.authors {
		if m.authors[author].Entity.ID() == seen.About {
			return m.last(author) > seen.LeafIndex
		}
	}
	return false
}

// compare reads the whole history back.
func (m *model) compare(t *testing.T, rt *rapid.T, l *ledger.Ledger) {
	entries, err := l.Entries(t.Context(), m.base, len(m.entries)+1)
	if err != nil || len(entries) != len(m.entries) {
		rt.Fatalf("%d entries, wanted %d: %v", len(entries), len(m.entries), err)
	}
	for i, entry := range entries {
		want := m.entries[i]
		if entry.LeafIndex != m.base+int64(i) || entry.By != m.authors[want.author].Entity || entry.JTI != m.authors[want.author].Draft(want.n).JTI || !entry.AcceptedAt.Equal(want.at) {
			rt.Fatalf("entry %d is %+v, wanted %+v", i, entry, want)
		}
	}
}
