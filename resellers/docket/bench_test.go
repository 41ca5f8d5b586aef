package docket

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/policy"
)

// readLedger is entries that are read and decoded already: what is measured is folding them.
type readLedger []statement.Entry

func (l readLedger) Entries(_ context.Context, from int64, limit int, _ ...statement.Kind) ([]statement.Entry, error) {
	return l[from:min(from+int64(limit), int64(len(l)))], nil
}

func (l readLedger) Size(context.Context) (int64, error) { return int64(len(l)), nil }

func (readLedger) About(context.Context, envelope.ID, int64, int) ([]statement.Entry, error) {
	return nil, nil
}

func (readLedger) AppendAfter(context.Context, ledger.Seen, ...envelope.Verified) ([]ledger.Receipt, error) {
	return nil, nil
}

func (readLedger) AppendInTurn(context.Context, ledger.Seen, ledger.Decider) ([]ledger.Receipt, error) {
	return nil, nil
}

// What folding costs, and rebuilding: 100,000 statements of 100 resellers. Of the customers' every fourth opens an account, every
// tenth is about an owner, and every customer is named five times.
func BenchmarkFold(b *testing.B) {
	const entries, resellers = 100_000, 100
	day := statement.DateOf(epoch)
	collected := []string{"name", "address", "payment", "email", "telephone", "ip-addresses"}
	for _, of := range []struct {
		name string
		said func(i int) (customer string, said statement.Statement)
	}{
		{"attestations", func(int) (string, statement.Statement) { return "", statement.CIPAttestation{Occasion: "annual"} }},
		{"customers", func(i int) (string, statement.Statement) {
			customer := fmt.Sprintf("0190f0a0-0000-7000-8000-%012d", i/resellers/5)
			switch {
			case i/resellers%4 == 0:
				return customer, statement.AccountStatus{Account: fmt.Sprint("account-", i), Status: "opened", On: day, Plan: "paid", Products: []string{"storage"}}
			case i/resellers%10 == 1:
				return customer, statement.CustomerVerification{Party: "owner", Form: "individual", Result: "verified", CheckedOn: day, RiskTier: "low",
					Method: "both", Countries: &statement.Countries{Home: "PT"}, Collected: collected, Owner: &statement.Owner{ID: "owner-1", Basis: "control"}}
			}
			return customer, statement.CustomerVerification{Party: "customer", Form: "individual", Result: "verified", CheckedOn: day, RiskTier: "low",
				Method: "documentary", Countries: &statement.Countries{Home: []string{"BR", "CL", "PT"}[i%3]}, Collected: collected}
		}},
	} {
		log := make(readLedger, entries)
		for i := range log {
			about := envelope.Entity(fmt.Sprintf("https://provider.example/e/reseller-%d", i%resellers))
			log[i] = statement.Entry{LeafIndex: int64(i), AcceptedAt: epoch, About: about, By: about, JTI: fmt.Sprintf("0190f0a0-0000-7000-8000-%012d", i)}
			log[i].Customer, log[i].Statement = of.said(i)
		}
		for _, store := range migrationstest.Stores {
			b.Run(of.name+"/"+store, func(b *testing.B) {
				signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
				if err != nil {
					b.Fatal(err)
				}
				w := &world{now: epoch}
				d, err := New(b.Context(), migrationstest.Open(b, migrationstest.URL(b, store)), log, signer, self, policy.Default(), w.clock)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := d.Rebuild(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(entries*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
			})
		}
	}
}
