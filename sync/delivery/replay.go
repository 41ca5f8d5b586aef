package delivery

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/sync/notices"
)

// Replay makes an audience's notices wait again that were addressed at a time or later, whatever became of them, so that a receiver that
// lost what it had gets them once more, in order; it returns how many. When each was acknowledged first, and what proves it, stands.
// Errors wrap ErrNoStream where there is no stream to bring them over.
func (d *Delivery) Replay(ctx context.Context, audience notices.Audience, since time.Time) (count int64, err error) {
	err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lock(tx, string(audience)); err != nil {
			return err
		}
		woken := tx.Model(&streamRow{}).Where("audience = ?", string(audience)).
			Updates(anew(map[string]any{}))
		if woken.Error != nil {
			return woken.Error
		}
		if woken.RowsAffected == 0 {
			return fmt.Errorf("%w: wanted a receiver that has one: make it first, what was not acknowledged waits for it", ErrNoStream)
		}
		// The stream's own events tell of a moment that is over.
		again := tx.Model(&noticeRow{}).Where("audience = ? AND addressed_at >= ? AND leaf_index >= 0 AND state IN ?", string(audience), since.UnixMicro(), []State{Acknowledged, Parked}).
			Updates(map[string]any{"state": Waiting, "err": "", "description": ""})
		count = again.RowsAffected
		return again.Error
	})
	if err != nil {
		return 0, fmt.Errorf("bringing notices again: %w", err)
	}
	d.announce()
	return count, nil
}
