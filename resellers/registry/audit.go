package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// MarkedEntry is an entry that was signed by a key after it was compromised: it stands, and somebody else than its
// issuer may have signed it.
type MarkedEntry struct {
	statement.Entry
	KeyID            string
	CompromisedSince time.Time
}

// Marked looks through the entries about one entity from leaf index from on, at most limit, and returns those that are
// marked. next is where to go on, -1 at the end. Errors wrap ErrNotFound.
func (r *Registry) Marked(ctx context.Context, id envelope.ID, from int64, limit int) (marked []MarkedEntry, next int64, err error) {
	if err := r.enrolled(ctx, id); err != nil {
		return nil, -1, err
	}
	entries, err := r.ledger.About(ctx, id, from, limit)
	if err != nil {
		return nil, -1, fmt.Errorf("looking for marked entries: %w", err)
	}
	next = -1
	for _, entry := range entries {
		next = entry.LeafIndex + 1
		if entry.By == r.self || entry.Erased { // with its token is gone by which key it was signed
			continue
		}
		token, err := r.token(ctx, entry)
		if err != nil {
			return nil, -1, err
		}
		since, compromised, err := r.compromised(ctx, entry.By.ID(), token.KeyID(), entry.AcceptedAt)
		if err != nil {
			return nil, -1, err
		}
		if compromised {
			marked = append(marked, MarkedEntry{Entry: entry, KeyID: token.KeyID(), CompromisedSince: since})
		}
	}
	return marked, next, nil
}

// compromised says whether the key that kid names is known to have been compromised since a time before an entry was
// accepted.
func (r *Registry) compromised(ctx context.Context, id envelope.ID, kid string, acceptedAt time.Time) (since time.Time, yes bool, err error) {
	var row keyRow
	found := r.db.WithContext(ctx).Where("entity_id = ? AND purpose = ? AND kid = ? AND compromised_since > 0 AND compromised_since < ?",
		id[:], PurposeStatement, kid, acceptedAt.UnixMicro()).Order("thumbprint").Limit(1).Find(&row)
	if found.Error != nil {
		return time.Time{}, false, fmt.Errorf("looking for a compromised key: %w", found.Error)
	}
	if found.RowsAffected == 0 {
		return time.Time{}, false, nil
	}
	return timeOf(row.CompromisedSince), true, nil
}

// token reads the signed token behind an entry.
func (r *Registry) token(ctx context.Context, entry statement.Entry) (envelope.Token, error) {
	raw, _, err := r.ledger.Raw(ctx, entry.Digest)
	if err != nil {
		return envelope.Token{}, fmt.Errorf("reading entry %d: %w", entry.LeafIndex, err)
	}
	token, err := envelope.ParseToken(raw, envelope.SETType)
	if err != nil {
		return envelope.Token{}, fmt.Errorf("reading entry %d: %w", entry.LeafIndex, err)
	}
	return token, nil
}

// Audited is what an audit of the signatures found.
type Audited struct {
	Submissions int64 // entries that resellers signed, all with a key that was in force when the entry was accepted
	Decisions   int64 // entries that this gateway signed
	Marked      int64 // submissions that were signed by a key after it was compromised
	Erased      int64 // submissions whose token was erased since: that it was signed when it was accepted, nobody can check again
}

// inFlight is how long a submission may take from the moment its key was looked up to its commit: one that came in the
// last moment of a key is accepted a little later.
const inFlight = time.Minute

// errNotSigned says that an entry is not signed as its issuer signs.
var errNotSigned = errors.New("the signature does not hold")

// Audit reads all entries again and checks each signature by the keys that were in force when the entry was accepted,
// whatever became of them since. Call it when the tables hold all of the ledger (CatchUp). The first entry that does not
// hold is an error that names it.
func (r *Registry) Audit(ctx context.Context) (a Audited, err error) {
	own, err := envelope.NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{r.signer.Public()}})
	if err != nil {
		return a, fmt.Errorf("the gateway's own key: %w", err)
	}
	for from := int64(0); ; {
		entries, err := r.ledger.Entries(ctx, from, page)
		if err != nil {
			return a, fmt.Errorf("auditing the ledger: %w", err)
		}
		if len(entries) == 0 {
			return a, nil
		}
		for _, entry := range entries {
			if entry.Erased {
				a.Erased++
				continue
			}
			token, err := r.token(ctx, entry)
			if err != nil {
				return a, err
			}
			if entry.By == r.self {
				if err := token.Verify(own); err != nil {
					return a, fmt.Errorf("entry %d: %w: %w", entry.LeafIndex, errNotSigned, err)
				}
				a.Decisions++
				continue
			}
			if err := r.verifyThen(ctx, entry, token); err != nil {
				return a, err
			}
			a.Submissions++
			_, compromised, err := r.compromised(ctx, entry.By.ID(), token.KeyID(), entry.AcceptedAt)
			if err != nil {
				return a, err
			}
			if compromised {
				a.Marked++
			}
		}
		from = entries[len(entries)-1].LeafIndex + 1
	}
}

// verifyThen checks a submission by the keys of when it was accepted.
func (r *Registry) verifyThen(ctx context.Context, entry statement.Entry, token envelope.Token) error {
	var refused error
	for _, at := range []time.Time{entry.AcceptedAt, entry.AcceptedAt.Add(-inFlight)} {
		keys, err := r.KeysAt(ctx, entry.By, at)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		err = token.Verify(keys)
		if err == nil {
			return nil
		}
		if refused == nil {
			refused = err
		}
	}
	return fmt.Errorf("entry %d, accepted at %s: %w: %w", entry.LeafIndex, entry.AcceptedAt.Format(time.RFC3339), errNotSigned, refused)
}
