package ledger

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
)

// store is what the two databases do differently: commit a batch in one atomic step.
//
// commit calls build with the head that is committed: known if the database's is no newer, otherwise what load reads; known
// may be nil. Both read through the connection that they are given. If the batch that build returns has items, it stores them, if and only if at the moment of the commit
//   - the head is still the one that build was given,
//   - none of the items' keys stands, and
//   - of no guard is there an entry about its entity after the one it has seen.
//
// Otherwise it stores nothing and says which. A verdict with nothing in it is a lost race for the head. An error says that
// nothing was stored, unless it is ErrUnknownOutcome; then it may have been.
type store interface {
	commit(ctx context.Context, known *head, load loader, build builder) (verdict, error)
	close() error
}

type (
	loader  func(ctx context.Context, db *gorm.DB) (*head, error)
	builder func(ctx context.Context, db *gorm.DB, before *head) (*batch, error)
)

func storeOf(ctx context.Context, db *gorm.DB) (store, error) {
	switch name := db.Name(); name {
	case "postgres":
		return &postgres{db: db}, nil
	case "sqlite":
		return newSQLite(ctx, db)
	default:
		return nil, fmt.Errorf("wanted a database of PostgreSQL or SQLite, got %s", name)
	}
}

// turn is a commit that first locks the head against every other writer, and so always wins the race for it.
type turn struct {
	lock  string // the query for the head that keeps others out until the transaction ends
	known *head
	load  loader
	build builder
	add   func(tx *gorm.DB, b *batch) (verdict, error)
	// moved is set if the head was not where known has it.
	moved bool
}

// take begins a transaction, does its turn in it, and commits; an error of the commit itself is a *commitError.
func (t *turn) take(ctx context.Context, db *gorm.DB) (verdict, error) {
	tx := db.WithContext(ctx).Begin()
	if tx.Error != nil {
		return verdict{}, fmt.Errorf("begin the commit: %w", tx.Error)
	}
	result, err := t.inside(ctx, tx)
	if err != nil || !result.committed {
		if failed := tx.Rollback().Error; failed != nil {
			err = errors.Join(err, fmt.Errorf("undo what was not to be committed: %w", failed))
		}
		return result, err
	}
	if err := tx.Commit().Error; err != nil {
		return verdict{}, &commitError{err}
	}
	return result, nil
}

func (t *turn) inside(ctx context.Context, tx *gorm.DB) (verdict, error) {
	var row headRow
	if err := first(tx.Raw(t.lock), &row); err != nil {
		return verdict{}, fmt.Errorf("lock the head: %w", err)
	}
	before := t.known
	if before == nil || row.Size != before.size || row.Checkpoint != string(before.checkpoint) {
		t.moved = before != nil
		var err error
		if before, err = t.load(ctx, tx); err != nil {
			return verdict{}, err
		}
	}
	b, err := t.build(ctx, tx, before)
	if err != nil || len(b.items) == 0 {
		return verdict{}, err
	}
	return t.add(tx, b)
}

// commitError came from COMMIT itself.
type commitError struct{ err error }

func (e *commitError) Error() string { return "commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }
