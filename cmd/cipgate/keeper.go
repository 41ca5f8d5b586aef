package main

import (
	"context"
	"sync"
	"time"
)

// keeper is the one goroutine that works by itself: it folds what the ledger took and takes every step
// that falls due. Several gateway processes may each have one; the docket's rows say who does what.
type keeper struct {
	cancel context.CancelFunc
	done   chan struct{}
	turn   sync.Mutex // held for one round, so that moving a sandbox's clock waits for it
}

const (
	// pace is the least time between two rounds: under load it folds many commits at once instead of each.
	pace = 500 * time.Millisecond
	// glance is how often it looks for what other processes committed.
	glance = time.Second
	// screenSteps is how many batches of parties are screened in one round.
	screenSteps = 10
)

func keep(p *Program) *keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(k.done)
		for ctx.Err() == nil {
			changed := p.ledger.Changed()
			next, err := k.round(ctx, p)
			if err != nil && ctx.Err() == nil {
				p.log.Error("a round of the keeper failed; the next follows", "error", err)
			}
			wait(ctx, pace)
			select {
			case <-ctx.Done():
			case <-changed:
			case <-time.After(untilNext(next, p.clock.Now())):
			}
		}
	}()
	return k
}

// round folds and settles everything that is due now, and says when the next file falls due.
func (k *keeper) round(ctx context.Context, p *Program) (time.Time, error) {
	k.turn.Lock()
	defer k.turn.Unlock()
	if err := p.registry.CatchUp(ctx); err != nil {
		return time.Time{}, err
	}
	next, err := p.docket.Sweep(ctx)
	if err != nil {
		return time.Time{}, err
	}
	// A walk over everybody on file takes many rounds, so that no deadline waits for it.
	if more, at, err := p.screener.Screen(ctx, screenSteps); err != nil {
		return time.Time{}, err
	} else if more {
		next = p.clock.Now()
	} else if !at.IsZero() && (next.IsZero() || at.Before(next)) {
		next = at
	}
	if err := p.archive.CatchUp(ctx); err != nil {
		return time.Time{}, err
	}
	if err := p.archive.Sweep(ctx); err != nil {
		return time.Time{}, err
	}
	// What the sweep stated may have ended a relationship: its keys are refused from here on.
	if err := p.registry.CatchUp(ctx); err != nil {
		return time.Time{}, err
	}
	return next, p.delivery.Turn(ctx)
}

func (k *keeper) stop() {
	k.cancel()
	<-k.done
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// untilNext is how long to wait: until the next file falls due, at most one glance.
func untilNext(next, now time.Time) time.Duration {
	if next.IsZero() || next.After(now.Add(glance)) {
		return glance
	}
	return next.Sub(now)
}
