package main

import (
	"context"
	"time"

	"github.com/cipgate/cipgate/migrations"
)

// Now is the gateway's time.
func (p *Program) Now() time.Time { return p.clock.Now() }

// Advance implements sandbox.Clock. The clock goes from one due time to the next and every step is taken
// at its own time, as it would have been had the days really passed; then it goes on to the end.
func (p *Program) Advance(ctx context.Context, by time.Duration) error {
	until := p.clock.Now().Add(by)
	for {
		next, err := p.keeper.round(ctx, p)
		if err != nil {
			return err
		}
		if next.IsZero() || next.After(until) {
			break
		}
		p.clock.forwardTo(next)
	}
	p.clock.forwardTo(until)
	if err := migrations.MoveClock(ctx, p.db, time.Duration(p.clock.ahead.Load())); err != nil {
		return err
	}
	_, err := p.keeper.round(ctx, p)
	return err
}
