package delivery

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// leases is how rows that one process works on at a time are found, and taken.
type leases[Row any] struct {
	due  func(db *gorm.DB, now int64) *gorm.DB // those that are due and that nobody holds, in order
	id   func(row Row) (column, value string)
	hold func(row *Row, lease string)
}

// takeLeases takes up to limit rows for a while.
func takeLeases[Row any](ctx context.Context, d *Delivery, limit int, of leases[Row]) (taken []Row, err error) {
	now := d.Now()
	// Mostly nothing is due, and that needs no transaction.
	var some []Row
	if err := of.due(d.DB.WithContext(ctx), now.UnixMicro()).Limit(1).Find(&some).Error; err != nil || len(some) == 0 {
		return nil, err
	}
	err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		query := of.due(tx, now.UnixMicro())
		if tx.Name() == "postgres" {
			// Others that look at the same time take other rows, and do not wait.
			query = query.Clauses(clause.Locking{Strength: "UPDATE", Options: "SKIP LOCKED"})
		}
		var due []Row
		if err := query.Limit(limit).Find(&due).Error; err != nil {
			return err
		}
		if len(due) == 0 {
			return nil
		}
		lease, err := uuid.NewRandom()
		if err != nil {
			return fmt.Errorf("making a lease: %w", err)
		}
		column, ids := "", make([]string, len(due))
		for i := range due {
			column, ids[i] = of.id(due[i])
			of.hold(&due[i], lease.String())
		}
		// On PostgreSQL they are locked, on SQLite nobody else writes.
		held := tx.Model(new(Row)).Where(column+" IN ? AND leased_until <= ?", padded(ids), now.UnixMicro()).
			Updates(map[string]any{"lease": lease.String(), "leased_until": now.Add(leaseTime).UnixMicro()})
		if held.Error != nil {
			return held.Error
		}
		if held.RowsAffected != int64(len(due)) {
			return fmt.Errorf("of %d rows that nobody held, %d could be taken", len(due), held.RowsAffected)
		}
		taken = due
		return nil
	})
	return taken, err
}
