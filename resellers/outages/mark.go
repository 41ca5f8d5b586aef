package outages

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm/clause"
)

// markRow is the one row of the last mark.
type markRow struct {
	ID       int
	MarkedAt int64
	StoreAt  int64
}

func (markRow) TableName() string { return "outages_mark" }

func rowOf(m Mark) markRow {
	return markRow{ID: 1, MarkedAt: m.Machine.UnixMicro(), StoreAt: m.Store.UnixMicro()}
}

func (row markRow) toMark() Mark {
	if row.ID == 0 {
		return Mark{}
	}
	return Mark{Machine: time.UnixMicro(row.MarkedAt).UTC(), Store: time.UnixMicro(row.StoreAt).UTC()}
}

// storeClock is how PostgreSQL tells its time, in microseconds.
const storeClock = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"

// read returns the last mark, zero if there is none, and now by both clocks.
func (o *Outages) read(ctx context.Context) (last, now Mark, err error) {
	db := o.DB.WithContext(ctx)
	var rows []markRow
	if err := db.Where("id = 1").Order("id").Limit(1).Find(&rows).Error; err != nil {
		return last, now, fmt.Errorf("reading when the gateway took submissions last: %w", err)
	}
	if len(rows) > 0 {
		last = rows[0].toMark()
	}
	now.Machine = o.Clock.Machine()
	now.Store = now.Machine
	if o.DB.Name() == "postgres" {
		var micros int64
		if err := db.Raw(storeClock).Scan(&micros).Error; err != nil {
			return last, now, fmt.Errorf("asking the store for its time: %w", err)
		}
		now.Store = time.UnixMicro(micros).UTC()
	}
	return last, now, nil
}

// mark leaves a mark in the place of the last one. Where another process left one meanwhile it leaves that: an older time must never
// stand over a newer one.
func (o *Outages) mark(ctx context.Context, last, now Mark) error {
	db := o.DB.WithContext(ctx)
	row := rowOf(now)
	if last.Machine.IsZero() {
		if err := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
			return fmt.Errorf("marking that the gateway takes submissions: %w", err)
		}
		return nil
	}
	before := rowOf(last)
	err := db.Model(&markRow{}).Where("id = 1 AND marked_at = ? AND store_at = ?", before.MarkedAt, before.StoreAt).
		Updates(map[string]any{"marked_at": row.MarkedAt, "store_at": row.StoreAt}).Error
	if err != nil {
		return fmt.Errorf("marking that the gateway takes submissions: %w", err)
	}
	return nil
}

// MarkedAt returns when the gateway took submissions last, by the machine's clock, as the store knows it; zero if it never did.
func (o *Outages) MarkedAt(ctx context.Context) (time.Time, error) {
	var rows []markRow
	if err := o.DB.WithContext(ctx).Where("id = 1").Order("id").Limit(1).Find(&rows).Error; err != nil {
		return time.Time{}, fmt.Errorf("reading when the gateway took submissions last: %w", err)
	}
	if len(rows) == 0 {
		return time.Time{}, nil
	}
	return rows[0].toMark().Machine, nil
}
