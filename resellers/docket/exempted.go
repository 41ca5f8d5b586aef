package docket

import (
	"context"
	"fmt"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Exempted returns up to limit files of resellers that are exempt from the rules of their programs, or were once, ordered by id: those
// after one. Whom a measure prohibits is not in them.
func (d *Docket) Exempted(ctx context.Context, after *envelope.ID, limit int) ([]File, error) {
	query := d.db.WithContext(ctx).Where("exempt_until > 0").Order("id").Limit(limit)
	if after != nil {
		query = query.Where("id > ?", after[:])
	}
	var rows []fileRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing exempt resellers: %w", err)
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
