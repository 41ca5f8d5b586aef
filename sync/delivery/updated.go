package delivery

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

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
	err = tx.Model(&streamRow{}).Where("id = ?", row.ID).Updates(anew(map[string]any{"status": change.Status, "reason": cut(change.Told, maxReason),
		"held": change.Status != StatusEnabled})).Error
	if err != nil {
		return fmt.Errorf("changing a stream: %w", err)
	}
	if change.Status == row.Status {
		return nil
	}
	return d.tellUpdated(tx, row, entry.Digest.String(), change.Status, change.Told)
}

// tellUpdated numbers, behind what waits, the notice that tells a receiver how its stream was changed: once for each that changed it.
func (d *Delivery) tellUpdated(tx *gorm.DB, row streamRow, because, status, told string) error {
	jti := uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:cipgate:stream-updated:"+row.ID+":"+because)).String()
	set, err := d.Signer.Sign(envelope.Draft{Issuer: d.Self, Audience: notices.Audience(row.Audience).Entity(d.Self), IssuedAt: d.Now(), JTI: jti, EventURI: StreamUpdatedURI,
		Event: streamUpdated{status, cut(told, maxReason)}, Subject: envelope.Subject{Format: "opaque", ID: row.ID}})
	if err != nil {
		return fmt.Errorf("signing that a stream was changed: %w", err)
	}
	digest := set.Digest()
	return d.number(tx, row.Audience, []noticeRow{{Audience: row.Audience, Kind: kindUpdated, LeafIndex: -1, Digest: digest[:], JTI: jti, Token: set.Raw()}})
}

// changedOwner stops the streams of an officer's systems while its account is disabled, inside the transaction that moves the cursor past
// what says so. Nothing else of them is touched: what an officer or the receiver set counts again when the account is enabled.
func (d *Delivery) changedOwner(tx *gorm.DB, entry statement.Entry) error {
	officer, disabled, ok := notices.OwnerChanged(entry, d.Self)
	if !ok {
		return nil
	}
	var changed *gorm.DB
	if disabled {
		changed = tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&shutOutRow{Officer: officer})
	} else {
		changed = tx.Where("officer = ?", officer).Delete(&shutOutRow{})
	}
	if changed.Error != nil {
		return fmt.Errorf("noting whose streams stand still: %w", changed.Error)
	}
	if changed.RowsAffected == 0 { // they do so already, or go on
		return nil
	}
	var rows []streamRow
	if err := tx.Where("owner = ?", officer).Order("audience").Limit(maxSystems).Find(&rows).Error; err != nil {
		return fmt.Errorf("looking for the streams of an officer's systems: %w", err)
	}
	for _, row := range rows {
		status, told := row.Status, row.Reason
		if disabled {
			status, told = StatusPaused, notices.ToldShutOut
		}
		if err := lock(tx, row.Audience); err != nil {
			return err
		}
		err := tx.Model(&streamRow{}).Where("id = ?", row.ID).Updates(anew(map[string]any{})).Error
		if err != nil {
			return fmt.Errorf("stopping a stream, or letting it go on: %w", err)
		}
		if row.Status == statusDisabled { // it told of that before, and nothing of it changed
			continue
		}
		if err := d.tellUpdated(tx, row, entry.Digest.String(), status, told); err != nil {
			return err
		}
	}
	return nil
}
