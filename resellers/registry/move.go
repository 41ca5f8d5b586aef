package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// A reseller comes under another superior, most often since its own is closing, by an invitation like the first one: it names the new
// superior, and the reseller answers with its entity configuration, which names it too, signed by the key that it has. Its identifier,
// its keys and all that it stated stay: only who stands above it is another.

// movePrefix marks the invitation of a move in the column that a recovery has its id in: neither is a first enrolment.
const movePrefix = "move-"

// moves says that an invitation brings an enrolled entity under another superior.
func (row invitationRow) moves() bool { return strings.HasPrefix(row.Recovery, movePrefix) }

const actionMoving = "superior.offered"

// InviteUnder makes the invitation by which an enrolled entity comes under another superior: an enrolled reseller, or the gateway itself.
// That an officer made it stands in the ledger; the entity moves when it answers. Errors wrap ErrNotFound, ErrRefused or the ledger's.
func (r *Registry) InviteUnder(ctx context.Context, id envelope.ID, superior envelope.Entity, by statement.Officer, reason string) (Invited, error) {
	if err := checkReason(reason); err != nil {
		return Invited{}, err
	}
	if superior == "" {
		superior = r.self
	}
	if err := r.CatchUp(ctx); err != nil {
		return Invited{}, err
	}
	known, err := r.row(ctx, "id = ?", id[:])
	if err != nil {
		return Invited{}, err
	}
	if err := r.mayMove(ctx, known, superior); err != nil {
		return Invited{}, err
	}
	number, err := uuid.NewV7()
	if err != nil {
		return Invited{}, fmt.Errorf("making an invitation's id: %w", err)
	}
	invited, row, err := r.recoveryInvitation(known, movePrefix+number.String())
	if err != nil {
		return Invited{}, err
	}
	row.Superior = string(superior)
	action, err := r.sign(envelope.Entity(known.Entity), "superior-offered-"+number.String(), statement.OfficerAction{Officer: by, Action: actionMoving,
		On: statement.Target{Type: "reseller", ID: known.Entity}, Reason: reason, Details: []statement.Field{{Name: "superior", Value: string(superior)}}})
	if err != nil {
		return Invited{}, err
	}
	// The action is stated first: an invitation of which the ledger knows nothing must not be given out.
	if _, err := r.ledger.Append(ctx, action); err != nil {
		return Invited{}, fmt.Errorf("recording an invitation: %w", err)
	}
	if err := r.db.WithContext(ctx).Create(&row).Error; err != nil {
		return Invited{}, fmt.Errorf("keeping an invitation: %w", err)
	}
	return invited, nil
}

// mayMove refuses a superior under which an entity cannot come: one that cannot have anybody below it, the one that it has, itself, or
// somebody below it.
func (r *Registry) mayMove(ctx context.Context, known entityRow, superior envelope.Entity) error {
	switch {
	case known.Status == statusTerminated:
		return terminatedFault()
	case string(superior) == known.Superior:
		return refusedClaim("/superior", "another superior than the reseller has", fmt.Sprintf("%.200q, under which it is enrolled", string(superior)), "Name another one. GET /v1/resellers lists who is enrolled.")
	}
	if err := r.mayHaveBelow(ctx, superior, "/superior"); err != nil {
		return err
	}
	for above := superior; above != r.self; {
		if string(above) == known.Entity {
			return refusedClaim("/superior", "a reseller that is not below this one", fmt.Sprintf("%.200q, which is this reseller or sells for it", string(superior)), "Name another one: a chain has an end.")
		}
		row, err := r.row(ctx, "entity = ?", string(above))
		if err != nil {
			return fmt.Errorf("looking who stands above %s: %w", above, err)
		}
		above = envelope.Entity(row.Superior)
	}
	return nil
}

// move enrols an entity under another superior: with the keys that it has, by one of which its configuration is signed.
func (r *Registry) move(ctx context.Context, invited invitationRow, config configuration, raw []byte) (Entity, error) {
	if err := r.CatchUp(ctx); err != nil {
		return Entity{}, err
	}
	known, err := r.row(ctx, "entity = ?", string(config.Issuer))
	if err != nil {
		return Entity{}, err
	}
	if err := r.mayMove(ctx, known, envelope.Entity(invited.Superior)); err != nil {
		return Entity{}, err
	}
	spans, err := r.spans(ctx, config.Issuer.ID(), r.now())
	if err != nil {
		return Entity{}, err
	}
	for purpose, keys := range map[string]envelope.Keys{PurposeStatement: config.statements, PurposeFederation: config.federation} {
		current := inForce(spans, purpose, r.now())
		for _, thumbprint := range keys.Thumbprints() {
			if !slices.ContainsFunc(current, func(row keyRow) bool { return row.Thumbprint == thumbprint }) {
				return Entity{}, refusedClaim("/claims/jwks", "the keys with which you are enrolled", "a key that is not one of them (thumbprint "+thumbprint+")",
					"Sign with the key that you have; a new one comes by rotation (POST /enrolments/{id}/jwks), before or after this.")
			}
		}
	}
	entity, err := r.entity(ctx, known)
	if err != nil {
		return Entity{}, err
	}
	if err := r.state(ctx, invited, applicationRow{Entity: string(config.Issuer), JWKS: entity.JWKS, FederationJWKS: entity.Federation, Configuration: string(raw)}); err != nil {
		return Entity{}, err
	}
	if err := r.CatchUp(ctx); err != nil {
		return Entity{}, err
	}
	return r.Entity(ctx, config.Issuer.ID())
}

// stateMove appends the enrolment under another superior. If the relationship is ended in the same moment it changes nothing but the
// name of who stood above.
func (r *Registry) stateMove(ctx context.Context, entity envelope.Entity, sets []envelope.Verified) error {
	_, err := r.ledger.Append(ctx, sets...)
	if err := stated(entity, err); err != nil {
		return err
	}
	return r.unpublish(ctx, entity.ID())
}

// mostBelow bounds how deep a chain is walked.
const mostBelow = 100

// settleTiers counts anew how far below the provider everybody stands who is below an entity, inside a transaction: with it they all came
// nearer or went further down.
func settleTiers(tx *gorm.DB, above string, tier, depth int) error {
	var below []entityRow
	if err := tx.Where("superior = ? AND tier <> ?", above, tier+1).Order("entity").Limit(page).Find(&below).Error; err != nil || depth > mostBelow {
		return err
	}
	for len(below) > 0 {
		for _, row := range below {
			if err := tx.Model(&entityRow{}).Where("id = ?", row.ID).Update("tier", tier+1).Error; err != nil {
				return err
			}
			if err := settleTiers(tx, row.Entity, tier+1, depth+1); err != nil {
				return err
			}
		}
		below = nil
		if err := tx.Where("superior = ? AND tier <> ?", above, tier+1).Order("entity").Limit(page).Find(&below).Error; err != nil {
			return err
		}
	}
	return nil
}
