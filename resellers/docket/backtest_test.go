package docket

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
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

// archived is entries that are read and decoded already, found by whom they are about.
type archived struct {
	readLedger
	about map[envelope.ID][]statement.Entry
}

func (a archived) About(_ context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error) {
	all := a.about[id]
	n, _ := slices.BinarySearchFunc(all, from, func(e statement.Entry, from int64) int { return int(e.LeafIndex - from) })
	return all[n:min(n+limit, len(all))], nil
}

// A backtest of 1,000,000 entries about 10,000 resellers, in memory: what the deciders and the records cost. Reading and decrypting a
// real ledger comes on top, see BENCHMARKS.md.
func BenchmarkBacktest(b *testing.B) {
	const entries, resellers = 1_000_000, 10_000
	log := archived{about: map[envelope.ID][]statement.Entry{}}
	names := make([]envelope.Entity, resellers)
	for i := range names {
		names[i] = envelope.Entity(fmt.Sprintf("https://provider.example/e/reseller-%d", i))
	}
	collected := []string{"name", "address", "payment", "email", "telephone", "ip-addresses"}
	for i := range entries {
		about := names[i%resellers]
		turn := i / resellers
		e := statement.Entry{LeafIndex: int64(i), AcceptedAt: epoch.Add(time.Duration(turn) * 7 * 24 * time.Hour), About: about, By: about, JTI: fmt.Sprint("jti-", i)}
		day := statement.DateOf(e.AcceptedAt)
		switch {
		case turn == 0:
			e.By, e.Statement = self, statement.EntityEnrolled{Entity: about, Name: "Reseller", Country: "PT", Superior: self, Tier: 1}
		case turn%50 == 1 && i%17 > 0:
			e.Statement = statement.CIPAttestation{Occasion: "annual", AttestedOn: day}
		case turn%2 == 0:
			e.Customer = fmt.Sprint("customer-", turn/4)
			e.Statement = statement.AccountStatus{Account: fmt.Sprint("account-", turn), Status: "opened", On: day, Plan: "paid", Products: []string{"storage"}}
		default:
			e.Customer = fmt.Sprint("customer-", turn/4)
			e.Statement = statement.CustomerVerification{Party: "customer", Form: "individual", Result: "verified", CheckedOn: day, RiskTier: "low",
				Method: "documentary", Countries: &statement.Countries{Home: "BR"}, Collected: collected}
		}
		log.readLedger = append(log.readLedger, e)
		log.about[about.ID()] = append(log.about[about.ID()], e)
	}
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		b.Fatal(err)
	}
	w := &world{now: epoch.AddDate(2, 0, 0)}
	d, err := New(b.Context(), migrationstest.Open(b, migrationstest.URL(b, "sqlite")), log, signer, self, policy.Default(), w.clock)
	if err != nil {
		b.Fatal(err)
	}
	if err := d.CatchUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		report, err := d.Backtest(b.Context(), policy.Default(), w.now, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(report.Entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		b.ReportMetric(float64(report.Would.Warned), "warned")
	}
}
