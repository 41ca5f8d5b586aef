package main

import (
	"sync/atomic"
	"time"
)

// clock tells a time: the machine's, and as far ahead as it was moved, which only a sandbox's is.
type clock struct {
	ahead atomic.Int64 // nanoseconds
}

// Now is UTC with microseconds, the precision that both stores keep.
func (c *clock) Now() time.Time {
	return time.Now().Add(time.Duration(c.ahead.Load())).UTC().Truncate(time.Microsecond)
}

// forwardTo moves the clock to at, never back.
func (c *clock) forwardTo(at time.Time) {
	for {
		ahead := c.ahead.Load()
		missing := time.Until(at.Add(-time.Duration(ahead)))
		if missing <= 0 || c.ahead.CompareAndSwap(ahead, ahead+int64(missing)) {
			return
		}
	}
}
