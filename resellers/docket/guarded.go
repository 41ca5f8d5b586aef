package docket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Tripped is that the guard holds something back, and since when: of what it counts by the day, since that day began.
type Tripped struct {
	Guard escalation.GuardKind
	Since time.Time
}

// guardedAtOnce is how many cases are looked at for a step that the guard holds back: those whose step is the next.
const guardedAtOnce = 200

// Tripped returns what the guard holds back now, of which nobody has released it.
func (d *Docket) Tripped(ctx context.Context) ([]Tripped, error) {
	var row houseRow
	if err := d.db.WithContext(ctx).Where("id = 1").Take(&row).Error; err != nil {
		return nil, fmt.Errorf("reading whether the guard holds: %w", err)
	}
	house, err := d.House(ctx)
	if err != nil {
		return nil, err
	}
	now := d.now()
	var all []Tripped
	if house.Counts.Tripped && !house.ReleasedAt(escalation.GuardFindings, now) {
		all = append(all, Tripped{escalation.GuardFindings, timeOrZero(row.TrippedAt)})
	}
	if house.Counts.Closures+house.Counts.Terminations == 0 && house.Counts.Accounts == 0 {
		// Then only a case of more accounts than a day's number holds anything back, and it says so itself.
		return d.trippedBy(ctx, house, all, "step_waits LIKE 'the guard on %'", now)
	}
	return d.trippedBy(ctx, house, all, "(step_waits LIKE 'the guard on %' OR step_waits = '')", now)
}

// trippedBy adds what holds back the steps of the open cases that are next.
func (d *Docket) trippedBy(ctx context.Context, house escalation.House, all []Tripped, where string, now time.Time) ([]Tripped, error) {
	var rows []fileRow
	err := d.db.WithContext(ctx).Where("standing IN ('warned', 'restricted', 'closing')").Where(where).Order("step_at, id").Limit(guardedAtOnce).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for steps that the guard holds back: %w", err)
	}
	day, seen := now.UTC().Truncate(24*time.Hour), map[escalation.GuardKind]bool{}
	for _, row := range rows {
		file, err := row.toFile()
		if err != nil {
			return nil, err
		}
		p, err := d.PolicyOf(file)
		if errors.Is(err, policy.ErrUnknown) {
			continue // a Watch names it
		}
		if err != nil {
			return nil, err
		}
		kind := escalation.Guarded(p, file.Entity, file.Case, file.History, house, now)
		if kind != "" && !seen[kind] {
			seen[kind] = true
			all = append(all, Tripped{kind, day})
		}
	}
	return all, nil
}
