package intake

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
)

const (
	// window is how many lines of one stream may be read and not yet answered: two groups, so that one is verified while
	// the other is committed.
	window = 2 * maxGroup
	// maxGroup is about how many sets are appended in one call, and so at most in one commit.
	maxGroup = 256
	// maxGroupBytes keeps a group well under what the ledger takes into one commit.
	maxGroupBytes = 4 << 20
	// patience is how long a line waits for its issuer's rate, or for room in the ledger's queue, before it is refused.
	// It is shorter than what proxies let pass without an answer.
	patience = 10 * time.Second
	// retry is how long a line waits before it asks a full queue again.
	retry = 50 * time.Millisecond
)

// Line is one line of a stream, which its reader may have refused already.
type Line struct {
	Raw []byte
	Err error // why it is refused; Raw is empty then
}

// Outcome is what became of one line.
type Outcome struct {
	JTI     string // empty if the line is refused
	Receipt ledger.Receipt
	Err     error // as of Accept
}

// Bulk takes a stream of submissions in. next returns one line after the other, and any error once there are no more;
// answer is told the outcomes, in the order of the lines, as soon as they are committed. Both are called by one
// goroutine each, and Bulk returns after the last call of either.
//
// The lines are verified side by side and appended in groups, in their order. A line that is refused spoils no other:
// a group that the ledger refuses is halved until the one that it refuses stands alone. At most window lines, and the
// bytes that Holding admits, are held at once; then next is not called until something was answered.
//
// A line over its issuer's rate is not refused as by POST /events. There, 429 stops a sender; in a stream the status is
// sent already, and a refusal would only make the sender push the same lines again, the faster the more are refused. So
// the stream waits, and the sender with it, since nothing is read meanwhile. Only where the rate would not admit the
// line within patience is it refused, with what Accept says. The same goes for a ledger whose queue is full.
//
// When draining is closed, Bulk waits for neither any more: what was read is committed or refused, and answered; next
// is expected to end by itself then. Bulk ends early, with the error, when ctx ends or answer fails, and next must end
// then too. Lines that were not answered by then may have been stored: sent again, they come back as duplicates.
func (r *Road) Bulk(ctx context.Context, draining <-chan struct{}, next func() (Line, error), answer func([]Outcome) error) error {
	ctx, cancel := context.WithCancel(ctx)
	b := bulk{road: r, draining: draining, ordered: make(chan *job, window), unread: make(chan *job, window)}
	var running sync.WaitGroup
	running.Go(func() { b.read(ctx, next) })
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() { b.verify(ctx) })
	}
	err := b.settle(ctx, answer)
	cancel()
	running.Wait()
	b.let(b.held.Load())
	return err
}

// bulk is one stream.
type bulk struct {
	road     *Road
	draining <-chan struct{}
	ordered  chan *job // every line, in order; closed when there are no more
	unread   chan *job // the same lines, for whichever goroutine verifies next
	held     atomic.Int64
}

// job is one line on its way.
type job struct {
	raw      []byte // until it was verified, which copies it
	size     int64
	verified envelope.Verified
	sets     []envelope.Verified // verified, and what was forwarded in it
	err      error               // why it is refused before its rate is asked
	form     error               // what its statement breaks: told after the rate, as by Accept
	done     chan struct{}
}

func (b *bulk) read(ctx context.Context, next func() (Line, error)) {
	defer close(b.ordered)
	defer close(b.unread)
	for {
		line, err := next()
		if err != nil {
			return
		}
		j := &job{raw: line.Raw, size: int64(len(line.Raw)), err: line.Err, done: make(chan struct{})}
		if b.hold(ctx, j.size) != nil {
			return
		}
		select {
		case b.ordered <- j:
			b.unread <- j // has as much room as ordered
		case <-ctx.Done():
			return
		}
	}
}

// hold waits until this many bytes more may be held.
func (b *bulk) hold(ctx context.Context, size int64) error {
	if b.road.Holding != nil && size > 0 {
		if err := b.road.Holding.Acquire(ctx, size); err != nil {
			return fmt.Errorf("waiting for room: %w", err)
		}
		b.held.Add(size)
	}
	return nil
}

// let gives back what hold gave.
func (b *bulk) let(size int64) {
	if b.road.Holding != nil && size > 0 {
		b.road.Holding.Release(size)
		b.held.Add(-size)
	}
}

func (b *bulk) verify(ctx context.Context) {
	for j := range b.unread {
		b.look(ctx, j)
		close(j.done)
	}
}

// look verifies one line. A fault of ours that one line meets must not end the process, as it would in a goroutine
// that no server watches over.
func (b *bulk) look(ctx context.Context, j *job) {
	defer func() {
		if met := recover(); met != nil {
			j.err = fmt.Errorf("verifying a line: panic: %v", met)
		}
	}()
	if j.err == nil {
		j.verified, j.err = b.road.admit(ctx, j.raw)
		j.raw = nil
	}
	if j.err == nil {
		j.sets, j.form = b.road.read(ctx, j.verified)
	}
}

// settle appends and answers, group by group, until there are no more lines.
func (b *bulk) settle(ctx context.Context, answer func([]Outcome) error) error {
	g := group{bulk: b}
	for j := range b.ordered {
		for more := true; more && ctx.Err() == nil; {
			<-j.done
			if err := b.rate(ctx, j, func() error { return g.flush(ctx, answer) }); err != nil {
				return err
			}
			g.add(j)
			if g.sets >= maxGroup || g.weight >= maxGroupBytes {
				break
			}
			select {
			case j, more = <-b.ordered: // the next one, if it is there: a group does not wait for lines that were not sent
			default:
				more = false
			}
		}
		if err := g.flush(ctx, answer); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// rate takes a verified line from its issuer's rate, or refuses it. Before it waits, flush answers what came before.
func (b *bulk) rate(ctx context.Context, j *job, flush func() error) error {
	var waited time.Duration
	for j.err == nil {
		err := b.road.Rates.take(j.verified.Claims().Issuer, b.road.Now())
		var limited *RateError
		if err == nil {
			break
		}
		if !errors.As(err, &limited) || waited+limited.RetryAfter > patience || b.isDraining() {
			j.err = err
			break
		}
		if err := flush(); err != nil {
			return err
		}
		waited += limited.RetryAfter
		if err := b.wait(ctx, limited.RetryAfter); err != nil {
			return err
		}
	}
	if j.err == nil {
		j.err = j.form
	}
	return nil
}

func (b *bulk) isDraining() bool {
	select {
	case <-b.draining:
		return true
	default:
		return false
	}
}

// wait returns after d, or earlier if the stream drains.
func (b *bulk) wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.draining:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// group is the lines that are appended and answered together.
type group struct {
	*bulk
	jobs   []*job
	bytes  int64 // of the lines, to be given back
	sets   int   // that are appended: more than lines where something was forwarded
	weight int   // their bytes
}

func (g *group) add(j *job) {
	g.jobs = append(g.jobs, j)
	g.bytes += j.size
	g.sets += max(1, len(j.sets))
	for _, set := range j.sets {
		g.weight += len(set.Raw())
	}
}

// placed is what one line brings, and where to write what became of it.
type placed struct {
	sets  []envelope.Verified
	place *Outcome
}

// flush appends what stands in the group, answers all of it, and empties it.
func (g *group) flush(ctx context.Context, answer func([]Outcome) error) error {
	if len(g.jobs) == 0 {
		return nil
	}
	outcomes := make([]Outcome, len(g.jobs))
	var lines []placed
	for i, j := range g.jobs {
		if outcomes[i].Err = j.err; j.err == nil {
			outcomes[i].JTI = j.verified.Claims().JTI
			lines = append(lines, placed{j.sets, &outcomes[i]})
		}
	}
	g.append(ctx, lines)
	g.let(g.bytes)
	*g = group{bulk: g.bulk, jobs: g.jobs[:0]}
	return answer(outcomes)
}

// append stores the lines' sets and writes what became of each line. The ledger takes all of one call or none, so a call
// that it refuses for one of them is made again in two halves, the first half first: the order of the stream is the
// ledger's.
func (g *group) append(ctx context.Context, lines []placed) {
	lines = g.introduced(ctx, lines)
	if len(lines) == 0 {
		return
	}
	var sets []envelope.Verified
	for _, line := range lines {
		sets = append(sets, line.sets...)
	}
	receipts, err := g.road.Ledger.Append(ctx, sets...)
	divides := errors.Is(err, ledger.ErrTwin) || errors.Is(err, ledger.ErrFull)
	if divides && len(lines) > 1 {
		half := len(lines) / 2
		g.append(ctx, lines[:half])
		g.append(ctx, lines[half:])
		return
	}
	for waited := time.Duration(0); errors.Is(err, ledger.ErrFull) && waited < patience && !g.isDraining(); waited += retry {
		if g.wait(ctx, retry) != nil {
			break
		}
		receipts, err = g.road.Ledger.Append(ctx, sets...)
	}
	n := 0
	for _, line := range lines {
		if err != nil {
			line.place.Err = notAppended(line.sets, err)
		} else {
			line.place.Receipt = receipts[n]
		}
		n += len(line.sets)
	}
}

// introduced refuses the lines that presume a customer of whom nothing was stated before, neither in the ledger nor by an earlier line
// of the same call, and returns the others.
func (g *group) introduced(ctx context.Context, lines []placed) []placed {
	submissions := make([][]envelope.Verified, len(lines))
	for i, line := range lines {
		submissions[i] = line.sets
	}
	refused, err := g.road.introduced(ctx, submissions)
	var stay []placed
	for i, line := range lines {
		if err != nil {
			line.place.Err = err
		} else if line.place.Err = refused[i]; refused[i] == nil {
			stay = append(stay, line)
		}
	}
	return stay
}
