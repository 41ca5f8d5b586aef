package ledger

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// batch is what one commit writes, and whom it answers.
type batch struct {
	before, after *head
	items         []*item
	tiles         []tile
	guarded       []*request // the requests with a guard, whose seen is judged in the commit
	requests      []*request
	// postponed are requests that depend on others of this batch: the same jti, or a guard on an entity that an item here is
	// about. What becomes of them follows from what is committed, so they wait until it is, in front of the queue.
	postponed []*request
}

// verdict is what the store said.
type verdict struct {
	committed  bool
	duplicates map[jtiKey]int64 // keys that stand already, with their leaf index
	moved      []int            // which of the guards do not hold
}

// assemble makes the next commit on top of before. Without a request left that waits for it, the batch has no items.
//
// Who decides in its turn comes first: what it decides upon then is all that stands below its own entries.
func (l *Ledger) assemble(ctx context.Context, db *gorm.DB, before *head, requests []*request) (*batch, error) {
	b := &batch{before: before}
	slices.SortStableFunc(requests, func(a, b *request) int { return a.order() - b.order() })
	keys := make(map[jtiKey]struct{}, len(requests))
	touched := make(map[envelope.ID]struct{})
	for _, r := range requests {
		switch {
		case !r.take():
			continue // its caller has given up
		case r.seen != nil && l.recent.moved(*r.seen) && r.decide == nil:
			r.settle(ErrMoved) // without a commit that would have to be undone for it
			continue
		case depends(r, keys, touched):
			b.postponed = append(b.postponed, r)
			continue
		case r.decide != nil:
			if err := l.decideNow(ctx, db, before, r); err != nil || len(r.items) == 0 {
				r.settle(err)
				continue
			}
		}
		for i := range r.items {
			b.items = append(b.items, &r.items[i])
			keys[r.items[i].key] = struct{}{}
			touched[r.items[i].about] = struct{}{}
		}
		if r.seen != nil && r.decide == nil { // who has decided on all below the head is guarded by the head
			b.guarded = append(b.guarded, r)
		}
		b.requests = append(b.requests, r)
	}
	if len(b.items) == 0 {
		return b, nil
	}
	after := &head{edge: before.clone(), acceptedAt: l.time()}
	if after.acceptedAt.Before(before.acceptedAt) {
		after.acceptedAt = before.acceptedAt // a clock that was set back, or another gateway's that is ahead
	}
	for _, next := range b.items {
		b.tiles = after.add(next.leaf, b.tiles)
	}
	var err error
	if after.checkpoint, err = l.sign.checkpoint(after.edge); err != nil {
		return nil, err
	}
	b.after = after
	return b, nil
}

func depends(r *request, keys map[jtiKey]struct{}, touched map[envelope.ID]struct{}) bool {
	if r.seen != nil {
		if _, moves := touched[r.seen.About]; moves {
			return true
		}
	}
	for i := range r.items {
		if _, repeated := keys[r.items[i].key]; repeated {
			return true
		}
	}
	return false
}

// stamp writes the receipts of a batch that is committed.
func (b *batch) stamp() {
	leafIndex := b.before.size
	for _, r := range b.requests {
		for i := range r.items {
			r.receipts[r.items[i].receipt] = Receipt{LeafIndex: leafIndex, Digest: r.items[i].entry.Digest, AcceptedAt: b.after.acceptedAt}
			leafIndex++
		}
	}
}

// settle answers all requests of the batch alike, and returns those that were not in it.
func (b *batch) settle(err error) []*request {
	for _, r := range b.requests {
		r.settle(err)
	}
	return b.postponed
}

// unsettled is everybody, for another try.
func (b *batch) unsettled() []*request { return append(b.requests, b.postponed...) }
