package ledger_test

import (
	"testing"

	"github.com/cipgate/cipgate/attestations/ledger"
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

// PostgreSQL's store trusts that nothing is stated again after a while without; here it does from the first commit on.
func TestAStoreThatTrustsFindsWhatIsStatedAgain(t *testing.T) {
	defer ledger.TrustAfter(ledger.TrustAfter(0))
	ledgertest.ExerciseRepeats(t, func(t *testing.T) string { return migrationstest.URL(t, "postgres") })
}
