package docket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Asked is a reseller about whose case people are asked now.
type Asked struct {
	File      File
	Approvals []escalation.Approval // that are pending and put before people, the earliest step before the others
	Place     AskedPlace
}

// AskedPlace is where the list of Asked goes on.
type AskedPlace struct {
	At time.Time // when the first step falls due that is asked about
	ID envelope.ID
}

// Asked returns up to limit resellers about whose cases people are asked, the one whose step falls due first first: those after a place.
// What was decided since the docket last judged a case is not in it. Of a case that is pinned to a policy that this gateway was not given
// no approval is known: it is listed without one, and a Watch names it.
func (d *Docket) Asked(ctx context.Context, after *AskedPlace, limit int) ([]Asked, error) {
	var rows []fileRow
	if err := askedAfter(d.db.WithContext(ctx), after, limit).Find(&rows).Error; err != nil {
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
		all[i] = Asked{File: file, Place: AskedPlace{At: timeOrZero(row.ApprovalAt), ID: file.ID()}}
		p, err := d.PolicyOf(file)
		if errors.Is(err, policy.ErrUnknown) {
			continue // whose approvals are asked all the same stand behind it
		}
		if err != nil {
			return nil, err
		}
		for _, a := range escalation.Approvals(&p, file.Entity, file.Case, file.History, house, now) {
			if a.Pending() && !now.Before(a.AskedAt) {
				all[i].Approvals = append(all[i].Approvals, a)
			}
		}
	}
	return all, nil
}

// askedAfter finds the files that people are asked about by the index of those alone. It says what the index says word for word, not as a
// parameter: only so does a store that prepared the query know that the index holds all that is looked for.
func askedAfter(db *gorm.DB, after *AskedPlace, limit int) *gorm.DB {
	query := db.Where("approval_at < 9223372036854775807").Order("approval_at, id").Limit(limit)
	if after != nil {
		query = query.Where("(approval_at, id) > (?, ?)", after.At.UnixMicro(), after.ID[:])
	}
	return query
}
