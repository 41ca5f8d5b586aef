package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/cipgate/cipgate/attestations/statement"
)

// At returns the entries at these leaf indexes, in the ledger's order: those that there are, each once. It is for a page of them, a
// thousand at most.
func (l *Ledger) At(ctx context.Context, leafIndexes ...int64) ([]statement.Entry, error) {
	var all []statement.Entry
	for rest := slices.Compact(slices.Sorted(slices.Values(leafIndexes))); len(rest) > 0; {
		query := l.db.WithContext(ctx).Raw("SELECT leaf_index, accepted_at, digest, body FROM ledger_entries WHERE leaf_index IN ? ORDER BY leaf_index LIMIT ?",
			rest, len(rest))
		entries, err := l.recall(query, len(rest))
		if err != nil {
			return nil, fmt.Errorf("read %d entries of the ledger: %w", len(rest), err)
		}
		if len(entries) == 0 {
			break
		}
		all = append(all, entries...)
		// A page of large entries is kept short.
		last := entries[len(entries)-1].LeafIndex
		rest = slices.DeleteFunc(rest, func(leafIndex int64) bool { return leafIndex <= last })
	}
	return all, nil
}
