package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// keeper is the one goroutine that works by itself: it folds what the ledger took and takes every step
// that falls due. Several gateway processes may each have one; the docket's rows say who does what.
type keeper struct {
	cancel context.CancelFunc
	done   chan struct{}
	turn   sync.Mutex // held for one round, so that moving a sandbox's clock waits for it
	called time.Time  // when officers were last called for what waits for them
}

const (
	// pace is the least time between two rounds: under load it folds many commits at once instead of each.
	pace = 500 * time.Millisecond
	// glance is how often it looks for what other processes committed.
	glance = time.Second
	// callPace is how often is looked for what officers are called for.
	callPace = 10 * time.Second
	// screenSteps is how many batches of parties are screened in one round.
	screenSteps = 10
	// shadowStep is how many resellers are replayed beside the policy in force in one round, when a day is over.
	shadowStep = 50
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

// round folds and settles everything that is due now, and says when the next file falls due. What fails in one room stops no other
// one: its error is returned at the end, joined with the rest, and the notices of everybody else are delivered.
func (k *keeper) round(ctx context.Context, p *Program) (next time.Time, err error) {
	k.turn.Lock()
	defer k.turn.Unlock()
	if err := p.registry.CatchUp(ctx); err != nil {
		return time.Time{}, err
	}
	next, unsettled := p.sweep(ctx)
	// A walk over everybody on file takes many rounds, so that no deadline waits for it.
	more, at, unscreened := p.screener.Screen(ctx, screenSteps)
	switch {
	case unscreened != nil:
	case more:
		next = p.clock.Now()
	case !at.IsZero() && (next.IsZero() || at.Before(next)):
		next = at
	}
	more, at, unrehearsed := p.rehearsal.Turn(ctx, shadowStep)
	switch {
	case unrehearsed != nil:
	case more:
		next = p.clock.Now()
	case !at.IsZero() && (next.IsZero() || at.Before(next)):
		next = at
	}
	unfiled := p.archive.CatchUp(ctx)
	if unfiled == nil {
		unfiled = p.archive.Sweep(ctx)
	}
	// What the sweep stated may have ended a relationship: its keys are refused from here on. Nobody is told by a registry that is behind.
	behind := p.registry.CatchUp(ctx)
	if behind == nil {
		behind = p.delivery.Turn(ctx)
	}
	if behind == nil {
		at, behind = p.delivery.NextLater(ctx)
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	uncalled := error(nil)
	if now := p.clock.Now(); now.Sub(k.called).Abs() >= callPace {
		if uncalled = p.callOfficers(ctx); uncalled == nil {
			k.called = now
		}
	}
	return next, errors.Join(unsettled, unscreened, unrehearsed, unfiled, behind, uncalled)
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
