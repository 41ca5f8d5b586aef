package delivery

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/notices"
)

// StreamUpdatedURI is the event by which the gateway says that it changed a stream's status, OpenID Shared Signals Framework 1.0,
// section 8.1.5. It is the one that also goes over a stream that was stopped: it says so, ahead of what waits.
const StreamUpdatedURI = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"

// kindUpdated is the kind of the notice that carries it.
const kindUpdated = "stream-updated"

type streamUpdated struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitzero"`
}

// changedByOfficer carries out what an officer stated about a stream, inside the transaction that moves the cursor past it: once. A
// status that the stream has already is only held from now on, or no longer; a receiver without a stream is not touched.
func (d *Delivery) changedByOfficer(tx *gorm.DB, entry statement.Entry) error {
	change, ok := notices.StreamChanged(entry, d.Self)
	if !ok {
		return nil
	}
	audience := string(change.Audience)
	if err := lock(tx, audience); err != nil {
		return err
	}
	var row streamRow
	err := tx.Where("audience = ?", audience).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for the stream that an officer changed: %w", err)
	}
	err = tx.Model(&streamRow{}).Where("id = ?", row.ID).Updates(map[string]any{"status": change.Status, "reason": cut(change.Told, maxReason),
		"held": change.Status != StatusEnabled, "wakes": gorm.Expr("wakes + 1"), "tries": 0, "next_at": 0}).Error
	if err != nil {
		return fmt.Errorf("changing a stream: %w", err)
	}
	if change.Status == row.Status {
		return nil
	}
	jti := uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:cipgate:stream-updated:"+entry.Digest.String())).String()
	set, err := d.Signer.Sign(envelope.Draft{Issuer: d.Self, Audience: change.Audience.Entity(d.Self), IssuedAt: d.Now(), JTI: jti, EventURI: StreamUpdatedURI,
		Event: streamUpdated{change.Status, cut(change.Told, maxReason)}, Subject: envelope.Subject{Format: "opaque", ID: row.ID}})
	if err != nil {
		return fmt.Errorf("signing that a stream was changed: %w", err)
	}
	digest := set.Digest()
	return d.number(tx, audience, []noticeRow{{Audience: audience, Kind: kindUpdated, LeafIndex: -1, Digest: digest[:], JTI: jti, Token: set.Raw()}})
}
