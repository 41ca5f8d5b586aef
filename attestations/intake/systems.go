package intake

import (
	"context"
	"errors"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Systems says of which orders the provider's own systems may state that they were carried out.
type Systems interface {
	// MayConfirm returns nil if an order is about this reseller and reached the system, or may reach it; an error that wraps ErrMayNot
	// otherwise. It is asked only once the system's signature held.
	MayConfirm(ctx context.Context, system, reseller envelope.Entity, order string) error
}

// speaks refuses a statement about somebody of whom its issuer may not speak: a reseller speaks of itself, a system of the provider of the
// reseller whose order it confirms.
func (r *Road) speaks(ctx context.Context, claims envelope.Claims, said statement.Statement) error {
	if err := r.form(claims); err != nil {
		return err
	}
	confirmed, is := said.(statement.OrderConfirmation)
	if _, system := envelope.SystemLabel(r.Audience, claims.Issuer); !system || !is {
		return nil // what else a system states, Issuers.MayState refused
	}
	about, err := statement.About(claims)
	if err != nil {
		return err
	}
	return r.Systems.MayConfirm(ctx, claims.Issuer, about, confirmed.Order)
}

// form is what of speaks follows from the claims alone.
func (r *Road) form(claims envelope.Claims) error {
	if _, system := envelope.SystemLabel(r.Audience, claims.Issuer); !system || r.Systems == nil {
		return statement.NotYours(claims)
	}
	if about, err := statement.About(claims); err == nil && about != claims.Issuer {
		return nil
	}
	return &envelope.Fault{Reason: envelope.ErrMalformed, Pointer: "/claims/sub_id",
		Wanted: `the reseller that the order is about as {"format": "uri", "uri": entity identifier}`, Got: "none, or another subject",
		Fix: "Repeat the sub_id of the order that is confirmed."}
}

// speaks is that of Accept, for the dry run: whether an order is the system's to confirm is told only to whoever signed.
func (i *Inspection) speaks(ctx context.Context, r *Road, l letter) error {
	if l.said == nil {
		return nil
	}
	err, source := r.form(l.claims), "ours, not in the rule; /schemas/order-confirmation.v1.json"
	if err == nil && l.signed {
		err = r.speaks(ctx, l.claims, l.said)
	}
	fault := (*envelope.Fault)(nil)
	if !errors.As(err, &fault) {
		return err
	}
	if errors.Is(fault.Reason, ErrMayNot) {
		source = "RFC 8935, section 2.4, access_denied"
	}
	i.inside(l.at, envelope.Problem{Fault: fault, Source: source})
	return nil
}
