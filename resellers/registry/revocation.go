package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Revoke takes keys of an entity away at its own word, signed by one of its federation keys: nothing that they sign is
// accepted any more. What was accepted before stands; if the request names a time since when the keys are compromised,
// what was accepted after it stands too, marked. New keys may come in the same request. Errors wrap ErrNotFound,
// ErrRefused, ErrTaken, or the ledger's.
func (r *Registry) Revoke(ctx context.Context, id envelope.ID, raw []byte) (Entity, error) {
	q, err := r.readKeyRequest(id, raw, TypeRevocation)
	if err != nil {
		return Entity{}, err
	}
	since := time.Time{}
	if q.CompromisedSince != 0 {
		since = unixTime(q.CompromisedSince)
	}
	return r.change(ctx, id, func(known entityRow, spans []keyRow, now time.Time) (*change, error) {
		if _, err := q.signedBy(spans, now, PurposeFederation); err != nil {
			return nil, err
		}
		c, err := r.revocation(ctx, id, q.Purpose, q.KeyIDs, since, now, "/claims")
		if err != nil || c == nil {
			return nil, err
		}
		if q.set.Len() > 0 {
			if err := r.mayAdd(ctx, known, q.Purpose, q.set, spans, now); err != nil {
				return nil, err
			}
			c.keys = q.set
		}
		return c, nil
	})
}

// Revocation is an officer's word that keys of an entity must not verify any more.
type Revocation struct {
	Purpose          string // statement if empty
	KeyIDs           []string
	CompromisedSince time.Time // zero if they are only taken away
	Reason           string
}

// RevokeByOfficer takes keys of an entity away as Revoke does. That the officer did stands in the ledger beside it.
func (r *Registry) RevokeByOfficer(ctx context.Context, id envelope.ID, by statement.Officer, said Revocation) (Entity, error) {
	if said.Purpose == "" {
		said.Purpose = PurposeStatement
	}
	if said.Purpose != PurposeStatement && said.Purpose != PurposeFederation {
		return Entity{}, refusedClaim("/purpose", "statement or federation", fmt.Sprintf("%.40q", said.Purpose), "Leave it out for the keys that sign statements.")
	}
	if err := checkReason(said.Reason); err != nil {
		return Entity{}, err
	}
	known, err := r.row(ctx, "id = ?", id[:])
	if err != nil {
		return Entity{}, err
	}
	number, err := uuid.NewV7()
	if err != nil {
		return Entity{}, fmt.Errorf("making a jti: %w", err)
	}
	action, err := r.sign(envelope.Entity(known.Entity), number.String(), statement.OfficerAction{Officer: by, Action: "keys.revoked",
		On: statement.Target{Type: "reseller", ID: known.Entity}, Reason: said.Reason})
	if err != nil {
		return Entity{}, err
	}
	return r.change(ctx, id, func(_ entityRow, _ []keyRow, now time.Time) (*change, error) {
		return r.revocation(ctx, id, said.Purpose, said.KeyIDs, said.CompromisedSince, now, "")
	}, action)
}

// firstYear is before any key was enrolled anywhere, and within what the ledger keeps as a time.
const firstYear = 2020

// revocation decides which keys are taken away; none if they are already, with the same words. A key that has ended may
// still turn out to be compromised: then what it signed is marked.
func (r *Registry) revocation(ctx context.Context, id envelope.ID, purpose string, kids []string, since, now time.Time, pointer string) (*change, error) {
	if len(kids) == 0 || len(kids) > envelope.MaxKeys {
		return nil, refusedClaim(pointer+"/kids", fmt.Sprintf("the kids of 1 to %d keys to take away", envelope.MaxKeys), fmt.Sprintf("%d", len(kids)), "Name each key by the kid that it was enrolled with.")
	}
	kids = slices.Compact(slices.Sorted(slices.Values(kids)))
	if since = since.UTC().Truncate(time.Second); since.After(now) || !since.IsZero() && since.Year() < firstYear {
		return nil, refusedClaim(pointer+"/compromised_since", fmt.Sprintf("a time from %d to %s", firstYear, now.UTC().Format(time.RFC3339)), since.Format(time.RFC3339), "Give the last moment at which the key was surely yours alone.")
	}
	var rows []keyRow
	err := r.db.WithContext(ctx).Where("entity_id = ? AND purpose = ? AND kid IN ?", id[:], purpose, kids).
		Order("kid").Limit(len(kids)).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for the keys to take away: %w", err)
	}
	for i, kid := range kids {
		if !slices.Contains(kidsOf(rows), kid) {
			return nil, refusedClaim(fmt.Sprintf("%s/kids/%d", pointer, i), "the kid of a "+purpose+" key of this entity", fmt.Sprintf("%.64q", kid), "GET /enrolments/{id} lists them.")
		}
	}
	c := change{purpose: purpose, reason: reasonRevoked, ending: kids}
	if !since.IsZero() {
		c.reason, c.since = reasonCompromise, since
	}
	done := !slices.ContainsFunc(rows, func(row keyRow) bool {
		ended := row.ValidUntil <= now.UnixMicro()
		return !ended || (!since.IsZero() && (row.CompromisedSince == 0 || row.CompromisedSince > since.UnixMicro()))
	})
	if done {
		return nil, nil
	}
	return &c, nil
}
