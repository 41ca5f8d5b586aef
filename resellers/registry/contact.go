package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
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
	token, err := newToken()
	if err != nil {
		return Confirmation{}, err
	}
	number, err := uuid.NewV7()
	if err != nil {
		return Confirmation{}, fmt.Errorf("making a link's id: %w", err)
	}
	expires := r.now().Add(ConfirmationLife)
	row := confirmationRow{TokenHash: hashOf(token), ID: number.String(), EntityID: id[:], Contact: known.Contact, AskedBy: by.ID, ExpiresAt: expires.UnixMicro()}
	if err := r.db.WithContext(ctx).Create(&row).Error; err != nil {
		return Confirmation{}, fmt.Errorf("keeping a link: %w", err)
	}
	return Confirmation{Token: token, Contact: known.Contact, ExpiresAt: expires}, nil
}

// ConfirmContact takes the word of whoever holds a link that the contact is reached, and returns the entity with the
// time. The same link again changes nothing. Errors wrap ErrInvitation, ErrTaken (the contact is another one by now), or
// the ledger's.
func (r *Registry) ConfirmContact(ctx context.Context, token string) (Entity, error) {
	known, row, err := r.confirmation(ctx, token)
	if err != nil {
		return Entity{}, err
	}
	entity := envelope.Entity(known.Entity)
	by := statement.Officer{ID: row.AskedBy, Name: row.AskedBy}
	confirmed, err := r.sign(entity, "contact-confirmed-"+row.ID, statement.OfficerAction{Officer: by, Action: actionConfirmed,
		On: statement.Target{Type: "reseller", ID: known.Entity}, Reason: "The contact followed the link that this officer gave out.",
		Details: []statement.Field{{Name: "link", Value: row.ID}}})
	if err != nil {
		return Entity{}, err
	}
	if _, err := r.ledger.Append(ctx, confirmed); err != nil && !errors.Is(err, ledger.ErrTwin) {
		return Entity{}, fmt.Errorf("recording that a contact is reached: %w", err)
	}
	if err := r.CatchUp(ctx); err != nil {
		return Entity{}, err
	}
	return r.Entity(ctx, entity.ID())
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
	if known.Contact != row.Contact {
		return entityRow{}, row, fmt.Errorf("%w: this link was given to the contact of then; ask your provider for one for the contact of today", ErrTaken)
	}
	return known, row, nil
}
