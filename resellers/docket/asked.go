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

// AskedPlace is where a list goes on of what files ask of people, ordered by a time.
type AskedPlace struct {
	At time.Time // by which it is ordered: of Asked, when the first step falls due
	ID envelope.ID
}

// Asked returns up to limit resellers about whose cases people are asked, the one whose step falls due first first: those after a place.
// What was decided since the docket last judged a case is not in it. Of a case that is pinned to a policy that this gateway was not given
// no approval is known: it is listed without one, and a Watch names it.
func (d *Docket) Asked(ctx context.Context, after *AskedPlace, limit int) ([]Asked, error) {
	var rows []fileRow
	if err := askedBy(d.db.WithContext(ctx), approvalAt, after, limit).Find(&rows).Error; err != nil {
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
		all[i] = Asked{File: file, Place: placeOf(row.ApprovalAt, row.ID)}
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

// askedColumn is a column that says since or by when a file asks something of people. Its index holds the files alone that do.
type askedColumn struct {
	column string
	of     func(fileRow) int64
}

var (
	approvalAt = askedColumn{"approval_at", func(row fileRow) int64 { return row.ApprovalAt }}
	callAt     = askedColumn{"call_at", func(row fileRow) int64 { return row.CallAt }}
	reviewAt   = askedColumn{"review_at", func(row fileRow) int64 { return row.ReviewAt }}
)

// askedBy finds the files that ask something of people. The query says what the index says word for word, not as a parameter: only so
// does a store that prepared it know that the index holds all that is looked for.
func askedBy(db *gorm.DB, by askedColumn, after *AskedPlace, limit int) *gorm.DB {
	query := db.Where(by.column + " < 9223372036854775807").Order(by.column + ", id").Limit(limit)
	if after != nil {
		query = query.Where("("+by.column+", id) > (?, ?)", after.At.UnixMicro(), after.ID[:])
	}
	return query
}

// eachAsked hands the files that ask something on, in their order, until that wants no more of them: some ask nothing any more, and a page
// of a list that ended with these would look like its last.
func (d *Docket) eachAsked(ctx context.Context, by askedColumn, after *AskedPlace, page int, do func(fileRow, File) (more bool, err error)) error {
	for {
		var rows []fileRow
		if err := askedBy(d.db.WithContext(ctx), by, after, page).Find(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			file, err := row.toFile()
			if err != nil {
				return err
			}
			if more, err := do(row, file); err != nil || !more {
				return err
			}
		}
		if len(rows) < page {
			return nil
		}
		last := rows[len(rows)-1]
		place := placeOf(by.of(last), last.ID)
		after = &place
	}
}

// placeOf is where a list goes on behind a file.
func placeOf(micros int64, id []byte) AskedPlace {
	return AskedPlace{At: time.UnixMicro(micros).UTC(), ID: envelope.ID(id)}
}
