package docket

import (
	"context"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Line is one reseller in a list.
type Line struct {
	ID       envelope.ID
	Entity   envelope.Entity
	Name     string
	Country  string
	Standing escalation.Standing
	Next     escalation.Step
	LimitAt  time.Time // zero without a case
	Exempt   time.Time // until when it is exempt from the rules of its program; zero if it is not
}

// Place is where a list goes on: after the line with this name and id.
type Place struct {
	Name string
	ID   envelope.ID
}

// List returns up to limit resellers after a place, ordered by name.
func (d *Docket) List(ctx context.Context, after *Place, limit int) ([]Line, error) {
	query := d.db.WithContext(ctx).
		Select("id, entity, name, country, standing, step_what, step_at, step_unless, step_waits, limit_at, exempt_until").
		Order("name, id").Limit(limit)
	if after != nil {
		query = query.Where("(name, id) > (?, ?)", after.Name, after.ID[:])
	}
	var rows []fileRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing resellers: %w", err)
	}
	lines := make([]Line, len(rows))
	for i, row := range rows {
		standing, err := escalation.ParseStanding(row.Standing)
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", row.Entity, err)
		}
		lines[i] = Line{
			ID: envelope.ID(row.ID), Entity: envelope.Entity(row.Entity), Name: row.Name, Country: row.Country,
			Standing: standing,
			Next:     escalation.Step{What: row.StepWhat, At: timeOrZero(row.StepAt), Unless: row.StepUnless, Waits: row.StepWaits},
			LimitAt:  timeOrZero(row.LimitAt),
		}
		if row.ExemptUntil > d.now().UnixMicro() {
			lines[i].Exempt = timeOrZero(row.ExemptUntil)
		}
	}
	return lines, nil
}
