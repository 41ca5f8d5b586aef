// Package registry knows who the entities are: invitations, enrolment, keys, and whether a relationship
// still stands. It implements intake.Issuers.
//
// An enrolment is a fact of the ledger (`entity-enrolled`, signed by the gateway); the tables of entities
// and keys are folded from it, and a termination that the escalation stated is folded the same way. Only
// invitations live here alone: they are promises, not facts. The registry judges nobody: standing and
// termination are decided in findings and escalation.
package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
)

var (
	// ErrInvitation says that the token belongs to no invitation, or to one that has expired.
	ErrInvitation = errors.New("no such invitation")
	// ErrTaken says that an identifier, key or invitation is in use already.
	ErrTaken = errors.New("already taken")
	// ErrRefused says that what was sent cannot be enrolled or invited; the wrapping *envelope.Fault or
	// text says why.
	ErrRefused = errors.New("refused")
	// ErrNotFound says that no such entity is enrolled.
	ErrNotFound = errors.New("no such entity")
)

// Ledger is what the registry needs of the ledger: to state an enrolment, and to read facts back.
type Ledger interface {
	AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error)
	Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error)
	Size(ctx context.Context) (int64, error)
}

// Registry is the shell around its tables. Make one with New; it is safe for concurrent use.
type Registry struct {
	db     *gorm.DB
	ledger Ledger
	signer envelope.Signer
	self   envelope.Entity
	now    func() time.Time

	mu         sync.RWMutex
	generation int64 // of the tables, when the cache was last emptied
	issuers    map[envelope.Entity]issuer
	lookedTo   int64 // below it this process has looked at every entry
}

type issuer struct {
	keys       envelope.Keys
	terminated bool
}

// New makes a registry for the gateway self, whose statements signer signs.
func New(db *gorm.DB, log Ledger, signer envelope.Signer, self envelope.Entity, now func() time.Time) *Registry {
	return &Registry{db: db, ledger: log, signer: signer, self: self, now: now, issuers: map[envelope.Entity]issuer{}}
}

// Keys implements intake.Issuers. The answer is kept in memory until Turn sees that the tables changed.
func (r *Registry) Keys(ctx context.Context, entity envelope.Entity) (envelope.Keys, error) {
	r.mu.RLock()
	known, ok := r.issuers[entity]
	generation := r.generation
	r.mu.RUnlock()
	if !ok {
		found, err := r.Entity(ctx, entity.ID())
		if errors.Is(err, ErrNotFound) {
			return envelope.Keys{}, &envelope.Fault{Reason: intake.ErrIssuer, Pointer: "/claims/iss",
				Wanted: "an entity that is enrolled at this gateway", Got: "an entity that is not",
				Fix: "Enrol first with the invitation from your provider (POST /enrolments), then sign with `iss` set to the entity identifier you enrolled."}
		}
		if err != nil {
			return envelope.Keys{}, err
		}
		known = issuer{terminated: found.Terminated()}
		if known.keys, err = envelope.ParseKeys(found.JWKS); err != nil {
			return envelope.Keys{}, fmt.Errorf("reading the enrolled keys of %s: %w", entity, err)
		}
		r.mu.Lock()
		if r.generation == generation { // else the row may be older than the emptied cache
			r.issuers[entity] = known
		}
		r.mu.Unlock()
	}
	if known.terminated {
		return envelope.Keys{}, &envelope.Fault{Reason: intake.ErrIssuer, Pointer: "/claims/iss",
			Wanted: "an entity whose relationship stands", Got: "one whose relationship was terminated",
			Fix: "The ledger says why: ask your provider for the history of your case, and for reinstatement if it is wrong."}
	}
	return known.keys, nil
}

// MayState implements intake.Issuers: an enrolled reseller states every kind but the gateway's own.
func (r *Registry) MayState(_ context.Context, _ envelope.Entity, kind statement.Kind) error {
	if kind.ByGateway() {
		return &envelope.Fault{Reason: intake.ErrMayNot, Pointer: "/claims/events",
			Wanted: "an event type that a reseller states", Got: kind.URI(),
			Fix: "Only the gateway states events of this type. The types a reseller may state are listed in the integrator's guide at /docs."}
	}
	return nil
}
