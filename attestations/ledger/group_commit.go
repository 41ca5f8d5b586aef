package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// commitTimeout bounds one commit. What is not through by then has an unknown outcome.
const commitTimeout = 30 * time.Second

// commitAll is the one goroutine that writes. While a commit is under way the queue fills, and the next commit takes all of it:
// the more comes at once, the fewer commits a statement costs.
func (l *Ledger) commitAll(ctx context.Context) {
	defer close(l.ended)
	var batch []*request
	for {
		if len(batch) == 0 {
			l.queue.linger(l.pace.wanted())
		}
		batch = l.queue.gather(batch)
		if len(batch) > 0 {
			batch = l.commit(ctx, batch)
		} else if !l.queue.wait() {
			return
		}
	}
}

// commit tries once and answers every request whose fate is known by then. It returns the others, in order.
//
// The context is the ledger's own: no request can cancel what others wait for.
func (l *Ledger) commit(ctx context.Context, requests []*request) []*request {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	began := l.now()
	known := l.known.Load()
	if l.forgotten {
		known = nil
	}
	var b *batch
	result, err := l.store.commit(ctx, known, l.load, func(ctx context.Context, db *gorm.DB, before *head) (*batch, error) {
		requests = l.queue.gather(requests) // what came while the head was locked
		var err error
		b, err = l.assemble(ctx, db, before, requests)
		return b, err
	})
	l.forgotten = l.forgotten || errors.Is(err, ErrUnknownOutcome)
	if err != nil || result.committed {
		l.noteOutcome(err)
	}
	switch {
	case errors.Is(err, ErrUnknownOutcome) && b != nil:
		return b.settle(err)
	case err != nil:
		for _, r := range requests {
			r.settle(err)
		}
		return nil
	case result.committed:
		l.forgotten = false
		l.known.Store(b.after)
		l.recent.add(b)
		l.announce()
		b.stamp()
		l.pace.note(len(b.requests), l.queue.waiting(), l.now().Sub(began))
		return b.settle(nil)
	case len(result.duplicates) > 0 || len(result.moved) > 0:
		return l.settleRefused(ctx, b, result)
	default: // the race for the head is lost, or there is nothing left to commit
		return b.unsettled()
	}
}

// load reads the committed head for a commit that has to build on it.
func (l *Ledger) load(ctx context.Context, db *gorm.DB) (*head, error) {
	h, err := l.sign.load(ctx, db, l.known.Load())
	if err != nil {
		return nil, err
	}
	l.known.Store(h)
	l.forgotten = false
	return h, nil
}

// settleRefused answers the requests because of which nothing was committed. What they were refused for is committed itself, so
// the answers stand whatever becomes of the others.
func (l *Ledger) settleRefused(ctx context.Context, b *batch, refused verdict) []*request {
	for _, n := range refused.moved {
		b.guarded[n].settle(ErrMoved)
	}
	standing, err := l.loadStanding(ctx, refused.duplicates)
	var rest []*request
	for _, r := range b.requests {
		switch {
		case r.settled:
			continue
		case err != nil && r.hasAny(refused.duplicates):
			r.settle(err)
			continue
		}
		if err := r.takeOut(standing); err != nil {
			r.settle(err)
		} else if len(r.items) == 0 {
			r.settle(nil)
		} else {
			rest = append(rest, r)
		}
	}
	return append(rest, b.postponed...)
}

// standingEntry is an entry whose key came again.
type standingEntry struct {
	receipt Receipt
	raw     []byte
}

// entryRow is a row of ledger_entries, as far as it is read.
type entryRow struct {
	LeafIndex  int64
	AcceptedAt time.Time
	Digest     []byte
	Body       []byte
}

func (row entryRow) receipt() (Receipt, error) {
	if len(row.Digest) != len(envelope.Digest{}) {
		return Receipt{}, fmt.Errorf("%w: entry %d has a digest of %d bytes", ErrDamaged, row.LeafIndex, len(row.Digest))
	}
	return Receipt{LeafIndex: row.LeafIndex, Digest: envelope.Digest(row.Digest), AcceptedAt: row.AcceptedAt}, nil
}

// loadStanding reads the entries that duplicates met.
func (l *Ledger) loadStanding(ctx context.Context, duplicates map[jtiKey]int64) (map[jtiKey]standingEntry, error) {
	standing := make(map[jtiKey]standingEntry, len(duplicates))
	for key, leafIndex := range duplicates {
		var row entryRow
		query := l.db.WithContext(ctx).Raw("SELECT leaf_index, accepted_at, digest, body FROM ledger_entries WHERE leaf_index = ?", leafIndex)
		if err := first(query, &row); err != nil {
			return nil, fmt.Errorf("read entry %d, which has the same jti: %w", leafIndex, err)
		}
		receipt, err := row.receipt()
		if err != nil {
			return nil, err
		}
		receipt.Duplicate = true
		body, err := l.bodies.open(row.Digest, row.Body)
		if err != nil {
			return nil, fmt.Errorf("read entry %d, which has the same jti: %w", leafIndex, err)
		}
		standing[key] = standingEntry{receipt: receipt, raw: body}
	}
	return standing, nil
}

// takeOut gives the items that stand already their first receipts, and keeps the others.
func (r *request) takeOut(standing map[jtiKey]standingEntry) error {
	kept := r.items[:0]
	for _, next := range r.items {
		entry, stands := standing[next.key]
		if !stands {
			kept = append(kept, next)
			continue
		}
		same, err := sameStatement(next, entry.receipt.Digest, entry.raw)
		if err != nil {
			return err
		}
		if !same {
			return next.twin(entry.receipt)
		}
		r.receipts[next.receipt] = entry.receipt
	}
	r.items = kept
	return nil
}

func (r *request) hasAny(duplicates map[jtiKey]int64) bool {
	for _, next := range r.items {
		if _, found := duplicates[next.key]; found {
			return true
		}
	}
	return false
}
