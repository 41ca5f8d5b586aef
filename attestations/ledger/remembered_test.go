package ledger_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// TestNothingIsRememberedWhereNothingIsCommitted: what a burst left in memory goes as soon as somebody looks for the head, and is read from
// the database as it was.
func TestNothingIsRememberedWhereNothingIsCommitted(t *testing.T) {
	for _, store := range migrationstest.Stores {
		t.Run(store, func(t *testing.T) {
			signer, _ := ledgertest.LogKey(t)
			now := ledgertest.Noon
			l, err := ledger.Open(t.Context(), ledger.Config{DB: migrationstest.Open(t, migrationstest.URL(t, store)), Signer: signer, Origin: ledgertest.Origin,
				Bodies: ledgertest.Bodies(t), Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			author := ledgertest.NewAuthor(t, 1)
			for n := range 3 {
				if _, err := l.Append(t.Context(), author.State(t, n)); err != nil {
					t.Fatal(err)
				}
			}
			fresh, err := l.Entries(t.Context(), 0, 10)
			if err != nil || ledger.Remembered(l) != 3 {
				t.Fatalf("of 3 entries %d are remembered, %v", ledger.Remembered(l), err)
			}
			now = now.Add(time.Minute) // nobody appends meanwhile
			if _, err := l.Size(t.Context()); err != nil || ledger.Remembered(l) != 0 {
				t.Errorf("a minute later %d are, %v", ledger.Remembered(l), err)
			}
			if later, err := l.Entries(t.Context(), 0, 10); err != nil || !reflect.DeepEqual(later, fresh) {
				t.Errorf("%+v, %v, wanted %+v", later, err, fresh)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
