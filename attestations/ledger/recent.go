package ledger

import (
	"reflect"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

const (
	// maxRecentBytes bounds the memory of what recent keeps: some ten thousand statements, a second or two under full load.
	maxRecentBytes = 16 << 20
	// recentFor is how long an entry is read from memory: what another gateway has erased meanwhile must not be shown here for long.
	recentFor = 10 * time.Second
	// lastBytes is what the run's map takes for each entity: a slot holds 40 bytes, and at worst more than half of them are empty.
	lastBytes = 96
)

// recent is what this process has committed last, for followers that keep up: nine in ten reads of theirs begin at an entry that
// was committed a moment ago. Their reading it back from the database and parsing it again cost as much as a third of taking it in.
// It holds one run of entries without a gap. Where another gateway has committed in between, the run begins anew, and who asks for
// what is not in it asks the database. It keeps what was read of a token, not the token.
type recent struct {
	mu    sync.RWMutex
	from  int64 // leaf index of the first
	run   []recentEntry
	bytes int                   // that hang on the entries of the run
	last  map[envelope.ID]int64 // the last leaf index about each entity that the run is about
}

type recentEntry struct {
	statement.Entry
	about envelope.ID
	bytes int // that hang on it
}

var entryBytes = int(reflect.TypeFor[recentEntry]().Size())

// add remembers a batch that is committed.
func (r *recent) add(b *batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.from+int64(len(r.run)) != b.before.size {
		r.from, r.run, r.bytes, r.last = b.before.size, nil, 0, nil
	}
	if r.last == nil {
		r.last = make(map[envelope.ID]int64)
	}
	for _, next := range b.items {
		one := recentEntry{Entry: next.entry, about: next.about, bytes: next.weight}
		one.LeafIndex, one.AcceptedAt = r.from+int64(len(r.run)), b.after.acceptedAt
		r.run = append(r.run, one)
		r.last[one.about] = one.LeafIndex
		r.bytes += one.bytes
	}
	r.trim(b.after.acceptedAt)
}

// held is how much memory all of it takes, in bytes.
func (r *recent) held() int {
	return r.bytes + cap(r.run)*entryBytes + len(r.last)*lastBytes
}

// trim forgets the oldest where all are too heavy, and where half of them are too old. The newest are copied to an array of their own,
// and whoever reads goes on with the one that they have; so it is done once for many.
func (r *recent) trim(now time.Time) {
	var first int
	switch half := len(r.run) / 2; {
	case r.held() > maxRecentBytes:
		kept := 0
		for first = len(r.run); first > 0; first-- {
			kept += r.run[first-1].bytes + entryBytes + lastBytes
			if kept > maxRecentBytes/2 {
				break
			}
		}
	case len(r.run) > 0 && r.run[half].old(now):
		first = sort.Search(len(r.run), func(i int) bool { return !r.run[i].old(now) })
	default:
		return
	}
	r.from, r.run, r.bytes, r.last = r.from+int64(first), slices.Clone(r.run[first:]), 0, make(map[envelope.ID]int64)
	for i := range r.run {
		r.last[r.run[i].about] = r.run[i].LeafIndex
		r.bytes += r.run[i].bytes
	}
}

func (e *recentEntry) old(now time.Time) bool { return now.Sub(e.AcceptedAt) > recentFor }

// moved is true if it knows of an entry about the entity after the one seen. False says nothing.
func (r *recent) moved(seen Seen) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	last, known := r.last[seen.About]
	return known && last > seen.LeafIndex
}

// about returns the entries about an entity after the one seen and below size; known is false if it does not hold all of them.
func (r *recent) about(seen Seen, size int64) (newer []statement.Entry, known bool) {
	r.mu.RLock()
	from, run := r.from, r.run // what stands in it never changes
	r.mu.RUnlock()
	if seen.LeafIndex+1 < from || size > from+int64(len(run)) {
		return nil, false
	}
	for leafIndex := seen.LeafIndex + 1; leafIndex < size; leafIndex++ {
		if next := &run[leafIndex-from]; next.about == seen.About {
			newer = append(newer, next.Entry)
		}
	}
	return newer, true
}

// entries returns entries from leaf index from on, of these kinds or of any, and from which leaf index on it knows of no more.
func (r *recent) entries(now time.Time, from int64, limit int, kinds []statement.Kind) ([]statement.Entry, int64) {
	r.expire(now)
	r.mu.RLock()
	first, run := r.from, r.run
	r.mu.RUnlock()
	end := first + int64(len(run))
	if from < first || from >= end || limit < 1 || run[from-first].old(now) {
		return nil, from
	}
	run = run[from-first:]
	entries := make([]statement.Entry, 0, min(limit, len(run)))
	for i := range run {
		if len(entries) == limit {
			break
		}
		if next := &run[i]; len(kinds) == 0 || slices.Contains(kinds, next.Statement.Kind()) {
			entries = append(entries, next.Entry)
		}
	}
	return entries, end
}

// expire drops everything once the newest is old: what is committed from then on begins anew. Followers look from time to time, and
// so it is noticed where nothing is committed any more.
func (r *recent) expire(now time.Time) {
	r.mu.RLock()
	old := len(r.run) > 0 && r.run[len(r.run)-1].old(now)
	r.mu.RUnlock()
	if !old {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.run) > 0 && r.run[len(r.run)-1].old(now) { // nobody committed since
		r.drop()
	}
}

// forget drops everything: something in it was erased.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
}

func (r *recent) drop() {
	r.from, r.run, r.bytes, r.last = r.from+int64(len(r.run)), nil, 0, nil
}
