package docket

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
)

// namedLedger is a ledger whose every entry verifies a customer by name, and one that imposes measures: what is measured is screening,
// with the names already read.
type namedLedger struct{ measures []statement.Entry }

func (namedLedger) Entries(context.Context, int64, int, ...statement.Kind) ([]statement.Entry, error) {
	return nil, nil
}

func (l namedLedger) About(_ context.Context, _ envelope.ID, from int64, _ int) ([]statement.Entry, error) {
	for i, e := range l.measures {
		if e.LeafIndex >= from {
			return l.measures[i:], nil
		}
	}
	return nil, nil
}

func (namedLedger) At(_ context.Context, leafIndexes ...int64) ([]statement.Entry, error) {
	entries := make([]statement.Entry, len(leafIndexes))
	for i, leafIndex := range leafIndexes {
		entries[i] = statement.Entry{LeafIndex: leafIndex, Statement: statement.CustomerVerification{
			Identity: &statement.Identity{Name: fmt.Sprintf("Customer Number %d of Example", leafIndex), Aliases: []string{fmt.Sprint("Example ", leafIndex)}}}}
	}
	return entries, nil
}

// What screening everybody again costs: 100,000 customers and 10,000 owners of 100 resellers, of whom every fiftieth falls under a
// country's measure, when one measure comes into force, and when a hundred persons are named as well.
func BenchmarkScreen(b *testing.B) {
	const resellers, customers, owners = 100, 100_000, 10_000
	for _, of := range []struct {
		name    string
		persons int
	}{{"a country", 0}, {"a country and 100 persons", 100}} {
		for _, store := range migrationstest.Stores {
			b.Run(of.name+"/"+store, func(b *testing.B) {
				db := migrationstest.Open(b, migrationstest.URL(b, store))
				fill(b, db, resellers, customers, owners)
				day := func(n int) statement.Date { return statement.DateOf(epoch.AddDate(0, 0, n)) }
				impose := func(i int, scope statement.MeasureScope) statement.Entry {
					return statement.Entry{LeafIndex: int64(1_000_000 + i), Statement: statement.SpecialMeasureImposed{Measure: fmt.Sprint("m-", i), Scope: scope,
						Effect: "prohibit", DeterminedOn: day(-200), EffectiveOn: day(-1), ExpiresOn: day(300), List: "list-1", Source: "s"}}
				}
				log := namedLedger{measures: []statement.Entry{impose(0, country("IR"))}}
				for i := range of.persons {
					log.measures = append(log.measures, impose(i+1, person(fmt.Sprintf("Wanted Person %d Nobody", i), fmt.Sprint("Alias of ", i))))
				}
				w := &world{now: epoch}
				hits := int64(0)
				b.ReportAllocs()
				for b.Loop() {
					if err := NewScreener(db, log, self, likeness, w.clock).Rebuild(b.Context()); err != nil {
						b.Fatal(err)
					}
					if err := db.Model(&hitRow{}).Count(&hits).Error; err != nil {
						b.Fatal(err)
					}
				}
				if hits < (customers+owners)/50 {
					b.Fatalf("%d hits", hits)
				}
				b.ReportMetric(float64(hits), "hits")
				b.ReportMetric((resellers+customers+owners)*float64(b.N)/b.Elapsed().Seconds(), "parties/s")
			})
		}
	}
}

// fill puts resellers with customers and owners on file, as folding does.
func fill(b *testing.B, db *gorm.DB, resellers, customers, owners int) {
	b.Helper()
	d := &Docket{db: db, now: func() time.Time { return epoch }}
	s := d.sheetOf()
	verified := func(i int) history.Verification {
		return history.Verification{Result: history.Verified, Home: []string{"BR", "IR"}[min(1, max(0, 1-i%50))], AcceptedAt: epoch, LeafIndex: int64(i + 1), JTI: fmt.Sprint("j-", i)}
	}
	for i := range resellers {
		entity := envelope.Entity(fmt.Sprintf("https://provider.example/e/reseller-%d", i))
		id := entity.ID()
		row := fileRow{ID: id[:], Entity: string(entity), Name: "Example", Country: "DE", Standing: "good", History: "{}", Escalation: "{}", NextAt: never, SuperiorID: []byte{}}
		if err := db.Create(&row).Error; err != nil {
			b.Fatal(err)
		}
		for j := i; j < customers; j += resellers {
			customer := fmt.Sprintf("0190f0a0-0000-7000-8000-%012d", j)
			s.customers[keyOf(id, customer)] = history.Customer{ID: customer, Verification: verified(j / resellers)}
			if j < owners {
				s.owners[keyOf(id, customer, "o-1")] = history.Owner{ID: "o-1", Verification: verified(j / resellers)}
			}
		}
	}
	rows, err := s.rows(escalation.House{}, epoch)
	if err != nil {
		b.Fatal(err)
	}
	err = db.Transaction(rows.write)
	if err != nil {
		b.Fatal(err)
	}
}
