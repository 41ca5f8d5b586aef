package registry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// What a key is for. The two are kept apart (OpenID Federation 1.1, section 3.1.1).
const (
	PurposeStatement  = "statement"  // signs SETs, or receives sealed ones
	PurposeFederation = "federation" // signs entity statements
)

// Why a key ends, as a keys-changed says it.
const (
	reasonRotation   = "rotation"
	reasonCompromise = "compromise"
	reasonLost       = "lost"
	reasonRevoked    = "revoked"
)

// open is the end of a key that nobody has ended.
const open = int64(math.MaxInt64)

// keyRow is one key of an entity with the time in which it is in force.
type keyRow struct {
	Thumbprint       string
	EntityID         []byte
	Entity           string
	Purpose          string
	Kid              string
	JWK              []byte `gorm:"column:jwk"`
	Place            int
	ValidFrom        int64
	ValidUntil       int64
	Reason           string
	CompromisedSince int64
	LeafIndex        int64
}

func (keyRow) TableName() string { return "registry_keys" }

// Key is one key that an entity enrolled, now or before.
type Key struct {
	KeyID      string
	Thumbprint string // RFC 7638
	Purpose    string
	ValidFrom  time.Time
	ValidUntil time.Time // zero while nobody has ended it
	Reason     string    // why it ends; empty while it does not
	// CompromisedSince is zero if the key is not known to be. What was accepted later and carries the key's signature
	// is marked: it may be somebody else's.
	CompromisedSince time.Time
}

// InForce says whether the key was in force at t.
func (k Key) InForce(t time.Time) bool {
	return !t.Before(k.ValidFrom) && (k.ValidUntil.IsZero() || t.Before(k.ValidUntil))
}

func (row keyRow) toKey() Key {
	k := Key{KeyID: row.Kid, Thumbprint: row.Thumbprint, Purpose: row.Purpose, ValidFrom: timeOf(row.ValidFrom), Reason: row.Reason}
	if row.ValidUntil != open {
		k.ValidUntil = timeOf(row.ValidUntil)
	}
	if row.CompromisedSince != 0 {
		k.CompromisedSince = timeOf(row.CompromisedSince)
	}
	return k
}

func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// maxInForce bounds how many keys of an entity can be in force at once: envelope.MaxKeys for each purpose, which every
// change keeps to.
const maxInForce = 2 * envelope.MaxKeys

// spans returns an entity's keys that are in force at t or later.
func (r *Registry) spans(ctx context.Context, id envelope.ID, t time.Time) ([]keyRow, error) {
	var rows []keyRow
	err := r.db.WithContext(ctx).Where("entity_id = ? AND valid_until > ?", id[:], t.UnixMicro()).
		Order("valid_from, leaf_index, place").Limit(maxSpans).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading an entity's keys: %w", err)
	}
	return rows, nil
}

// maxSpans bounds how many keys of an entity are read at once.
const maxSpans = 4096

// inForce are the keys of one purpose whose time t is in, in the order in which they came.
func inForce(spans []keyRow, purpose string, t time.Time) []keyRow {
	return slices.DeleteFunc(slices.Clone(spans), func(row keyRow) bool {
		return row.Purpose != purpose || t.UnixMicro() < row.ValidFrom || row.ValidUntil <= t.UnixMicro()
	})
}

// unchanged is the time around t in which the same keys are in force, as far as is known today.
func unchanged(spans []keyRow, t time.Time) (from, until time.Time) {
	from, until = t, t.AddDate(1, 0, 0)
	for _, row := range spans {
		for _, turn := range []int64{row.ValidFrom, row.ValidUntil} {
			if turn > t.UnixMicro() && turn < until.UnixMicro() {
				until = timeOf(turn)
			}
		}
	}
	return from, until
}

// setOf makes keys to verify with. None is no error: such keys verify nothing.
func setOf(rows []keyRow) (envelope.Keys, error) {
	var set jose.JSONWebKeySet
	for _, row := range rows {
		var jwk jose.JSONWebKey
		if err := json.Unmarshal(row.JWK, &jwk); err != nil {
			return envelope.Keys{}, fmt.Errorf("reading the key %s: %w", row.Thumbprint, err)
		}
		set.Keys = append(set.Keys, jwk)
	}
	return envelope.NewKeys(set)
}

// rowsOf makes the rows of a JWK Set that came in force by the entry at leaf.
func rowsOf(entity envelope.Entity, purpose string, set []byte, from time.Time, leaf int64) ([]keyRow, error) {
	keys, err := envelope.ParseKeys(set)
	if err != nil {
		return nil, err
	}
	var published struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(keys.Marshal(), &published); err != nil {
		return nil, fmt.Errorf("reading a JWK set: %w", err)
	}
	id := entity.ID()
	rows := make([]keyRow, keys.Len())
	for i, thumbprint := range keys.Thumbprints() {
		rows[i] = keyRow{Thumbprint: thumbprint, EntityID: id[:], Entity: string(entity), Purpose: purpose, Kid: keys.IDs()[i],
			JWK: published.Keys[i], Place: i, ValidFrom: from.UnixMicro(), ValidUntil: open, LeafIndex: leaf}
	}
	return rows, nil
}

// KeysAt returns the statement keys of an entity that were in force at t, whatever became of them or of it since: a
// stored SET is judged by the keys in force when it was accepted, never by today's. Errors wrap ErrNotFound.
func (r *Registry) KeysAt(ctx context.Context, entity envelope.Entity, t time.Time) (envelope.Keys, error) {
	var rows []keyRow
	id, at := entity.ID(), t.UnixMicro()
	err := r.db.WithContext(ctx).Where("entity_id = ? AND purpose = ? AND valid_until > ? AND valid_from <= ?", id[:], PurposeStatement, at, at).
		Order("valid_from, leaf_index, place").Limit(maxInForce).Find(&rows).Error
	if err != nil {
		return envelope.Keys{}, fmt.Errorf("reading the keys of %s: %w", t.UTC().Format(time.RFC3339), err)
	}
	if len(rows) == 0 {
		if err := r.enrolled(ctx, id); err != nil {
			return envelope.Keys{}, err
		}
	}
	return setOf(rows)
}

// enrolled is ErrNotFound unless the entity is.
func (r *Registry) enrolled(ctx context.Context, id envelope.ID) error {
	err := r.db.WithContext(ctx).Select("id").Where("id = ?", id[:]).Take(&entityRow{}).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("looking up an entity: %w", err)
	}
	return nil
}

// KeyList returns the keys that an entity enrolled, those that ended too: the newest first, at most limit. Errors wrap
// ErrNotFound.
func (r *Registry) KeyList(ctx context.Context, id envelope.ID, limit int) ([]Key, error) {
	var rows []keyRow
	err := r.db.WithContext(ctx).Where("entity_id = ?", id[:]).
		Order("valid_until DESC, leaf_index DESC, purpose DESC, place").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading an entity's keys: %w", err)
	}
	if len(rows) == 0 {
		if err := r.enrolled(ctx, id); err != nil {
			return nil, err
		}
	}
	keys := make([]Key, len(rows))
	for i, row := range rows {
		keys[i] = row.toKey()
	}
	return keys, nil
}

// keysFree refuses a key that was ever enrolled: who shares a key can sign in the other's name, and a key that was
// replaced may lie where it should not.
func (r *Registry) keysFree(ctx context.Context, by envelope.Entity, thumbprints []string) error {
	if len(thumbprints) == 0 {
		return nil
	}
	var taken keyRow
	err := r.db.WithContext(ctx).Where("thumbprint IN ?", thumbprints).Order("thumbprint").Limit(1).Take(&taken).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for the keys: %w", err)
	}
	if taken.Entity != string(by) {
		return fmt.Errorf("%w: the key with thumbprint %s is enrolled for another entity; make a fresh key for this one", ErrTaken, taken.Thumbprint)
	}
	if taken.ValidUntil == open {
		return fmt.Errorf("%w: the key with thumbprint %s is this entity's %s key already; make a fresh key", ErrTaken, taken.Thumbprint, taken.Purpose)
	}
	return fmt.Errorf("%w: the key with thumbprint %s was this entity's %s key before, and a key that was replaced does not come back; make a fresh key",
		ErrTaken, taken.Thumbprint, taken.Purpose)
}
