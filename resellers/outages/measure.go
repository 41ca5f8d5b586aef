package outages

import "time"

// Mark is one moment by two clocks.
type Mark struct {
	Machine time.Time // by the clock of the machine that a gateway runs on
	Store   time.Time // by the store's own
}

// Seen is what a process that is able to take submissions knows of when the gateway was able before.
type Seen struct {
	Last Mark // left last by whichever process; zero before the first start
	Now  Mark
	// Awake says that this process was able before, Since ago by a clock that nobody sets, and that no time was missing then.
	Awake bool
	Since time.Duration
	// Recorded is the latest time until which an outage stands in the ledger; zero if none does.
	Recorded time.Time
}

// Outage is a time in which nobody was able, by the machine's clock.
type Outage struct{ From, To time.Time }

// Measure says whether the gateway was unable until now for longer than Least, and from when to when.
//
// Any clock may have been set meanwhile, so the shortest of what they show counts: the machine's, the store's, and that of this process if
// it has been there since. What an outage in the ledger covers is not stated again. Before the first mark there was no gateway.
func Measure(s Seen) (out Outage, is bool) {
	if s.Last.Machine.IsZero() {
		return Outage{}, false
	}
	gap := min(s.Now.Machine.Sub(s.Last.Machine), s.Now.Store.Sub(s.Last.Store))
	if s.Awake {
		gap = min(gap, s.Since)
	}
	if !s.Recorded.IsZero() {
		gap = min(gap, s.Now.Machine.Sub(s.Recorded))
	}
	if gap <= Least {
		return Outage{}, false
	}
	to := s.Now.Machine
	return Outage{From: to.Add(-gap), To: to}, true
}
