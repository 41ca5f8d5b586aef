package docket

import (
	"context"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Asked is a reseller about whose case people are asked now.
type Asked struct {
	File      File
	Approvals []escalation.Approval // that are pending and put before people, the step that falls due first first
	Place     AskedPlace
}

// AskedPlace is where the list of Asked goes on.
type AskedPlace struct {
	At time.Time // when the first step falls due that is asked about
	ID envelope.ID
}

// Asked returns up to limit resellers about whose cases people are asked, the one whose step falls due first first: those after a place.
// What was decided since the docket last judged a case is not in it.
func (d *Docket) Asked(ctx context.Context, after *AskedPlace, limit int) ([]Asked, error) {
	query := d.db.WithContext(ctx).Where("approval_at < ?", never).Order("approval_at, id").Limit(limit)
	if after != nil {
		query = query.Where("(approval_at, id) > (?, ?)", after.At.UnixMicro(), after.ID[:])
	}
	var rows []fileRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing what people are asked: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	house, err := d.House(ctx)
	if err != nil {
		return nil, err
	}
	now := d.now()
	all := make([]Asked, len(rows))
	for i, row := range rows {
		file, err := row.toFile()
		if err != nil {
			return nil, err
		}
		file.House = house
		p, err := d.PolicyOf(file)
		if err != nil {
			return nil, err
		}
		all[i] = Asked{File: file, Place: AskedPlace{At: timeOrZero(row.ApprovalAt), ID: file.ID()}}
		for _, a := range escalation.Approvals(p, file.Entity, file.Case, file.History, house, now) {
			if a.Pending() && !now.Before(a.AskedAt) {
				all[i].Approvals = append(all[i].Approvals, a)
			}
		}
	}
	return all, nil
}
