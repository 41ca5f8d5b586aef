// Package outages measures the time in which the gateway could take no submissions, and states it (standing.md, "The gateway's own
// outage moves deadlines"). Each process that is able leaves a mark in the store, one row for all of them, every few seconds. Whoever is
// able and finds that nobody has been for longer than Least states `outage-recorded`, once, and only then leaves the next mark: killed in
// between, the next one finds what was stated.
//
// What a gap between two marks is, outage, restart or a clock that was set, is decided by Measure, which is pure. What an outage gives back is
// the escalation's.
package outages

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
)

const (
	// Pace is how often a process leaves a mark: an outage is measured to as much. (Ours: one small write in ten seconds costs a store
	// nothing.)
	Pace = 10 * time.Second
	// Least is how long nobody must have been able for it to be an outage. A deploy, a restart or a failover takes less, and moves no
	// deadline. (Ours: as late as a step may be before the watchdog calls somebody; standing.md.)
	Least = 5 * time.Minute
	// awakeFor is how long a process that was able decides without looking again. (Ours: far below Least, so that nothing is decided
	// behind an outage that is not stated yet, and far above Pace.)
	awakeFor = time.Minute
	// patience bounds one look: a store that answers no sooner takes no submissions either. (Ours.)
	patience = 30 * time.Second
)

// Ledger is what is needed of the ledger.
type Ledger interface {
	Able(ctx context.Context) error
	About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error)
	AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error)
}

// Clock tells the time in three ways.
type Clock struct {
	Machine func() time.Time     // the machine's clock, UTC, microseconds: no sandbox moves it
	Ahead   func() time.Duration // how far the gateway's clock runs ahead of the machine's; zero but in a sandbox
	Elapsed func() time.Duration // since any moment of this process, whatever the machine's clock is set to
}

// Config is what Outages work with.
type Config struct {
	DB     *gorm.DB
	Ledger Ledger
	Signer envelope.Signer
	Self   envelope.Entity
	Clock  Clock
	Log    *slog.Logger
}

// Outages measures. Make one with New; it is safe for concurrent use, also by several processes on one database.
type Outages struct {
	Config

	looking sync.Mutex
	// able is when, by Elapsed, this process was able last, with that nobody had been missed before then; never before it was.
	able atomic.Int64
}

const never = int64(-1)

// New returns what measures the outages of a gateway.
func New(config Config) *Outages {
	o := &Outages{Config: config}
	o.able.Store(never)
	return o
}

// Awake looks if this process has not looked for a while, and says whether it had to: then an outage may have been stated, here or by
// another process, that is not folded yet. Call it before anything is decided by the clock. An error says that this process is not able.
func (o *Outages) Awake(ctx context.Context) (looked bool, err error) {
	if able := o.able.Load(); able != never && o.Clock.Elapsed()-time.Duration(able) <= awakeFor {
		return false, nil
	}
	return true, o.Look(ctx)
}

// Look asks whether this process is able to take submissions. If it is, and nobody was before for longer than Least, it states that; and
// then it leaves its mark. An error says why it is not able, or what it could not do; the next look goes on from there.
func (o *Outages) Look(ctx context.Context) error {
	o.looking.Lock()
	defer o.looking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := o.Clock.Elapsed()
	if err := o.Ledger.Able(ctx); err != nil {
		return err
	}
	last, now, err := o.read(ctx)
	if err != nil {
		return err
	}
	seen := Seen{Last: last, Now: now}
	if able := o.able.Load(); able != never {
		seen.Awake, seen.Since = true, began-time.Duration(able)
	}
	if _, is := Measure(seen); is {
		if err := o.state(ctx, seen); err != nil {
			return err
		}
	}
	if err := o.mark(ctx, last, now); err != nil {
		return err
	}
	o.able.Store(int64(began))
	return nil
}

// state states the outage, unless what stands in the ledger covers it.
func (o *Outages) state(ctx context.Context, seen Seen) error {
	ahead := o.Clock.Ahead()
	for {
		recorded, last, err := o.recorded(ctx)
		if err != nil {
			return err
		}
		if seen.Recorded = recorded; !recorded.IsZero() {
			seen.Recorded = recorded.Add(-ahead)
		}
		out, is := Measure(seen)
		if !is {
			return nil
		}
		from, to := out.From.Add(ahead).Truncate(time.Second), out.To.Add(ahead).Truncate(time.Second)
		set, err := o.sign(from, to, seen.Awake)
		if err != nil {
			return err
		}
		_, err = o.Ledger.AppendAfter(ctx, ledger.Seen{About: o.Self.ID(), LeafIndex: last}, set)
		if errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTwin) {
			continue // another process may have stated it; or it was something else about the gateway
		}
		if err != nil {
			return fmt.Errorf("stating that the gateway could take no submissions from %s to %s: %w", words(from), words(to), err)
		}
		o.Log.Warn("recorded an outage: no process of this gateway could take submissions", "from", words(from), "to", words(to))
		return nil
	}
}

func words(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// page is how many entries are asked for at once.
const page = 1000

// recorded returns until when an outage stands in the ledger, zero if none does, and the leaf index of the last entry about the gateway; -1
// if none is. They are few.
func (o *Outages) recorded(ctx context.Context) (until time.Time, last int64, err error) {
	for last = -1; ; {
		entries, err := o.Ledger.About(ctx, o.Self.ID(), last+1, page)
		if err != nil {
			return until, last, fmt.Errorf("reading which outages were recorded: %w", err)
		}
		if len(entries) == 0 {
			return until, last, nil
		}
		for _, e := range entries {
			last = e.LeafIndex
			if said, is := e.Statement.(statement.OutageRecorded); is && e.By == o.Self && said.To.After(until) {
				until = said.To
			}
		}
	}
}

func (o *Outages) sign(from, to time.Time, awake bool) (envelope.Verified, error) {
	why := "No gateway process was running that could commit what it was sent."
	if awake {
		why = "Gateway processes were running, but none could commit what it was sent."
	}
	said := statement.OutageRecorded{From: from, To: to, Why: why}
	set, err := o.Signer.Sign(envelope.Draft{
		Issuer: o.Self, Audience: o.Self, IssuedAt: to,
		JTI:      uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:cipgate:outage-recorded:"+string(o.Self)+":"+words(from))).String(),
		EventURI: statement.KindOutageRecorded.URI(), Subject: envelope.Subject{Format: "uri", URI: string(o.Self)}, Event: said,
	})
	if err != nil {
		return envelope.Verified{}, fmt.Errorf("signing an outage: %w", err)
	}
	// What a fold could not read back must never get into the ledger.
	if _, err := statement.Decode(set); err != nil {
		return envelope.Verified{}, fmt.Errorf("an outage that breaks its own schema: %w", err)
	}
	return set, nil
}
