package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
)

// change is what becomes of an entity's keys of one purpose.
type change struct {
	purpose string
	reason  string
	ending  []string      // kids of the keys that end, unless they stand in keys
	keys    envelope.Keys // the new set; none if keys are only taken away
	until   time.Time     // of the overlap; for a rotation
	since   time.Time     // for a compromise
}

// again is how often a change is decided anew because another one of the same entity came between.
const again = 5

// change decides on and states one change of an entity's keys, and returns once it is in force here. decide is asked
// with the entity's keys as they are, and again if they were changed meanwhile; no change is stated if it returns none.
// besides is stated in the same commit.
func (r *Registry) change(ctx context.Context, id envelope.ID, decide func(known entityRow, spans []keyRow, now time.Time) (*change, error), besides ...envelope.Verified) (Entity, error) {
	for range again {
		if err := r.CatchUp(ctx); err != nil {
			return Entity{}, err
		}
		known, err := r.row(ctx, "id = ?", id[:])
		if err != nil {
			return Entity{}, err
		}
		if known.Status == statusTerminated {
			return Entity{}, terminatedFault()
		}
		now := r.now()
		spans, err := r.spans(ctx, id, now)
		if err != nil {
			return Entity{}, err
		}
		decided, err := decide(known, spans, now)
		if err != nil {
			return Entity{}, err
		}
		if decided == nil {
			return r.entity(ctx, known)
		}
		set, err := r.signChange(known, 0, *decided, now)
		if err != nil {
			return Entity{}, err
		}
		_, err = r.ledger.Append(ctx, append([]envelope.Verified{set}, besides...)...)
		if errors.Is(err, ledger.ErrTwin) {
			continue // another change took this number; with its keys known, decide again
		}
		if err != nil {
			return Entity{}, fmt.Errorf("recording a change of keys: %w", err)
		}
		if err := r.CatchUp(ctx); err != nil {
			return Entity{}, err
		}
		return r.Entity(ctx, id)
	}
	return Entity{}, fmt.Errorf("%w: the keys of this entity change faster than one change can be recorded; send it again", ErrTaken)
}

// signChange signs the next change of an entity's keys. Its jti counts the changes, so of two that were decided from the
// same keys one is stated.
func (r *Registry) signChange(known entityRow, ahead int, c change, now time.Time) (envelope.Verified, error) {
	said := statement.KeysChanged{Purpose: c.purpose, Reason: c.reason, OldKids: c.ending, ValidFrom: now,
		OverlapUntil: c.until, CompromisedSince: c.since}
	if c.keys.Len() > 0 {
		said.Keys = c.keys.Marshal()
	}
	entity := envelope.Entity(known.Entity)
	return r.sign(entity, fmt.Sprintf("keys-changed-%s-%d", entity.ID(), known.KeyChanges+ahead+1), said)
}

// kidsOf are the rows' kids.
func kidsOf(rows []keyRow) []string {
	kids := make([]string, len(rows))
	for i, row := range rows {
		kids[i] = row.Kid
	}
	return kids
}

// replaced names the keys that a new set takes the place of: those in force, or, where none is any more, those that were
// last.
func (r *Registry) replaced(ctx context.Context, id []byte, purpose string, inForce []keyRow) ([]string, error) {
	if len(inForce) > 0 {
		return kidsOf(inForce), nil
	}
	var last []keyRow
	err := r.db.WithContext(ctx).Where("entity_id = ? AND purpose = ?", id, purpose).Order("valid_until DESC, thumbprint").Limit(1).Find(&last).Error
	if err != nil {
		return nil, fmt.Errorf("looking for an entity's last key: %w", err)
	}
	return kidsOf(last), nil
}

// allKeysLost signs what takes the place of every key of an entity that is still in force.
func (r *Registry) allKeysLost(ctx context.Context, applied applicationRow) ([]envelope.Verified, error) {
	id, now := envelope.Entity(applied.Entity).ID(), r.now()
	known, err := r.row(ctx, "id = ?", id[:])
	if err != nil {
		return nil, err
	}
	if known.Status == statusTerminated {
		return nil, terminatedFault()
	}
	spans, err := r.spans(ctx, id, now)
	if err != nil {
		return nil, err
	}
	var sets []envelope.Verified
	for _, one := range []struct {
		purpose string
		set     []byte
	}{{PurposeFederation, applied.FederationJWKS}, {PurposeStatement, applied.JWKS}} {
		c := change{purpose: one.purpose, reason: reasonLost}
		if c.keys, err = envelope.ParseKeys(one.set); err != nil {
			return nil, fmt.Errorf("reading the keys of an enrolment: %w", err)
		}
		if c.ending, err = r.replaced(ctx, id[:], one.purpose, inForce(spans, one.purpose, now)); err != nil {
			return nil, err
		}
		signed, err := r.signChange(known, len(sets), c, now)
		if err != nil {
			return nil, err
		}
		sets = append(sets, signed)
	}
	return sets, nil
}

// mayAdd holds a new set of keys against those that an entity has and had. It stands at /claims/keys.
func (r *Registry) mayAdd(ctx context.Context, known entityRow, purpose string, set envelope.Keys, spans []keyRow, now time.Time) error {
	refuse := func(i int, wanted, got, fix string) error {
		return fmt.Errorf("%w: %w", ErrRefused, &envelope.Fault{Reason: envelope.ErrKey, Pointer: fmt.Sprintf("/claims/keys/%d", i), Wanted: wanted, Got: got, Fix: fix})
	}
	current := slices.DeleteFunc(inForce(spans, purpose, now), func(row keyRow) bool { return row.ValidUntil != open })
	var added []string
	for i, thumbprint := range set.Thumbprints() {
		kid := set.IDs()[i]
		kept := slices.IndexFunc(current, func(row keyRow) bool { return row.Thumbprint == thumbprint })
		if kept >= 0 {
			if current[kept].Kid != kid {
				return refuse(i, "a key that is kept under its kid", "the same key under another kid", "Send it with the kid that it was enrolled with.")
			}
			continue
		}
		added = append(added, thumbprint)
		var used int64
		err := r.db.WithContext(ctx).Model(&keyRow{}).Where("entity_id = ? AND purpose = ? AND kid = ? AND thumbprint <> ?", known.ID, purpose, kid, thumbprint).
			Count(&used).Error
		if err != nil {
			return fmt.Errorf("looking for a kid: %w", err)
		}
		if used > 0 {
			return refuse(i, "a kid that none of this entity's keys had", "one that another key has or had", "Give each key a kid of its own. Its RFC 7638 thumbprint is best: "+thumbprint+".")
		}
	}
	if err := r.keysFree(ctx, envelope.Entity(known.Entity), added); err != nil {
		return err
	}
	if all := len(inForce(spans, purpose, now)) + len(added); all > envelope.MaxKeys {
		return refuse(0, fmt.Sprintf("at most %d keys in force, the overlap included", envelope.MaxKeys), fmt.Sprintf("%d", all), "Wait until the overlap of your last rotation is over, or revoke keys.")
	}
	var today int64
	err := r.db.WithContext(ctx).Model(&keyRow{}).Where("entity_id = ? AND valid_from > ?", known.ID, now.Add(-24*time.Hour).UnixMicro()).Count(&today).Error
	if err != nil {
		return fmt.Errorf("counting an entity's new keys: %w", err)
	}
	if int(today)+len(added) > maxNewKeys {
		return refuse(0, fmt.Sprintf("at most %d new keys in 24 hours", maxNewKeys), fmt.Sprintf("%d", int(today)+len(added)), "Rotate less often.")
	}
	return nil
}

// maxNewKeys is how many new keys an entity may enrol in 24 hours: each is kept for ever.
const maxNewKeys = 2 * envelope.MaxKeys
