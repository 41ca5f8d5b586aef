package docket

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Lateness is how late a step of a case may be before somebody is called (standing.md, "The case").
const Lateness = 5 * time.Minute

// watched is how many cases a Watch names.
const watched = 20

// Watch is whether every open case is on its way. The zero Watch is that of a docket without cases.
type Watch struct {
	Open    int `json:"open"`    // cases
	Waiting int `json:"waiting"` // of them, those whose next step waits for somebody, and says for what
	// Late are cases whose next step waits for nobody and is later than Lateness; Lost those that have no next step and wait for nothing,
	// and every file, with a case or without, that cannot be settled, such as one pinned to a policy that this gateway was not given.
	// Neither may happen. At most 20 of each are named.
	LateCount int       `json:"late_count"`
	LostCount int       `json:"lost_count"`
	Late      []Stopped `json:"late,omitzero"`
	Lost      []Stopped `json:"lost,omitzero"`
	// Behind is how long the file has been due that nobody has judged for longest; not longer than Lateness if all is well.
	Behind time.Duration `json:"behind"`
	// Duties are what people owe. That they are late is no fault of the gateway's, so it is no Alarm, and has its own sentence.
	Duties Duties `json:"duties"`
}

// Stopped is a case that does not move.
type Stopped struct {
	Entity envelope.Entity `json:"entity"`
	What   string          `json:"what,omitzero"`
	At     time.Time       `json:"at,omitzero"`
	Since  time.Time       `json:"since,omitzero"` // when settling it failed first
	Why    string          `json:"why,omitzero"`   // it failed
}

// Alarm says in one line what is wrong; it is empty if nothing is.
func (w Watch) Alarm() string {
	var wrong []string
	if w.LateCount > 0 {
		wrong = append(wrong, fmt.Sprintf("%d cases are past their next step by more than %s, the first of %s", w.LateCount, Lateness, w.Late[0].Entity))
	}
	if w.LostCount > 0 {
		first, why := w.Lost[0], "it has no next step and waits for nothing; a rebuild judges it again"
		if first.Why != "" {
			why = "since " + first.Since.Format(time.RFC3339) + " it cannot be settled: " + first.Why
		}
		wrong = append(wrong, fmt.Sprintf("%d resellers have no next step, the first of them %s: %s", w.LostCount, first.Entity, why))
	}
	if w.Behind > Lateness {
		wrong = append(wrong, fmt.Sprintf("files are due since %s and nobody judges them: is the keeper running?", w.Behind.Truncate(time.Second)))
	}
	return strings.Join(wrong, "; ")
}

// Watch looks at every open case. It judges nothing, so it also sees what this process fails to judge.
func (d *Docket) Watch(ctx context.Context) (Watch, error) {
	var w Watch
	db, now := d.db.WithContext(ctx), d.now()
	limit := now.Add(-Lateness).UnixMicro()
	open := func() *gorm.DB { return db.Model(&fileRow{}).Where("standing IN ('warned', 'restricted', 'closing')") }
	count := func(query *gorm.DB, into *int) error {
		var n int64
		if err := query.Count(&n).Error; err != nil {
			return fmt.Errorf("watching the cases: %w", err)
		}
		*into = int(n)
		return nil
	}
	late := func() *gorm.DB { return open().Where("step_waits = '' AND step_at < ? AND failed_at = 0", limit) }
	lost := func() *gorm.DB { return open().Where("step_waits = '' AND step_at = ? AND failed_at = 0", never) }
	failed := func() *gorm.DB { return db.Model(&fileRow{}).Where("failed_at > 0") }
	var failing int
	for _, of := range []struct {
		query *gorm.DB
		into  *int
	}{{open(), &w.Open}, {open().Where("step_waits <> ''"), &w.Waiting}, {late(), &w.LateCount}, {lost(), &w.LostCount}, {failed(), &failing}} {
		if err := count(of.query, of.into); err != nil {
			return Watch{}, err
		}
	}
	var err error
	if w.Late, err = stopped(late(), "step_at, id"); err != nil {
		return Watch{}, err
	}
	if w.Lost, err = stopped(failed(), "failed_at, id"); err != nil {
		return Watch{}, err
	}
	stepless, err := stopped(lost(), "step_at, id")
	if err != nil {
		return Watch{}, err
	}
	w.LostCount += failing
	w.Lost = append(w.Lost, stepless[:min(len(stepless), watched-len(w.Lost))]...)
	var due []fileRow
	if err := db.Select("next_at").Where("next_at > ? AND next_at <= ?", atOnce, now.UnixMicro()).Order("next_at").Limit(1).Find(&due).Error; err != nil {
		return Watch{}, fmt.Errorf("watching what is due: %w", err)
	}
	if len(due) > 0 {
		w.Behind = now.Sub(timeOrZero(due[0].NextAt))
	}
	w.Duties, err = d.watchDuties(db, now)
	return w, err
}

func stopped(query *gorm.DB, order string) ([]Stopped, error) {
	var rows []fileRow
	if err := query.Select("entity, step_what, step_at, failed_at, failure").Order(order).Limit(watched).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("watching the cases: %w", err)
	}
	var all []Stopped
	for _, row := range rows {
		all = append(all, Stopped{Entity: envelope.Entity(row.Entity), What: row.StepWhat, At: timeOrZero(row.StepAt), Since: timeOrZero(row.FailedAt), Why: row.Failure})
	}
	return all, nil
}
