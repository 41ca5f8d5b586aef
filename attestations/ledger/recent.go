package ledger

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// maxRecentBytes bounds the memory of what recent keeps: some ten thousand statements, a second or two under full load.
const maxRecentBytes = 16 << 20

// recent is what this process has committed last, for followers that keep up: nine in ten reads of theirs begin at an entry that
// was committed a moment ago. Their reading it back from the database and parsing it again cost as much as a third of taking it in.
// It holds one run of entries without a gap. Where another gateway has committed in between, the run begins anew, and who asks for
// what is not in it asks the database.
type recent struct {
	mu    sync.RWMutex
	from  int64 // leaf index of the first
	sets  []recentSet
	bytes int
	last  map[envelope.ID]int64 // the last leaf index about each entity that the run is about
}

type recentSet struct {
	set        envelope.Verified
	kind       statement.Kind
	about      envelope.ID
	acceptedAt time.Time
}

// add remembers a batch that is committed.
func (r *recent) add(b *batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.from+int64(len(r.sets)) != b.before.size {
		r.from, r.sets, r.bytes, r.last = b.before.size, nil, 0, make(map[envelope.ID]int64)
	}
	if r.last == nil {
		r.last = make(map[envelope.ID]int64)
	}
	for _, next := range b.items {
		r.last[next.about] = r.from + int64(len(r.sets))
		r.sets = append(r.sets, recentSet{set: next.set, kind: next.kind, about: next.about, acceptedAt: b.after.acceptedAt})
		r.bytes += len(next.set.Raw())
	}
	if r.bytes > maxRecentBytes {
		r.forgetHalf()
	}
}

// forgetHalf keeps the newest, in an array of their own: whoever reads goes on with the one that they have.
func (r *recent) forgetHalf() {
	first := len(r.sets)
	for r.bytes = 0; first > 0; first-- {
		size := len(r.sets[first-1].set.Raw())
		if r.bytes+size > maxRecentBytes/2 {
			break
		}
		r.bytes += size
	}
	r.from, r.sets = r.from+int64(first), slices.Clone(r.sets[first:])
	maps.DeleteFunc(r.last, func(_ envelope.ID, leafIndex int64) bool { return leafIndex < r.from })
}

// moved is true if it knows of an entry about the entity after the one seen. False says nothing.
func (r *recent) moved(seen Seen) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	last, known := r.last[seen.About]
	return known && last > seen.LeafIndex
}

// about returns the entries about an entity after the one seen and below size; known is false if it does not hold all of them.
func (r *recent) about(seen Seen, size int64) (newer []statement.Entry, known bool, err error) {
	r.mu.RLock()
	from, sets := r.from, r.sets
	r.mu.RUnlock()
	if seen.LeafIndex+1 < from || size > from+int64(len(sets)) {
		return nil, false, nil
	}
	for leafIndex := seen.LeafIndex + 1; leafIndex < size; leafIndex++ {
		next := sets[leafIndex-from]
		if next.about != seen.About {
			continue
		}
		entry, err := statement.Remember(leafIndex, next.acceptedAt, next.set)
		if err != nil {
			return nil, true, err
		}
		newer = append(newer, entry)
	}
	return newer, true, nil
}

// recentFor is how long after the last of them entries are read from memory: what another gateway has erased meanwhile must not
// be shown here for long.
const recentFor = 10 * time.Second

// entries returns entries from leaf index from on, of these kinds or of any, and from which leaf index on it knows of no more.
func (r *recent) entries(now time.Time, from int64, limit int, kinds []statement.Kind) ([]statement.Entry, int64, error) {
	r.mu.RLock()
	end := r.from + int64(len(r.sets))
	if from < r.from || from >= end || limit < 1 || now.Sub(r.sets[len(r.sets)-1].acceptedAt) > recentFor {
		r.mu.RUnlock()
		return nil, from, nil
	}
	sets := r.sets[from-r.from:] // what stands in it never changes
	r.mu.RUnlock()

	entries := make([]statement.Entry, 0, min(limit, len(sets)))
	for i, next := range sets {
		if len(entries) == limit {
			break
		}
		if len(kinds) > 0 && !slices.Contains(kinds, next.kind) {
			continue
		}
		entry, err := statement.Remember(from+int64(i), next.acceptedAt, next.set)
		if err != nil {
			return nil, from, err
		}
		entries = append(entries, entry)
	}
	return entries, end, nil
}

// forget drops everything: something in it was erased.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from, r.sets, r.bytes, r.last = r.from+int64(len(r.sets)), nil, 0, nil
}
