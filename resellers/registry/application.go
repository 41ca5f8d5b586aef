package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
)

const (
	decidedApproved = "approved"
	decidedRefused  = "refused"
)

// applicationRow is an enrolment that waits for an officer, or what became of it. Every check of an enrolment was passed
// when it came.
type applicationRow struct {
	Invitation     string
	EntityID       []byte
	Entity         string
	JWKS           []byte `gorm:"column:jwks"`
	FederationJWKS []byte `gorm:"column:federation_jwks"`
	Configuration  string
	ReceivedAt     int64
	Decision       string
	DecidedBy      string
	DecidedAt      int64
	Reason         string
}

func (applicationRow) TableName() string { return "registry_applications" }

// pending shows an application as the entity that it will be.
func (r *Registry) pending(ctx context.Context, row applicationRow, invited invitationRow) (Entity, error) {
	tier, err := r.tierOf(ctx, invited)
	return Entity{Entity: envelope.Entity(row.Entity), Name: invited.Name, Country: invited.Country,
		Superior: envelope.Entity(invited.Superior), Contact: invited.Contact, LEI: invited.LEI, Tier: tier, Status: statusPending,
		JWKS: row.JWKS, Federation: row.FederationJWKS, Configuration: row.Configuration}, err
}

// apply puts an enrolment before the officers.
func (r *Registry) apply(ctx context.Context, invited invitationRow, config configuration, raw []byte) (Entity, error) {
	id := config.Issuer.ID()
	row := applicationRow{Invitation: invited.ID, EntityID: id[:], Entity: string(config.Issuer), JWKS: config.statements.Marshal(),
		FederationJWKS: config.federation.Marshal(), Configuration: string(raw), ReceivedAt: r.now().UnixMicro()}
	err := r.db.WithContext(ctx).Create(&row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return Entity{}, fmt.Errorf("%w: an enrolment of %s, or with this invitation, awaits approval already", ErrTaken, config.Issuer)
	}
	if err != nil {
		return Entity{}, fmt.Errorf("putting an enrolment before the officers: %w", err)
	}
	return r.pending(ctx, row, invited)
}

// applied is what an invitation is answered with whose enrolment was put before the officers; no Entity if none was.
func (r *Registry) applied(ctx context.Context, invited invitationRow, raw []byte) (Entity, error) {
	var row applicationRow
	err := r.db.WithContext(ctx).Where("invitation = ?", invited.ID).Take(&row).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return Entity{}, nil
	case err != nil:
		return Entity{}, fmt.Errorf("looking for an enrolment that waits: %w", err)
	case row.Decision == decidedRefused:
		return Entity{}, fmt.Errorf("%w: the provider refused the enrolment of %s at %s: %s. Ask it for a new invitation once that is settled",
			ErrTaken, row.Entity, timeOf(row.DecidedAt).Format(time.RFC3339), row.Reason)
	case row.Configuration != string(raw):
		return Entity{}, fmt.Errorf("%w: this invitation's enrolment awaits approval with another configuration; send that one again to see what became of it", ErrTaken)
	}
	return r.pending(ctx, row, invited)
}

// Application is an enrolment that waits for an officer.
type Application struct {
	Entity     Entity
	ReceivedAt time.Time
}

// Applications returns the enrolments that wait for an officer, longest first: at most limit.
func (r *Registry) Applications(ctx context.Context, limit int) ([]Application, error) {
	var rows []applicationRow
	err := r.db.WithContext(ctx).Where("decision = ''").Order("received_at, invitation").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for enrolments that wait: %w", err)
	}
	waiting := make([]Application, len(rows))
	for i, row := range rows {
		var invited invitationRow
		if err := r.db.WithContext(ctx).Where("id = ?", row.Invitation).Take(&invited).Error; err != nil {
			return nil, fmt.Errorf("looking up the invitation of %s: %w", row.Entity, err)
		}
		entity, err := r.pending(ctx, row, invited)
		if err != nil {
			return nil, err
		}
		waiting[i] = Application{Entity: entity, ReceivedAt: timeOf(row.ReceivedAt)}
	}
	return waiting, nil
}

// ApproveEnrolment lets an enrolment that waits become a fact: from then on the entity's statements are accepted. That
// an officer approved it stands in the ledger beside it. Again it is answered with the entity. Errors wrap ErrNotFound,
// ErrTaken (it was refused, or a key was enrolled meanwhile), ErrRefused (its superior was terminated meanwhile), or the ledger's.
func (r *Registry) ApproveEnrolment(ctx context.Context, id envelope.ID, by statement.Officer, reason string) (Entity, error) {
	if err := checkReason(reason); err != nil {
		return Entity{}, err
	}
	row, invited, err := r.waiting(ctx, id)
	if err != nil {
		return Entity{}, err
	}
	if row.Decision == decidedRefused {
		return Entity{}, fmt.Errorf("%w: this enrolment was refused at %s; invite the reseller again", ErrTaken, timeOf(row.DecidedAt).Format(time.RFC3339))
	}
	// The decision is noted first, so that nobody refuses what is being enrolled. An approval that was cut short behind
	// that is taken up again here.
	if row.Decision == "" {
		if err := r.keysStillFree(ctx, row); err != nil {
			return Entity{}, err
		}
		if err := r.mayHaveBelow(ctx, envelope.Entity(invited.Superior), "/superior"); err != nil {
			return Entity{}, err
		}
		if err := r.decide(ctx, row, decidedApproved, by, reason); err != nil {
			return Entity{}, err
		}
	}
	if err := r.CatchUp(ctx); err != nil {
		return Entity{}, err
	}
	if known, err := r.Entity(ctx, id); !errors.Is(err, ErrNotFound) {
		return known, err
	}
	entity := envelope.Entity(row.Entity)
	action, err := r.sign(entity, "enrolment-approved-"+row.Invitation, statement.OfficerAction{Officer: by, Action: "enrolment.approved",
		On: statement.Target{Type: "reseller", ID: row.Entity}, Reason: reason})
	if err != nil {
		return Entity{}, err
	}
	if err := r.state(ctx, invited, row, action); err != nil {
		return Entity{}, err
	}
	if err := r.CatchUp(ctx); err != nil {
		return Entity{}, err
	}
	return r.Entity(ctx, id)
}

// keysStillFree looks again for keys that were enrolled by somebody else while an enrolment waited.
func (r *Registry) keysStillFree(ctx context.Context, row applicationRow) error {
	var thumbprints []string
	for _, set := range [][]byte{row.JWKS, row.FederationJWKS} {
		keys, err := envelope.ParseKeys(set)
		if err != nil {
			return fmt.Errorf("reading the keys of an enrolment: %w", err)
		}
		thumbprints = append(thumbprints, keys.Thumbprints()...)
	}
	return r.keysFree(ctx, envelope.Entity(row.Entity), thumbprints)
}

// RefuseEnrolment ends an enrolment that waits; reason is told to the reseller. The action stands in the ledger, about
// the gateway: an entity that was never enrolled has no file. Errors wrap ErrNotFound or ErrTaken.
func (r *Registry) RefuseEnrolment(ctx context.Context, id envelope.ID, by statement.Officer, reason string) error {
	if err := checkReason(reason); err != nil {
		return err
	}
	row, _, err := r.waiting(ctx, id)
	if err != nil {
		return err
	}
	if row.Decision == decidedApproved {
		return fmt.Errorf("%w: this enrolment was approved at %s; a relationship ends by termination", ErrTaken, timeOf(row.DecidedAt).Format(time.RFC3339))
	}
	action, err := r.sign(r.self, "enrolment-refused-"+row.Invitation, statement.OfficerAction{Officer: by, Action: "enrolment.refused",
		On: statement.Target{Type: "reseller", ID: row.Entity}, Reason: reason})
	if err != nil {
		return err
	}
	if row.Decision == "" {
		if err := r.decide(ctx, row, decidedRefused, by, reason); err != nil {
			return err
		}
	}
	// Refused twice, it is recorded as it was refused first.
	if _, err := r.ledger.Append(ctx, action); err != nil && !errors.Is(err, ledger.ErrTwin) {
		return fmt.Errorf("recording that an enrolment was refused: %w", err)
	}
	return nil
}

// waiting returns the newest application of an entity, decided or not, with its invitation.
func (r *Registry) waiting(ctx context.Context, id envelope.ID) (applicationRow, invitationRow, error) {
	var row applicationRow
	var invited invitationRow
	err := r.db.WithContext(ctx).Where("entity_id = ?", id[:]).Order("received_at DESC").Limit(1).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, invited, fmt.Errorf("%w whose enrolment awaits approval", ErrNotFound)
	}
	if err == nil {
		err = r.db.WithContext(ctx).Where("id = ?", row.Invitation).Take(&invited).Error
	}
	if err != nil {
		return row, invited, fmt.Errorf("looking for an enrolment that waits: %w", err)
	}
	return row, invited, nil
}

// decide notes a decision, unless another was noted first.
func (r *Registry) decide(ctx context.Context, row applicationRow, decision string, by statement.Officer, reason string) error {
	done := r.db.WithContext(ctx).Model(&applicationRow{}).Where("invitation = ? AND decision = ''", row.Invitation).
		Updates(map[string]any{"decision": decision, "decided_by": by.ID, "decided_at": r.now().UnixMicro(), "reason": reason})
	if done.Error != nil {
		return fmt.Errorf("noting what was decided: %w", done.Error)
	}
	if done.RowsAffected == 0 {
		return fmt.Errorf("%w: another officer decided about this enrolment a moment ago", ErrTaken)
	}
	return nil
}

// checkReason refuses a reason that the ledger could not keep: each action of an officer gives one.
func checkReason(reason string) error {
	control := strings.ContainsFunc(reason, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || c == 0x7f })
	if strings.TrimSpace(reason) == "" || len(reason) > maxReason || control {
		return refusedClaim("/reason", fmt.Sprintf("1 to %d bytes of text", maxReason), fmt.Sprintf("%d bytes", len(reason)), "Say why, in words that others understand later.")
	}
	return nil
}

const maxReason = 8000
