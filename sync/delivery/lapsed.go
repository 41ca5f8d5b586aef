package delivery

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/notices"
)

// A system of the provider is registered by its API token: that is its name, and it is let in no longer than that is in force. So its stream
// lasts as long. Its access tokens, which it gets for the key that it registered, come and go without touching the stream; so do a
// reseller's, which is registered by its enrolment. A token that is ended leaves the stream disabled (updated.go). One that expires was mostly
// forgotten: nothing more goes to whoever holds it, everything is kept, and it goes on when the token is extended.

// tokenRow is until when the token of a system is in force, as the ledger says it.
type tokenRow struct {
	Audience  string `gorm:"primaryKey"`
	ExpiresAt int64
	Lapsed    bool // its receiver was told, if it had a stream
}

func (tokenRow) TableName() string { return "delivery_tokens" }

// changedToken keeps until when a token is in force, inside the transaction that moves the cursor past what says so.
func (d *Delivery) changedToken(tx *gorm.DB, entry statement.Entry) error {
	token, ok := notices.TokenChanged(entry, d.Self)
	if !ok {
		return nil
	}
	var before []tokenRow
	if err := tx.Where("audience = ?", string(token.Audience)).Order("audience").Limit(1).Find(&before).Error; err != nil {
		return fmt.Errorf("looking for the token of a system: %w", err)
	}
	row := tokenRow{Audience: string(token.Audience), ExpiresAt: token.Until.UnixMicro()}
	kept := clause.OnConflict{Columns: []clause.Column{{Name: "audience"}}, UpdateAll: true}
	if err := tx.Clauses(kept).Create(&row).Error; err != nil {
		return fmt.Errorf("keeping until when a token is in force: %w", err)
	}
	if len(before) == 0 || !before[0].Lapsed {
		return nil
	}
	return d.tellToken(tx, token.Audience, entry.Digest.String(), false)
}

// lapse stops the streams of the systems whose tokens have expired since, each once.
func (d *Delivery) lapse(ctx context.Context) error {
	now := d.wall().UnixMicro()
	var rows []tokenRow
	err := d.DB.WithContext(ctx).Where("NOT lapsed AND expires_at > 0 AND expires_at <= ?", now).Order("expires_at, audience").Limit(maxSystems).Find(&rows).Error
	if err != nil {
		return fmt.Errorf("looking for tokens that have expired: %w", err)
	}
	for _, row := range rows {
		err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			done := tx.Model(&tokenRow{}).Where("audience = ? AND NOT lapsed AND expires_at = ?", row.Audience, row.ExpiresAt).Update("lapsed", true)
			if done.Error != nil || done.RowsAffected == 0 { // another process did it, or the token was extended meanwhile
				return done.Error
			}
			return d.tellToken(tx, notices.Audience(row.Audience), fmt.Sprintf("lapsed at %d", row.ExpiresAt), true)
		})
		if err != nil {
			return fmt.Errorf("stopping the stream of a system whose token has expired: %w", err)
		}
	}
	if len(rows) > 0 {
		d.announce()
	}
	return nil
}

// tellToken tells a system over its stream, if it has one, that the stream stands still since its token has expired, or goes on.
func (d *Delivery) tellToken(tx *gorm.DB, audience notices.Audience, because string, lapsed bool) error {
	if err := lock(tx, string(audience)); err != nil {
		return err
	}
	var rows []streamRow
	if err := tx.Where("audience = ?", string(audience)).Order("audience").Limit(1).Find(&rows).Error; err != nil {
		return fmt.Errorf("looking for the stream of a token: %w", err)
	}
	for _, row := range rows {
		if err := tx.Model(&streamRow{}).Where("id = ?", row.ID).Updates(anew(map[string]any{})).Error; err != nil {
			return fmt.Errorf("stopping a stream, or letting it go on: %w", err)
		}
		if row.Status == statusDisabled { // it told of that before, and nothing of it changed
			continue
		}
		status, told := row.Status, row.Reason
		if lapsed {
			status, told = StatusPaused, notices.ToldLapsed
		}
		if err := d.tellUpdated(tx, row, because, status, told); err != nil {
			return err
		}
	}
	return nil
}

// Expiring is a system of the provider that has a stream, and whose token expires soon, or has expired.
type Expiring struct {
	System string // the label of its token
	At     time.Time
	Lapsed bool
}

// Expiring lists the systems whose tokens expire before a time, those that have first.
func (d *Delivery) Expiring(ctx context.Context, before time.Time) ([]Expiring, error) {
	var rows []tokenRow
	err := d.DB.WithContext(ctx).Where("expires_at > 0 AND expires_at <= ?", before.UnixMicro()).
		Where("EXISTS (SELECT 1 FROM delivery_streams s WHERE s.audience = delivery_tokens.audience AND s.status <> 'disabled')").
		Order("expires_at, audience").Limit(maxSystems).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for tokens that expire: %w", err)
	}
	list := make([]Expiring, len(rows))
	for i, row := range rows {
		list[i] = Expiring{System: notices.Audience(row.Audience).ID(), At: timeOrZero(row.ExpiresAt), Lapsed: row.Lapsed}
	}
	return list, nil
}

// wall is the clock by which tokens expire: a sandbox's is moved, and lets nobody's token expire.
func (d *Delivery) wall() time.Time {
	if d.Wall == nil {
		return d.Now()
	}
	return d.Wall()
}
