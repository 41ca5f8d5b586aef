package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/notices"
)

// outcome is what came of one push: taken, refused for good (fault), or to be tried again (nextAt).
type outcome struct {
	stream  streamRow // as it was when the notice was sent, with our lease
	notice  noticeRow
	attempt Attempt
	fault   *Fault
	nextAt  int64

	turn chan verdict
}

// verdict is what a pusher hears of its outcome: that it is kept, or that it is its turn to keep those that wait.
type verdict struct {
	lead bool
	now  *streamRow // as it is after it; nil if the stream is no longer ours
	err  error
}

// outcomes gathers what came of pushes that ended at about the same time, so that one transaction keeps them all: on disk each costs as
// much as many. A stream's next notice is sent only when what came of the one before is kept, so gathering changes nothing of the order,
// nor of what is sent again after a kill. Whoever finds nobody at work does it, for all that wait, and hands on.
type outcomes struct {
	mu      sync.Mutex
	waiting []*outcome
	busy    bool
}

// mostOutcomes is how many are kept in one transaction.
const mostOutcomes = 2 * atOnce

// keep stores what came of a push, what it did to the stream and to the notice, together, and returns the stream as it is then, nil if
// it is no longer ours. It does so also when we are stopping: what was sent was sent.
func (d *Delivery) keep(ctx context.Context, came *outcome) (*streamRow, error) {
	ctx = context.WithoutCancel(ctx)
	came.turn = make(chan verdict, 2)
	q := &d.outcomes
	q.mu.Lock()
	q.waiting = append(q.waiting, came)
	if !q.busy {
		q.busy = true
		came.turn <- verdict{lead: true}
	}
	q.mu.Unlock()
	for {
		said := <-came.turn
		if !said.lead {
			return said.now, said.err
		}
		d.keepWaiting(ctx)
	}
}

// keepWaiting keeps what waits now, tells whose it was, and lets another do the same for what came meanwhile.
func (d *Delivery) keepWaiting(ctx context.Context) {
	q := &d.outcomes
	q.mu.Lock()
	group := q.waiting[:min(len(q.waiting), mostOutcomes)]
	q.waiting = slices.Clone(q.waiting[len(group):])
	q.mu.Unlock()
	verdicts, err := d.keepGroup(ctx, group)
	for i, came := range group {
		switch {
		case err == nil:
			came.turn <- verdicts[i]
		case len(group) == 1:
			came.turn <- verdict{err: err}
		default: // one that cannot be kept must not keep the others from it
			alone, err := d.keepGroup(ctx, group[i:i+1])
			if err != nil {
				alone = []verdict{{err: err}}
			}
			came.turn <- alone[0]
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy = len(q.waiting) > 0; q.busy {
		q.waiting[0].turn <- verdict{lead: true}
	}
}

// keepGroup keeps outcomes of different streams in one transaction.
func (d *Delivery) keepGroup(ctx context.Context, group []*outcome) (verdicts []verdict, err error) {
	// In one order in every process, so that two that keep at once wait for each other and do not block each other.
	inOrder := slices.SortedFunc(slices.Values(group), func(a, b *outcome) int { return strings.Compare(a.stream.Audience, b.stream.Audience) })
	var streams map[string]streamRow
	err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if streams, err = lockStreams(tx, inOrder); err != nil {
			return err
		}
		attempts := make([]attemptRow, len(inOrder))
		var taken []*outcome
		for i, came := range inOrder {
			attempts[i] = attemptOf(came.notice, came.attempt)
			if came.fault == nil && came.nextAt == 0 {
				taken = append(taken, came)
			}
		}
		if err := keepAttempts(tx, attempts); err != nil {
			return err
		}
		if err := d.keepTaken(tx, taken); err != nil {
			return err
		}
		for _, came := range inOrder {
			if err := keepUntaken(tx, came); err != nil {
				return err
			}
		}
		return d.keepLeases(tx, inOrder, streams)
	})
	if err != nil {
		return nil, fmt.Errorf("keeping what came of pushes: %w", err)
	}
	for _, came := range group {
		now, ours := streams[came.stream.ID]
		if !ours {
			verdicts = append(verdicts, verdict{})
			continue
		}
		verdicts = append(verdicts, verdict{now: &now})
	}
	return verdicts, nil
}

// lockStreams holds the streams of outcomes until the transaction ends, and returns those of which we have the lease still, by id.
func lockStreams(tx *gorm.DB, inOrder []*outcome) (map[string]streamRow, error) {
	leases, audiences := map[string]string{}, make([]string, len(inOrder))
	for i, came := range inOrder {
		leases[came.stream.ID], audiences[i] = came.stream.Lease, came.stream.Audience
	}
	audiences = padded(audiences)
	query := tx.Select("id", "audience", "proven", "tries", "wakes", "lease", "leased_until").Where("audience IN ?", audiences)
	if tx.Name() == "postgres" {
		query = query.Clauses(clause.Locking{Strength: "UPDATE"})
	}
	var rows []streamRow
	if err := query.Order("audience").Limit(len(audiences)).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("locking streams: %w", err)
	}
	ours := map[string]streamRow{}
	for _, row := range rows {
		if lease, pushed := leases[row.ID]; pushed && row.Lease == lease {
			ours[row.ID] = row
		}
	}
	return ours, nil
}

// these matches the notices of outcomes, each by the key of its row.
func these(tx *gorm.DB, all []*outcome) *gorm.DB {
	keys := make([][]any, len(all))
	for i, came := range all {
		keys[i] = []any{came.notice.Audience, came.notice.Sequence}
	}
	return oneOf(tx, "audience, sequence", "(CAST(? AS text), CAST(? AS bigint))", keys)
}

// keepTaken notes that receivers took notices, and that this proves them. A system of the provider proves nothing about a reseller.
func (d *Delivery) keepTaken(tx *gorm.DB, taken []*outcome) error {
	if len(taken) == 0 {
		return nil
	}
	now := d.Now()
	var proofs []proofRow
	for _, came := range taken {
		if notices.Audience(came.stream.Audience).IsSystem() || came.notice.LeafIndex < 0 {
			continue
		}
		first := came.attempt.At.UnixMicro()
		if came.notice.Tries > 0 {
			earlier, err := firstAttempts(tx, []noticeRow{came.notice})
			if err != nil {
				return err
			}
			first = earlier[came.notice.Sequence]
		}
		proofs = append(proofs, proofOf(came.notice, statement.ChannelSETAcknowledged, "", first, now.UnixMicro()))
	}
	if err := keepProofs(tx, proofs); err != nil {
		return err
	}
	err := these(tx.Model(&noticeRow{}), taken).Where("state IN ?", []State{Waiting, Parked}).Updates(map[string]any{"state": Acknowledged,
		"acknowledged_at": firstAcknowledged(now), "err": "", "description": "", "tries": gorm.Expr("tries + 1")}).Error
	if err != nil {
		return fmt.Errorf("noting acknowledgements: %w", err)
	}
	return nil
}

// keepUntaken notes that a receiver cannot take a notice, or that it is to be tried again.
func keepUntaken(tx *gorm.DB, came *outcome) error {
	if came.fault == nil && came.nextAt == 0 {
		return nil
	}
	mine := func() *gorm.DB { return these(tx.Model(&noticeRow{}), []*outcome{came}) }
	if err := mine().Update("tries", gorm.Expr("tries + 1")).Error; err != nil {
		return fmt.Errorf("counting attempts: %w", err)
	}
	if came.fault == nil {
		return nil
	}
	err := mine().Where("state = ?", Waiting).
		Updates(map[string]any{"state": Parked, "err": cut(came.fault.Err, maxErr), "description": cut(came.fault.Description, maxProblem)}).Error
	if err != nil {
		return fmt.Errorf("parking a notice: %w", err)
	}
	return nil
}

// keepLeases goes on with the leases of those that were answered, where half of one is over or a try had failed before, and gives back
// those of which a try failed.
func (d *Delivery) keepLeases(tx *gorm.DB, inOrder []*outcome, ours map[string]streamRow) error {
	until := d.Now().Add(leaseTime).UnixMicro()
	var renewed []string
	for _, came := range inOrder {
		row, held := ours[came.stream.ID]
		switch {
		case !held:
		case came.nextAt != 0:
			err := tx.Model(&streamRow{}).Where("id = ?", row.ID).
				Updates(map[string]any{"proven": false, "tries": row.Tries + 1, "next_at": came.nextAt, "lease": "", "leased_until": 0}).Error
			if err != nil {
				return fmt.Errorf("giving a lease back: %w", err)
			}
		case !row.Proven || row.Tries != 0 || row.LeasedUntil < until-leaseTime.Microseconds()/2:
			renewed = append(renewed, row.ID)
			row.Proven, row.Tries, row.LeasedUntil = true, 0, until
			ours[row.ID] = row
		}
	}
	if len(renewed) == 0 {
		return nil
	}
	if err := tx.Model(&streamRow{}).Where("id IN ?", padded(renewed)).Updates(map[string]any{"proven": true, "tries": 0, "leased_until": until}).Error; err != nil {
		return fmt.Errorf("renewing leases: %w", err)
	}
	return nil
}
