// Package archive keeps what must be kept and lets go of what must go: the written programs that attestations name, and
// what was stated of customers, until the policy's ceiling or a request ends it and unless a legal hold keeps it.
//
// What officers decide about records is a statement in the ledger first; the archive then carries out what it reads
// there, so an erasure that was stated is done also if the process dies in between. How long something is kept is
// decided in retention.go, from the policy and what was stated. It judges no reseller.
package archive

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/tink"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

var (
	// ErrRefused is the reason of whatever is refused here; the error says what was wanted and what to do.
	ErrRefused = errors.New("refused")
	// ErrNotFound says that the archive holds no such document or hold.
	ErrNotFound = errors.New("not in the archive")
	// ErrGone says that the document was erased.
	ErrGone = errors.New("erased")
)

func refused(format string, arguments ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, arguments...))
}

// Ledger is what the archive needs of the ledger.
type Ledger interface {
	Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error)
	About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error)
	Entry(ctx context.Context, leafIndex int64) (statement.Entry, error)
	Size(ctx context.Context) (int64, error)
	Append(ctx context.Context, sets ...envelope.Verified) ([]ledger.Receipt, error)
	Erase(ctx context.Context, digest envelope.Digest) error
}

// Config is what an Archive works with.
type Config struct {
	DB      *gorm.DB
	Ledger  Ledger
	Docket  *docket.Docket
	Signer  envelope.Signer
	Self    envelope.Entity
	Bodies  tink.AEAD // encrypts documents; its key lies outside the database
	Records policy.Records
	Now     func() time.Time
}

// Archive is the shell around documents and holds. Make one with New; it is safe for concurrent use, also by several
// processes on one database.
type Archive struct {
	Config

	// looked is up to where the ledger was looked through without finding anything for the archive. It is kept in memory:
	// writing it down each time would cost the store a commit.
	looked atomic.Int64
	// adopted are the terms of a policy that was put in force since; nil where those of Config hold.
	adopted atomic.Pointer[policy.Records]
}

// New returns the archive of a gateway.
func New(config Config) *Archive { return &Archive{Config: config} }

// Adopt goes by the terms of another policy from here on.
func (a *Archive) Adopt(records policy.Records) { a.adopted.Store(&records) }

// terms are how long records are kept, by the policy in force.
func (a *Archive) terms() policy.Records {
	if adopted := a.adopted.Load(); adopted != nil {
		return *adopted
	}
	return a.Records
}

// state appends what the gateway says about a reseller. The same jti states once.
func (a *Archive) state(ctx context.Context, about envelope.Entity, jti string, said statement.Statement) error {
	set, err := a.Signer.Sign(envelope.Draft{
		Issuer: a.Self, Audience: about, IssuedAt: a.Now(), JTI: jti, EventURI: said.Kind().URI(), Event: said,
		Subject: envelope.Subject{Format: "uri", URI: string(about)},
	})
	if err != nil {
		return fmt.Errorf("signing a %s about %s: %w", said.Kind(), about, err)
	}
	// What a fold could not read back must never get into the ledger.
	if _, err := statement.Decode(set); err != nil {
		return fmt.Errorf("a %s about %s that breaks its own schema: %w", said.Kind(), about, err)
	}
	if _, err := a.Ledger.Append(ctx, set); err != nil && !errors.Is(err, ledger.ErrTwin) {
		return fmt.Errorf("stating a %s about %s: %w", said.Kind(), about, err)
	}
	return nil
}

// newJTI is for what is stated each time it is asked for.
func newJTI() (string, error) {
	number, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("making a jti: %w", err)
	}
	return number.String(), nil
}

// namespace is for a jti that is computed from what is stated.
var namespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:cipgate:archive"))
