package main

import (
	"context"
	"time"

	"github.com/cipgate/cipgate/resellers/outages"
)

// attendant is the goroutine that leaves the marks by which the gateway's own outages are measured. It shares no turn with the keeper: a
// round that takes long is no outage.
type attendant struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func attend(p *Program) *attendant {
	ctx, cancel := context.WithCancel(context.Background())
	a := &attendant{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		for ctx.Err() == nil {
			if err := p.outages.Look(ctx); err != nil && ctx.Err() == nil {
				p.log.Error("this process can take no submissions now; if no other one can for five minutes that is recorded as an outage", "error", err)
			}
			wait(ctx, outages.Pace)
		}
	}()
	return a
}

func (a *attendant) stop() {
	a.cancel()
	<-a.done
}

// clocks are the gateway's clocks as outages are measured by them: the machine's, so that moving a sandbox's clock is no outage.
func clocks(c *clock) outages.Clock {
	began := time.Now()
	return outages.Clock{
		Machine: func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
		Ahead:   func() time.Duration { return time.Duration(c.ahead.Load()) },
		Elapsed: func() time.Duration { return time.Since(began) },
	}
}
