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

// RecoveryLife is how long a proposed recovery may be approved.
const RecoveryLife = InvitationLife

type recoveryRow struct {
	ID         string
	EntityID   []byte
	Reason     string
	ProposedBy string
	ProposedAt int64
	ApprovedBy string
	ApprovedAt int64
}

func (recoveryRow) TableName() string { return "registry_recoveries" }

// ProposeRecovery is the first of two officers' words that an entity has lost all its keys and must be invited again. It
// changes nothing yet. It returns the proposal's id. Errors wrap ErrNotFound or ErrRefused.
func (r *Registry) ProposeRecovery(ctx context.Context, id envelope.ID, by statement.Officer, reason string) (string, error) {
	if err := checkReason(reason); err != nil {
		return "", err
	}
	known, err := r.row(ctx, "id = ?", id[:])
	if err != nil {
		return "", err
	}
	if known.Status == statusTerminated {
		return "", terminatedFault()
	}
	number, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("making a proposal's id: %w", err)
	}
	row := recoveryRow{ID: number.String(), EntityID: id[:], Reason: reason, ProposedBy: by.ID, ProposedAt: r.now().UnixMicro()}
	action, err := r.sign(envelope.Entity(known.Entity), "recovery-proposed-"+row.ID, statement.OfficerAction{Officer: by, Action: "recovery.proposed",
		On: statement.Target{Type: "reseller", ID: known.Entity}, Reason: reason, Details: []statement.Field{{Name: "proposal", Value: row.ID}}})
	if err != nil {
		return "", err
	}
	if err := r.db.WithContext(ctx).Create(&row).Error; err != nil {
		return "", fmt.Errorf("keeping a proposal: %w", err)
	}
	if _, err := r.ledger.Append(ctx, action); err != nil {
		return "", fmt.Errorf("recording a proposal: %w", err)
	}
	return row.ID, nil
}

// ApproveRecovery is the second officer's word, and must be another person's: it makes the invitation by which the
// entity enrols new keys under its old identifier. Its old keys end when they are replaced. Errors wrap ErrNotFound,
// ErrSamePerson, ErrTaken, or the ledger's.
func (r *Registry) ApproveRecovery(ctx context.Context, id envelope.ID, proposal string, by statement.Officer) (Invited, error) {
	known, err := r.row(ctx, "id = ?", id[:])
	if err != nil {
		return Invited{}, err
	}
	if known.Status == statusTerminated {
		return Invited{}, terminatedFault()
	}
	var row recoveryRow
	err = r.db.WithContext(ctx).Where("id = ? AND entity_id = ?", proposal, id[:]).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Invited{}, fmt.Errorf("%w with such a proposal", ErrNotFound)
	}
	if err != nil {
		return Invited{}, fmt.Errorf("looking for a proposal: %w", err)
	}
	now := r.now()
	switch proposed := timeOf(row.ProposedAt); {
	case row.ProposedBy == by.ID:
		return Invited{}, fmt.Errorf("%w: it was proposed by %s, and nobody approves what they proposed", ErrSamePerson, row.ProposedBy)
	case row.ApprovedBy != "":
		return Invited{}, fmt.Errorf("%w: it was approved at %s, and its token is told once; propose it again if that is lost", ErrTaken, timeOf(row.ApprovedAt).Format(time.RFC3339))
	case !now.Before(proposed.Add(RecoveryLife)):
		return Invited{}, fmt.Errorf("%w: it was proposed at %s and may be approved for %d days; propose it again", ErrTaken, proposed.Format(time.RFC3339), RecoveryLife/(24*time.Hour))
	}
	action, err := r.sign(envelope.Entity(known.Entity), "recovery-approved-"+row.ID, statement.OfficerAction{Officer: by, Action: "recovery.approved",
		On: statement.Target{Type: "reseller", ID: known.Entity}, Reason: row.Reason,
		ProposedBy: &statement.Officer{ID: row.ProposedBy, Name: row.ProposedBy}, Details: []statement.Field{{Name: "proposal", Value: row.ID}}})
	if err != nil {
		return Invited{}, err
	}
	invited, invitation, err := r.recoveryInvitation(known, row.ID)
	if err != nil {
		return Invited{}, err
	}
	// The action is stated first: an invitation of which the ledger knows nothing must not be given out.
	if _, err := r.ledger.Append(ctx, action); errors.Is(err, ledger.ErrTwin) {
		return Invited{}, fmt.Errorf("%w: another officer approved it a moment ago", ErrTaken)
	} else if err != nil {
		return Invited{}, fmt.Errorf("recording an approval: %w", err)
	}
	err = r.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		done := tx.Model(&recoveryRow{}).Where("id = ? AND approved_by = ''", row.ID).Updates(map[string]any{"approved_by": by.ID, "approved_at": now.UnixMicro()})
		if done.Error != nil {
			return done.Error
		}
		if done.RowsAffected == 0 {
			return ErrTaken
		}
		return tx.Create(&invitation).Error
	})
	if err != nil {
		return Invited{}, fmt.Errorf("keeping the invitation: %w", err)
	}
	return invited, nil
}

// recoveryInvitation makes an invitation with what is on record of an entity.
func (r *Registry) recoveryInvitation(known entityRow, recovery string) (Invited, invitationRow, error) {
	token, err := newToken()
	if err != nil {
		return Invited{}, invitationRow{}, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return Invited{}, invitationRow{}, fmt.Errorf("making an invitation's id: %w", err)
	}
	now := r.now()
	expires := now.Add(InvitationLife)
	return Invited{Token: token, Entity: envelope.Entity(known.Entity), ExpiresAt: expires}, invitationRow{
		TokenHash: hashOf(token), ID: id.String(), Entity: known.Entity, Name: known.Name, Country: known.Country, Contact: known.Contact,
		Superior: known.Superior, LEI: known.LEI, CreatedAt: now.UnixMicro(), ExpiresAt: expires.UnixMicro(), Recovery: recovery,
	}, nil
}
