// Package rehearsal is how another policy is tried before it is believed, and how it comes into force: backtests on record, a shadow
// that runs beside the policy in force, and an activation that was shown first (standing.md, "Trying before believing"), which takes two
// people: one proposes a file, another puts the same bytes in force (threats.md).
//
// What officers did is in the ledger: that a backtest was made and what came of it, that a shadow was started or stopped, who put which
// policy in force after what was shown. The reports of a shadow are kept in tables of this room; they are computed from the ledger and
// never move once they were told.
//
// It decides about no reseller. What a policy would do is asked of backtest, and through it of the deciders that run live.
package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

var (
	// ErrRefused says that this cannot be done with this policy; the text says why, and what could.
	ErrRefused = errors.New("refused")
	// ErrNotFound says that there is no such backtest, report or policy.
	ErrNotFound = errors.New("nothing of this name")
	// ErrNotShown says that what would move is not what was shown.
	ErrNotShown = errors.New("something else would move than was shown")
	// ErrNotProposed says that this very file waits for nobody's second word: it was not proposed, or too long ago, or to replace another.
	ErrNotProposed = errors.New("it takes two people, and this file is not proposed")
	// ErrMayNot says that another person must do this.
	ErrMayNot = errors.New("another person must do this")
)

// Ledger is what this room needs of the ledger.
type Ledger interface {
	AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error)
	About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error)
	Append(ctx context.Context, sets ...envelope.Verified) ([]ledger.Receipt, error)
}

// Docket is what this room asks of the docket.
type Docket interface {
	CatchUp(ctx context.Context) error
	InForce() policy.Policy
	Shelf(ctx context.Context, p policy.Policy) (policy.Shelf, error)
	Backtest(ctx context.Context, p policy.Policy, until time.Time, progress func(done, of int)) (backtest.Report, error)
	Consequences(ctx context.Context, p policy.Policy) (backtest.Moves, error)
	ActivateAs(ctx context.Context, p policy.Policy, beside func([]docket.Activation) ([]envelope.Verified, error)) (ledger.Receipt, error)
	Folded(ctx context.Context, after []byte, limit int) ([]docket.Folded, error)
	Houses(ctx context.Context) (backtest.Houses, error)
	EachAbout(ctx context.Context, about envelope.Entity, do func(statement.Entry) error) error
}

// Config is what a Rehearsal works with. All fields are needed.
type Config struct {
	DB     *gorm.DB
	Ledger Ledger
	Docket Docket
	Signer envelope.Signer
	Self   envelope.Entity
	Now    func() time.Time
	// Adopt lets this process go by the policy that the ledger says is in force.
	Adopt func(ctx context.Context) error
	// Fits says whether this process can go by a policy; the error says what to change.
	Fits func(policy.Policy) error
}

// Rehearsal is the shell. Make one with New; it is safe for concurrent use, also by several processes on one database.
type Rehearsal struct {
	Config
	asked chan struct{} // wakes Run

	shadow shadowing
	walked struct {
		sync.Mutex
		day  time.Time
		last []byte
	}
}

// New returns the rehearsal of the gateway self.
func New(c Config) *Rehearsal { return &Rehearsal{Config: c, asked: make(chan struct{}, 1)} }

// page is how many records are read at once.
const page = 1000

func refused(format string, values ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, values...)...)
}

// sign signs a statement about the gateway itself.
func (r *Rehearsal) sign(jti string, said statement.Statement) (envelope.Verified, error) {
	set, err := r.Signer.Sign(envelope.Draft{
		Issuer: r.Self, Audience: r.Self, IssuedAt: r.Now(), JTI: jti, EventURI: said.Kind().URI(), Event: said,
		Subject: envelope.Subject{Format: "uri", URI: string(r.Self)},
	})
	if err != nil {
		return envelope.Verified{}, fmt.Errorf("signing a %s: %w", said.Kind(), err)
	}
	// What a fold could not read back must never get into the ledger. What breaks the schema is the officer's to mend.
	if _, err := statement.Decode(set); err != nil {
		return envelope.Verified{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return set, nil
}

// Document reads a policy file as an officer hands it in, strictly. Errors wrap ErrRefused and name every fault.
func Document(file string) (policy.Policy, error) {
	p, err := policy.Parse([]byte(file))
	if err != nil {
		return p, fmt.Errorf("%w: document: %w", ErrRefused, err)
	}
	if len(file) > longest {
		return p, refused("document: wanted a policy file of at most %d bytes, got %d: the ledger keeps it whole", longest, len(file))
	}
	return p, nil
}

// longest is how many bytes of a file the ledger's statements hold (policy-activated, document).
const longest = 65536

func field(name, value string) statement.Field { return statement.Field{Name: name, Value: value} }

func detail(said statement.OfficerAction, name string) string {
	for _, d := range said.Details {
		if d.Name == name {
			return d.Value
		}
	}
	return ""
}

func shown(t time.Time) string { return t.UTC().Format(time.RFC3339) }
