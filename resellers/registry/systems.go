package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/statement"
)

// The provider's own systems (accounts, billing, IAM) are no resellers: nobody invites or enrols them. Each may register keys of its own,
// by which it signs that it carried an order out. That it did so is an officer's action about the gateway, by whoever's account its token
// belongs to, with the keys whole: what it signed can be checked from the ledger alone.
const (
	actionSystemKeys   = "system.keys-registered"
	actionTokenRevoked = "token.revoked" // the system of this token states nothing more

	detailSystem = "system" // the label of its token
	detailToken  = "token"
	detailKey    = "key_" // and a number: a JWK

	// maxDetail is the length of the longest detail of an officer's action, in bytes.
	maxDetail = 2000
)

// RegisterSystemKeys states that these are the keys of one of the provider's own systems from now on: those that it had and that are not
// among them end now. It returns the keys in force. Errors wrap ErrRefused, with an *envelope.Fault, or ErrTaken.
func (r *Registry) RegisterSystemKeys(ctx context.Context, label string, by statement.Officer, set []byte) ([]Key, error) {
	keys, err := envelope.ParseKeys(set)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := plainKids("/keys", keys); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	system := envelope.SystemOf(r.self, label)
	now, err := r.SystemKeys(ctx, label)
	if err != nil {
		return nil, err
	}
	fresh := slices.DeleteFunc(slices.Clone(keys.Thumbprints()), func(thumbprint string) bool {
		return slices.ContainsFunc(now, func(k Key) bool { return k.Thumbprint == thumbprint })
	})
	if err := r.keysFree(ctx, system, fresh); err != nil {
		return nil, err
	}
	if len(fresh) == 0 && len(now) == keys.Len() {
		return now, nil // the same again
	}
	said := statement.OfficerAction{Officer: by, Action: actionSystemKeys, On: statement.Target{Type: "gateway", ID: string(r.self)},
		Reason: "The system registered the keys with which it signs that orders were carried out.", Details: []statement.Field{{Name: detailSystem, Value: label}}}
	var published struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(keys.Marshal(), &published); err != nil {
		return nil, fmt.Errorf("reading a JWK set: %w", err)
	}
	for i, jwk := range published.Keys {
		if len(jwk) > maxDetail {
			return nil, refusedKey(i, len(jwk))
		}
		said.Details = append(said.Details, statement.Field{Name: fmt.Sprint(detailKey, i+1), Value: string(jwk)})
	}
	if err := r.record(ctx, r.self, said); err != nil {
		return nil, err
	}
	return r.SystemKeys(ctx, label)
}

func refusedKey(place, size int) error {
	return fmt.Errorf("%w: %w", ErrRefused, &envelope.Fault{Reason: envelope.ErrKey, Pointer: fmt.Sprintf("/keys/%d", place),
		Wanted: fmt.Sprintf("a key of at most %d bytes as JSON", maxDetail), Got: fmt.Sprintf("%d bytes", size), Fix: "Use an Ed25519 or P-256 key, or RSA of 4096 bits at most."})
}

// SystemKeys are the keys in force of one of the provider's own systems; none if it registered none.
func (r *Registry) SystemKeys(ctx context.Context, label string) ([]Key, error) {
	now := r.now()
	spans, err := r.spans(ctx, envelope.SystemOf(r.self, label).ID(), now)
	if err != nil {
		return nil, err
	}
	keys := []Key{}
	for _, row := range inForce(spans, PurposeStatement, now) {
		keys = append(keys, row.toKey())
	}
	return keys, nil
}

// KeysOfSystem returns the keys in force of one of the provider's own systems, by its identifier. Errors wrap intake.ErrIssuer.
func (r *Registry) KeysOfSystem(ctx context.Context, system envelope.Entity) (envelope.Keys, error) {
	known, err := r.known(ctx, system)
	return known.keys, err
}

// system is what is kept in memory of one of the provider's own systems. Nobody is its superior, and it is nobody's.
func (r *Registry) system(ctx context.Context, entity envelope.Entity, now time.Time) (issuer, error) {
	spans, err := r.spans(ctx, entity.ID(), now)
	if err != nil {
		return issuer{}, err
	}
	signing := inForce(spans, PurposeStatement, now)
	if len(signing) == 0 {
		return issuer{}, &envelope.Fault{Reason: intake.ErrIssuer, Pointer: "/claims/iss",
			Wanted: "a system of the provider that registered its keys", Got: "one that has none in force",
			Fix: "PUT the public keys as a JWK set to /ssf/keys, with the system's API token, then send this again."}
	}
	var known issuer
	known.from, known.until = unchanged(spans, now)
	if known.keys, err = setOf(signing); err != nil {
		return issuer{}, fmt.Errorf("reading the keys of %s: %w", entity, err)
	}
	return known, nil
}

// foldSystem folds which keys a system registered, and that the token of one was ended.
func foldSystem(tx *gorm.DB, e statement.Entry, said statement.OfficerAction) error {
	label, set := "", []jsontext.Value{}
	for _, detail := range said.Details {
		switch {
		case detail.Name == detailSystem && said.Action == actionSystemKeys, detail.Name == detailToken && said.Action == actionTokenRevoked:
			label = detail.Value
		case strings.HasPrefix(detail.Name, detailKey):
			set = append(set, jsontext.Value(detail.Value))
		}
	}
	if label == "" || e.About != e.By { // of a reseller nobody says such a thing
		return nil
	}
	system, reason, stay := envelope.SystemOf(e.About, label), reasonRevoked, []string{}
	if said.Action == actionSystemKeys {
		text, err := json.Marshal(map[string]any{"keys": set})
		if err != nil {
			return err
		}
		keys, err := envelope.ParseKeys(text)
		if err != nil {
			return err
		}
		if err := addKeys(tx, system, PurposeStatement, text, e); err != nil {
			return err
		}
		reason, stay = reasonRotation, keys.Thumbprints()
	}
	id, end := system.ID(), e.AcceptedAt.UnixMicro()
	ending := tx.Model(&keyRow{}).Where("entity_id = ? AND valid_until > ?", id[:], end)
	if len(stay) > 0 {
		ending = ending.Where("thumbprint NOT IN ?", stay)
	}
	return ending.Updates(map[string]any{"valid_until": end, "reason": reason}).Error
}
