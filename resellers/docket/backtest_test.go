package docket

import (
	"os"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/policy"
)

// byItself is a policy under which every step is taken by itself.
func byItself(tb testing.TB) policy.Policy {
	tb.Helper()
	text, err := os.ReadFile("../policy/testdata/us-iaas-2024.2.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	p, err := policy.ParseEarlier(text)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestABacktestUnderThePolicyInForceFindsNoDifferenceAndUnderAnotherItDoes(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.policy = byItself(t)
		d := w.mustDocket()
		w.enrol(silent)
		w.enrol(late)
		for until := epoch.AddDate(0, 0, 80); w.now.Before(until); w.now = w.now.AddDate(0, 0, 1) {
			if w.now.Equal(epoch.AddDate(0, 0, 35)) {
				w.attest(late)
			}
			if _, err := d.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		size, err := w.ledger.Size(t.Context())
		if err != nil {
			t.Fatal(err)
		}

		told := 0
		same, err := d.Backtest(t.Context(), w.policy, w.now, func(done, of int) {
			if told++; done != told || of != 2 {
				t.Errorf("told that %d of %d are done", done, of)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if same.Resellers != 2 || told != 2 || same.Differing != 0 || same.Would.Warned != 2 || same.Would.Terminated != 1 || same.Was.Terminated != 1 || same.Would.Findings["cip.missing"] != 2 {
			t.Errorf("under the same policy: %+v", same)
		}

		contract := policy.Shipped()[slices.IndexFunc(policy.Shipped(), func(p policy.Policy) bool { return p.Name == "contract-baseline" })]
		contract.Rules.CIPMissing.After.Value = policy.Duration(50 * 24 * time.Hour)
		lenient, err := d.Backtest(t.Context(), contract, w.now, nil)
		if err != nil {
			t.Fatal(err)
		}
		if lenient.Would.Warned != 1 || lenient.Was.Warned != 2 || lenient.Differing != 2 {
			t.Errorf("under a lenient policy: %+v", lenient)
		}
		if after, err := w.ledger.Size(t.Context()); err != nil || after != size {
			t.Errorf("a backtest has stated something: %d entries before, %d after, %v", size, after, err)
		}
	})
}
