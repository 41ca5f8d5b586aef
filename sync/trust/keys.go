package trust

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/registry"
)

// KeyRequest is what an entity asks the gateway about its own keys.
type KeyRequest struct {
	Entity   envelope.Entity
	Audience envelope.Entity // the gateway it is enrolled at
	Purpose  string          // registry.PurposeStatement or registry.PurposeFederation
	Keys     []byte          // JWK Set: all keys that are used from now on; of a revocation, new ones beside the rest, or nil
	// OverlapUntil is when replaced keys end; zero for the gateway's own choice.
	OverlapUntil time.Time
	// KeyIDs are the keys to take away; CompromisedSince is zero if they are not compromised.
	KeyIDs           []string
	CompromisedSince time.Time
}

type keyRequestClaims struct {
	Issuer           envelope.Entity `json:"iss"`
	Subject          envelope.Entity `json:"sub"`
	Audience         envelope.Entity `json:"aud"`
	IssuedAt         int64           `json:"iat"`
	Purpose          string          `json:"purpose"`
	Keys             jsontext.Value  `json:"keys,omitzero"`
	OverlapUntil     int64           `json:"overlap_until,omitzero"`
	KeyIDs           []string        `json:"kids,omitempty"`
	CompromisedSince int64           `json:"compromised_since,omitzero"`
}

// Rotation signs the entity's new set of keys, a signed JWK Set (OpenID Federation 1.1, section 5.2.1).
func (q KeyRequest) Rotation(signer envelope.Signer, now time.Time) ([]byte, error) {
	return q.sign(registry.TypeKeySet, signer, now)
}

// Revocation signs that keys must not verify any more.
func (q KeyRequest) Revocation(federation envelope.Signer, now time.Time) ([]byte, error) {
	return q.sign(registry.TypeRevocation, federation, now)
}

func (q KeyRequest) sign(typ string, signer envelope.Signer, now time.Time) ([]byte, error) {
	claims := keyRequestClaims{Issuer: q.Entity, Subject: q.Entity, Audience: q.Audience, IssuedAt: now.Unix(), Purpose: q.Purpose, KeyIDs: q.KeyIDs}
	if !q.OverlapUntil.IsZero() {
		claims.OverlapUntil = q.OverlapUntil.Unix()
	}
	if !q.CompromisedSince.IsZero() {
		claims.CompromisedSince = q.CompromisedSince.Unix()
	}
	if q.Keys != nil {
		var set struct {
			Keys jsontext.Value `json:"keys"`
		}
		if err := json.Unmarshal(q.Keys, &set); err != nil {
			return nil, fmt.Errorf("reading the new keys: %w", err)
		}
		claims.Keys = set.Keys
	}
	return signer.SignToken(typ, claims)
}
