package docket

import (
	"context"
	"fmt"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Cases returns up to limit files of resellers of which a finding or a case is open, ordered by id: those after one. Whom a measure
// prohibits is not in them. The index desk_cases holds the same standings.
func (d *Docket) Cases(ctx context.Context, after *envelope.ID, limit int) ([]File, error) {
	query := d.db.WithContext(ctx).Where("standing IN ('watch', 'warned', 'restricted', 'closing')").Order("id").Limit(limit)
	if after != nil {
		query = query.Where("id > ?", after[:])
	}
	var rows []fileRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing cases: %w", err)
	}
	files := make([]File, len(rows))
	for i, row := range rows {
		var err error
		if files[i], err = row.toFile(); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// Approvals returns what people are or will be asked about the open case of a file, by the policy that it is pinned to.
func (d *Docket) Approvals(ctx context.Context, file File) ([]escalation.Approval, error) {
	p, err := d.PolicyOf(file)
	if err != nil {
		return nil, err
	}
	house, err := d.House(ctx)
	if err != nil {
		return nil, err
	}
	return escalation.Approvals(&p, file.Entity, file.Case, file.History, house, d.now()), nil
}
