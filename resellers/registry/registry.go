// Package registry knows who the entities are: invitations, enrolment, keys over time, contacts, and whether a
// relationship still stands. It implements intake.Issuers.
//
// An enrolment and each change of keys is a fact of the ledger, signed by the gateway; the tables of entities and keys
// are folded from these, and a termination that the escalation stated is folded the same way. What lives here alone are
// promises: invitations, enrolments that wait for an officer, links that a contact may follow. The registry judges
// nobody: standing and termination are decided in findings and escalation.
package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
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
	// ErrSamePerson says that two people are asked for and one came twice.
	ErrSamePerson = errors.New("another person must approve")
)

// Ledger is what the registry needs of the ledger: to state an enrolment, and to read facts back.
type Ledger interface {
	Append(ctx context.Context, sets ...envelope.Verified) ([]ledger.Receipt, error)
	AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error)
	Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error)
	About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error)
	Raw(ctx context.Context, digest envelope.Digest) ([]byte, ledger.Receipt, error)
	Size(ctx context.Context) (int64, error)
}

// Fetcher is the guarded way out; outbound.Client is one.
type Fetcher interface {
	// Get returns what is at an https URL, if it is there with this media type.
	Get(ctx context.Context, url, mediaType string) ([]byte, error)
}

// Config is what a Registry works with.
type Config struct {
	DB     *gorm.DB
	Ledger Ledger
	Signer envelope.Signer // the gateway's statement key
	Self   envelope.Entity // the gateway
	Fetch  Fetcher
	Rules  policy.Intake // how deep resale may go, and which enrolments wait for an officer
	Now    func() time.Time
}

// Registry is the shell around its tables. Make one with New; it is safe for concurrent use.
type Registry struct {
	db     *gorm.DB
	ledger Ledger
	signer envelope.Signer
	self   envelope.Entity
	fetch  Fetcher
	rules  atomic.Pointer[policy.Intake]
	now    func() time.Time

	mu         sync.RWMutex
	generation int64 // of the tables, when the cache was last emptied
	issuers    map[envelope.Entity]issuer
	lookedTo   int64 // below it this process has looked at every entry
}

// issuer is what is kept in memory of an entity: the statement keys in force between two moments.
type issuer struct {
	keys        envelope.Keys
	from, until time.Time
	terminated  bool
	superior    envelope.Entity
}

// New makes a registry.
func New(c Config) *Registry {
	r := &Registry{db: c.DB, ledger: c.Ledger, signer: c.Signer, self: c.Self, fetch: c.Fetch, now: c.Now, issuers: map[envelope.Entity]issuer{}}
	r.Adopt(c.Rules)
	return r
}

// Adopt goes by the numbers of another policy from here on.
func (r *Registry) Adopt(rules policy.Intake) { r.rules.Store(&rules) }

// Keys implements intake.Issuers. The answer is kept in memory until a key's time begins or ends, or Turn sees that the
// tables changed.
func (r *Registry) Keys(ctx context.Context, entity envelope.Entity) (envelope.Keys, error) {
	if _, is := envelope.SystemLabel(r.self, entity); is { // KeysOfSystem knows those
		return envelope.Keys{}, r.unknown(ctx, entity)
	}
	known, err := r.known(ctx, entity)
	return known.keys, err
}

// Superior implements intake.Issuers, from the same memory.
func (r *Registry) Superior(ctx context.Context, entity envelope.Entity) (envelope.Entity, error) {
	known, err := r.known(ctx, entity)
	return known.superior, err
}

func (r *Registry) known(ctx context.Context, entity envelope.Entity) (issuer, error) {
	now := r.now()
	r.mu.RLock()
	known, ok := r.issuers[entity]
	generation := r.generation
	r.mu.RUnlock()
	if !ok || now.Before(known.from) || !now.Before(known.until) {
		var err error
		if known, err = r.issuer(ctx, entity, now); err != nil {
			return issuer{}, err
		}
		r.mu.Lock()
		if r.generation == generation { // else the rows may be older than the emptied cache
			r.issuers[entity] = known
		}
		r.mu.Unlock()
	}
	return known, nil
}

// issuer reads what is kept in memory of an entity.
func (r *Registry) issuer(ctx context.Context, entity envelope.Entity, now time.Time) (issuer, error) {
	if _, is := envelope.SystemLabel(r.self, entity); is {
		return r.system(ctx, entity, now)
	}
	var row entityRow
	id := entity.ID()
	err := r.db.WithContext(ctx).Select("status", "superior").Where("id = ?", id[:]).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return issuer{}, r.unknown(ctx, entity)
	}
	if err != nil {
		return issuer{}, fmt.Errorf("looking up an issuer: %w", err)
	}
	spans, err := r.spans(ctx, id, now)
	if err != nil {
		return issuer{}, err
	}
	known := issuer{terminated: row.Status == statusTerminated, superior: envelope.Entity(row.Superior)}
	known.from, known.until = unchanged(spans, now)
	if known.keys, err = setOf(inForce(spans, PurposeStatement, now)); err != nil {
		return issuer{}, fmt.Errorf("reading the enrolled keys of %s: %w", entity, err)
	}
	return known, nil
}

// unknown words why an entity that is not enrolled may state nothing.
func (r *Registry) unknown(ctx context.Context, entity envelope.Entity) error {
	waits, err := r.isWaiting(ctx, entity)
	if err != nil {
		return err
	}
	if waits {
		return &envelope.Fault{Reason: intake.ErrIssuer, Pointer: "/claims/iss",
			Wanted: "an entity whose enrolment was approved", Got: "one whose enrolment awaits approval by an officer of the provider",
			Fix: "Wait until your provider has approved it: POST /enrolments with the same configuration answers `active` from then on. Then send this again."}
	}
	return &envelope.Fault{Reason: intake.ErrIssuer, Pointer: "/claims/iss",
		Wanted: "an entity that is enrolled at this gateway", Got: "an entity that is not",
		Fix: "Enrol first with the invitation from your provider (POST /enrolments), then sign with `iss` set to the entity identifier you enrolled."}
}

func terminatedFault() error {
	return &envelope.Fault{Reason: intake.ErrIssuer, Pointer: "/claims/iss",
		Wanted: "an entity whose relationship stands", Got: "one whose relationship was terminated",
		Fix: "A remediation (a cure, a dispute) and an order-confirmation are still recorded, as evidence. The ledger says why: ask your provider for the history of your case, and for reinstatement if it is wrong."}
}

// evidence is what is recorded of an entity also after it was terminated (protocol.md, "Enrolment"): that it mended what it
// was terminated for, disputes it, or carried out an order.
var evidence = []statement.Kind{statement.KindRemediation, statement.KindOrderConfirmation}

// MayState implements intake.Issuers: an enrolled reseller states every kind but the gateway's own, and a terminated one
// what is evidence.
func (r *Registry) MayState(ctx context.Context, entity envelope.Entity, kind statement.Kind) error {
	known, err := r.known(ctx, entity)
	if err != nil {
		return err
	}
	if known.terminated && !slices.Contains(evidence, kind) {
		return terminatedFault()
	}
	if kind.ByGateway() {
		return &envelope.Fault{Reason: intake.ErrMayNot, Pointer: "/claims/events",
			Wanted: "an event type that a reseller states", Got: kind.URI(),
			Fix: "Only the gateway states events of this type. The types a reseller may state are listed in the integrator's guide at /docs."}
	}
	return nil
}
