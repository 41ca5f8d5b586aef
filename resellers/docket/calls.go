package docket

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	house, err := d.House(ctx)
	if err != nil {
		return nil, err
	}
	var calls []Call
	err = d.eachAsked(ctx, callAt, after, limit, func(row fileRow, file File) (more bool, err error) {
		file.House = house
		notice, waits, err := d.notice(file)
		if err != nil && !errors.Is(err, policy.ErrUnknown) {
			return false, err
		}
		if waits && notice.Task(d.now()) {
			calls = append(calls, Call{File: file, Notice: notice, Place: placeOf(row.CallAt, row.ID)})
		}
		return len(calls) < limit, nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing whom to call: %w", err)
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
