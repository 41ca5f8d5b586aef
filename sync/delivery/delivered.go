package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/sync/notices"
)

// Delivered says, by jti, when these notices of a reseller first reached its software or one of its contacts: a receiver took the push or
// fetched it, or a mail server took the mail. That is less than a proof: nobody has said yet that it was read.
func (d *Delivery) Delivered(ctx context.Context, about envelope.Entity, jtis []string) (map[string]time.Time, error) {
	by := map[string]time.Time{}
	if len(jtis) == 0 {
		return by, nil
	}
	var rows []struct {
		JTI string `gorm:"column:jti"`
		At  int64
	}
	err := d.DB.WithContext(ctx).Table("delivery_notices").Select("delivery_notices.jti AS jti, MIN(delivery_attempts.at) AS at").
		Joins("JOIN delivery_attempts ON delivery_attempts.audience = delivery_notices.audience AND delivery_attempts.sequence = delivery_notices.sequence").
		Where("delivery_notices.about = ? AND delivery_notices.jti IN ?", string(about), jtis).
		Where("delivery_notices.audience = ? OR delivery_notices.audience LIKE ?", string(notices.OfReseller(about)), string(notices.ContactAudiences)).
		Where("delivery_attempts.problem = '' AND (delivery_attempts.method = 'poll' OR delivery_attempts.status BETWEEN 200 AND 299)").
		Group("delivery_notices.jti").Order("delivery_notices.jti").Limit(len(jtis)).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for when notices were delivered: %w", err)
	}
	for _, row := range rows {
		by[row.JTI] = timeOrZero(row.At)
	}
	return by, nil
}
