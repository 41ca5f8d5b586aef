package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
)

// ConfirmationLife is how long a contact may follow the link it was given.
const ConfirmationLife = 14 * 24 * time.Hour

// actionConfirmed is the officer's action by which the ledger knows that a contact is reached: the officer gave out the
// link, and somebody who has it followed it.
const actionConfirmed = "contact.confirmed"

type confirmationRow struct {
	TokenHash []byte
	ID        string
	EntityID  []byte
	Contact   string
	AskedBy   string
	ExpiresAt int64
}

func (confirmationRow) TableName() string { return "registry_confirmations" }

// Confirmation is a link by which a contact confirms that it is reached. Token is told once and kept only as its hash.
type Confirmation struct {
	Token     string
	Contact   string
	ExpiresAt time.Time
}

// AskContact makes the link for an entity's contact. Errors wrap ErrNotFound.
func (r *Registry) AskContact(ctx context.Context, id envelope.ID, by statement.Officer) (Confirmation, error) {
	known, err := r.row(ctx, "id = ?", id[:])
	if err != nil {
		return Confirmation{}, err
	}
	return r.ask(ctx, id, known.Contact, by)
}

// ConfirmContact takes the word of whoever holds a link that the contact is reached, and returns the entity with that contact and the
// time. The same link again changes nothing. Errors wrap ErrInvitation, ErrTaken (the contact is another one by now), or
// the ledger's.
func (r *Registry) ConfirmContact(ctx context.Context, token string) (Entity, error) {
	known, row, err := r.confirmation(ctx, token)
	if err != nil {
		return Entity{}, err
	}
	entity := envelope.Entity(known.Entity)
	confirmed, err := r.sign(entity, "contact-confirmed-"+row.ID, row.stated(known))
	if err != nil {
		return Entity{}, err
	}
	if _, err := r.ledger.Append(ctx, confirmed); err != nil && !errors.Is(err, ledger.ErrTwin) {
		return Entity{}, fmt.Errorf("recording that a contact is reached: %w", err)
	}
	if err := r.CatchUp(ctx); err != nil {
		return Entity{}, err
	}
	e, err := r.Entity(ctx, entity.ID())
	if err != nil || row.Contact == known.Contact {
		return e, err
	}
	second, err := r.SecondOf(ctx, entity.ID())
	e.Contact, e.ContactConfirmedAt = second.Address, second.ConfirmedAt
	return e, err
}

// AskedContact returns what a link asks: whose contact confirms, and until when. It changes nothing. Errors are as of ConfirmContact.
func (r *Registry) AskedContact(ctx context.Context, token string) (Entity, Confirmation, error) {
	known, row, err := r.confirmation(ctx, token)
	if err != nil {
		return Entity{}, Confirmation{}, err
	}
	return known.toEntity(), Confirmation{Token: token, Contact: row.Contact, ExpiresAt: timeOf(row.ExpiresAt)}, nil
}

// confirmation finds a link that holds, and the entity whose contact it was given to.
func (r *Registry) confirmation(ctx context.Context, token string) (entityRow, confirmationRow, error) {
	var row confirmationRow
	err := r.db.WithContext(ctx).Where("token_hash = ?", hashOf(token)).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return entityRow{}, row, fmt.Errorf("%w: no such link was given out; the token is the last part of its address", ErrInvitation)
	}
	if err != nil {
		return entityRow{}, row, fmt.Errorf("looking up a link: %w", err)
	}
	if expires := timeOf(row.ExpiresAt); !r.now().Before(expires) {
		return entityRow{}, row, fmt.Errorf("%w: this link expired at %s; ask your provider for a new one", ErrInvitation, expires.Format(time.RFC3339))
	}
	known, err := r.row(ctx, "id = ?", row.EntityID)
	if err != nil {
		return entityRow{}, row, err
	}
	second, err := r.second(ctx, envelope.ID(known.ID))
	if err != nil {
		return entityRow{}, row, err
	}
	if known.Contact != row.Contact && second.Address != row.Contact {
		return entityRow{}, row, fmt.Errorf("%w: this link was given to the contact of then; ask your provider for one for the contact of today", ErrTaken)
	}
	return known, row, nil
}
