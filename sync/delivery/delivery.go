// Package delivery brings notices to whom they are addressed, until that is proved: the shell around package notices.
//
// The ledger is the truth about what was decided; the outbox is the truth about who was told. What keeps it exact when it
// is killed between any two steps, on any number of processes on one database:
//
//   - Turn writes a page's notices in the transaction that moves its cursor, and only from where the cursor was read: each
//     entry is addressed once. A notice's number counts those of its audience, in the ledger's order.
//   - A push is sent by whoever holds the stream's lease, one notice at a time in the order of their numbers: the next is sent
//     when the one before was acknowledged or parked. Killed after the sending, it is sent again: at least once, as RFC 8935
//     has it. A lease that nobody renews runs out. What came of pushes that ended together is kept together (outcomes.go).
//   - A poll is answered with what waits, and acknowledges what the request names.
//   - A person is mailed by whoever holds the person's lease. A mail is prepared with its notices in one transaction and marked before
//     the server is asked, so a notice comes in two mails only if a server was lost in the middle of taking one (mailer.go).
//   - What is acknowledged is kept with the acknowledgement, and stated in the ledger as proved, once for each notice and channel.
//
// An audience waits for nobody but itself: each is pushed to by a goroutine of its own, for a turn, and those that did not take what they
// were last sent have places apart from those that did (run.go). What is sent is the token that stands in
// the ledger, byte for byte, where its audience is the receiver and its stream asks for no other algorithm; else the same statement is
// signed for the receiver (token.go), by its own key where that is RS256 (keys.go). What an officer states about a stream, or about the account of
// its owner, is carried out with the page that holds it, and its receiver is told over it (updated.go).
// It decides neither what is stated nor who hears of it.
package delivery

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tink-crypto/tink-go/v2/tink"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/outbound"
)

var (
	// ErrNoStream says that the receiver has no such stream.
	ErrNoStream = errors.New("no such stream")
	// ErrTaken says that the receiver has a stream already.
	ErrTaken = errors.New("this receiver has a stream already")
	// ErrConfiguration says that a stream cannot be as it was asked for.
	ErrConfiguration = errors.New("stream not possible")
	// ErrMandatory says that what was asked for would keep notices from the receiver that it must be told.
	ErrMandatory = errors.New("these notices cannot be declined")
	// ErrHeld says that an officer paused or disabled the stream, and that its receiver cannot change that.
	ErrHeld = errors.New("the provider stopped this stream")
	// ErrTooSoon says that a verification was asked for too soon after the last.
	ErrTooSoon = errors.New("too many verifications")
	// ErrNoNotice says that the audience has no notice with this number.
	ErrNoNotice = errors.New("no such notice")
)

// Ledger is what delivery reads of the ledger, and where it states what proves a notice.
type Ledger interface {
	Append(ctx context.Context, sets ...envelope.Verified) ([]ledger.Receipt, error)
	Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error)
	Size(ctx context.Context) (int64, error)
	Raw(ctx context.Context, digest envelope.Digest) ([]byte, ledger.Receipt, error)
	At(ctx context.Context, leafIndexes ...int64) ([]statement.Entry, error)
	Raws(ctx context.Context, digests ...envelope.Digest) (map[envelope.Digest][]byte, error)
}

// Sender is the guarded way out; outbound.Client is one.
type Sender interface {
	Do(ctx context.Context, asked outbound.Request) (outbound.Answer, error)
	Check(address string) error
}

// Config is what a Delivery works with.
type Config struct {
	DB     *gorm.DB
	Ledger Ledger
	Signer envelope.Signer // the gateway's statement key
	Self   envelope.Entity // the gateway
	Sender Sender
	Bodies tink.AEAD // encrypts what receivers want to be shown with each push
	Now    func() time.Time
	Wall   func() time.Time // the clock on the wall, by which tokens expire; nil: Now
	Jitter func() float64   // from 0 to 1
	Log    *slog.Logger

	// Mail hands letters to a server, and People says whom to mail; both nil where the gateway sends no mail.
	Mail    Mailer
	People  Directory
	Sandbox bool // letters say so
	// Cases says which step's notice may still take a later channel; nil: none takes any.
	Cases Cases
}

// Delivery is the shell around the outbox and its streams. Make one with New; it may be used by several goroutines, and by
// several processes on one database.
type Delivery struct {
	Config
	looked  atomic.Int64 // below it this process has looked at every entry
	changed struct {
		sync.Mutex
		signal chan struct{}
	}
	pushing, polling, mailing counts // goroutines of this process, by stream or person
	noticeKeys                noticeKeys
	outcomes                  outcomes
	signing                   chan struct{}  // holds what signs RS256 now
	provenNow                 chan streamRow // streams that have just proved themselves, with their lease
}

// New returns a delivery. It does nothing by itself until Run.
func New(c Config) *Delivery {
	d := &Delivery{Config: c, signing: make(chan struct{}, 1), provenNow: make(chan streamRow)}
	d.changed.signal = make(chan struct{})
	d.pushing.by, d.polling.by, d.mailing.by = map[string]int{}, map[string]int{}, map[string]int{}
	return d
}

// Changed returns a channel that is closed when this process next has something new to deliver. Take it, read, and only then
// wait for it. What other processes add closes nothing: whoever waits also looks from time to time.
func (d *Delivery) Changed() <-chan struct{} {
	d.changed.Lock()
	defer d.changed.Unlock()
	return d.changed.signal
}

func (d *Delivery) announce() {
	d.changed.Lock()
	defer d.changed.Unlock()
	close(d.changed.signal)
	d.changed.signal = make(chan struct{})
}

// counts bounds how many goroutines work for one stream.
type counts struct {
	mu sync.Mutex
	by map[string]int
}

// begin takes one of so many places; false says that none is free.
func (c *counts) begin(id string, places int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by[id] >= places {
		return false
	}
	c.by[id]++
	return true
}

func (c *counts) end(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by[id]--; c.by[id] == 0 {
		delete(c.by, id)
	}
}

const never = int64(math.MaxInt64)

func timeOrZero(micros int64) time.Time {
	if micros == 0 || micros == never {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
