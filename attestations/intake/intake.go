// Package intake is the road of one submission, on one page.
//
// It decides nothing itself: envelope says whether the bytes are what an entity signed, Issuers says who
// the entity is and what it may state, statement says whether the content is well formed, and the ledger
// orders it. What intake owns is the order of these questions (protocol.md, "Submissions"): nothing that a
// stranger sends can use up a reseller's rate or learn what a reseller has sent, because rate, type and
// duplicates are looked at only after the signature held.
package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
)

var (
	// ErrIssuer says that the issuer is not enrolled here, or that its relationship was terminated.
	ErrIssuer = errors.New("issuer unknown or terminated")
	// ErrMayNot says that the issuer is known but may not state events of this type.
	ErrMayNot = errors.New("this entity may not state this type")
	// ErrRate says that the issuer sent more than its rate; the error is a *RateError.
	ErrRate = errors.New("rate exceeded")
	// ErrBusy says that too many signatures are being checked at this moment.
	ErrBusy = errors.New("too many submissions are being verified")
)

// Issuers says who may state what. The road asks it once for each submission, so it should answer from
// memory.
type Issuers interface {
	// Keys returns the statement keys in force for the issuer, also for one whose relationship was terminated; an error
	// that wraps ErrIssuer if it is unknown.
	Keys(ctx context.Context, issuer envelope.Entity) (envelope.Keys, error)
	// MayState returns an error that wraps ErrMayNot if the issuer may not state events of this kind, or ErrIssuer if it
	// was terminated and the kind is none that is recorded all the same.
	MayState(ctx context.Context, issuer envelope.Entity, kind statement.Kind) error
	// Superior returns who is right above an entity, the gateway itself for tier 1; an error that wraps ErrIssuer if the
	// entity is unknown.
	Superior(ctx context.Context, entity envelope.Entity) (envelope.Entity, error)
}

// Appender is the ledger as the road sees it. The receipt may be returned only once the entry is on disk.
type Appender interface {
	Append(ctx context.Context, sets ...envelope.Verified) ([]ledger.Receipt, error)
	// Stated says what Append would find under the issuer's jti; ledger.ErrNotFound if nothing. It stores nothing.
	Stated(ctx context.Context, issuer envelope.Entity, jti string, raw []byte) (ledger.Receipt, error)
}

// Road takes submissions in. Its fields are set once, before the first Accept.
type Road struct {
	Issuers  Issuers
	Ledger   Appender
	Audience envelope.Entity  // the gateway's own entity identifier
	Now      func() time.Time // the gateway's clock
	MaxAge   time.Duration    // how old an `iat` may be; policy `intake.max_age`
	MaxAhead time.Duration    // how far ahead an `iat` may be; policy `intake.max_ahead`
	Rates    *Rates           // submissions a second for each issuer; nil for no limit
	Content  Content          // what the policy asks of a statement beyond its schema
	// Customers says who was stated before, so that nobody closes an account of a customer that was not; nil if that is not asked.
	Customers Customers
	// Systems says which orders the provider's own systems may confirm; nil if none may state anything.
	Systems Systems
	// Verifying bounds the signatures checked at once, so that a flood of forged tokens queues instead of
	// taking the processor from everything else; nil for no limit.
	Verifying *semaphore.Weighted
	// Patience is how long a submission waits for that before it is answered ErrBusy, so that a flood does not pile up in memory; zero
	// for as long as its context lets it.
	Patience time.Duration
	// Holding bounds the bytes of bulk lines that are read and not yet answered, over all streams; nil for no
	// limit. It must admit at least one line of envelope.MaxToken.
	Holding *semaphore.Weighted
}

// Accepted is a submission that was taken in: who stated it, and where it stands.
type Accepted struct {
	ledger.Receipt
	Issuer envelope.Entity
}

// Accept takes one compact JWS in and returns its receipt once it is committed to disk, with what was forwarded in it.
// What was accepted before is answered with its first receipt. Errors wrap envelope's sentinels, ErrIssuer, ErrMayNot,
// *RateError, ErrBusy, or the ledger's ErrTwin, ErrFull, ErrUnknownOutcome and ErrClosed; whatever the
// error, nothing of the submission is kept, except after ErrUnknownOutcome, when it may be.
func (r *Road) Accept(ctx context.Context, raw []byte) (Accepted, error) {
	verified, err := r.admit(ctx, raw)
	if err != nil {
		return Accepted{}, err
	}
	if err := r.Rates.take(verified.Claims().Issuer, r.Now()); err != nil {
		return Accepted{}, err
	}
	sets, err := r.read(ctx, verified)
	if err != nil {
		return Accepted{}, err
	}
	refused, err := r.introduced(ctx, [][]envelope.Verified{sets})
	if err != nil {
		return Accepted{}, err
	}
	if refused[0] != nil {
		return Accepted{}, refused[0]
	}
	receipts, err := r.Ledger.Append(ctx, sets...)
	if err != nil {
		return Accepted{}, notAppended(sets, err)
	}
	return Accepted{Receipt: receipts[0], Issuer: verified.Claims().Issuer}, nil
}

// admit asks who says it, and whether they may: all that comes before the rate.
func (r *Road) admit(ctx context.Context, raw []byte) (envelope.Verified, error) {
	verified, err := r.verify(ctx, raw)
	if err != nil {
		return envelope.Verified{}, err
	}
	if kind, known := statement.KindOf(verified.Claims().EventURI); known {
		if err := r.Issuers.MayState(ctx, verified.Claims().Issuer, kind); err != nil {
			return envelope.Verified{}, err
		}
	}
	return verified, nil
}

func (r *Road) verify(ctx context.Context, raw []byte) (envelope.Verified, error) {
	parsed, err := envelope.Parse(raw)
	if err != nil {
		return envelope.Verified{}, err
	}
	keys, err := r.Issuers.Keys(ctx, parsed.Issuer())
	if err != nil {
		return envelope.Verified{}, err
	}
	if err := r.queue(ctx); err != nil {
		return envelope.Verified{}, err
	}
	defer r.leave()
	return parsed.Verify(keys, r.terms())
}

// queue waits for a turn to compute, and leave ends it.
func (r *Road) queue(ctx context.Context) error {
	if r.Verifying == nil || r.Verifying.TryAcquire(1) {
		return nil
	}
	patient, cancel := ctx, context.CancelFunc(func() {})
	if r.Patience > 0 {
		patient, cancel = context.WithTimeout(ctx, r.Patience)
	}
	defer cancel()
	err := r.Verifying.Acquire(patient, 1)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return fmt.Errorf("%w at this moment: this one waited %s for its turn", ErrBusy, r.Patience)
}

func (r *Road) leave() {
	if r.Verifying != nil {
		r.Verifying.Release(1)
	}
}

func (r *Road) terms() envelope.Terms {
	return envelope.Terms{Audience: r.Audience, Now: r.Now(), MaxAge: r.MaxAge, MaxAhead: r.MaxAhead}
}
