package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/sync/notices"
)

const (
	// MaxEvents is how many notices one poll is answered with at most.
	MaxEvents = 100
	// LongestPoll is how long a poll waits for something to come, at most.
	LongestPoll = 30 * time.Second
	// maxPolls is how many polls of one stream may wait in this process; further ones are answered at once.
	maxPolls = 4
	// glance is how often a wait looks for what other processes addressed.
	glance = time.Second
)

// Polling is one poll (RFC 8936, section 2.4).
type Polling struct {
	MaxEvents    int // negative: as many as there may be
	AtOnce       bool
	Acknowledged []string         // jti
	Faults       map[string]Fault // by jti
}

// Polled is what a poll is answered with: the tokens in order. RFC 8936 puts them into an object, which has none.
type Polled struct {
	Sets []PolledSet
	More bool // there is more than could be answered
}

// PolledSet is one token of a poll.
type PolledSet struct {
	JTI      string
	Sequence int64
	Token    []byte
}

// Poll notes what the receiver says of what it has, and returns what waits for it; it waits for something to come unless it is to
// answer at once. What is handed out waits on until it is acknowledged. closing ends the waiting. Errors wrap ErrNoStream.
func (d *Delivery) Poll(ctx context.Context, audience notices.Audience, id string, asked Polling, closing <-chan struct{}) (Polled, error) {
	row, err := d.row(ctx, audience, id)
	if err != nil {
		return Polled{}, err
	}
	if row.Method != poll {
		return Polled{}, fmt.Errorf("%w to poll: this one is pushed. Change its delivery to %s first", ErrNoStream, MethodPoll)
	}
	if len(asked.Acknowledged) > 0 || len(asked.Faults) > 0 {
		err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return d.settle(tx, audience, asked.Acknowledged, asked.Faults) })
		if err != nil {
			return Polled{}, err
		}
	}
	limit := MaxEvents
	if asked.MaxEvents >= 0 {
		limit = min(limit, asked.MaxEvents)
	}
	if limit == 0 { // RFC 8936, section 2.2: acknowledge only
		return Polled{}, nil
	}
	atOnce := asked.AtOnce || !d.polling.begin(id, maxPolls)
	if !atOnce {
		defer d.polling.end(id)
	}
	longest := time.NewTimer(LongestPoll)
	defer longest.Stop()
	for {
		changed := d.Changed()
		polled, err := d.take(ctx, audience, id, limit)
		if err != nil || len(polled.Sets) > 0 || atOnce {
			return polled, err
		}
		select {
		case <-ctx.Done():
			return Polled{}, ctx.Err()
		case <-closing:
			return Polled{}, nil
		case <-longest.C:
			return Polled{}, nil
		case <-changed:
		case <-time.After(glance):
		}
	}
}

// take hands out what waits for a stream now.
func (d *Delivery) take(ctx context.Context, audience notices.Audience, id string, limit int) (Polled, error) {
	stream, err := d.Stream(ctx, audience, id) // anew each time: it may have been paused meanwhile
	if err != nil {
		return Polled{}, err
	}
	rows, err := d.waiting(ctx, stream, limit+1)
	if err != nil {
		return Polled{}, err
	}
	var polled Polled
	if polled.More = len(rows) > limit; polled.More {
		rows = rows[:limit]
	}
	known, err := d.raws(ctx, rows)
	if err != nil {
		return Polled{}, err
	}
	handed := rows[:0]
	for _, row := range rows {
		token, err := d.token(ctx, row, stream.Algorithm, known)
		if errors.Is(err, errGone) {
			if err := d.park(ctx, row, errGone); err != nil {
				return Polled{}, err
			}
			continue
		}
		if err != nil {
			return Polled{}, err
		}
		handed = append(handed, row)
		polled.Sets = append(polled.Sets, PolledSet{JTI: row.JTI, Sequence: row.Sequence, Token: token})
	}
	if len(handed) == 0 {
		return polled, nil
	}
	err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lock(tx, string(audience)); err != nil {
			return err
		}
		return attempted(tx, handed, Attempt{At: d.Now(), Method: poll})
	})
	return polled, err
}

// park sets a notice aside that cannot be brought as it is.
func (d *Delivery) park(ctx context.Context, row noticeRow, why error) error {
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		return d.settle(tx, notices.Audience(row.Audience), nil, map[string]Fault{row.JTI: {Err: "gone", Description: why.Error()}})
	})
	if err != nil {
		return fmt.Errorf("setting notice %d aside: %w", row.Sequence, err)
	}
	return nil
}
