package docket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Call is an officer's task: to call a reseller of which it is not proved that it was told of the last step of its case, or to send a
// courier, and to record that.
type Call struct {
	File   File
	Notice escalation.Notice
	Place  AskedPlace
}

// Calls returns up to limit calls that must be made now, the one that is due first first: those after a place. What was proved since the
// docket last judged a case is not in it.
func (d *Docket) Calls(ctx context.Context, after *AskedPlace, limit int) ([]Call, error) {
	query := d.db.WithContext(ctx).Where("call_at < 9223372036854775807").Order("call_at, id").Limit(limit) // as its index says it
	if after != nil {
		query = query.Where("(call_at, id) > (?, ?)", after.At.UnixMicro(), after.ID[:])
	}
	var rows []fileRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing whom to call: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	house, err := d.House(ctx)
	if err != nil {
		return nil, err
	}
	calls := make([]Call, 0, len(rows))
	for _, row := range rows {
		file, err := row.toFile()
		if err != nil {
			return nil, err
		}
		file.House = house
		notice, waits, err := d.notice(file)
		if err != nil && !errors.Is(err, policy.ErrUnknown) {
			return nil, err
		}
		if waits && notice.Task(d.now()) {
			calls = append(calls, Call{File: file, Notice: notice, Place: AskedPlace{At: timeOrZero(row.CallAt), ID: envelope.ID(row.ID)}})
		}
	}
	return calls, nil
}

// Notice returns what is proved of the last step of a file's case; false if the next one waits for no proof.
func (d *Docket) Notice(ctx context.Context, file File) (notice escalation.Notice, waits bool, err error) {
	if file.House, err = d.House(ctx); err != nil {
		return notice, false, err
	}
	return d.notice(file)
}

func (d *Docket) notice(file File) (escalation.Notice, bool, error) {
	p, err := d.PolicyOf(file)
	if err != nil {
		return escalation.Notice{}, false, err
	}
	notice, waits := escalation.NoticeOf(&p, file.Entity, file.Case, file.History, file.House, d.now())
	return notice, waits, nil
}

// tells notes until when an officer must call, and wakes the file when that becomes a task.
func (j *judged) tells(notice escalation.Notice, now time.Time) {
	if turns := notice.Turns(now); !turns.IsZero() && (j.wake.IsZero() || turns.Before(j.wake)) {
		j.wake = turns
	}
	if notice.Task(now) {
		j.callAt = notice.CallBy
	}
}
