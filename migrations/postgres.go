package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

const (
	// postgresConnections bounds one process: several gateways and their administrators share the hundred connections
	// that a PostgreSQL grants by default.
	postgresConnections = 16
	postgresIdle        = 5 * time.Minute

	// NoticesKey is where a connection keeps what the server said beside its answers (pgconn's CustomData), a []string
	// that only grows. PostgreSQL reports a commit that it could not replicate as a warning, not as an error.
	NoticesKey = "cipgate.notices"

	// migrationLock is this program's own advisory lock, so that another program's goose on the same server is not held up.
	migrationLock = 0x63697067617465 // "cipgate"
)

func openPostgres(ctx context.Context, storeURL string) (*gorm.DB, error) {
	settings, err := pgx.ParseConfig(storeURL)
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w: %w. Wanted postgres://user@host:port/database", Redacted(storeURL), ErrURL, err)
	}
	if _, named := settings.RuntimeParams["application_name"]; !named {
		settings.RuntimeParams["application_name"] = "cipgate"
	}
	// The compare-and-set of heads and cursors is argued for this level; a server may have another default.
	settings.RuntimeParams["default_transaction_isolation"] = "read committed"
	settings.OnNotice = func(conn *pgconn.PgConn, notice *pgconn.Notice) {
		kept, _ := conn.CustomData()[NoticesKey].([]string)
		conn.CustomData()[NoticesKey] = append(kept, notice.Severity+": "+notice.Message)
	}
	pool := stdlib.OpenDB(*settings, stdlib.OptionAfterConnect(makeReady))
	pool.SetMaxOpenConns(postgresConnections)
	pool.SetMaxIdleConns(postgresConnections)
	pool.SetConnMaxIdleTime(postgresIdle)

	db, err := preparePostgres(ctx, pool)
	if err != nil {
		return nil, closing(pool, fmt.Errorf("open the store %s: %w", Redacted(storeURL), err))
	}
	return db, nil
}

func preparePostgres(ctx context.Context, pool *sql.DB) (*gorm.DB, error) {
	var durable string
	if err := pool.QueryRowContext(ctx, "SHOW synchronous_commit").Scan(&durable); err != nil {
		return nil, fmt.Errorf("connect: %w. Check that the server runs, and that host, user and password are right", err)
	}
	if durable == "off" {
		return nil, fmt.Errorf("wanted synchronous_commit on, got off: a receipt promises that the statement is on disk. Set synchronous_commit = on for this database")
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(migrationLock), lock.WithLockTimeout(1, 600))
	if err != nil {
		return nil, fmt.Errorf("make the lock for the migrations: %w", err)
	}
	if err := migrate(ctx, pool, goose.DialectPostgres, "postgres", goose.WithSessionLocker(locker)); err != nil {
		return nil, err
	}
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), config())
	if err != nil {
		return nil, fmt.Errorf("hand the connections to GORM: %w", err)
	}
	return db, nil
}

func makeReady(ctx context.Context, conn *pgx.Conn) error {
	timesInUTC(conn)
	return keepMemory(ctx, conn)
}

// timesInUTC makes a timestamptz read back in UTC, as SQLite's times do, instead of in the machine's zone.
func timesInUTC(conn *pgx.Conn) {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
}

// keepMemory lets the server's process of this connection keep the memory that a large statement took for the next one. The C library
// gives what is freed back to the kernel at once, to take it anew page by page: a tenth of what a commit cost the server. Once a block of
// a certain size was freed, it keeps twice as much (mallopt(3), M_MMAP_THRESHOLD). A server with another library does as it did.
func keepMemory(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "SELECT octet_length(repeat(repeat(' ', 1024), 4096))"); err != nil {
		return fmt.Errorf("ask the server for a block of 4 MiB: %w", err)
	}
	return nil
}
