package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// When a day, UTC, is over, every reseller of whom something was said on it, or of whom the shadow's answer turned, is replayed up to its
// end, from the ledger; what the others did and would have done is kept from before. Nothing of this is lost by a kill: a reseller that
// was replayed is marked so, and the rest follow.

type shadowRow struct {
	ResellerID []byte `gorm:"primaryKey"`
	Shadow     string
	Entity     string
	Seen       int64
	Until      int64
	TurnsAt    int64
	Standing   string
	Live       string
	Would      string
	Was        string
}

func (shadowRow) TableName() string { return "rehearsal_shadow_files" }

type reportRow struct {
	Shadow string `gorm:"primaryKey"`
	Day    string `gorm:"primaryKey"`
	MadeAt int64
	Report string
}

func (reportRow) TableName() string { return "rehearsal_shadow_reports" }

const dayLong = 24 * time.Hour

// Turn goes on with the reports of the days that are over, by at most so many resellers. It says whether there is more to do now, and
// when the next day is over; zero if no shadow runs.
func (r *Rehearsal) Turn(ctx context.Context, resellers int) (more bool, next time.Time, err error) {
	runs, _, err := r.Shadow(ctx)
	if err != nil || runs.None() {
		return false, time.Time{}, err
	}
	midnight := r.Now().UTC().Truncate(dayLong)
	next = midnight.Add(dayLong)
	first, err := r.firstMissing(ctx, runs)
	if err != nil || !first.Before(midnight) {
		return false, next, err
	}
	done, err := r.walk(ctx, runs, midnight, resellers)
	if err != nil || !done {
		return err == nil, next, err
	}
	return false, next, r.report(ctx, runs, first, midnight)
}

// firstMissing is the first day of which there is no report yet.
func (r *Rehearsal) firstMissing(ctx context.Context, runs Shadow) (time.Time, error) {
	var last reportRow
	err := r.DB.WithContext(ctx).Select("day").Where("shadow = ?", runs.ID).Order("day DESC").Limit(1).Take(&last).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return runs.At.UTC().Truncate(dayLong), nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("looking for the last report of the shadow: %w", err)
	}
	day, err := time.Parse(time.DateOnly, last.Day)
	return day.Add(dayLong), err
}

// walk brings resellers up to a midnight, in the order of their ids. It says whether all are.
func (r *Rehearsal) walk(ctx context.Context, runs Shadow, midnight time.Time, resellers int) (done bool, err error) {
	r.walked.Lock()
	defer r.walked.Unlock()
	if !r.walked.day.Equal(midnight) {
		r.walked.day, r.walked.last = midnight, nil
	}
	shelf, err := r.Docket.Shelf(ctx, runs.Policy)
	if err != nil {
		return false, err
	}
	houses, err := r.Docket.Houses(ctx)
	if err != nil {
		return false, err
	}
	for replayed := 0; replayed < resellers; {
		files, err := r.Docket.Folded(ctx, r.walked.last, page)
		if err != nil || len(files) == 0 {
			return err == nil, err
		}
		known, err := r.rowsOf(ctx, runs, files)
		if err != nil {
			return false, err
		}
		var kept [][]byte
		var rows []shadowRow
		for _, file := range files {
			id := file.ID()
			row, has := known[id]
			switch {
			case has && row.Until >= midnight.UnixMicro():
			case has && !r.moved(row, file, houses, midnight):
				kept = append(kept, id[:])
			default:
				if row, err = r.follow(ctx, runs, shelf, houses, file, midnight); err != nil {
					return false, fmt.Errorf("following %s in the shadow: %w", file.Entity, err)
				}
				rows = append(rows, row)
				replayed++
			}
			r.walked.last = id[:]
			if replayed == resellers {
				break
			}
		}
		if err := r.keep(ctx, runs, kept, rows, midnight); err != nil {
			r.walked.last = nil // what was replayed and not kept is replayed again
			return false, err
		}
	}
	return false, nil
}

// keep marks resellers of which nothing moved as brought up to a midnight, and writes what came of those that were replayed.
func (r *Rehearsal) keep(ctx context.Context, runs Shadow, kept [][]byte, rows []shadowRow, midnight time.Time) error {
	if len(kept) > 0 {
		err := r.DB.WithContext(ctx).Model(&shadowRow{}).Where("shadow = ? AND reseller_id IN ?", runs.ID, kept).Update("until", midnight.UnixMicro()).Error
		if err != nil {
			return fmt.Errorf("marking who was brought up to a day's end in the shadow: %w", err)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	err := r.DB.WithContext(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "reseller_id"}}, UpdateAll: true}).CreateInBatches(rows, batch).Error
	if err != nil {
		return fmt.Errorf("keeping what the shadow would have stated: %w", err)
	}
	return nil
}

// batch keeps a statement's parameters few.
const batch = 200

// moved says whether a reseller has to be replayed again: something was said of it, its answer turned, or what bears on every case did.
func (r *Rehearsal) moved(row shadowRow, file docket.Folded, houses backtest.Houses, midnight time.Time) bool {
	if file.Seen > row.Seen || row.TurnsAt > 0 && row.TurnsAt < midnight.UnixMicro() {
		return true
	}
	return len(houses) > 0 && houses[len(houses)-1].At.UnixMicro() >= row.Until
}

func (r *Rehearsal) rowsOf(ctx context.Context, runs Shadow, files []docket.Folded) (map[envelope.ID]shadowRow, error) {
	ids := make([][]byte, len(files))
	for i, file := range files {
		id := file.ID()
		ids[i] = id[:]
	}
	var rows []shadowRow
	err := r.DB.WithContext(ctx).Select("reseller_id, seen, until, turns_at").Where("shadow = ? AND reseller_id IN ?", runs.ID, ids).Order("reseller_id").Limit(len(ids)).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading how far the shadow has come: %w", err)
	}
	known := make(map[envelope.ID]shadowRow, len(rows))
	for _, row := range rows {
		known[envelope.ID(row.ResellerID)] = row
	}
	return known, nil
}

// errEnough ends the reading of a reseller's entries at midnight.
var errEnough = errors.New("behind midnight")

// follow replays one reseller up to a midnight.
func (r *Rehearsal) follow(ctx context.Context, runs Shadow, shelf policy.Shelf, houses backtest.Houses, file docket.Folded, midnight time.Time) (shadowRow, error) {
	replay := backtest.Beside(shelf, houses, file.Entity, runs.From, runs.At)
	was, seen, live := []backtest.Stated{}, int64(-1), escalation.Pending
	err := r.Docket.EachAbout(ctx, file.Entity, func(e statement.Entry) error {
		if !e.AcceptedAt.Before(midnight) {
			return errEnough
		}
		seen = e.LeafIndex
		if line, happened := backtest.Was(e); happened {
			if standing, err := escalation.ParseStanding(line.What); err == nil {
				live = standing
			}
			if e.LeafIndex >= runs.From {
				was = append(was, line)
			}
		}
		return replay.Take(e)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return shadowRow{}, err
	}
	// What falls due at midnight is of the next day.
	would, err := replay.Until(midnight.Add(-time.Microsecond))
	if err != nil {
		return shadowRow{}, err
	}
	id := file.ID()
	row := shadowRow{ResellerID: id[:], Shadow: runs.ID, Entity: string(file.Entity), Seen: seen, Until: midnight.UnixMicro(), Standing: replay.Standing().String(), Live: live.String()}
	if turns := replay.Turns(); !turns.IsZero() {
		row.TurnsAt = turns.UnixMicro()
	}
	for into, lines := range map[*string][]backtest.Stated{&row.Would: would, &row.Was: was} {
		text, err := json.Marshal(lines, json.Deterministic(true))
		if err != nil {
			return shadowRow{}, fmt.Errorf("writing what the shadow would have stated: %w", err)
		}
		*into = string(text)
	}
	return row, nil
}

// report makes the reports of the days from first on that are over at a midnight. One that was made stays.
func (r *Rehearsal) report(ctx context.Context, runs Shadow, first, midnight time.Time) error {
	var days []*backtest.Day
	for day := first; day.Before(midnight); day = day.Add(dayLong) {
		days = append(days, backtest.NewDay(day, runs.Policy.ID(), r.Docket.InForce().ID()))
	}
	for last := []byte{}; ; {
		var rows []shadowRow
		if err := r.DB.WithContext(ctx).Where("shadow = ? AND reseller_id > ?", runs.ID, last).Order("reseller_id").Limit(page).Find(&rows).Error; err != nil {
			return fmt.Errorf("reading what the shadow would have stated: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		last = rows[len(rows)-1].ResellerID
		for _, row := range rows {
			followed, err := row.followed()
			if err != nil {
				return err
			}
			for _, day := range days {
				day.Add(followed)
			}
		}
	}
	for _, day := range days {
		text, err := json.Marshal(day, json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("writing a report of the shadow: %w", err)
		}
		row := reportRow{Shadow: runs.ID, Day: day.Day, MadeAt: r.Now().UnixMicro(), Report: string(text)}
		if err := r.DB.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
			return fmt.Errorf("keeping a report of the shadow: %w", err)
		}
	}
	return nil
}

func (row shadowRow) followed() (f backtest.Followed, err error) {
	f.Entity = envelope.Entity(row.Entity)
	if err := json.Unmarshal([]byte(row.Would), &f.Would); err != nil {
		return f, fmt.Errorf("reading what the shadow would have stated of %s: %w", row.Entity, err)
	}
	if err := json.Unmarshal([]byte(row.Was), &f.Was); err != nil {
		return f, fmt.Errorf("reading what was stated of %s: %w", row.Entity, err)
	}
	if f.Shadow, err = escalation.ParseStanding(row.Standing); err != nil {
		return f, err
	}
	f.Live, err = escalation.ParseStanding(row.Live)
	return f, err
}

// Report is a day of a shadow, as it was told.
type Report struct {
	Shadow string
	MadeAt time.Time
	backtest.Day
}

// Reports lists the latest days of a shadow, the newest first: those before a day, or all if that is empty. Errors wrap ErrNotFound where
// a report cannot be read.
func (r *Rehearsal) Reports(ctx context.Context, shadow, before string, limit int) ([]Report, error) {
	query := r.DB.WithContext(ctx).Where("shadow = ?", shadow).Order("day DESC").Limit(limit)
	if before != "" {
		query = query.Where("day < ?", before)
	}
	var rows []reportRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing the reports of the shadow: %w", err)
	}
	all := make([]Report, len(rows))
	for i, row := range rows {
		all[i] = Report{Shadow: row.Shadow, MadeAt: time.UnixMicro(row.MadeAt).UTC()}
		if err := json.Unmarshal([]byte(row.Report), &all[i].Day); err != nil {
			return nil, fmt.Errorf("reading a report of the shadow: %w", err)
		}
	}
	return all, nil
}

// ReportOf is the report of one day of the shadow; ErrNotFound if there is none.
func (r *Rehearsal) ReportOf(ctx context.Context, shadow, day string) (Report, error) {
	var row reportRow
	err := r.DB.WithContext(ctx).Where("shadow = ? AND day = ?", shadow, day).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Report{}, fmt.Errorf("%w: wanted a day of which the shadow has a report, as YYYY-MM-DD: each is made when the day is over, UTC", ErrNotFound)
	}
	if err != nil {
		return Report{}, fmt.Errorf("looking for a report of the shadow: %w", err)
	}
	told := Report{Shadow: row.Shadow, MadeAt: time.UnixMicro(row.MadeAt).UTC()}
	if err := json.Unmarshal([]byte(row.Report), &told.Day); err != nil {
		return Report{}, fmt.Errorf("reading a report of the shadow: %w", err)
	}
	return told, nil
}

// Rebuild drops what was computed beside the shadow that runs; it is computed again when the next day is over. Reports that were told
// stay.
func (r *Rehearsal) Rebuild(ctx context.Context) error {
	if err := r.DB.WithContext(ctx).Where("1 = 1").Delete(&shadowRow{}).Error; err != nil {
		return fmt.Errorf("emptying what was computed beside the shadow: %w", err)
	}
	return nil
}
