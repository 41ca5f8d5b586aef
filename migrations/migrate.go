package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
)

// migrate brings the schema to the newest of this binary's files.
//
// On PostgreSQL the session lock keeps processes that start together apart. SQLite has no such lock: the one that comes second
// fails on a table that is there already, its own transaction undone. It has lost only if the schema moved on meanwhile, and
// then goes on from there; an error without progress by somebody is an error.
func migrate(ctx context.Context, pool *sql.DB, dialect goose.Dialect, store string, options ...goose.ProviderOption) error {
	source, err := folder(store)
	if err != nil {
		return err
	}
	options = append(options, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	provider, err := goose.NewProvider(dialect, pool, source, options...)
	if err != nil {
		return fmt.Errorf("read the embedded migrations of %s: %w", store, err)
	}
	for {
		before := schemaVersion(ctx, pool)
		if before > 0 {
			// Nothing to do is the usual start; it needs no lock.
			if pending, err := provider.HasPending(ctx); err == nil && !pending {
				return nil
			}
		}
		if _, err = provider.Up(ctx); err == nil {
			return nil
		}
		if schemaVersion(ctx, pool) <= before {
			return fmt.Errorf("migrate the schema from version %d: %w", max(before, 0), err)
		}
	}
}

// schemaVersion is the newest migration that stands, -1 before goose's own table does.
func schemaVersion(ctx context.Context, pool *sql.DB) int64 {
	var version int64
	if err := pool.QueryRowContext(ctx, "SELECT max(version_id) FROM "+goose.DefaultTablename).Scan(&version); err != nil {
		return -1
	}
	return version
}

// closing closes what was opened before err, and reports both.
func closing(pool *sql.DB, err error) error {
	return errors.Join(err, pool.Close())
}
