package ledger

import (
	"context"

	"gorm.io/gorm"
)

// Around lets a test stand around each commit of l: fail instead of it, after it, or hold it up. It must be called before the
// first Append.
func Around(l *Ledger, around func(commit func() error) error) {
	l.store = faultyStore{store: l.store, around: around, newest: l.known.Load, db: l.db}
}

type faultyStore struct {
	store
	around func(commit func() error) error
	newest func() *head
	db     *gorm.DB
}

func (f faultyStore) commit(ctx context.Context, known *head, load loader, build builder) (result verdict, err error) {
	made := false
	err = f.around(func() error {
		result, err = f.store.commit(ctx, known, load, func(ctx context.Context, db *gorm.DB, before *head) (*batch, error) {
			made = true
			return build(ctx, db, before)
		})
		return err
	})
	if !made && err != nil {
		// A fault before the commit comes after its preparation: those who are told are those of the batch.
		if _, err := build(ctx, f.db, f.newest()); err != nil {
			return verdict{}, err
		}
	}
	return result, err
}

// AppendStatement and AppendTrusting are PostgreSQL's, for a look at their plans.
const (
	AppendStatement = appendStatement
	AppendTrusting  = appendTrusting
)

// TrustAfter sets after how many commits without a duplicate PostgreSQL's store looks for none, and returns what it was.
func TrustAfter(commits int) (before int) {
	before, trustAfter = trustAfter, commits
	return before
}

// Fresh is how many commits l knows of since one met a duplicate, on PostgreSQL.
func Fresh(l *Ledger) int { return l.store.(*postgres).fresh }

// Remembered is how many entries l holds in memory.
func Remembered(l *Ledger) int {
	l.recent.mu.RLock()
	defer l.recent.mu.RUnlock()
	return len(l.recent.run)
}
