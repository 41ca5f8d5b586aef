package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
)

const (
	// TypeKeySet is the JWT type of a signed JWK Set (OpenID Federation 1.1, section 5.2.1).
	TypeKeySet = "jwk-set+jwt"
	// TypeRevocation is the JWT type by which an entity takes keys of its own away. (Ours.)
	TypeRevocation = "key-revocation+jwt"

	// DefaultOverlap is how long old keys verify beside the new ones (protocol.md, "Enrolment" 3).
	DefaultOverlap = 24 * time.Hour
	// MaxOverlap is the longest that may be asked for.
	MaxOverlap = 7 * 24 * time.Hour

	// maxRequestAge is how old a signed request about keys may be.
	maxRequestAge = 15 * time.Minute
)

// keyRequest is what an entity asks about its keys, signed by one of them.
type keyRequest struct {
	Issuer   envelope.Entity `json:"iss"`
	Subject  envelope.Entity `json:"sub"`
	Audience audience        `json:"aud"`
	IssuedAt float64         `json:"iat"`
	Expires  float64         `json:"exp"`
	Keys     jsontext.Value  `json:"keys"`
	// Purpose says which of the two sets is meant, statement if empty. (Ours.)
	Purpose string `json:"purpose"`
	// OverlapUntil is when the replaced keys end; 24 hours from now if absent. (Ours.)
	OverlapUntil float64 `json:"overlap_until"`
	// KeyIDs are the keys to take away, and CompromisedSince since when somebody else may have used them. (Ours.)
	KeyIDs           []string `json:"kids"`
	CompromisedSince float64  `json:"compromised_since"`

	token envelope.Token
	set   envelope.Keys // of Keys
}

// readKeyRequest reads such a request and checks all that needs no store. The signature is not looked at yet.
func (r *Registry) readKeyRequest(id envelope.ID, raw []byte, typ string) (q keyRequest, err error) {
	if q.token, err = envelope.ParseToken(raw, typ); err != nil {
		return q, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := json.Unmarshal(q.token.Payload(), &q); err != nil {
		return q, refusedClaim("/claims", "iss, aud and iat, and what the guide says of keys", "claims of another form: "+err.Error(), "Compare them with the example in the integrator's guide at /docs.")
	}
	now := r.now().UTC()
	switch issued := unixTime(q.IssuedAt); {
	case q.Issuer.ID() != id:
		return q, refusedClaim("/claims/iss", "the entity whose id stands in the address", fmt.Sprintf("%.200q", string(q.Issuer)), "Send it to /enrolments/{id}/... with id = base64url SHA-256 of iss.")
	case q.Subject != "" && q.Subject != q.Issuer:
		return q, refusedClaim("/claims/sub", "the same value as iss, or none", fmt.Sprintf("%.200q", string(q.Subject)), "An entity changes its own keys alone.")
	case !slices.Contains(q.Audience, string(r.self)):
		return q, refusedClaim("/claims/aud", string(r.self), fmt.Sprintf("%.200q", []string(q.Audience)), "Set aud to this gateway's entity identifier.")
	case issued.After(now.Add(maxAhead)) || issued.Before(now.Add(-maxRequestAge)):
		return q, refusedClaim("/claims/iat", fmt.Sprintf("a time from %s before to %s after %s", maxRequestAge, maxAhead, now.Format(time.RFC3339)), issued.Format(time.RFC3339), "Set your clock (NTP) and sign again.")
	case q.Expires != 0 && !unixTime(q.Expires).After(now):
		return q, refusedClaim("/claims/exp", "a time after "+now.Format(time.RFC3339)+", or none", unixTime(q.Expires).Format(time.RFC3339), "Sign again.")
	}
	if q.Purpose == "" {
		q.Purpose = PurposeStatement
	}
	if q.Purpose != PurposeStatement && q.Purpose != PurposeFederation {
		return q, refusedClaim("/claims/purpose", "statement or federation", fmt.Sprintf("%.40q", q.Purpose), "Leave it out to change the keys that sign statements.")
	}
	if q.Keys == nil {
		return q, nil
	}
	set, err := json.Marshal(map[string]jsontext.Value{"keys": q.Keys})
	if err != nil {
		return q, fmt.Errorf("%w: /claims/keys: %w", ErrRefused, err)
	}
	if q.set, err = envelope.ParseKeys(set); err != nil {
		return q, fmt.Errorf("%w: %w", ErrRefused, under("/claims", err))
	}
	if err := plainKids("/claims/keys", q.set); err != nil {
		return q, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return q, nil
}

// signedBy finds the key that signed a request among those in force.
func (q keyRequest) signedBy(spans []keyRow, now time.Time, purposes ...string) (keyRow, error) {
	var refused error
	for _, purpose := range purposes {
		rows := inForce(spans, purpose, now)
		keys, err := setOf(rows)
		if err != nil {
			return keyRow{}, err
		}
		err = q.token.Verify(keys)
		if err == nil {
			return rows[slices.Index(keys.IDs(), q.token.KeyID())], nil
		}
		if refused == nil || errors.Is(err, envelope.ErrSignature) { // the kid was found: this says more
			refused = err
		}
	}
	return keyRow{}, fmt.Errorf("%w: %w", ErrRefused, refused)
}

// Rotate replaces an entity's keys of one purpose by the set in a signed JWK Set. Statement keys may be replaced by a
// statement key or a federation key, federation keys by a federation key. What is not in the new set verifies until the
// overlap ends, by the gateway's clock. The set that is in force already is answered as if it came first. Errors wrap
// ErrNotFound, ErrRefused (with the *envelope.Fault that names the check), ErrTaken, or the ledger's.
func (r *Registry) Rotate(ctx context.Context, id envelope.ID, raw []byte) (Entity, error) {
	q, err := r.readKeyRequest(id, raw, TypeKeySet)
	if err != nil {
		return Entity{}, err
	}
	if q.set.Len() == 0 {
		return Entity{}, refusedClaim("/claims/keys", "the new keys, an array of JWKs", "none", "Send every key that you want to use from now on, also those that stay.")
	}
	return r.change(ctx, id, func(known entityRow, spans []keyRow, now time.Time) (*change, error) {
		signers := []string{PurposeFederation}
		if q.Purpose == PurposeStatement {
			signers = []string{PurposeStatement, PurposeFederation}
		}
		signer, err := q.signedBy(spans, now, signers...)
		if err != nil {
			return nil, err
		}
		current := slices.DeleteFunc(inForce(spans, q.Purpose, now), func(row keyRow) bool { return row.ValidUntil != open })
		if sameKeys(current, q.set) {
			return nil, nil
		}
		if signer.ValidUntil != open {
			return nil, refusedClaim("/header/kid", "a current key", "one that was replaced and ends at "+timeOf(signer.ValidUntil).Format(time.RFC3339), "Sign with a key of your newest set, or with a federation key.")
		}
		until, err := q.overlap(now)
		if err != nil {
			return nil, err
		}
		if err := r.mayAdd(ctx, known, q.Purpose, q.set, spans, now); err != nil {
			return nil, err
		}
		c := change{purpose: q.Purpose, reason: reasonRotation, keys: q.set, until: until}
		c.ending, err = r.replaced(ctx, known.ID, q.Purpose, current)
		return &c, err
	})
}

// sameKeys says whether a set holds exactly these keys, each under its kid.
func sameKeys(rows []keyRow, set envelope.Keys) bool {
	if len(rows) != set.Len() {
		return false
	}
	for i, thumbprint := range set.Thumbprints() {
		if !slices.ContainsFunc(rows, func(row keyRow) bool { return row.Thumbprint == thumbprint && row.Kid == set.IDs()[i] }) {
			return false
		}
	}
	return true
}

// overlap is until when replaced keys verify, in whole seconds.
func (q keyRequest) overlap(now time.Time) (time.Time, error) {
	if q.OverlapUntil == 0 {
		return now.Add(DefaultOverlap).UTC().Truncate(time.Second), nil
	}
	until := unixTime(q.OverlapUntil).Truncate(time.Second)
	if !until.After(now) || until.After(now.Add(MaxOverlap)) {
		return until, refusedClaim("/claims/overlap_until", fmt.Sprintf("a time from now to %s", now.Add(MaxOverlap).UTC().Format(time.RFC3339)), until.Format(time.RFC3339),
			"Leave it out for 24 hours. A key that must not verify any more is revoked, not replaced.")
	}
	return until, nil
}
