package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gorm.io/gorm"
)

// sqlite commits in a transaction that begins IMMEDIATE: SQLite has one writer at a time, and BEGIN is its lock. What the
// transaction reads of the head stays so until its end.
type sqlite struct {
	db *gorm.DB
	// Prepared once, on the store's one writing connection.
	setHead, insertKey, findKey, findGuard, insertEntry, insertTile *sql.Stmt
}

func newSQLite(ctx context.Context, db *gorm.DB) (*sqlite, error) {
	pool, err := db.DB()
	if err != nil {
		return nil, fmt.Errorf("find the connections of SQLite: %w", err)
	}
	s := &sqlite{db: db}
	for _, statement := range []struct {
		prepared **sql.Stmt
		text     string
	}{
		{&s.setHead, "UPDATE ledger_head SET size = ?, checkpoint = ?, accepted_at = ? WHERE id = 1"},
		{&s.insertKey, "INSERT INTO ledger_jtis (key, leaf_index) VALUES (?, ?) ON CONFLICT DO NOTHING"},
		{&s.findKey, "SELECT leaf_index FROM ledger_jtis WHERE key = ?"},
		{&s.findGuard, "SELECT EXISTS (SELECT 1 FROM ledger_entries WHERE about = ? AND leaf_index > ?)"},
		{&s.insertEntry, "INSERT INTO ledger_entries (leaf_index, accepted_at, about, kind, digest, body) VALUES (?, ?, ?, ?, ?, ?)"},
		{&s.insertTile, "INSERT INTO ledger_tiles (level, n, hash, data) VALUES (?, ?, ?, ?)"},
	} {
		//nolint:sqlclosecheck // prepared for the store's life; close closes them
		if *statement.prepared, err = pool.PrepareContext(ctx, statement.text); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %q: %w", statement.text, err), s.close())
		}
	}
	return s, nil
}

func (s *sqlite) close() error {
	var errs []error
	for _, prepared := range []*sql.Stmt{s.setHead, s.insertKey, s.findKey, s.findGuard, s.insertEntry, s.insertTile} {
		if prepared != nil {
			errs = append(errs, prepared.Close())
		}
	}
	return errors.Join(errs...)
}

func (s *sqlite) commit(ctx context.Context, known *head, load loader, build builder) (verdict, error) {
	// Nothing here waits for a network, and the busy timeout bounds the wait for another process. A context that may end would
	// cost a goroutine for each statement.
	ctx = context.WithoutCancel(ctx)
	t := turn{lock: selectHead, known: known, load: load, build: build, add: s.append}
	result, err := t.take(ctx, s.db)
	if failed, atCommit := errors.AsType[*commitError](err); atCommit {
		// What reached the journal before the disk failed may be found there after a restart.
		return verdict{}, fmt.Errorf("%w: %w", ErrUnknownOutcome, failed)
	}
	return result, err
}

func (s *sqlite) append(db *gorm.DB, b *batch) (verdict, error) {
	tx, is := db.Statement.ConnPool.(*sql.Tx)
	if !is {
		return verdict{}, fmt.Errorf("wanted a transaction, got %T", db.Statement.ConnPool)
	}
	ctx := db.Statement.Context
	result := verdict{}
	guard := tx.StmtContext(ctx, s.findGuard)
	for n, r := range b.guarded {
		var moved bool
		if err := guard.QueryRowContext(ctx, r.seen.About[:], r.seen.LeafIndex).Scan(&moved); err != nil {
			return verdict{}, fmt.Errorf("judge a guard: %w", err)
		}
		if moved {
			result.moved = append(result.moved, n)
		}
	}
	var err error
	if result.duplicates, err = s.insertKeys(ctx, tx, b); err != nil || len(result.moved) > 0 || len(result.duplicates) > 0 {
		return result, err
	}
	entry := tx.StmtContext(ctx, s.insertEntry)
	for i, next := range b.items {
		if _, err := entry.ExecContext(ctx, b.before.size+int64(i), b.after.acceptedAt, next.about[:], string(next.entry.Statement.Kind()), next.entry.Digest[:], next.sealed); err != nil {
			return verdict{}, fmt.Errorf("insert an entry: %w", err)
		}
	}
	full := tx.StmtContext(ctx, s.insertTile)
	for _, t := range b.tiles {
		if _, err := full.ExecContext(ctx, t.level, t.n, t.hash[:], t.data); err != nil {
			return verdict{}, fmt.Errorf("insert a tile: %w", err)
		}
	}
	set, err := tx.StmtContext(ctx, s.setHead).ExecContext(ctx, b.after.size, string(b.after.checkpoint), b.after.acceptedAt)
	if err != nil {
		return verdict{}, fmt.Errorf("set the head: %w", err)
	}
	changed, err := set.RowsAffected()
	result.committed = changed == 1
	return result, err
}

// insertKeys inserts the keys until one stands already; then it only looks for others that do, since nothing will be committed.
func (s *sqlite) insertKeys(ctx context.Context, tx *sql.Tx, b *batch) (map[jtiKey]int64, error) {
	var duplicates map[jtiKey]int64
	insert, find := tx.StmtContext(ctx, s.insertKey), tx.StmtContext(ctx, s.findKey)
	for i, next := range b.items {
		if duplicates == nil {
			inserted, err := insert.ExecContext(ctx, next.key[:], b.before.size+int64(i))
			if err != nil {
				return nil, fmt.Errorf("insert a key: %w", err)
			}
			changed, err := inserted.RowsAffected()
			if err != nil {
				return nil, fmt.Errorf("insert a key: %w", err)
			}
			if changed == 1 {
				continue
			}
		}
		var leafIndex int64
		switch err := find.QueryRowContext(ctx, next.key[:]).Scan(&leafIndex); {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return nil, fmt.Errorf("look for a key: %w", err)
		}
		if duplicates == nil {
			duplicates = make(map[jtiKey]int64)
		}
		duplicates[next.key] = leafIndex
	}
	return duplicates, nil
}
