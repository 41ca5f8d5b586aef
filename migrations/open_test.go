package migrations_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/migrations"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

func TestBothStoresHaveTheSameMigrations(t *testing.T) {
	names := func(folder string) []string {
		var names []string
		err := fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	postgres, sqlite := names("postgres"), names("sqlite")
	if !slices.Equal(postgres, sqlite) {
		t.Fatalf("postgres/ has %v, sqlite/ has %v", postgres, sqlite)
	}
	for i, name := range postgres {
		if !strings.HasPrefix(name, fmt.Sprintf("%05d_", i+1)) || !strings.HasSuffix(name, ".sql") {
			t.Errorf("migration %d is called %q, wanted %05d_name.sql", i+1, name, i+1)
		}
	}
}

func TestAMigrationStandsWhollyOrNotAtAll(t *testing.T) {
	files, err := filepath.Glob("*/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no migrations found", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "NO TRANSACTION") {
			t.Errorf("%s runs without a transaction: a failure would leave half of it", file)
		}
	}
}

func TestSeveralProcessesMayStartAtOnce(t *testing.T) {
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		if strings.HasPrefix(url, "postgres") {
			url = migrationstest.EmptyPostgres(t)
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				db, err := migrations.Open(t.Context(), url)
				if err != nil {
					t.Error(err)
					return
				}
				if err := migrations.Close(db); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
}

type timeRow struct {
	ID int64
	At time.Time
}

func (timeRow) TableName() string { return "times" }

func TestTimesReadBackInUTCWithMicroseconds(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		column := map[string]string{"sqlite": "TIMESTAMP", "postgres": "timestamptz"}[db.Name()]
		if err := db.Exec("CREATE TABLE times (id INTEGER PRIMARY KEY, at " + column + " NOT NULL)").Error; err != nil {
			t.Fatal(err)
		}
		written := time.Date(2026, 3, 29, 2, 30, 0, 123456789, time.FixedZone("", 5*3600))
		if err := db.Create(&timeRow{ID: 1, At: written}).Error; err != nil {
			t.Fatal(err)
		}
		var read timeRow
		if err := db.First(&read, 1).Error; err != nil {
			t.Fatal(err)
		}
		if want := written.UTC().Truncate(time.Microsecond); read.At != want {
			t.Errorf("read %v, wanted %v", read.At, want)
		}
		var found int64
		if err := db.Model(&timeRow{}).Where("at <= ? AND at > ?", written, written.Add(-time.Microsecond)).Count(&found).Error; err != nil || found != 1 {
			t.Errorf("found %d rows by time, wanted 1 (%v)", found, err)
		}
	})
}

func TestARowThatIsThereIsADuplicateOnBothStores(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		insert := "INSERT INTO ledger_jtis (leaf_index, key) VALUES (0, ?)"
		if err := db.Exec(insert, make([]byte, 32)).Error; err != nil {
			t.Fatal(err)
		}
		if err := db.Exec(insert, make([]byte, 32)).Error; !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("got %v, wanted gorm.ErrDuplicatedKey", err)
		}
	})
}

func TestTheLedgersTablesRefuseToForget(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		zero, now := make([]byte, 32), time.Unix(1, 0)
		for _, insert := range []*gorm.DB{
			db.Exec("INSERT INTO ledger_head VALUES (1, 1, 'x', ?)", now),
			db.Exec("INSERT INTO ledger_entries VALUES (0, ?, ?, 'k', ?, ?)", now, zero, zero, zero),
			db.Exec("INSERT INTO ledger_tiles VALUES (0, 0, ?, ?)", zero, make([]byte, 8192)),
		} {
			if insert.Error != nil {
				t.Fatal(insert.Error)
			}
		}
		for _, forbidden := range []string{
			"UPDATE ledger_entries SET kind = 'other'",
			"DELETE FROM ledger_entries",
			"UPDATE ledger_tiles SET n = 1",
			"DELETE FROM ledger_tiles",
			"UPDATE ledger_head SET size = 0",
			"DELETE FROM ledger_head",
		} {
			if err := db.Exec(forbidden).Error; err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v, wanted a refusal", forbidden, err)
			}
		}
	})
}

func TestSQLiteReadsBesideATransactionAndWritesOnlyThroughOneConnection(t *testing.T) {
	db := migrationstest.Open(t, migrationstest.URL(t, "sqlite"))
	err := db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("INSERT INTO ledger_jtis (leaf_index, key) VALUES (7, ?)", make([]byte, 32)).Error; err != nil {
			return err
		}
		var beside, inside int64
		if err := db.Raw("SELECT count(*) FROM ledger_jtis").Scan(&beside).Error; err != nil {
			return err
		}
		if err := tx.Raw("SELECT count(*) FROM ledger_jtis").Scan(&inside).Error; err != nil {
			return err
		}
		if beside != 0 || inside != 1 {
			t.Errorf("beside the transaction %d rows, inside %d, wanted 0 and 1", beside, inside)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var after int64
	if err := db.Raw("  select count(*) FROM ledger_jtis").Scan(&after).Error; err != nil || after != 1 {
		t.Errorf("after the commit %d rows (%v), wanted 1", after, err)
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		var got string
		if err := db.Raw("PRAGMA " + pragma).Scan(&got).Error; err != nil || got != want {
			t.Errorf("%s is %q (%v), wanted %q", pragma, got, err, want)
		}
	}
}

func TestTheSQLiteFileIsForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a name with % and ? and #.db")
	db := migrationstest.Open(t, path)
	if err := db.Exec("INSERT INTO ledger_jtis (leaf_index, key) VALUES (7, ?)", make([]byte, 32)).Error; err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + "-wal"} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, wanted 0600", filepath.Base(file), info.Mode())
		}
	}
}

func TestAnErrorSaysWhatWasWantedAndWhatToDo(t *testing.T) {
	folder := t.TempDir()
	tests := []struct {
		name, url string
		contains  []string
		refused   bool
	}{
		{"nothing", "", []string{"wanted postgres://user@host/database", "cipgate.db"}, true},
		{"another database", "mysql://root:secret@host/db", []string{"mysql://", "Check the scheme"}, true},
		{"memory", ":memory:", []string{"forgets everything"}, true},
		{"parameters", "sqlite://x.db?mode=ro", []string{"Drop what follows"}, true},
		{"a folder", folder, []string{"got a folder", filepath.Join(folder, "cipgate.db")}, true},
		{"no such folder", filepath.Join(folder, "no", "x.db"), []string{"Make the folder " + filepath.Join(folder, "no")}, false},
		{"an unreadable URL", "postgres://u:secret@host:port/db", []string{"Wanted postgres://user@host:port/database"}, true},
		{"nobody there", "postgres://u:secret@/db?host=" + folder, []string{"postgres://u@/db", "Check that the server runs"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := migrations.Open(t.Context(), test.url)
			if err == nil {
				t.Fatal("opened")
			}
			for _, words := range test.contains {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q does not say %q", err, words)
				}
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%q tells the password", err)
			}
			if errors.Is(err, migrations.ErrURL) != test.refused {
				t.Errorf("%q is ErrURL: %v, wanted %v", err, !test.refused, test.refused)
			}
		})
	}
}

func TestAPostgreSQLThatDoesNotWaitForTheDiskIsRefused(t *testing.T) {
	url := migrationstest.URL(t, "postgres")
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	_, err := migrations.Open(t.Context(), url+separator+"synchronous_commit=off")
	if err == nil || !strings.Contains(err.Error(), "Set synchronous_commit = on") {
		t.Errorf("got %v, wanted a refusal", err)
	}
}
