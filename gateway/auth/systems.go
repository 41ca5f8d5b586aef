package auth

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Enrolled is who resellers are, and which keys the provider's own systems registered; registry.Registry is one.
type Enrolled interface {
	intake.Issuers
	KeysOfSystem(ctx context.Context, system envelope.Entity) (envelope.Keys, error)
}

// Systems says what the provider's own systems may state: that an order was carried out, by the signature of a key that the system
// registered, while its token is in force and belongs to an account that may confirm orders. Of resellers it says what Enrolled says.
type Systems struct {
	Enrolled
	Auth    *Auth
	Gateway envelope.Entity
	// Reaches says whether an order about a reseller reached the system of this label, or may reach it.
	Reaches func(ctx context.Context, label string, reseller envelope.Entity, order string) (bool, error)
}

// Keys implements intake.Issuers, and is what Clients go by.
func (s Systems) Keys(ctx context.Context, entity envelope.Entity) (envelope.Keys, error) {
	if _, is := envelope.SystemLabel(s.Gateway, entity); is {
		return s.KeysOfSystem(ctx, entity)
	}
	return s.Enrolled.Keys(ctx, entity)
}

// MayState implements intake.Issuers.
func (s Systems) MayState(ctx context.Context, issuer envelope.Entity, kind statement.Kind) error {
	label, is := envelope.SystemLabel(s.Gateway, issuer)
	if !is {
		return s.Enrolled.MayState(ctx, issuer, kind)
	}
	owner, err := s.Auth.ownerOf(ctx, label)
	if err != nil {
		return err
	}
	refuse := func(wanted, got, fix string) error {
		return &envelope.Fault{Reason: intake.ErrMayNot, Pointer: "/claims/events", Wanted: wanted, Got: got, Fix: fix}
	}
	switch {
	case kind != statement.KindOrderConfirmation:
		return refuse(statement.KindOrderConfirmation.URI()+", which is all that a system of the provider states", kind.URI(),
			"What is stated about a reseller and its customers, the reseller signs itself.")
	case !owner.Role.Includes(Member):
		return refuse("a system whose token belongs to an account with the role "+Member.atLeast(), "one with the role "+string(owner.Role),
			"An administrator changes the role: cipgate officer change.")
	}
	return nil
}

// MayConfirm implements intake.Systems. Whether there is another order of this id is not told.
func (s Systems) MayConfirm(ctx context.Context, system, reseller envelope.Entity, order string) error {
	label, is := envelope.SystemLabel(s.Gateway, system)
	if is {
		var err error
		if is, err = s.Reaches(ctx, label, reseller, order); err != nil {
			return fmt.Errorf("looking whether a system may confirm an order: %w", err)
		}
	}
	if is {
		return nil
	}
	return &envelope.Fault{Reason: intake.ErrMayNot, Pointer: "/claims/events/" + statement.KindOrderConfirmation.URI() + "/order",
		Wanted: "the jti of an order about the reseller in sub_id that came over this system's stream, or of one about a reseller that the stream tells of",
		Got:    "another", Fix: "Repeat jti and sub_id of the order as they came. A stream that was deleted, disabled, or asked to tell nothing of the reseller confirms nothing."}
}

// ownerOf is whose account the token in force of the system with this label belongs to. Errors are *envelope.Fault with
// intake.ErrIssuer, or the store's.
func (a *Auth) ownerOf(ctx context.Context, label string) (Officer, error) {
	refuse := func(got, fix string) (Officer, error) {
		return Officer{}, &envelope.Fault{Reason: intake.ErrIssuer, Pointer: "/claims/iss", Wanted: "a system of the provider whose API token is in force", Got: got, Fix: fix}
	}
	db := a.db.WithContext(ctx)
	var row tokenRow
	err := db.Where("label = ?", label).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return refuse("one that has none", "An administrator makes one: cipgate token create.")
	}
	if err != nil {
		return Officer{}, fmt.Errorf("looking for the token of a system: %w", err)
	}
	if row.RevokedAt != 0 || row.ExpiresAt != 0 && row.ExpiresAt <= a.now().UnixMicro() {
		return refuse("one whose token was ended, or has expired", "An administrator makes another: cipgate token create. The system has another identifier with it, and registers its keys anew.")
	}
	owner, err := enabled(db, row.Officer)
	if errors.Is(err, errUnknown) {
		return refuse("one whose token belongs to an account that is disabled", "An administrator enables it again: cipgate officer enable.")
	}
	return owner, err
}
