// Package ledger orders what was stated, proves that it did, and forgets nothing.
//
// The database is the source of truth, and of it one row: the head, a signed checkpoint of the Merkle tree over the digests
// of all entries (RFC 6962; C2SP tlog-tiles). An entry exists if and only if the committed head covers it. Any number of
// gateways may append to one PostgreSQL: each compares the head with the one it knows and sets it in the same atomic step
// that inserts the entries.
//
//	Append ──> queue ──> gather ──> leaf hashes, full tiles, root, one signature ──> one commit ──> receipts
//	             │ full             ▲                                                   │
//	           ErrFull              ├── duplicates, twins, moved guards: answered,  <───┤ refused, with the reason
//	                                │   the rest goes on                                │
//	                                ├── the head moved: load it, under its lock  <──────┤ lost the race
//	                                └── the head is forgotten, loaded next time  <──────┘ nobody knows: ErrUnknownOutcome
//
// What fails leaves nothing behind, except where nobody can know (ErrUnknownOutcome): then the entries may have been stored,
// and stating the same again is answered with the first receipt if they were. Nothing shows what is not committed: neither a
// receipt nor a checkpoint, tile or entry.
//
// The package does not decide whether a statement is true, allowed or well formed, nor what follows from it.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tink-crypto/tink-go/v2/tink"
	"golang.org/x/mod/sumdb/note"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
)

var (
	// ErrMoved says that an entry about the same entity stands in the ledger which the decider had not seen. Fold it and
	// decide again.
	ErrMoved = errors.New("something newer about this entity stands in the ledger")
	// ErrFull says that too much waits for its commit. Nothing was stored; try again later.
	ErrFull = errors.New("too many statements wait to be committed")
	// ErrUnknownOutcome says that the entries may or may not have been stored. State the same again: if they were, the
	// answer is the first receipt.
	ErrUnknownOutcome = errors.New("it is unknown whether the statements were stored")
	// ErrTwin is the reason of a *TwinError.
	ErrTwin = errors.New("the same issuer has stated something else under the same jti")
	// ErrNotFound says that the ledger holds no such entry or tile.
	ErrNotFound = errors.New("the ledger holds no such entry")
	// ErrDamaged says that what is stored is not what was committed: hashes are missing, or do not lead to the signed root.
	ErrDamaged = errors.New("the ledger is damaged")
	// ErrClosed says that the ledger takes no more entries in this process.
	ErrClosed = errors.New("the ledger is closed")
)

// TwinError refuses a statement whose issuer has used its jti before for other claims (protocol.md, "POST /events"). It wraps
// ErrTwin.
type TwinError struct {
	Issuer envelope.Entity
	JTI    string
	First  Receipt // what stands under this jti; zero if it came in the same call
}

func (e *TwinError) Error() string {
	return fmt.Sprintf("%v: %s has stated jti %q before with other claims. Use a new jti for a new statement", ErrTwin, e.Issuer, e.JTI)
}

// Unwrap is ErrTwin.
func (e *TwinError) Unwrap() error { return ErrTwin }

// Receipt says where an entry stands.
type Receipt struct {
	LeafIndex  int64
	Digest     envelope.Digest // of the entry that stands, which for a duplicate may be another signature over the same claims
	AcceptedAt time.Time       // UTC, microseconds; one time for all entries of a commit, and never before an earlier entry's
	Duplicate  bool            // it stood before
}

// Seen is how much a decider had read about an entity.
type Seen struct {
	About     envelope.ID
	LeafIndex int64 // the last entry about it, -1 for none
}

// Config is what a Ledger works with. MaxWaiting and MaxBatch have defaults.
type Config struct {
	DB         *gorm.DB         // from migrations.Open; stays the caller's to close
	Signer     note.Signer      // the log's key, of Ed25519; its name is the origin
	Origin     string           // the log's name, a URL without its scheme
	Now        func() time.Time // the gateway's clock
	Bodies     tink.AEAD        // encrypts what was stated; its key lies outside the database
	MaxWaiting int              // statements that may wait for their commit before ErrFull; 4,096 if zero
	MaxBatch   int              // statements in one commit; 512 if zero
}

const (
	defaultMaxWaiting = 4096
	defaultMaxBatch   = 512
)

// Ledger appends to and reads from one log. It may be used by several goroutines.
type Ledger struct {
	db    *gorm.DB
	store store
	sign  signing
	now   func() time.Time
	// bodies encrypts and decrypts.
	bodies bodies

	queue queue
	pace  pace // only the committing goroutine uses it
	// known is the newest head that this process has seen committed, with the hashes that the next commit builds on.
	known atomic.Pointer[head]
	// forgotten is set while the database may be ahead of known. Only the committing goroutine uses it.
	forgotten bool
	recent    recent
	// failure is why the last commit failed; nil if it came through, or Able has told it.
	failure atomic.Pointer[error]

	changed struct {
		sync.Mutex
		signal chan struct{}
	}
	ended      chan struct{} // closed when the committing goroutine has returned
	closeStore func() error
}

// Open makes the log if the database has none: an empty tree is signed and stored. A log that is there must have the same
// origin and be signed by the same key, and its hashes must lead to its root.
func Open(ctx context.Context, config Config) (*Ledger, error) {
	l, err := open(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	return l, nil
}

func open(ctx context.Context, config Config) (*Ledger, error) {
	switch {
	case config.DB == nil || config.Signer == nil || config.Bodies == nil || config.Now == nil:
		return nil, errors.New("a database, a signer, a key for bodies and a clock are needed")
	case config.Signer.Name() != config.Origin:
		return nil, fmt.Errorf("the log is %q, its key is of %q", config.Origin, config.Signer.Name())
	}
	if config.MaxWaiting <= 0 {
		config.MaxWaiting = defaultMaxWaiting
	}
	if config.MaxBatch <= 0 {
		config.MaxBatch = defaultMaxBatch
	}
	s, err := storeOf(ctx, config.DB)
	if err != nil {
		return nil, err
	}
	l := &Ledger{
		db:     config.DB,
		store:  s,
		sign:   signing{signer: config.Signer, origin: config.Origin},
		now:    config.Now,
		bodies: bodies{config.Bodies},
		ended:  make(chan struct{}),

		closeStore: sync.OnceValue(s.close),
	}
	l.queue.init(config.MaxWaiting, config.MaxBatch)
	l.changed.signal = make(chan struct{})
	if err := l.sign.begin(ctx, l.db, l.time()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	first, err := l.sign.load(ctx, l.db, nil)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	l.known.Store(first)
	if first.size > 0 {
		if err := l.bodies.fit(ctx, l.db); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	go l.commitAll(context.WithoutCancel(ctx))
	return l, nil
}

// Close refuses what comes from now on with ErrClosed, commits what waits, and returns when that is done. The database is not
// closed, and reading goes on. Closing again does nothing.
func (l *Ledger) Close() error {
	l.queue.close()
	<-l.ended
	return l.closeStore()
}

// Append stores the sets, all in one commit or none, and returns their receipts in order once they are on disk.
//
// What stands already (the same issuer and jti, and the same claims apart from iat) is not stored again; its first receipt is
// returned, with Duplicate set. Other claims under the same jti are a *TwinError, and then nothing is stored. Other errors are
// ErrFull, ErrClosed, ErrUnknownOutcome, or the database's; after all but ErrUnknownOutcome nothing was stored. Ending ctx
// stops the waiting, not a commit that has begun: that too is ErrUnknownOutcome.
func (l *Ledger) Append(ctx context.Context, sets ...envelope.Verified) ([]Receipt, error) {
	return l.append(ctx, nil, sets)
}

// AppendAfter is Append for what was decided from what seen says, and ErrMoved if anything newer about that entity stands.
// Whether it does is judged in the commit itself, so of two deciders that have seen the same only one comes through.
func (l *Ledger) AppendAfter(ctx context.Context, seen Seen, sets ...envelope.Verified) ([]Receipt, error) {
	return l.append(ctx, &seen, sets)
}

func (l *Ledger) append(ctx context.Context, seen *Seen, sets []envelope.Verified) ([]Receipt, error) {
	if len(sets) == 0 {
		return nil, nil
	}
	r, err := newRequest(seen, sets, l.bodies)
	if err != nil {
		return nil, fmt.Errorf("append to the ledger: %w", err)
	}
	return l.enqueue(ctx, r)
}

func (l *Ledger) enqueue(ctx context.Context, r *request) ([]Receipt, error) {
	if err := l.queue.put(r); err != nil {
		return nil, fmt.Errorf("append to the ledger: %w", err)
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		if r.withdraw() {
			return nil, fmt.Errorf("append to the ledger: gave up waiting, nothing was stored: %w", ctx.Err())
		}
		select {
		case <-r.done: // it was settled in the same moment
		default:
			return nil, fmt.Errorf("append to the ledger: %w: gave up during the commit: %w", ErrUnknownOutcome, ctx.Err())
		}
	}
	if r.err != nil {
		return nil, fmt.Errorf("append to the ledger: %w", r.err)
	}
	return r.receipts, nil
}

// Changed returns a channel that is closed at the next commit of this process. Take it, read, and only then wait for it.
// Commits of other processes on the same database close nothing: followers also look from time to time.
func (l *Ledger) Changed() <-chan struct{} {
	l.changed.Lock()
	defer l.changed.Unlock()
	return l.changed.signal
}

func (l *Ledger) announce() {
	l.changed.Lock()
	defer l.changed.Unlock()
	close(l.changed.signal)
	l.changed.signal = make(chan struct{})
}

// time is the clock at the precision that both stores keep.
func (l *Ledger) time() time.Time { return l.now().UTC().Truncate(time.Microsecond) }
