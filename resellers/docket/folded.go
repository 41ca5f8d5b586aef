package docket

import (
	"context"
	"fmt"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Folded is how far a file was folded, and how its reseller stands.
type Folded struct {
	Entity   envelope.Entity
	Seen     int64 // leaf index of the newest entry about the reseller
	Standing escalation.Standing
}

// ID is the file's.
func (f Folded) ID() envelope.ID { return f.Entity.ID() }

// Folded returns up to limit files by their ids, those after one; all of them if that is empty.
func (d *Docket) Folded(ctx context.Context, after []byte, limit int) ([]Folded, error) {
	if after == nil {
		after = []byte{}
	}
	var rows []fileRow
	if err := d.db.WithContext(ctx).Select("id, entity, seen, standing").Where("id > ?", after).Order("id").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading how far files are folded: %w", err)
	}
	all := make([]Folded, len(rows))
	for i, row := range rows {
		standing, err := escalation.ParseStanding(row.Standing)
		if err != nil {
			return nil, fmt.Errorf("reading how %s stands: %w", row.Entity, err)
		}
		all[i] = Folded{Entity: envelope.Entity(row.Entity), Seen: row.Seen, Standing: standing}
	}
	return all, nil
}

// Houses are what the gateway knew about itself, in the course of time.
func (d *Docket) Houses(ctx context.Context) (backtest.Houses, error) { return d.houses(ctx) }

// EachAbout calls do for every entry about an entity, in the ledger's order, until it fails.
func (d *Docket) EachAbout(ctx context.Context, about envelope.Entity, do func(statement.Entry) error) error {
	return d.eachAbout(ctx, about, do)
}
