// Package desk records what officers state: approvals, holds, what they decide of a reseller's answers, evidence, special measures,
// exemptions, what they say of a hint. Who acts comes from the session or the token, and stands in the ledger with what was done and
// why. What takes two people is proposed by one and confirmed by another.
//
// It carries nothing out. What follows is folded from the ledger: whom a measure hits by the docket's screener, what an exemption
// exempts from by history and findings.
package desk

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/resellers/screening"
)

var (
	// ErrMayNot says that this person may not do it, but another may; the text says who.
	ErrMayNot = errors.New("not this person")
	// ErrRefused says that what an officer states cannot be recorded; the text says why and what would be.
	ErrRefused = errors.New("refused")
	// ErrNotFound says that there is no such measure or exemption.
	ErrNotFound = errors.New("nothing of this id is on record")
	// ErrMoved says that others stated so much about the same at once that this was not recorded.
	ErrMoved = errors.New("somebody else acted at the same time")
)

// Ledger is what the desk needs of the ledger.
type Ledger interface {
	Append(ctx context.Context, sets ...envelope.Verified) ([]ledger.Receipt, error)
	AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error)
	About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error)
	Entry(ctx context.Context, leafIndex int64) (statement.Entry, error)
	Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error)
	Size(ctx context.Context) (int64, error)
}

// Screener is what the desk asks of the docket's screener.
type Screener interface {
	Measures(ctx context.Context) (screening.Measures, error)
	Hit(ctx context.Context, id string) (docket.Hit, error)
}

// Files is what the desk asks of the docket.
type Files interface {
	Open(ctx context.Context, id envelope.ID) (docket.File, error)
	PolicyOf(file docket.File) (policy.Policy, error)
	House(ctx context.Context) (escalation.House, error)
	CatchUp(ctx context.Context) error
	Obligation(ctx context.Context, id string) (obligations.Obligation, error)
	Order(ctx context.Context, jti string) (escalation.Ordered, error)
}

// Desk is where officers state. Make one with New; it is safe for concurrent use.
type Desk struct {
	db       *gorm.DB
	ledger   Ledger
	screener Screener
	files    Files
	signer   envelope.Signer
	self     envelope.Entity
	numbers  atomic.Pointer[policy.SpecialMeasures]
	now      func() time.Time
}

// New returns the desk of the gateway self, which signs what officers state with signer.
func New(db *gorm.DB, log Ledger, screener Screener, files Files, signer envelope.Signer, self envelope.Entity, numbers policy.SpecialMeasures, now func() time.Time) *Desk {
	d := &Desk{db: db, ledger: log, screener: screener, files: files, signer: signer, self: self, now: now}
	d.Adopt(numbers)
	return d
}

// Adopt goes by the numbers of another policy from here on.
func (d *Desk) Adopt(numbers policy.SpecialMeasures) { d.numbers.Store(&numbers) }

// attempts is how often what an officer states is checked again because something else was stated about the same meanwhile.
const attempts = 5

func (d *Desk) sign(about envelope.Entity, jti string, said statement.Statement) (envelope.Verified, error) {
	set, err := d.signer.Sign(envelope.Draft{
		Issuer: d.self, Audience: d.self, IssuedAt: d.now(), JTI: jti, EventURI: said.Kind().URI(), Event: said,
		Subject: envelope.Subject{Format: "uri", URI: string(about)},
	})
	if err != nil {
		return envelope.Verified{}, fmt.Errorf("signing a %s: %w", said.Kind(), err)
	}
	// What a fold could not read back must never get into the ledger. What breaks the schema is the officer's to mend.
	if _, err := statement.Decode(set); err != nil {
		return envelope.Verified{}, fmt.Errorf("%w: %w", ErrRefused, everyFault(set, err))
	}
	return set, nil
}

// everyFault is all that is wrong with a statement, where first is what is told first.
func everyFault(set envelope.Verified, first error) error {
	_, problems := statement.Inspect(set.Claims())
	if len(problems) < 2 {
		return first
	}
	all := make([]error, len(problems))
	for i, problem := range problems {
		all[i] = problem.Fault
	}
	return errors.Join(all...)
}

// overtaken is true if something else was stated meanwhile: look again.
func overtaken(err error) bool {
	return errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTwin)
}

func refused(format string, values ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, values...)...)
}
