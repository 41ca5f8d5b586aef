package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Enrol takes a reseller in: token is that of its invitation, raw its self-signed entity configuration. Its identifier is
// the one that this gateway hosts, or an https URL of its own whose well-known address serves the same keys. It returns
// once the enrolment is committed and the entity's statements are accepted here, or, where the invitation or the policy asks
// for an officer's approval, once it waits for that: then the Entity is Pending. The same configuration under the same
// invitation again is answered as the first time, or as what became of it. Errors wrap ErrInvitation, ErrRefused (with
// the *envelope.Fault that names the check), ErrTaken, or the ledger's.
func (r *Registry) Enrol(ctx context.Context, token string, raw []byte) (Entity, error) {
	invited, err := r.invitation(ctx, token)
	if err != nil {
		return Entity{}, err
	}
	if known, err := r.answered(ctx, invited, raw); err != nil || known.Entity != "" {
		return known, err
	}
	config, err := readConfiguration(raw, r.self, r.now())
	if err != nil {
		return Entity{}, err
	}
	if err := config.isBelow(envelope.Entity(invited.Superior)); err != nil {
		return Entity{}, err
	}
	if err := r.mayBe(ctx, config.Issuer, invited); err != nil {
		return Entity{}, err
	}
	if invited.moves() {
		return r.move(ctx, invited, config, raw)
	}
	if err := r.keysFree(ctx, config.Issuer, config.thumbprints()); err != nil {
		return Entity{}, err
	}
	if invited.Recovery == "" { // whoever is enrolled already gets new keys, however its superior stands
		if err := r.mayHaveBelow(ctx, envelope.Entity(invited.Superior), "/claims/authority_hints"); err != nil {
			return Entity{}, err
		}
	}
	if !r.hosts(config.Issuer) {
		if err := r.servedByItsHost(ctx, config); err != nil {
			return Entity{}, err
		}
	}
	if r.waits(invited) {
		return r.apply(ctx, invited, config, raw)
	}
	applied := applicationRow{Entity: string(config.Issuer), JWKS: config.statements.Marshal(),
		FederationJWKS: config.federation.Marshal(), Configuration: string(raw)}
	if err := r.state(ctx, invited, applied); err != nil {
		return Entity{}, err
	}
	if err := r.CatchUp(ctx); err != nil {
		return Entity{}, err
	}
	return r.Entity(ctx, config.Issuer.ID())
}

// answered is what an invitation that was used before is answered with; no Entity if it was not.
func (r *Registry) answered(ctx context.Context, invited invitationRow, raw []byte) (Entity, error) {
	known, err := r.row(ctx, "invitation = ?", invited.ID)
	if err == nil {
		if known.Configuration == string(raw) {
			return r.entity(ctx, known)
		}
		return Entity{}, fmt.Errorf("%w: this invitation enrolled %s at %s; its keys change through rotation, not through a second enrolment",
			ErrTaken, known.Entity, timeOf(known.EnrolledAt).Format(time.RFC3339))
	}
	if !errors.Is(err, ErrNotFound) {
		return Entity{}, err
	}
	return r.applied(ctx, invited, raw)
}

// hosts says whether an identifier lies under this gateway, which then serves its configuration.
func (r *Registry) hosts(entity envelope.Entity) bool {
	return strings.HasPrefix(string(entity), string(r.self)+"/e/")
}

// mayBe says whether the holder of an invitation may enrol under this identifier: the one that was reserved for it, or,
// for a first enrolment, any that nobody has and that is not this gateway's to give.
func (r *Registry) mayBe(ctx context.Context, entity envelope.Entity, invited invitationRow) error {
	refuse := func(wanted, fix string) error {
		return fmt.Errorf("%w: %w", ErrRefused, &envelope.Fault{Reason: envelope.ErrMalformed, Pointer: "/claims/iss",
			Wanted: wanted, Got: fmt.Sprintf("%.200q", string(entity)), Fix: fix})
	}
	if _, err := envelope.ParseEntity(string(entity)); err != nil {
		return fmt.Errorf("%w: /claims/iss: %w", ErrRefused, err)
	}
	if invited.Recovery != "" {
		if string(entity) != invited.Entity {
			return refuse(invited.Entity, "This invitation gives new keys to the entity that lost its own, and to no other.")
		}
		return nil
	}
	if string(entity) != invited.Entity && (entity == r.self || strings.HasPrefix(string(entity), string(r.self)+"/")) {
		return refuse(invited.Entity+", or an https URL of your own", "Identifiers under this gateway are given by invitation: set iss and sub to the one of yours and sign again.")
	}
	switch _, err := r.row(ctx, "entity = ?", string(entity)); {
	case err == nil:
		return fmt.Errorf("%w: %s is enrolled already; whoever has lost all its keys asks the provider for a new invitation", ErrTaken, entity)
	case !errors.Is(err, ErrNotFound):
		return err
	}
	return nil
}

// state appends the enrolment to the ledger, and behind it what else belongs to the same act. Its jti is the
// invitation's, so one invitation enrols once, whichever of several gateway processes is asked; and a first enrolment
// must be the first entry about its entity.
func (r *Registry) state(ctx context.Context, invited invitationRow, applied applicationRow, besides ...envelope.Verified) error {
	entity := envelope.Entity(applied.Entity)
	tier, err := r.tierOf(ctx, invited)
	if err != nil {
		return err
	}
	enrolled, err := r.sign(entity, invited.ID, statement.EntityEnrolled{
		Entity: entity, Name: invited.Name, Country: invited.Country,
		Superior: envelope.Entity(invited.Superior), Contact: invited.Contact, LEI: invited.LEI, Tier: tier,
		Invitation:     invited.ID,
		FederationKeys: applied.FederationJWKS, Keys: applied.JWKS,
		Configuration: applied.Configuration,
	})
	if err != nil {
		return err
	}
	sets := append([]envelope.Verified{enrolled}, besides...)
	if invited.moves() {
		return r.stateMove(ctx, entity, sets)
	}
	if invited.Recovery != "" {
		lost, err := r.allKeysLost(ctx, applied)
		if err != nil {
			return err
		}
		if _, err := r.ledger.Append(ctx, append(lost, sets...)...); err != nil {
			return stated(entity, err)
		}
		return r.unpublish(ctx, entity.ID())
	}
	_, err = r.ledger.AppendAfter(ctx, ledger.Seen{About: entity.ID(), LeafIndex: -1}, sets...)
	return stated(entity, err)
}

func stated(entity envelope.Entity, err error) error {
	if errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTwin) {
		return fmt.Errorf("%w: %s was enrolled a moment ago with another configuration, or its keys changed", ErrTaken, entity)
	}
	if err != nil {
		return fmt.Errorf("recording the enrolment: %w", err)
	}
	return nil
}

// sign makes a SET of the gateway about an entity.
func (r *Registry) sign(about envelope.Entity, jti string, said statement.Statement) (envelope.Verified, error) {
	set, err := r.signer.Sign(envelope.Draft{
		Issuer: r.self, Audience: r.self, IssuedAt: r.now(), JTI: jti, EventURI: said.Kind().URI(), Event: said,
		Subject: envelope.Subject{Format: "uri", URI: string(about)},
	})
	if err != nil {
		return envelope.Verified{}, fmt.Errorf("signing a %s about %s: %w", said.Kind(), about, err)
	}
	// What a fold could not read back must never get into the ledger.
	if _, err := statement.Decode(set); err != nil {
		return envelope.Verified{}, fmt.Errorf("a %s about %s that breaks its own schema: %w", said.Kind(), about, err)
	}
	return set, nil
}
