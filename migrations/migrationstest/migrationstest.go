// Package migrationstest runs one test on both stores: SQLite in a file, and a real PostgreSQL.
//
// The PostgreSQL is a temporary cluster, started once for a test binary from the machine's own package and gone with the
// binary however that ends; or the server named by CIPGATE_TEST_POSTGRES (a postgres:// URL of somebody who may create
// databases), so that many packages share one. Each test has a database of its own, on both stores copied from a migrated template.
//
// Without a PostgreSQL those subtests are skipped with the words that say what to install; with CIPGATE_REQUIRE_POSTGRES=1,
// as CI has it, they fail instead.
package migrationstest

import (
	"flag"
	"path/filepath"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/migrations"
)

// Stores are the names of the stores, as Each names its subtests.
var Stores = []string{"sqlite", "postgres"}

// Each runs test once on each store, with an empty migrated database.
func Each(t *testing.T, test func(t *testing.T, db *gorm.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { test(t, Open(t, url)) })
}

// EachURL runs test once on each store with a URL that migrations.Open takes, for programs that open it themselves.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	for _, store := range Stores {
		t.Run(store, func(t *testing.T) { test(t, URL(t, store)) })
	}
}

// URL is an empty database of the store for one test or benchmark. What opened it must be closed before the test ends.
func URL(tb testing.TB, store string) string {
	tb.Helper()
	switch store {
	case "sqlite":
		path := filepath.Join(tb.TempDir(), "cipgate.db")
		File(tb, path)
		return path
	case "postgres":
		return newDatabase(tb, func(s *server) string { return s.template })
	}
	tb.Fatalf("migrationstest: no store is called %q", store)
	return ""
}

// Open opens url for the length of the test. Two calls with one URL stand for two processes on one database.
func Open(tb testing.TB, url string) *gorm.DB {
	tb.Helper()
	db, err := migrations.Open(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := migrations.Close(db); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// Main is the TestMain of a package that uses this one: it stops the cluster, if one was started, after the last test. Under the race
// detector, which makes a database of every draw dear, properties draw less than plain `go test` does; a package that set -rapid.checks
// before decides for itself, and whoever gives it decides.
//
//	func TestMain(m *testing.M) { migrationstest.Main(m) }
func Main(m *testing.M) {
	defer stopCluster()
	if checks := flag.Lookup("rapid.checks"); checks != nil && underRace && checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("40"); err != nil {
			panic(err)
		}
	}
	m.Run()
}
