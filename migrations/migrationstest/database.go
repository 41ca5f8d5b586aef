package migrationstest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	// The driver is registered by name here: this package speaks SQL to the server itself, not through GORM.
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/cipgate/cipgate/migrations"
)

// server is where databases are made: the URL of its maintenance database, and the name of the migrated template.
type server struct {
	admin    *sql.DB
	url      string
	template string
}

// theServer starts or finds the server at the first test that asks for it.
var theServer = sync.OnceValues(func() (*server, error) {
	ctx := context.Background()
	storeURL, given := os.LookupEnv("CIPGATE_TEST_POSTGRES")
	if !given {
		var err error
		if storeURL, err = startCluster(ctx); err != nil {
			return nil, err
		}
	}
	admin, err := sql.Open("pgx", storeURL)
	if err != nil {
		return nil, fmt.Errorf("CIPGATE_TEST_POSTGRES: %w", err)
	}
	admin.SetMaxIdleConns(1)
	s := &server{admin: admin, url: storeURL}
	if s.template, err = s.makeTemplate(ctx); err != nil {
		return nil, fmt.Errorf("make the template on %s: %w", migrations.Redacted(storeURL), err)
	}
	return s, nil
})

// EmptyPostgres is URL(tb, "postgres") before any migration.
func EmptyPostgres(tb testing.TB) string {
	tb.Helper()
	return newDatabase(tb, func(*server) string { return "template1" })
}

func newDatabase(tb testing.TB, template func(*server) string) string {
	tb.Helper()
	s, err := theServer()
	if errors.Is(err, errNoPostgres) && os.Getenv("CIPGATE_REQUIRE_POSTGRES") != "1" {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatalf("migrationstest: %v", err)
	}
	name := "cipgate_test_" + strings.ToLower(rand.Text())
	// Copying the files takes half of what logging their pages takes, where nothing is flushed.
	if _, err := s.admin.ExecContext(tb.Context(), "CREATE DATABASE "+name+" TEMPLATE "+template(s)+" STRATEGY file_copy"); err != nil {
		tb.Fatalf("migrationstest: make a database: %v", err)
	}
	tb.Cleanup(func() {
		// The test's own context has ended by now. FORCE: a test that failed may have left connections.
		if _, err := s.admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("migrationstest: drop the test's database: %v", err)
		}
	})
	return s.named(name)
}

// named is the URL of another database on the server.
func (s *server) named(database string) string {
	u, err := url.Parse(s.url)
	if err != nil { // sql.Open has read it before
		panic(err)
	}
	u.Path = "/" + database
	return u.String()
}

// makeTemplate migrates a database that tests copy: 30 ms each instead of running every migration again. Its name carries
// a hash of the migrations, so packages and checkouts that share a server share it exactly when they may. It is built
// under another name and renamed, so that a half-built one is never copied.
func (s *server) makeTemplate(ctx context.Context) (string, error) {
	hash, err := migrations.Fingerprint()
	if err != nil {
		return "", fmt.Errorf("hash the migrations: %w", err)
	}
	name := "cipgate_template_" + hash
	conn, err := s.admin.Conn(ctx)
	if err != nil {
		return "", fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	const lock = 0x63697074657374 // "ciptest"
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(lock)); err != nil {
		return "", fmt.Errorf("lock: %w", err)
	}
	defer conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", int64(lock))

	var there bool
	if err := conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil {
		return "", fmt.Errorf("look for it: %w", err)
	}
	if there {
		return name, nil
	}
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + name + "_new WITH (FORCE)", "CREATE DATABASE " + name + "_new"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return "", fmt.Errorf("%s: %w", statement, err)
		}
	}
	db, err := migrations.Open(ctx, s.named(name+"_new"))
	if err != nil {
		return "", err
	}
	if err := migrations.Close(db); err != nil {
		return "", err
	}
	if _, err := conn.ExecContext(ctx, "ALTER DATABASE "+name+"_new RENAME TO "+name); err != nil {
		return "", fmt.Errorf("rename it: %w", err)
	}
	return name, nil
}
