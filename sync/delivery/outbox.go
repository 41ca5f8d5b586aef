package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/notices"
)

const (
	// keptAttempts is how many attempts are kept of each notice: the newest.
	keptAttempts = 50
	// maxErr, maxProblem and maxResponse bound what is kept of a receiver's words.
	maxErr, maxProblem, maxResponse = 100, 1000, 500
	maxRequest                      = 300
)

// waiting returns what waits for a stream, in order: of a stream that is not enabled only what tells that it was stopped.
func (d *Delivery) waiting(ctx context.Context, s Stream, limit int) ([]noticeRow, error) {
	kinds := []string{kindUpdated}
	if s.Status == StatusEnabled {
		kinds = append(kinds, "")
		for _, kind := range s.kinds() {
			kinds = append(kinds, string(kind))
		}
	}
	// The state stands in the statement itself: the store has an index of those that wait.
	query := d.DB.WithContext(ctx).Where("audience = ? AND state = 'waiting' AND kind IN ?", string(s.Audience), kinds)
	if s.Audience.IsSystem() {
		query = query.Where("NOT EXISTS (SELECT 1 FROM delivery_removed r WHERE r.stream_id = ? AND r.subject = delivery_notices.about)", s.ID)
	}
	var rows []noticeRow
	if err := query.Order("sequence").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("looking for what waits: %w", err)
	}
	return rows, nil
}

// attempted keeps that notices were sent or handed out, inside a transaction. The rows' tries are those before.
func attempted(tx *gorm.DB, rows []noticeRow, a Attempt) error {
	attempts := make([]attemptRow, len(rows))
	sequences := make([]int64, len(rows))
	for i, row := range rows {
		sequences[i], attempts[i] = row.Sequence, attemptOf(row, a)
	}
	if err := keepAttempts(tx, attempts); err != nil {
		return err
	}
	err := tx.Model(&noticeRow{}).Where("audience = ? AND sequence IN ?", rows[0].Audience, padded(sequences)).Update("tries", gorm.Expr("tries + 1")).Error
	if err != nil {
		return fmt.Errorf("counting attempts: %w", err)
	}
	return nil
}

// attemptOf is an attempt of a notice; its tries are those before.
func attemptOf(row noticeRow, a Attempt) attemptRow {
	return attemptRow{Audience: row.Audience, Sequence: row.Sequence, Number: row.Tries % keptAttempts, At: a.At.UnixMicro(), Method: a.Method,
		Status: a.Status, Latency: a.Latency.Microseconds(), Problem: cut(a.Problem, maxProblem), Request: cut(a.Request, maxRequest), Response: cut(a.Response, maxResponse)}
}

// keepAttempts stores attempts, of each notice in place of the oldest that is kept.
func keepAttempts(tx *gorm.DB, attempts []attemptRow) error {
	key := []clause.Column{{Name: "audience"}, {Name: "sequence"}, {Name: "number"}}
	if err := store(tx, attempts, clause.OnConflict{Columns: key, UpdateAll: true}); err != nil {
		return fmt.Errorf("keeping attempts: %w", err)
	}
	return nil
}

// Fault is why a receiver cannot take a notice (RFC 8935, section 2.4).
type Fault struct {
	Err         string `json:"err"`
	Description string `json:"description"`
}

// settle notes what a receiver said of notices, by their jti: that it has them, or why it cannot take them. What it said first
// of a notice that it took stands.
func (d *Delivery) settle(tx *gorm.DB, audience notices.Audience, acknowledged []string, faults map[string]Fault) error {
	if err := lock(tx, string(audience)); err != nil {
		return err
	}
	if len(acknowledged) > 0 {
		if err := d.proveByStream(tx, audience, acknowledged); err != nil {
			return err
		}
		err := tx.Model(&noticeRow{}).Where("audience = ? AND jti IN ? AND state IN ?", string(audience), padded(acknowledged), []State{Waiting, Parked}).
			Updates(map[string]any{"state": Acknowledged, "acknowledged_at": firstAcknowledged(d.Now()), "err": "", "description": ""}).Error
		if err != nil {
			return fmt.Errorf("noting acknowledgements: %w", err)
		}
	}
	for jti, fault := range faults {
		err := tx.Model(&noticeRow{}).Where("audience = ? AND jti = ? AND state = ?", string(audience), jti, Waiting).
			Updates(map[string]any{"state": Parked, "err": cut(fault.Err, maxErr), "description": cut(fault.Description, maxProblem)}).Error
		if err != nil {
			return fmt.Errorf("parking a notice: %w", err)
		}
	}
	return nil
}

// firstAcknowledged keeps when a notice was acknowledged first: one that is brought again (replay.go) was had before.
func firstAcknowledged(now time.Time) clause.Expr {
	return gorm.Expr("CASE WHEN acknowledged_at = 0 THEN ? ELSE acknowledged_at END", now.UnixMicro())
}

// proveByStream keeps that a reseller acknowledged notices that it had not acknowledged before. A system of the provider proves
// nothing about a reseller.
func (d *Delivery) proveByStream(tx *gorm.DB, audience notices.Audience, acknowledged []string) error {
	if audience.IsSystem() {
		return nil
	}
	var rows []noticeRow
	err := tx.Where("audience = ? AND jti IN ? AND state IN ?", string(audience), padded(acknowledged), []State{Waiting, Parked}).
		Order("sequence").Limit(len(acknowledged)).Find(&rows).Error
	if err != nil {
		return fmt.Errorf("looking for what was acknowledged: %w", err)
	}
	return d.proved(tx, rows, statement.ChannelSETAcknowledged, "")
}

// Notices returns an audience's notices behind a number, in order, with their attempts: at most limit.
func (d *Delivery) Notices(ctx context.Context, audience notices.Audience, after int64, limit int) ([]Notice, error) {
	var rows []noticeRow
	err := d.DB.WithContext(ctx).Where("audience = ? AND sequence > ?", string(audience), after).Order("sequence").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("listing notices: %w", err)
	}
	return d.withAttempts(ctx, rows)
}

// withAttempts are notices of one audience with their attempts.
func (d *Delivery) withAttempts(ctx context.Context, rows []noticeRow) ([]Notice, error) {
	if len(rows) == 0 {
		return []Notice{}, nil
	}
	list, place, sequences := make([]Notice, len(rows)), map[int64]int{}, make([]int64, len(rows))
	for i, row := range rows {
		list[i], place[row.Sequence], sequences[i] = row.toNotice(), i, row.Sequence
	}
	var attempts []attemptRow
	err := d.DB.WithContext(ctx).Where("audience = ? AND sequence IN ?", rows[0].Audience, sequences).
		Order("sequence, at DESC, number DESC").Limit(keptAttempts * max(1, len(rows))).Find(&attempts).Error
	if err != nil {
		return nil, fmt.Errorf("listing attempts: %w", err)
	}
	for _, row := range attempts {
		notice := &list[place[row.Sequence]]
		notice.Attempts = append(notice.Attempts, row.toAttempt())
	}
	return list, nil
}

// Retry makes a notice wait again that is parked, and be tried at once. One that was acknowledged stays so. Errors wrap ErrNoNotice.
func (d *Delivery) Retry(ctx context.Context, audience notices.Audience, sequence int64) (Notice, error) {
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lock(tx, string(audience)); err != nil {
			return err
		}
		if err := tx.Model(&noticeRow{}).Where("audience = ? AND sequence = ? AND state = ?", string(audience), sequence, Parked).
			Updates(map[string]any{"state": Waiting, "err": "", "description": "", "mail": ""}).Error; err != nil {
			return err
		}
		if audience.IsPerson() {
			return wakePerson(tx, string(audience))
		}
		return tx.Model(&streamRow{}).Where("audience = ?", string(audience)).
			Updates(anew(map[string]any{})).Error
	})
	if err != nil {
		return Notice{}, fmt.Errorf("retrying a notice: %w", err)
	}
	d.announce()
	var row noticeRow
	err = d.DB.WithContext(ctx).Where("audience = ? AND sequence = ?", string(audience), sequence).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Notice{}, ErrNoNotice
	}
	if err != nil {
		return Notice{}, fmt.Errorf("reading a notice: %w", err)
	}
	return row.toNotice(), nil
}

// cut keeps the beginning of what somebody else wrote, as one line of plain text.
func cut(text string, most int) string {
	clean := []rune{}
	size := 0
	for _, r := range text {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			r = ' '
		}
		if size += len(string(r)); size > most {
			break
		}
		clean = append(clean, r)
	}
	return string(clean)
}
