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
	same func(db *gorm.DB, row Row) *gorm.DB   // the row, if nobody has taken it since it was read
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
		for _, row := range due {
			lease, err := uuid.NewRandom()
			if err != nil {
				return fmt.Errorf("making a lease: %w", err)
			}
			held := of.same(tx.Model(new(Row)), row).Updates(map[string]any{"lease": lease.String(), "leased_until": now.Add(leaseTime).UnixMicro()})
			if held.Error != nil {
				return held.Error
			}
			if held.RowsAffected == 1 {
				of.hold(&row, lease.String())
				taken = append(taken, row)
			}
		}
		return nil
	})
	return taken, err
}
