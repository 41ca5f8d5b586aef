package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// onInsert makes the server do something while entries are inserted; deferred, at the commit itself. %s is PL/pgSQL.
const onInsert = `
CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER trouble AFTER INSERT ON ledger_entries DEFERRABLE INITIALLY %s FOR EACH ROW EXECUTE FUNCTION trouble()`

// TestWhatPostgreSQLAnswersIsUnderstood has a real server fail in the middle of a commit, in each of the ways it can say so, with the head
// compared in one statement (the usual commit) and with the head locked before (after a lost race).
func TestWhatPostgreSQLAnswersIsUnderstood(t *testing.T) {
	for _, test := range []struct {
		name      string
		does      string
		when      string
		unknown   bool
		persisted bool
	}{
		{"an error in the statement", "RAISE EXCEPTION 'trouble'", "IMMEDIATE", false, false},
		{"an error at the commit, after the rows were answered", "RAISE EXCEPTION 'trouble'", "DEFERRED", false, false},
		{"the server ends the connection", "PERFORM pg_terminate_backend(pg_backend_pid())", "IMMEDIATE", true, false},
		{"the server ends the connection at the commit", "PERFORM pg_terminate_backend(pg_backend_pid())", "DEFERRED", true, false},
		{"the statement is cancelled", "PERFORM pg_cancel_backend(pg_backend_pid())", "IMMEDIATE", false, false},
		// What a commit that could not be replicated looks like (PostgreSQL: canceling wait for synchronous replication).
		{"a warning beside a commit that succeeds", "RAISE WARNING 'trouble'", "DEFERRED", true, true},
	} {
		for _, locked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/locked=%v", test.name, locked), func(t *testing.T) {
				url := migrationstest.URL(t, "postgres")
				db := migrationstest.Open(t, url)
				l := openLedger(t, db)
				author := ledgertest.NewAuthor(t, 1)
				mustAppend(t, l, author.State(t, 0))
				other := openLedger(t, migrationstest.Open(t, url))
				stands := int64(1)
				if locked {
					stands += loseARace(t, l, other)
				}
				if err := db.Exec(fmt.Sprintf(onInsert, test.does, test.when)).Error; err != nil {
					t.Fatal(err)
				}
				_, err := l.Append(t.Context(), author.State(t, 1))
				if (err == nil) != (test.persisted && !test.unknown) {
					t.Errorf("the caller is told %v", err)
				}
				if unknown := errors.Is(err, ledger.ErrUnknownOutcome); unknown != test.unknown && !(locked && !test.persisted && test.when == "IMMEDIATE") {
					t.Errorf("the caller is told %v; unknown: %v, wanted %v", err, unknown, test.unknown)
				}
				if err := db.Exec("DROP TRIGGER trouble ON ledger_entries").Error; err != nil {
					t.Fatal(err)
				}
				receipt := mustAppend(t, l, author.State(t, 1))[0]
				if receipt.Duplicate != test.persisted || receipt.LeafIndex != stands {
					t.Errorf("stated again: %+v", receipt)
				}
				mustCheck(t, l)
			})
		}
	}
}

// loseARace leaves l behind, so that it locks the head at its next commit, and returns how many entries that took.
func loseARace(t *testing.T, l, other *ledger.Ledger) int64 {
	t.Helper()
	author := ledgertest.NewAuthor(t, 2)
	mustAppend(t, other, author.State(t, 0))
	mustAppend(t, l, author.State(t, 1))
	mustAppend(t, other, author.State(t, 2))
	return 3
}

func TestTrustGrowsWithEachCommitAndEndsWithADuplicate(t *testing.T) {
	l := openLedger(t, migrationstest.Open(t, migrationstest.URL(t, "postgres")))
	author := ledgertest.NewAuthor(t, 1)
	for i, step := range []struct{ n, fresh int }{{0, 1}, {1, 2}, {2, 3}, {1, 0}, {3, 1}} {
		mustAppend(t, l, author.State(t, step.n))
		if got := ledger.Fresh(l); got != step.fresh {
			t.Errorf("after step %d there were %d commits without a duplicate, wanted %d", i, got, step.fresh)
		}
	}
}

// TestTheHotStatementTakesItsIndexes: with tables so small that reading them whole would be cheaper. The plan is kept, and the
// tables grow.
func TestTheHotStatementTakesItsIndexes(t *testing.T) {
	db := migrationstest.Open(t, migrationstest.URL(t, "postgres"))
	l := openLedger(t, db)
	author := ledgertest.NewAuthor(t, 1)
	for n := range 20 {
		mustAppend(t, l, author.State(t, n))
	}
	if err := db.Exec("ANALYZE").Error; err != nil {
		t.Fatal(err)
	}
	for _, statement := range []struct {
		text  string
		looks []string // into which tables
	}{
		{ledger.AppendStatement, []string{"ledger_jtis", "ledger_entries"}},
		{ledger.AppendTrusting, []string{"ledger_entries"}},
	} {
		plan := genericPlan(t, db, statement.text)
		for _, table := range statement.looks {
			if strings.Contains(plan, "Seq Scan on "+table) || !strings.Contains(plan, "using "+table) {
				t.Errorf("%s is read whole:\n%s", table, plan)
			}
		}
	}
}

// genericPlan is how the server runs a commit's statement whatever its parameters are.
func genericPlan(t *testing.T, db *gorm.DB, statement string) string {
	t.Helper()
	var plan []string
	err := db.Connection(func(conn *gorm.DB) error {
		types := "bytea[], bytea[], bigint[], bigint, text, timestamptz, bigint, text, bytea[], text[], bytea[], bytea[], smallint[], bigint[], bytea[], bytea[]"
		nulls := strings.TrimSuffix(strings.Repeat("NULL, ", strings.Count(types, ",")+1), ", ")
		for _, s := range []string{"SET plan_cache_mode = force_generic_plan", "PREPARE hot (" + types + ") AS " + statement} {
			if err := conn.Exec(s).Error; err != nil {
				return err
			}
		}
		if err := conn.Raw("EXPLAIN (COSTS OFF) EXECUTE hot (" + nulls + ")").Scan(&plan).Error; err != nil {
			return err
		}
		return conn.Exec("DEALLOCATE hot").Error
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}
