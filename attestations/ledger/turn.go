package ledger

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Decider decides again, from the entries about its entity that stand after the last one it was given, in order. It returns what
// must be stated now, nothing if nothing must. It is called while others wait for their commit: it computes and signs, and neither
// waits nor reads.
type Decider func(newer []statement.Entry) ([]envelope.Verified, error)

// maxNewer bounds how much is decided upon in a turn: a follower that is further behind folds first.
const maxNewer = 10_000

// AppendInTurn is for a decider that has lost with AppendAfter: about an entity that states something all the time, something newer
// stands before each decision. Here decide is asked in the moment of the commit, with everything that stands after seen, so its
// answer cannot be overtaken. It may be asked several times until its answer is committed; each time it gets only what is new since
// the time before. Errors are decide's own and those of Append; ErrMoved if more than 10,000 newer entries stand.
func (l *Ledger) AppendInTurn(ctx context.Context, seen Seen, decide Decider) ([]Receipt, error) {
	return l.enqueue(ctx, &request{seen: &seen, decide: decide, done: make(chan struct{})})
}

// order is the place of a request in a batch.
func (r *request) order() int {
	if r.decide != nil {
		return 0
	}
	return 1
}

// decideNow lets a request decide upon everything that stands below before.
func (l *Ledger) decideNow(ctx context.Context, db *gorm.DB, before *head, r *request) error {
	newer, err := l.newerThan(ctx, db, *r.seen, before.size)
	switch {
	case err != nil:
		return err
	case len(newer) > maxNewer:
		return ErrMoved
	case len(newer) == 0 && r.items != nil:
		return nil // it has decided already, and nothing has come since
	}
	sets, err := r.decide(newer)
	if err != nil {
		return err
	}
	if len(newer) > 0 {
		r.seen.LeafIndex = newer[len(newer)-1].LeafIndex
	}
	return r.hold(sets, l.bodies)
}

func (l *Ledger) newerThan(ctx context.Context, db *gorm.DB, seen Seen, size int64) ([]statement.Entry, error) {
	if newer, known := l.recent.about(seen, size); known {
		return newer, nil
	}
	newer, err := l.recall(db.WithContext(ctx).Raw("SELECT leaf_index, accepted_at, digest, body FROM ledger_entries WHERE about = ? AND leaf_index > ? AND leaf_index < ? ORDER BY about, leaf_index LIMIT ?",
		seen.About[:], seen.LeafIndex, size, maxNewer+1), maxNewer+1)
	if err != nil {
		return nil, fmt.Errorf("read what stands about %s after entry %d: %w", seen.About, seen.LeafIndex, err)
	}
	return newer, nil
}
