package docket

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/history"
)

// queue keeps, in the histories of these resellers, which customers have waited longest. Mostly the entries tell; where the first
// one of a queue waits no more, the next is looked up, and is the first of those that the sheet does not hold, or one that it does.
func (s *sheet) queue(ctx context.Context, named map[envelope.ID]*File) error {
	if len(named) == 0 {
		return nil
	}
	held := map[envelope.ID][]history.Customer{}
	for k, c := range s.customers {
		if _, touched := named[k.reseller()]; touched && c.ID != "" {
			held[k.reseller()] = append(held[k.reseller()], c)
		}
	}
	for id, file := range named {
		waiting, gone := file.History.Waiting.With(held[id])
		for _, q := range gone {
			if err := s.next(ctx, id, q, len(held[id]), &waiting); err != nil {
				return err
			}
		}
		file.History.Waiting = waiting
	}
	return nil
}

// next lets the customer that has waited longest, of those that the sheet does not hold, join its queue. The sheet holds at most
// this many of the reseller's.
func (s *sheet) next(ctx context.Context, reseller envelope.ID, q history.Queue, holds int, waiting *history.Waiting) error {
	var rows []customerRow
	if err := inQueue(s.docket.db.WithContext(ctx), q).Select("key").Where("reseller_id = ?", reseller[:]).Limit(holds + 1).Find(&rows).Error; err != nil {
		return fmt.Errorf("looking for who waited longest: %w", err)
	}
	i := slices.IndexFunc(rows, func(row customerRow) bool { _, held := s.customers[recordKey(row.Key)]; return !held })
	if i < 0 {
		return nil
	}
	key := recordKey(rows[i].Key)
	first := map[recordKey]history.Customer{}
	if err := read(ctx, s.docket.db, customersTable, []recordKey{key}, first); err != nil {
		return err
	}
	if in, waiter, waits := first[key].Waits(); waits {
		waiting.Join(in, waiter)
	}
	return nil
}

// inQueue finds who stands in a queue, the longest first.
func inQueue(query *gorm.DB, q history.Queue) *gorm.DB {
	if q == history.ToVerify {
		return query.Where("unverified_since > 0").Order("unverified_since, key")
	}
	return query.Where("risk_tier = ? AND again_on > 0", string(q)).Order("again_on, key")
}

// againOn is by what customers are ordered that will have to be verified again.
func againOn(c history.Customer) int64 {
	if q, _, waits := c.Waits(); !waits || q == history.ToVerify {
		return 0
	}
	return verifiedOn(c)
}
