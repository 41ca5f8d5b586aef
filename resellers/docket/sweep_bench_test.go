package docket

import (
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// sleeping fills a docket with files that are due in a year, and about a few of which people are asked.
func sleeping(tb testing.TB, db *gorm.DB, files int) {
	tb.Helper()
	sleepingAs(tb, db, files, sleeper, 0)
}

// sleepingAs is sleeping under these names, with the ledger folded up to an entry.
func sleepingAs(tb testing.TB, db *gorm.DB, files int, named func(int) envelope.Entity, folded int64) {
	tb.Helper()
	if err := db.Exec("UPDATE docket_cursor SET next_leaf = ?", folded).Error; err != nil {
		tb.Fatal(err)
	}
	past, err := json.Marshal(history.History{})
	if err != nil {
		tb.Fatal(err)
	}
	standing, err := json.Marshal(escalation.Case{})
	if err != nil {
		tb.Fatal(err)
	}
	rows := make([]fileRow, files)
	for i := range rows {
		entity := named(i)
		id := entity.ID()
		rows[i] = fileRow{ID: id[:], Entity: string(entity), Standing: "good", History: string(past), Escalation: string(standing), Seen: -1,
			NextAt: epoch.Add(365 * day).UnixMicro(), StepAt: never, LimitAt: never, ApprovalAt: never, CallAt: never, SuperiorID: []byte{}}
		if i%1000 == 0 {
			rows[i].ApprovalAt = epoch.Add(day).UnixMicro()
		}
	}
	if err := db.CreateInBatches(rows, 1000).Error; err != nil {
		tb.Fatal(err)
	}
	if err := db.Exec("ANALYZE docket_files").Error; err != nil {
		tb.Fatal(err)
	}
}

func sleeper(i int) envelope.Entity {
	return envelope.Entity(fmt.Sprintf("https://provider.example/e/sleeper-%06d", i))
}

// planOf is how the store looks for what a query asks.
func planOf(t *testing.T, db *gorm.DB, query func(*gorm.DB) *gorm.DB) string {
	t.Helper()
	dry := query(db.Session(&gorm.Session{DryRun: true})).Find(&[]fileRow{})
	explain := "EXPLAIN "
	if db.Name() == "sqlite" {
		explain = "EXPLAIN QUERY PLAN "
	}
	// With parameters, as the query itself is asked: an index of some rows alone helps only where the store knows that they are enough.
	rows, err := db.Statement.ConnPool.QueryContext(t.Context(), explain+dry.Statement.SQL.String(), dry.Statement.Vars...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		line := make([]any, len(columns))
		for i := range line {
			line[i] = new(any)
		}
		if err := rows.Scan(line...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, *line[len(line)-1].(*any)) // the last column says it in words
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

func TestWhatIsDueAndWhatIsAskedIsFoundByItsIndexAndInItsOrder(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		sleeping(t, db, 20_000)
		place := AskedPlace{At: epoch, ID: sleeper(0).ID()}
		for name, of := range map[string]struct {
			query func(*gorm.DB) *gorm.DB
			index string
		}{
			"due":         {func(db *gorm.DB) *gorm.DB { return dueBy(db, epoch, sweepPage) }, "docket_files_next"},
			"due next":    {dueNext, "docket_files_next"},
			"asked":       {func(db *gorm.DB) *gorm.DB { return askedBy(db, approvalAt, nil, 100) }, "docket_files_approval"},
			"asked after": {func(db *gorm.DB) *gorm.DB { return askedBy(db, approvalAt, &place, 100) }, "docket_files_approval"},
			"calls":       {func(db *gorm.DB) *gorm.DB { return askedBy(db, callAt, &place, 100) }, "docket_files_call"},
			"answered":    {func(db *gorm.DB) *gorm.DB { return askedBy(db, reviewAt, &place, 100) }, "docket_files_review"},
			"set aside":   {func(db *gorm.DB) *gorm.DB { return db.Where("failed_at > 0").Order("failed_at, id").Limit(watched) }, "docket_files_failed"},
		} {
			plan := planOf(t, db, of.query)
			if !strings.Contains(plan, of.index) {
				t.Errorf("%s is not found by %s:\n%s", name, of.index, plan)
			}
			for _, wrong := range []string{"Seq Scan", "Sort", "TEMP B-TREE", "SCAN docket_files\n"} {
				if strings.Contains(plan, wrong) {
					t.Errorf("%s takes a look at every file, or sorts:\n%s", name, plan)
				}
			}
		}
	})
}

// What a sweep costs follows what is due: ten files among a thousand, and among a hundred thousand.
func BenchmarkSweepOfTenDueFiles(b *testing.B) {
	const due = 10
	for _, files := range []int{1_000, 100_000} {
		for _, store := range migrationstest.Stores {
			b.Run(fmt.Sprintf("of %d/%s", files, store), func(b *testing.B) {
				signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
				if err != nil {
					b.Fatal(err)
				}
				db := migrationstest.Open(b, migrationstest.URL(b, store))
				sleeping(b, db, files)
				w := &world{now: epoch}
				d, err := New(b.Context(), db, readLedger{}, signer, self, policy.Default(), w.clock)
				if err != nil {
					b.Fatal(err)
				}
				ids := make([][]byte, due)
				for i := range ids {
					id := sleeper(i * files / due).ID()
					ids[i] = id[:]
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := db.Model(&fileRow{}).Where("id IN ?", ids).Update("next_at", atOnce).Error; err != nil {
						b.Fatal(err)
					}
					if _, err := d.Sweep(b.Context()); err != nil {
						b.Fatal(err)
					}
					if left, err := d.due(b.Context(), 0); err != nil || len(left) > 0 {
						b.Fatal(left, err)
					}
				}
			})
		}
	}
}
