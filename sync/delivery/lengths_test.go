package delivery

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestAListHasOneOfFewLengths(t *testing.T) {
	whole := make([]int, 600)
	for i := range whole {
		whole[i] = i
	}
	lengths := map[int]bool{}
	for n := range 513 {
		list := whole[:n]
		long := padded(list)
		lengths[len(long)] = true
		if !slices.Equal(long[:n], list) || len(long) >= 2*max(n, 1) {
			t.Fatalf("%d became %d", n, len(long))
		}
		for _, more := range long[n:] {
			if more != n-1 {
				t.Fatalf("%d was added to %d", more, n)
			}
		}
	}
	if len(lengths) != 11 || !lengths[0] || !lengths[512] {
		t.Errorf("lengths are %v", lengths)
	}
	if whole[511] != 511 || whole[599] != 599 {
		t.Error("a list was written over")
	}
}

// TestTheDriverKeepsFewStatements: whatever number of notices comes together, from one to a hundred, what came of them is kept by the same
// few statements.
func TestTheDriverKeepsFewStatements(t *testing.T) {
	for _, kind := range migrationstest.Stores {
		t.Run(kind, func(t *testing.T) {
			db := migrationstest.Open(t, migrationstest.URL(t, kind))
			texts := map[string]bool{}
			note := func(done *gorm.DB) { texts[done.Statement.SQL.String()] = true }
			callbacks := db.Callback()
			// GORM forgets the text at the end of its own callbacks.
			for _, err := range []error{
				callbacks.Create().After("gorm:create").Register("note", note), callbacks.Query().After("gorm:query").Register("note", note),
				callbacks.Update().After("gorm:update").Register("note", note),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			const most = 100
			d := New(Config{DB: db, Now: func() time.Time { return time.Unix(1e9, 0) }})
			stored := 0
			for n := 1; n <= most; n++ {
				group, proofs := make([]*outcome, n), make([]proofRow, n)
				for i := range group {
					notice := noticeRow{Audience: fmt.Sprintf("https://reseller-%d.example", i), About: fmt.Sprintf("https://reseller-%d.example", i),
						Sequence: int64(n), JTI: fmt.Sprintf("of-%d", n)}
					group[i] = &outcome{stream: streamRow{ID: fmt.Sprint(i), Audience: notice.Audience, Lease: "another's by now"}, notice: notice,
						attempt: Attempt{At: d.Now(), Method: push, Status: 202}}
					proofs[i] = proofRow{About: notice.About, JTI: notice.JTI, Channel: statement.ChannelSETAcknowledged}
				}
				if _, err := d.keepGroup(t.Context(), group); err != nil {
					t.Fatal(err)
				}
				stored += n
				marked := proofsOf(db.Model(&proofRow{}), proofs).Update("recorded", true)
				if marked.Error != nil || marked.RowsAffected != int64(n) {
					t.Fatalf("of %d proofs %d were found, %v", n, marked.RowsAffected, marked.Error)
				}
			}
			var attempts, recorded int64
			err := errors.Join(db.Model(&attemptRow{}).Count(&attempts).Error, db.Model(&proofRow{}).Where("recorded").Count(&recorded).Error)
			if err != nil || attempts != int64(stored) || recorded != int64(stored) {
				t.Errorf("of %d attempts and proofs there are %d and %d, %v", stored, attempts, recorded, err)
			}
			// The streams are locked, the attempts and the proofs stored, the notices and the proofs marked.
			if few := 5 * (bits.Len(most) + 1); len(texts) < 5 || len(texts) > few {
				t.Errorf("%d statements, wanted at most %d", len(texts), few)
			}
		})
	}
}
