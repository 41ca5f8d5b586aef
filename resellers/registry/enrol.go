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

// Enrol takes a reseller in: token is that of its invitation, raw its self-signed entity configuration.
// It returns once the enrolment is committed and the entity's statements are accepted here. The same
// configuration under the same invitation again is answered as the first time. Errors wrap ErrInvitation,
// ErrRefused (with the *envelope.Fault that names the check), ErrTaken, or the ledger's.
func (r *Registry) Enrol(ctx context.Context, token string, raw []byte) (Entity, error) {
	invited, err := r.invitation(ctx, token)
	if err != nil {
		return Entity{}, err
	}
	id := envelope.Entity(invited.Entity).ID()
	if known, err := r.Entity(ctx, id); err == nil {
		if known.Configuration == string(raw) {
			return known, nil
		}
		return Entity{}, fmt.Errorf("%w: this invitation enrolled %s at %s; its keys change through rotation, not through a second enrolment",
			ErrTaken, known.Entity, known.EnrolledAt.Format(time.RFC3339))
	} else if !errors.Is(err, ErrNotFound) {
		return Entity{}, err
	}
	config, err := readConfiguration(raw, r.self, r.now())
	if err != nil {
		return Entity{}, err
	}
	if string(config.Issuer) != invited.Entity {
		return Entity{}, fmt.Errorf("%w: %w", ErrRefused, &envelope.Fault{Reason: envelope.ErrMalformed, Pointer: "/claims/iss",
			Wanted: invited.Entity, Got: string(config.Issuer),
			Fix: "This gateway enrols the identifier that it hosts for you: set iss and sub to it and sign again."})
	}
	if err := r.keysFree(ctx, config); err != nil {
		return Entity{}, err
	}
	if err := r.state(ctx, id, invited, config, raw); err != nil {
		return Entity{}, err
	}
	if err := r.CatchUp(ctx); err != nil {
		return Entity{}, err
	}
	return r.Entity(ctx, id)
}

// state appends the enrolment to the ledger. Its jti is the invitation's, so one invitation enrols once,
// whichever of several gateway processes is asked; and it must be the first entry about its entity.
func (r *Registry) state(ctx context.Context, id envelope.ID, invited invitationRow, config configuration, raw []byte) error {
	enrolled, err := r.signer.Sign(envelope.Draft{
		Issuer: r.self, Audience: r.self, IssuedAt: r.now(), JTI: invited.ID,
		EventURI: statement.EntityEnrolled{}.Kind().URI(),
		Subject:  envelope.Subject{Format: "uri", URI: invited.Entity},
		Event: statement.EntityEnrolled{
			Entity: envelope.Entity(invited.Entity), Name: invited.Name, Country: invited.Country,
			Superior: envelope.Entity(invited.Superior), Contact: invited.Contact, LEI: invited.LEI, Tier: 1,
			Invitation:     invited.ID,
			FederationKeys: config.federation.Marshal(), Keys: config.statements.Marshal(),
			Configuration: string(raw),
		},
	})
	if err != nil {
		return fmt.Errorf("signing the enrolment: %w", err)
	}
	// What a fold could not read back must never get into the ledger.
	if _, err := statement.Decode(enrolled); err != nil {
		return fmt.Errorf("the enrolment of %s breaks its own schema: %w", invited.Entity, err)
	}
	_, err = r.ledger.AppendAfter(ctx, ledger.Seen{About: id, LeafIndex: -1}, enrolled)
	if errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTwin) {
		return fmt.Errorf("%w: %s was enrolled a moment ago with another configuration", ErrTaken, invited.Entity)
	}
	if err != nil {
		return fmt.Errorf("recording the enrolment: %w", err)
	}
	return nil
}

type keyRow struct {
	Thumbprint string
	Entity     string
}

func (keyRow) TableName() string { return "registry_keys" }

// keysFree refuses a key that another entity enrolled: who shares a key can sign in the other's name.
func (r *Registry) keysFree(ctx context.Context, config configuration) error {
	thumbprints := append(config.statements.Thumbprints(), config.federation.Thumbprints()...)
	var taken keyRow
	err := r.db.WithContext(ctx).Where("thumbprint IN ?", thumbprints).Order("thumbprint").Limit(1).Take(&taken).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for the keys: %w", err)
	}
	return fmt.Errorf("%w: the key with thumbprint %s is enrolled for another entity; make a fresh key for this one", ErrTaken, taken.Thumbprint)
}
