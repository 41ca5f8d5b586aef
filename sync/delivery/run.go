package delivery

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// atOnce is how many streams are pushed at the same time by one process whose receivers took what they were last sent. What came of
	// pushes that end together costs one commit, and a stream's next notice waits for it: so the more, the faster.
	atOnce = 256
	// unprovenAtOnce is how many of the others are: those whose last try failed, and those that were never tried. Their places are apart,
	// so that however many receivers do not answer, those that do wait for none of them. A receiver that stops answering takes one of the
	// other places once, for as long as one push may take.
	unprovenAtOnce = 32
	// turnTime is how long one receiver is pushed to while others that are due wait for its place.
	turnTime = 5 * time.Second
)

// mailsAtOnce is how many people are mailed at the same time by one process: mail servers take few connections from one machine.
const mailsAtOnce = 4

// Run pushes and mails until ctx ends, and returns when every push and mail that had begun has ended.
func (d *Delivery) Run(ctx context.Context) {
	var both sync.WaitGroup
	if d.Mail != nil {
		both.Go(func() { d.runMail(ctx) })
	}
	both.Go(func() { d.runPush(ctx) })
	both.Wait()
}

// runMail mails until ctx ends.
func (d *Delivery) runMail(ctx context.Context) {
	for ctx.Err() == nil {
		changed := d.Changed()
		if err := d.MailDue(ctx); err != nil && ctx.Err() == nil {
			d.Log.Error("mailing failed; a lease runs out and it is done again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-time.After(glance):
		}
	}
}

// MailDue mails who is due now, and returns when each was tried.
func (d *Delivery) MailDue(ctx context.Context) error {
	var failed []error
	for {
		claimed, err := d.claimPeople(ctx, mailsAtOnce)
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		results := make([]error, len(claimed))
		var mails sync.WaitGroup
		for i, person := range claimed {
			if !d.mailing.begin(person.Audience, 1) { // its lease ran out while it is mailed here: the clock was moved
				continue
			}
			mails.Go(func() {
				defer d.mailing.end(person.Audience)
				results[i] = d.mailAll(ctx, person)
			})
		}
		mails.Wait()
		failed = append(failed, results...)
		if len(claimed) < mailsAtOnce {
			return errors.Join(failed...)
		}
	}
}

// A pool is places for pushes.
type pool struct {
	proven bool // for receivers that took what they were last sent; else for the others
	places int
}

var pools = []pool{{proven: true, places: atOnce}, {proven: false, places: unprovenAtOnce}}

// runPush pushes until ctx ends. Neither pool waits for the other.
func (d *Delivery) runPush(ctx context.Context) {
	var both sync.WaitGroup
	for _, p := range pools {
		both.Go(func() { d.runPool(ctx, p) })
	}
	both.Wait()
}

func (d *Delivery) runPool(ctx context.Context, p pool) {
	var pushes sync.WaitGroup
	defer pushes.Wait()
	ended := make(chan struct{}, p.places)
	free := p.places
	push := func(stream streamRow) {
		free--
		pushes.Go(func() {
			defer func() { ended <- struct{}{} }()
			if !d.pushLogged(ctx, stream) {
				d.pushing.end(stream.ID)
			}
		})
	}
	for ctx.Err() == nil {
		changed := d.Changed()
		var given chan streamRow // of a pool that has no place, nobody
		if free > 0 {
			if p.proven {
				given = d.provenNow
			}
			taken, err := d.toPush(ctx, p, free)
			if err != nil && ctx.Err() == nil {
				d.Log.Error("looking for streams to push failed; it is done again", "error", err)
			}
			for _, stream := range taken {
				push(stream)
			}
			if free == 0 {
				given = nil
			}
		}
		select {
		case <-ctx.Done():
		case <-ended:
			free++
		case stream := <-given:
			push(stream)
		case <-changed:
		case <-time.After(glance):
		}
	}
}

// toPush claims streams to push. Where a stream's pusher is still here (it has given the stream back and is about to end, or the clock was
// moved) the lease is given back at once: kept, it would let nobody push to the receiver until it runs out.
func (d *Delivery) toPush(ctx context.Context, of pool, limit int) (taken []streamRow, err error) {
	claimed, err := d.claim(ctx, of, limit)
	for _, stream := range claimed {
		if d.pushing.begin(stream.ID, 1) {
			taken = append(taken, stream)
			continue
		}
		_, kept := d.release(context.WithoutCancel(ctx), stream, map[string]any{}, false)
		err = errors.Join(err, kept)
	}
	return taken, err
}

// Push pushes what is due now, and returns when all of it was tried.
func (d *Delivery) Push(ctx context.Context) error {
	for {
		var claimed []streamRow
		for _, p := range pools {
			some, err := d.claim(ctx, p, p.places)
			if err != nil {
				return err
			}
			claimed = append(claimed, some...)
		}
		if len(claimed) == 0 {
			return nil
		}
		failed := make([]error, len(claimed))
		var pushes sync.WaitGroup
		for i, stream := range claimed {
			pushes.Go(func() { _, failed[i] = d.pushAll(ctx, stream) })
		}
		pushes.Wait()
		if err := errors.Join(failed...); err != nil {
			return err
		}
	}
}

func (d *Delivery) pushLogged(ctx context.Context, stream streamRow) (handed bool) {
	handed, err := d.pushAll(ctx, stream)
	if err != nil && ctx.Err() == nil {
		d.Log.Error("pushing failed; the lease runs out and it is done again", "reseller", stream.Audience, "error", err)
	}
	return handed
}
