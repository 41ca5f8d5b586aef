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
	"github.com/cipgate/cipgate/resellers/escalation"
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

func TestACustomerThatWaitsIsFoundOnItsDayAndCuredByTheStatementThatEndsTheWait(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.enrol(late)
		w.attest(late)
		w.account(late, "c-1", "a-1", "opened")
		w.account(late, "c-2", "a-1", "opened")
		d := w.mustDocket()
		due := w.now.Add(30 * day)
		if next, err := d.Sweep(t.Context()); err != nil || !next.Equal(due) {
			t.Fatalf("wakes at %v, %v, wanted %v", next, err, due)
		}
		standing := func(now time.Time) (escalation.Standing, []escalation.Open) {
			t.Helper()
			w.now = now
			if _, err := d.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			file, err := d.Open(t.Context(), late.ID())
			if err != nil {
				t.Fatal(err)
			}
			return file.Case.Standing, file.Case.Findings
		}
		if is, open := standing(due.Add(-time.Second)); is != escalation.Good {
			t.Fatalf("a second before: %s, %+v", is, open)
		}
		if is, open := standing(due); is != escalation.Warned || len(open) != 1 || open[0].Rule != "customer.unverified" {
			t.Fatalf("on the day: %s, %+v", is, open)
		}
		w.verify(late, "c-1", "BR", "low")
		// That one was verified without a word on what was collected, which is a shortfall of its own.
		if is, open := standing(due.Add(time.Hour)); is != escalation.Warned || len(open) != 2 || open[0].Rule != "customer.unverified" {
			t.Fatalf("one of two: %s, %+v", is, open)
		}
		w.account(late, "c-2", "a-1", "closed")
		if is, open := standing(due.Add(2 * time.Hour)); is != escalation.Watch || len(open) != 1 || open[0].Rule != "customer.incomplete" {
			t.Errorf("both: %s, %+v", is, open)
		}
	})
}
