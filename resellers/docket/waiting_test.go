package docket

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/history"
)

// growing is a ledger in memory that grew so far.
type growing struct{ readLedger }

func (g *growing) Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error) {
	return g.readLedger.Entries(ctx, from, limit, kinds...)
}

func (g *growing) Size(ctx context.Context) (int64, error) { return g.readLedger.Size(ctx) }

// statedNext is what a reseller states next of one of its customers, in no order of days.
func statedNext(random *rand.Rand, leafIndex int64) statement.Entry {
	about := []envelope.Entity{silent, late}[random.IntN(2)]
	e := statement.Entry{LeafIndex: leafIndex, AcceptedAt: epoch.Add(time.Duration(leafIndex/3) * time.Second), About: about, By: about,
		JTI: fmt.Sprint(leafIndex), Customer: fmt.Sprint("c-", random.IntN(12))}
	on := statement.DateOf(epoch.AddDate(0, 0, int(leafIndex)/8-random.IntN(9)))
	if random.IntN(2) == 0 {
		e.Statement = statement.AccountStatus{Account: fmt.Sprint("a-", random.IntN(2)), On: on,
			Status: []string{"opened", "closed", "limited"}[random.IntN(3)]}
		return e
	}
	said := statement.CustomerVerification{Party: "customer", Form: "individual", CheckedOn: on,
		Result: []string{"verified", "not-verified"}[random.IntN(2)], RiskTier: []string{"low", "medium", "high"}[random.IntN(3)]}
	if random.IntN(4) == 0 {
		said.USPerson = &statement.USPerson{Found: true, ReasonableBelief: true, Basis: "in-us", Method: "both"}
	}
	e.Statement = said
	return e
}

// counted is who waits longest, by asking every customer.
func counted(t *testing.T, d *Docket, reseller envelope.ID) history.Waiting {
	t.Helper()
	customers, err := d.Customers(t.Context(), reseller, CustomerFilter{}, nil, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var waiting history.Waiting
	for _, c := range customers {
		if q, waiter, waits := c.Waits(); waits {
			waiting.Join(q, waiter)
		}
	}
	return waiting
}

func TestAFileKnowsWhoWaitedLongestHoweverTheLedgerIsCutIntoPages(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		log := &growing{}
		d, err := w.docket(w.db, log)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		changes := map[history.Waiting]bool{}
		for range 120 {
			for range 1 + random.IntN(20)/(1+random.IntN(6)) {
				log.readLedger = append(log.readLedger, statedNext(random, int64(len(log.readLedger))))
			}
			if _, err := d.Turn(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, entity := range []envelope.Entity{silent, late} {
				file, err := d.Open(t.Context(), entity.ID())
				if err != nil {
					continue // nothing was stated of it yet
				}
				if want := counted(t, d, entity.ID()); file.History.Waiting != want {
					t.Fatalf("after entry %d\n got  %+v\n want %+v", len(log.readLedger)-1, file.History.Waiting, want)
				}
				changes[file.History.Waiting] = true
			}
		}
		if len(changes) < 50 {
			t.Errorf("only %d different answers: nothing was tried", len(changes))
		}
	})
}
