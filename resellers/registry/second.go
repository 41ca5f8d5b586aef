package registry

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// A second contact is told what the first one does not answer (standing.md, "Proof of notice"). The ledger holds that there is one and
// that it is reached, by an id that names nobody; the address lies in a table of its own, so that it is gone when it is taken off.
const (
	actionSecondNamed     = "contact.second-named"
	actionSecondTaken     = "contact.second-taken-off"
	actionSecondConfirmed = "contact.second-confirmed"
	detailContact         = "contact"
	detailReplaces        = "replaces" // the one before, whose address was forgotten
)

type secondRow struct {
	EntityID    []byte
	ContactID   string
	Address     string
	ConfirmedAt int64
}

func (secondRow) TableName() string { return "registry_second_contacts" }

// Second is the second contact of an entity. The zero Second is that of one without.
type Second struct {
	Address     string
	ID          string    // as the ledger names it
	ConfirmedAt time.Time // zero until it confirmed that it is reached
}

// contactID names a contact as notices do (notices.PersonID): 96 bits of a digest of the entity and the address in small letters.
func contactID(of envelope.Entity, address string) string {
	sum := sha256.Sum256([]byte(string(of) + "\x00" + strings.ToLower(address)))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// NameSecond puts a second contact on record, in place of the one before, and makes the link by which it confirms that it is reached:
// until then it is told nothing. Errors wrap ErrNotFound, or ErrRefused and an *envelope.Fault.
func (r *Registry) NameSecond(ctx context.Context, id envelope.ID, by statement.Officer, address string) (Confirmation, error) {
	known, err := r.row(ctx, "id = ?", id[:])
	if err != nil {
		return Confirmation{}, err
	}
	refuse := func(wanted, got, fix string) error {
		return fmt.Errorf("%w: %w", ErrRefused, &envelope.Fault{Reason: envelope.ErrMalformed, Pointer: "/contact", Wanted: wanted, Got: got, Fix: fix})
	}
	if !isPlainAddress(address) {
		return Confirmation{}, refuse("one e-mail address, such as legal@reseller.example", fmt.Sprintf("%d bytes that are none", len(address)), "Give the plain address without a name.")
	}
	if strings.EqualFold(address, known.Contact) {
		return Confirmation{}, refuse("another address than the first contact's", "the same", "Name somebody else at the reseller: this one is told already.")
	}
	entity := envelope.Entity(known.Entity)
	row := secondRow{EntityID: id[:], ContactID: contactID(entity, address), Address: address}
	before, err := r.second(ctx, id)
	if err != nil {
		return Confirmation{}, err
	}
	said := statement.OfficerAction{Officer: by, Action: actionSecondNamed, On: statement.Target{Type: "reseller", ID: known.Entity},
		Reason: "A second contact is told what the first one does not answer.", Details: []statement.Field{{Name: detailContact, Value: row.ContactID}}}
	if before.ContactID != "" && before.ContactID != row.ContactID {
		said.Details = append(said.Details, statement.Field{Name: detailReplaces, Value: before.ContactID})
	}
	if err := r.record(ctx, entity, said); err != nil {
		return Confirmation{}, err
	}
	if err := r.putSecond(ctx, row, before); err != nil {
		return Confirmation{}, err
	}
	return r.ask(ctx, id, address, by)
}

// putSecond keeps a second contact's row in place of the one before, whose address is forgotten with the links that were made for it.
func (r *Registry) putSecond(ctx context.Context, row, before secondRow) error {
	err := r.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if before.Address != "" && before.Address != row.Address {
			if err := tx.Where("entity_id = ? AND contact = ?", row.EntityID, before.Address).Delete(&confirmationRow{}).Error; err != nil {
				return err
			}
		}
		return tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "entity_id"}}, UpdateAll: true}).Create(&row).Error
	})
	if err != nil {
		return fmt.Errorf("keeping a second contact: %w", err)
	}
	return nil
}

// TakeSecondOff forgets the address of the second contact. Errors wrap ErrNotFound.
func (r *Registry) TakeSecondOff(ctx context.Context, id envelope.ID, by statement.Officer, reason string) error {
	known, err := r.row(ctx, "id = ?", id[:])
	if err != nil {
		return err
	}
	second, err := r.second(ctx, id)
	if err != nil {
		return err
	}
	if second.Address == "" {
		return fmt.Errorf("%w: this reseller has no second contact", ErrNotFound)
	}
	if strings.TrimSpace(reason) == "" {
		return fmt.Errorf("%w: %w", ErrRefused, &envelope.Fault{Reason: envelope.ErrMalformed, Pointer: "/reason", Wanted: "why it is taken off, in words", Got: "none", Fix: "Say why."})
	}
	err = r.record(ctx, envelope.Entity(known.Entity), statement.OfficerAction{Officer: by, Action: actionSecondTaken, On: statement.Target{Type: "reseller", ID: known.Entity},
		Reason: reason, Details: []statement.Field{{Name: detailContact, Value: contactID(envelope.Entity(known.Entity), second.Address)}}})
	if err != nil {
		return err
	}
	err = r.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Where("entity_id = ? AND contact = ?", id[:], second.Address).Delete(&confirmationRow{}).Error; err != nil {
			return err
		}
		return tx.Where("entity_id = ? AND address = ?", id[:], second.Address).Delete(&secondRow{}).Error
	})
	if err != nil {
		return fmt.Errorf("forgetting a second contact: %w", err)
	}
	return nil
}

// record states an officer's action about an entity, and folds it.
func (r *Registry) record(ctx context.Context, about envelope.Entity, said statement.OfficerAction) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("making an entry's id: %w", err)
	}
	set, err := r.sign(about, id.String(), said)
	if err != nil {
		return err
	}
	if _, err := r.ledger.Append(ctx, set); err != nil {
		return fmt.Errorf("recording %s: %w", said.Action, err)
	}
	return r.CatchUp(ctx)
}

// SecondOf returns the second contact of an entity; the zero one where it has none.
func (r *Registry) SecondOf(ctx context.Context, id envelope.ID) (Second, error) {
	row, err := r.second(ctx, id)
	if err != nil || row.Address == "" {
		return Second{}, err
	}
	second := Second{Address: row.Address, ID: row.ContactID}
	if row.ConfirmedAt != 0 {
		second.ConfirmedAt = timeOf(row.ConfirmedAt)
	}
	return second, nil
}

// SecondContacts returns the mail address of the second contact, if it confirmed that it is reached: one at most.
func (r *Registry) SecondContacts(ctx context.Context, of envelope.Entity) ([]string, error) {
	second, err := r.SecondOf(ctx, of.ID())
	if err != nil || second.ConfirmedAt.IsZero() {
		return nil, err
	}
	return []string{second.Address}, nil
}

// second reads the second contact's row; the zero row where there is none.
func (r *Registry) second(ctx context.Context, id envelope.ID) (secondRow, error) {
	var row secondRow
	err := r.db.WithContext(ctx).Where("entity_id = ?", id[:]).Take(&row).Error
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return row, fmt.Errorf("looking up a second contact: %w", err)
	}
	return row, nil
}

// foldSecond folds what the ledger says of the second contact whose address is kept. Naming it, even again, asks it to confirm anew.
func foldSecond(tx *gorm.DB, e statement.Entry, said statement.OfficerAction) error {
	confirmedAt := int64(0)
	switch said.Action {
	case actionSecondNamed:
	case actionSecondConfirmed:
		confirmedAt = e.AcceptedAt.UnixMicro()
	default:
		return nil
	}
	id := e.About.ID()
	for _, detail := range said.Details {
		if detail.Name == detailContact {
			return tx.Model(&secondRow{}).Where("entity_id = ? AND contact_id = ?", id[:], detail.Value).Update("confirmed_at", confirmedAt).Error
		}
	}
	return nil
}

// ask makes a link by which a contact confirms that it is reached.
func (r *Registry) ask(ctx context.Context, id envelope.ID, contact string, by statement.Officer) (Confirmation, error) {
	token, err := newToken()
	if err != nil {
		return Confirmation{}, err
	}
	number, err := uuid.NewV7()
	if err != nil {
		return Confirmation{}, fmt.Errorf("making a link's id: %w", err)
	}
	expires := r.now().Add(ConfirmationLife)
	row := confirmationRow{TokenHash: hashOf(token), ID: number.String(), EntityID: id[:], Contact: contact, AskedBy: by.ID, ExpiresAt: expires.UnixMicro()}
	if err := r.db.WithContext(ctx).Create(&row).Error; err != nil {
		return Confirmation{}, fmt.Errorf("keeping a link: %w", err)
	}
	return Confirmation{Token: token, Contact: contact, ExpiresAt: expires}, nil
}

// stated is what a contact's word is recorded as.
func (row confirmationRow) stated(known entityRow) statement.OfficerAction {
	said := statement.OfficerAction{Officer: statement.Officer{ID: row.AskedBy, Name: row.AskedBy}, Action: actionConfirmed,
		On: statement.Target{Type: "reseller", ID: known.Entity}, Reason: "The contact followed the link that this officer gave out.",
		Details: []statement.Field{{Name: "link", Value: row.ID}}}
	if row.Contact != known.Contact {
		said.Action, said.Reason = actionSecondConfirmed, "The second contact followed the link that this officer gave out."
		said.Details = append(said.Details, statement.Field{Name: detailContact, Value: contactID(envelope.Entity(known.Entity), row.Contact)})
	}
	return said
}
