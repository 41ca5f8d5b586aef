package ledger

import "time"

const (
	// busy is from how many requests on, at once, a commit waits for more. Below it each is answered as soon as may be.
	busy = 16
	// longestLinger bounds how long a commit is put off. It is never put off for longer than the last one took either.
	longestLinger = 10 * time.Millisecond
	// paceSpan is how many commits a peak is remembered for, at least; twice as many at most.
	paceSpan = 64
)

// pace decides for how many requests the next commit waits. Under load whoever is answered comes again, so that those in one commit and
// those who came while it was under way are about all there are. A commit that begins at once takes the few that came first, and what it
// costs by itself is shared by them alone. One that waits for three in eight of all costs each less, and the other five still keep the
// processors busy until it is through.
//
// Only the committing goroutine uses it.
type pace struct {
	peak, earlier int // of the requests in one commit and behind it: in this span, and in the one before
	commits       int // of this span
	took          time.Duration
}

// note learns from a commit: how many requests it took, how many wait behind it, and how long it took.
func (p *pace) note(taken, behind int, took time.Duration) {
	if p.commits == paceSpan {
		p.earlier, p.peak, p.commits = p.peak, 0, 0
	}
	p.commits++
	p.peak, p.took = max(p.peak, taken+behind), took
}

// wanted is how many requests should wait before the next commit begins, and for how long it may be put off for them.
func (p *pace) wanted() (count int, patience time.Duration) {
	crowd := max(p.peak, p.earlier)
	if crowd < busy {
		return 0, 0
	}
	return crowd * 3 / 8, min(p.took, longestLinger)
}
