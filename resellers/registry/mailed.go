package registry

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Contacts returns the mail addresses at which an entity is told what concerns it: those of its contacts that were confirmed, none
// where nobody has confirmed yet that somebody reads them. An entity that is not enrolled has none.
func (r *Registry) Contacts(ctx context.Context, of envelope.Entity) ([]string, error) {
	var row entityRow
	id := of.ID()
	err := r.db.WithContext(ctx).Select("contact", "contact_confirmed_at").Where("id = ?", id[:]).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && row.ContactConfirmedAt == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking up the contacts of %s: %w", of, err)
	}
	return []string{row.Contact}, nil
}
