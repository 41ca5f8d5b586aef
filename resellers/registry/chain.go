package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// A reseller may have resellers of its own, as deep as the policy lets a statement be forwarded: what one of tier n states reaches
// this gateway through n-1 others (protocol.md, "Federation"). An officer of this gateway invites each of them, and names who stands
// right above.

// mayHaveBelow refuses a superior that can have no reseller, or no further one, below it. pointer is where it stands in what was sent.
func (r *Registry) mayHaveBelow(ctx context.Context, superior envelope.Entity, pointer string) error {
	if superior == r.self {
		return nil
	}
	refuse := func(got, fix string) error {
		return refusedClaim(pointer, "an enrolled reseller whose relationship stands, or this gateway ("+string(r.self)+")", got, fix)
	}
	if err := r.CatchUp(ctx); err != nil {
		return err
	}
	above, err := r.row(ctx, "entity = ?", string(superior))
	switch {
	case errors.Is(err, ErrNotFound):
		waits, err := r.isWaiting(ctx, superior)
		if err != nil {
			return err
		}
		if waits {
			return refuse(fmt.Sprintf("%.200q, whose enrolment awaits approval", string(superior)), "Approve its enrolment first (POST /v1/enrolments/{id}/approve); then invite its resellers.")
		}
		return refuse(fmt.Sprintf("%.200q, which is not enrolled here", string(superior)), "Invite and enrol the superior first: a chain is built from the top. GET /v1/resellers lists who is enrolled.")
	case err != nil:
		return err
	case above.Status == statusTerminated:
		return refuse(fmt.Sprintf("%.200q, whose relationship was terminated at %s", string(superior), timeOf(above.TerminatedAt).Format(time.RFC3339)),
			"Name another superior, or this gateway: nobody sells for a reseller that was terminated.")
	}
	if most := r.rules.Load().MaxPathLength; above.Tier > most.Value {
		return refusedClaim(pointer, fmt.Sprintf("a superior of tier %d at most: what its resellers state is forwarded %d times at most (policy intake.max_path_length)", most.Value, most.Value),
			fmt.Sprintf("%.200q, of tier %d", string(superior), above.Tier), "Name a superior further up, or give the gateway a policy that lets a statement be forwarded more often.")
	}
	return nil
}

// tierOf is how far below the provider an invited entity stands, however its superior stands today.
func (r *Registry) tierOf(ctx context.Context, invited invitationRow) (int, error) {
	if invited.Superior == string(r.self) {
		return 1, nil
	}
	above, err := r.row(ctx, "entity = ?", invited.Superior)
	if err != nil {
		return 0, fmt.Errorf("looking up the superior of %s: %w", invited.Entity, err)
	}
	return above.Tier + 1, nil
}

// isWaiting says whether an entity's enrolment awaits an officer's approval.
func (r *Registry) isWaiting(ctx context.Context, entity envelope.Entity) (bool, error) {
	var waiting applicationRow
	id := entity.ID()
	err := r.db.WithContext(ctx).Where("entity_id = ? AND decision = ''", id[:]).Take(&waiting).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for an enrolment that waits: %w", err)
	}
	return true, nil
}
