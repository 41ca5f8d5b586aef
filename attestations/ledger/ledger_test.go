package ledger_test

import (
	"testing"

	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

func TestEveryStoreKeepsTheContract(t *testing.T) {
	for _, store := range migrationstest.Stores {
		t.Run(store, func(t *testing.T) {
			ledgertest.Exercise(t, func(t *testing.T) string { return migrationstest.URL(t, store) })
		})
	}
}
