package registry

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Publish takes a newer self-signed configuration of an entity whose identifier this gateway hosts, and serves it from
// then on: after a rotation the one it enrolled with names keys of yesterday, and one day it expires. It changes no keys:
// those in it must be in force already. Errors wrap ErrNotFound or ErrRefused.
func (r *Registry) Publish(ctx context.Context, id envelope.ID, raw []byte) (Entity, error) {
	config, err := readConfiguration(raw, r.self, r.now())
	if err != nil {
		return Entity{}, err
	}
	if config.Issuer.ID() != id {
		return Entity{}, refusedClaim("/claims/iss", "the entity whose id stands in the address", fmt.Sprintf("%.200q", string(config.Issuer)), "Send it to /enrolments/{id}/configuration with id = base64url SHA-256 of iss.")
	}
	if !r.hosts(config.Issuer) {
		return Entity{}, refusedClaim("/claims/iss", "an identifier that this gateway hosts", fmt.Sprintf("%.200q", string(config.Issuer)), "Serve it yourself at "+string(config.Issuer)+wellKnown+".")
	}
	known, err := r.row(ctx, "id = ?", id[:])
	if err != nil {
		return Entity{}, err
	}
	if err := config.isBelow(envelope.Entity(known.Superior)); err != nil {
		return Entity{}, err
	}
	now := r.now()
	spans, err := r.spans(ctx, id, now)
	if err != nil {
		return Entity{}, err
	}
	for _, one := range []struct {
		pointer, purpose string
		set              envelope.Keys
	}{{"/claims/jwks", PurposeFederation, config.federation}, {"/claims/metadata/cipgate/jwks", PurposeStatement, config.statements}} {
		current := inForce(spans, one.purpose, now)
		for i, thumbprint := range one.set.Thumbprints() {
			if !slices.ContainsFunc(current, func(row keyRow) bool { return row.Thumbprint == thumbprint }) {
				return Entity{}, refusedClaim(fmt.Sprintf("%s/keys/%d", one.pointer, i), "a "+one.purpose+" key of this entity that is in force", "another key (thumbprint "+thumbprint+")",
					"Rotate first (POST /enrolments/{id}/jwks), then publish the configuration with the new keys.")
			}
		}
	}
	row := configurationRow{EntityID: id[:], Configuration: string(raw), ReceivedAt: now.UnixMicro()}
	err = r.db.WithContext(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "entity_id"}}, UpdateAll: true}).Create(&row).Error
	if err != nil {
		return Entity{}, fmt.Errorf("keeping an entity configuration: %w", err)
	}
	return r.entity(ctx, known)
}

// unpublish forgets what an entity published with keys that it lost since.
func (r *Registry) unpublish(ctx context.Context, id envelope.ID) error {
	if err := r.db.WithContext(ctx).Where("entity_id = ?", id[:]).Delete(&configurationRow{}).Error; err != nil {
		return fmt.Errorf("forgetting an entity configuration: %w", err)
	}
	return nil
}
