package docket

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Backtest replays every reseller's past under p, and on without anything new being said until a time: whom p would have warned,
// closed and terminated, beside what the ledger says happened. progress is told after each reseller how many of them are done; it may be
// nil. Nothing is written, nothing is stated. What is in memory at once is the pasts of as many resellers as there are processors.
func (d *Docket) Backtest(ctx context.Context, p policy.Policy, until time.Time, progress func(done, of int)) (backtest.Report, error) {
	if err := d.CatchUp(ctx); err != nil {
		return backtest.Report{}, err
	}
	var of int64
	if err := d.db.WithContext(ctx).Model(&fileRow{}).Count(&of).Error; err != nil {
		return backtest.Report{}, fmt.Errorf("counting the resellers: %w", err)
	}
	houses, err := d.houses(ctx)
	if err != nil {
		return backtest.Report{}, err
	}
	report := backtest.NewReport(p, until)
	var adding sync.Mutex
	replays, ctx := errgroup.WithContext(ctx)
	replays.SetLimit(runtime.GOMAXPROCS(0))
	err = d.eachEntity(ctx, func(entity envelope.Entity) {
		replays.Go(func() error {
			r, was, entries := backtest.New(p, houses, entity), []backtest.Stated(nil), 0
			err := d.eachAbout(ctx, entity, func(e statement.Entry) error {
				if line, happened := backtest.Was(e); happened {
					was = append(was, line)
				}
				entries++
				return r.Take(e)
			})
			if err != nil {
				return err
			}
			would, err := r.Until(until)
			if err != nil {
				return err
			}
			adding.Lock()
			defer adding.Unlock()
			report.Add(entity, entries, was, would)
			if report.Resellers%memoryEach == 0 || report.Resellers == int(of) {
				report.Memory = max(report.Memory, heapNow())
			}
			if progress != nil {
				progress(report.Resellers, int(of))
			}
			return nil
		})
	})
	if failed := replays.Wait(); failed != nil {
		err = failed
	}
	if err != nil {
		return backtest.Report{}, fmt.Errorf("backtest: %w", err)
	}
	return report, nil
}

// houses are what the gateway knew about itself, in the course of time.
func (d *Docket) houses(ctx context.Context) (backtest.Houses, error) {
	var own []statement.Entry
	err := d.eachAbout(ctx, d.self, func(e statement.Entry) error {
		if changesHouse(e) {
			own = append(own, e)
		}
		return nil
	})
	return backtest.HousesOf(own), err
}

// eachAbout calls do for every entry about an entity, in the ledger's order.
func (d *Docket) eachAbout(ctx context.Context, entity envelope.Entity, do func(statement.Entry) error) error {
	for from := int64(0); ; {
		some, err := d.ledger.About(ctx, entity.ID(), from, page)
		if err != nil {
			return fmt.Errorf("reading what stands about %s: %w", entity, err)
		}
		if len(some) == 0 {
			return nil
		}
		for _, e := range some {
			if err := do(e); err != nil {
				return err
			}
		}
		from = some[len(some)-1].LeafIndex + 1
	}
}

// memoryEach is after how many resellers is looked how much memory is in use.
const memoryEach = 50

// heapNow is how many bytes the program's objects take, those that are not swept yet included.
func heapNow() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// eachEntity calls do for every entity that has a file, in the order of their ids.
func (d *Docket) eachEntity(ctx context.Context, do func(envelope.Entity)) error {
	last := []byte{}
	for {
		var rows []fileRow
		if err := d.db.WithContext(ctx).Select("id, entity").Where("id > ?", last).Order("id").Limit(page).Find(&rows).Error; err != nil {
			return fmt.Errorf("reading who has a file: %w", err)
		}
		for _, row := range rows {
			do(envelope.Entity(row.Entity))
		}
		if len(rows) == 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		last = rows[len(rows)-1].ID
	}
}
