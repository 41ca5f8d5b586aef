package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/notices"
)

// orders are the kinds that order something.
var orders = []statement.Kind{statement.KindRestrictionOrdered, statement.KindClosureOrdered, statement.KindHandOverOrdered}

// Reaches says whether an order about a reseller is one that a system of the provider may speak of: it came over the system's stream, or
// that tells of such orders about that reseller. A stream that was disabled, or deleted, tells of nothing.
func (d *Delivery) Reaches(ctx context.Context, system notices.Audience, reseller envelope.Entity, order string) (bool, error) {
	var row streamRow
	err := d.DB.WithContext(ctx).Where("audience = ? AND status <> ?", string(system), statusDisabled).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a system's stream: %w", err)
	}
	var told []noticeRow
	err = d.DB.WithContext(ctx).Select("audience", "kind", "tries").Where("audience IN ? AND jti = ? AND about = ? AND kind IN ? AND leaf_index >= 0",
		[]string{string(system), string(notices.OfReseller(reseller))}, order, string(reseller), orders).Order("audience").Limit(2).Find(&told).Error
	if err != nil || len(told) == 0 {
		return false, err
	}
	if slices.ContainsFunc(told, func(n noticeRow) bool { return n.Audience == string(system) && n.Tries > 0 }) {
		return true, nil
	}
	stream, err := row.toStream()
	if err != nil {
		return false, err
	}
	var removed int64
	err = d.DB.WithContext(ctx).Model(&removedRow{}).Where("stream_id = ? AND subject = ?", row.ID, string(reseller)).Count(&removed).Error
	if err != nil {
		return false, fmt.Errorf("looking whether a stream tells of a reseller: %w", err)
	}
	return removed == 0 && slices.Contains(stream.kinds(), statement.Kind(told[0].Kind)), nil
}
