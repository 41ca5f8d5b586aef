package migrations

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	gormsqlite "github.com/libtnb/sqlite"
	"github.com/pressly/goose/v3"
	"gorm.io/gorm"
	"modernc.org/sqlite"
)

const sqliteReaders = 8

func openSQLite(ctx context.Context, path string) (*gorm.DB, error) {
	path = filepath.Clean(path)
	failed := func(err error) error { return fmt.Errorf("open the store %s: %w", path, err) }
	if err := createPrivate(path); err != nil {
		return nil, failed(err)
	}
	readers, err := sqliteConnector(path, "_query_only=1")
	if err != nil {
		return nil, failed(err)
	}
	writer, err := sqliteConnector(path, "_txlock=immediate")
	if err != nil {
		return nil, failed(err)
	}
	pool := newSplitPool(writer, readers)
	if err := migrate(ctx, pool.writer, goose.DialectSQLite3, "sqlite"); err != nil {
		return nil, closing(pool.writer, failed(err))
	}
	db, err := gorm.Open(gormsqlite.New(gormsqlite.Config{Conn: pool}), config())
	if err != nil {
		return nil, closing(pool.writer, failed(fmt.Errorf("hand the connections to GORM: %w", err)))
	}
	return db, nil
}

// sqliteConnector makes connections to the file. Times are stored as integers, microseconds since 1970 in UTC: as precise as
// PostgreSQL's, in order, and read back as times from columns declared TIMESTAMP.
func sqliteConnector(path string, more ...string) (driver.Connector, error) {
	parameters := append([]string{
		"_busy_timeout=10000", // milliseconds: another process may be writing
		"_journal_mode=WAL",
		"_synchronous=FULL", // a receipt promises that the statement is on disk
		"_foreign_keys=1",
		"_pragma=wal_autocheckpoint(8192)", // pages, 32 MiB: index pages are written again and again before they are moved over
		"_pragma=cache_size(-32768)",       // KiB
		"_dqs=0",
		"_defensive=1",
		"_timezone=UTC",
		"_time_integer_format=unix_micro",
		"_inttotime=1",
		"_texttotime=1",
		"_error_rc=1",
	}, more...)
	connector, err := sqlite.NewConnector("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + strings.Join(parameters, "&"))
	if err != nil {
		return nil, fmt.Errorf("make a connector: %w", err)
	}
	return connector, nil
}

var creating sync.Mutex

// createPrivate makes a file that is not there yet, for its owner alone: SQLite would make it readable to all, and its
// journal takes the same rights. A file that is there is not touched: closing it by hand would drop SQLite's locks on it
// (POSIX locks belong to the process), hence also the mutex.
func createPrivate(path string) error {
	creating.Lock()
	defer creating.Unlock()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case err == nil:
		if err := file.Close(); err != nil {
			return fmt.Errorf("create the file: %w", err)
		}
	case errors.Is(err, fs.ErrExist):
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return fmt.Errorf("%w: wanted a file, got a folder. Name a file in it, such as %s", ErrURL, filepath.Join(path, "cipgate.db"))
		}
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w. Make the folder %s first", err, filepath.Dir(path))
	default:
		return fmt.Errorf("%w. The file and its folder must be writable to this user", err)
	}
	return nil
}

// splitPool is what GORM sees of SQLite: one connection that writes, and several that only read.
//
// With a single connection a reader that pages through a case would hold up every commit, and a query made while rows of
// another are open would wait for itself. With several that all may write, writers poll for the lock instead of queueing.
type splitPool struct {
	writer  *sql.DB
	readers *sql.DB
}

func newSplitPool(writer, readers driver.Connector) *splitPool {
	pool := &splitPool{readers: sql.OpenDB(readers)}
	pool.writer = sql.OpenDB(ownedConnector{Connector: writer, beside: pool.readers})
	pool.writer.SetMaxOpenConns(1)
	pool.writer.SetMaxIdleConns(1)
	pool.readers.SetMaxOpenConns(sqliteReaders)
	pool.readers.SetMaxIdleConns(sqliteReaders)
	return pool
}

// ownedConnector closes the readers with the writer: database/sql closes a connector that is an io.Closer.
type ownedConnector struct {
	driver.Connector
	beside *sql.DB
}

func (c ownedConnector) Close() error { return c.beside.Close() }

// route: what begins with SELECT reads. Everything else, a WITH included, may write.
func (p *splitPool) route(query string) *sql.DB {
	query = strings.TrimLeft(query, " \t\r\n(")
	if len(query) >= 6 && strings.EqualFold(query[:6], "SELECT") {
		return p.readers
	}
	return p.writer
}

func (p *splitPool) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return p.route(query).PrepareContext(ctx, query)
}

func (p *splitPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return p.writer.ExecContext(ctx, query, args...)
}

func (p *splitPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return p.route(query).QueryContext(ctx, query, args...)
}

func (p *splitPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return p.route(query).QueryRowContext(ctx, query, args...)
}

// BeginTx gives a read-only transaction a snapshot of its own beside the writer.
func (p *splitPool) BeginTx(ctx context.Context, options *sql.TxOptions) (*sql.Tx, error) {
	if options != nil && options.ReadOnly {
		return p.readers.BeginTx(ctx, options)
	}
	return p.writer.BeginTx(ctx, options)
}

// GetDBConn is GORM's name for what db.DB() returns: the connection that may do everything, and closes all.
func (p *splitPool) GetDBConn() (*sql.DB, error) { return p.writer, nil }
