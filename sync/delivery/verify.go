package delivery

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/sync/notices"
)

// VerificationURI is the event by which a stream shows that it works, OpenID Shared Signals Framework 1.0, section 8.1.4.1.
const VerificationURI = "https://schemas.openid.net/secevent/ssf/event-type/verification"

const maxState = 1000

type verification struct {
	State string `json:"state,omitzero"`
}

// Verify puts a verification event behind what waits for the stream; it carries state back. Errors wrap ErrNoStream,
// ErrConfiguration or ErrTooSoon.
func (d *Delivery) Verify(ctx context.Context, audience notices.Audience, id, state string) error {
	if _, err := d.row(ctx, audience, id); err != nil {
		return err
	}
	if len(state) > maxState || !utf8.ValidString(state) {
		return refuse("state: wanted at most %d bytes", maxState)
	}
	jti, err := uuid.NewRandom()
	if err != nil {
		return fmt.Errorf("making a jti: %w", err)
	}
	now := d.Now()
	set, err := d.Signer.Sign(envelope.Draft{Issuer: d.Self, Audience: audience.Entity(d.Self), IssuedAt: now, JTI: jti.String(),
		EventURI: VerificationURI, Event: verification{state}, Subject: envelope.Subject{Format: "opaque", ID: id}})
	if err != nil {
		return fmt.Errorf("signing a verification event: %w", err)
	}
	digest := set.Digest()
	err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lock(tx, string(audience)); err != nil {
			return err
		}
		asked := tx.Model(&streamRow{}).Where("id = ? AND verified_at <= ?", id, now.Add(-MinVerificationInterval).UnixMicro()).
			Update("verified_at", now.UnixMicro())
		if asked.Error != nil {
			return asked.Error
		}
		if asked.RowsAffected == 0 {
			return fmt.Errorf("%w: wanted %s between two of one stream (min_verification_interval)", ErrTooSoon, MinVerificationInterval)
		}
		return d.number(tx, string(audience), []noticeRow{{Audience: string(audience), LeafIndex: -1, Digest: digest[:], JTI: jti.String(), Token: set.Raw()}})
	})
	if err != nil {
		return fmt.Errorf("asking for a verification event: %w", err)
	}
	d.announce()
	return nil
}
