package docket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/findings"
)

// judged is a file with what follows from it at one moment.
type judged struct {
	file       File
	house      escalation.House
	bears      bearing // that house, and the policy in force, as they were stored
	now        time.Time
	statements []statement.Statement // what must be stated; none if nothing must
	next       escalation.Step
	wake       time.Time // when the answer turns, nothing new being said; zero if never
	approvalAt time.Time // when the first step falls due about which people are asked now; zero if nobody is
	callAt     time.Time // by when an officer must call; zero if none must
}

// judge asks the deciders, by the policy that the file's case is pinned to. It states nothing. After an error the
// file is in it all the same, with nothing that follows.
func (d *Docket) judge(file File, house escalation.House, now time.Time) (judged, error) {
	j := judged{file: file, house: house, now: now}
	p, err := d.PolicyOf(file)
	if err != nil {
		return j, err
	}
	open, turns := findings.Assess(&p, &file.History, now)
	statements, next, err := escalation.Decide(&p, file.Entity, file.Case, file.History, house, open, now)
	if err != nil {
		return j, err
	}
	j.statements, j.next, j.wake = statements, next, escalation.Wake(next, turns)
	if len(statements) == 0 {
		j.ask(escalation.Approvals(&p, file.Entity, file.Case, file.History, house, now), now)
		if notice, waits := escalation.NoticeOf(&p, file.Entity, file.Case, file.History, house, now); waits {
			j.tells(notice, now)
		}
	}
	return j, nil
}

// ask notes what people are asked about, and wakes the file when that is put before them, or before others.
func (j *judged) ask(approvals []escalation.Approval, now time.Time) {
	for _, a := range approvals {
		if turns := a.Turns(now); !turns.IsZero() && (j.wake.IsZero() || turns.Before(j.wake)) {
			j.wake = turns
		}
		if a.Pending() && !now.Before(a.AskedAt) && (j.approvalAt.IsZero() || a.StepAt.Before(j.approvalAt)) {
			j.approvalAt = a.StepAt
		}
	}
}

// nextAt is when the file must be looked at again: at once while something must be stated.
func (j judged) nextAt() int64 {
	if len(j.statements) > 0 {
		return atOnce
	}
	return microsOrNever(j.wake)
}

// Settle judges one file as of now. What must be stated is appended to the ledger, and comes back into
// the file by the fold; if nothing must, the file is put away until the answer turns. That something newer
// was said meanwhile is no error: the fold brings it and the file is judged again.
func (d *Docket) Settle(ctx context.Context, id envelope.ID) error {
	file, err := d.open(ctx, id)
	if err != nil {
		return err
	}
	return d.settle(ctx, file)
}

func (d *Docket) settle(ctx context.Context, file File) error {
	now := d.now()
	judged, err := d.reserved(ctx, file, now)
	if err != nil {
		return err
	}
	if len(judged.statements) == 0 {
		return d.putAway(ctx, judged)
	}
	sets, err := d.signAll(judged, now)
	if err != nil {
		return err
	}
	_, err = d.ledger.AppendAfter(ctx, ledger.Seen{About: file.ID(), LeafIndex: file.Seen()}, sets...)
	if errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTwin) {
		return nil // what was reserved is given back by the fold of what is newer, or confirmed by it
	}
	if err != nil {
		return fmt.Errorf("stating what was decided about %s: %w", file.Entity, err)
	}
	return nil
}

// settleInTurn is Settle for a file about which something newer was said each time it was settled: what stands newer is folded and
// judged in the moment of the commit.
func (d *Docket) settleInTurn(ctx context.Context, id envelope.ID) error {
	file, err := d.open(ctx, id)
	if err != nil {
		return err
	}
	now := d.now()
	before, err := d.reserved(ctx, file, now)
	if err != nil {
		return err
	}
	s := d.sheetOf(&file)
	var last judged
	receipts, err := d.ledger.AppendInTurn(ctx, ledger.Seen{About: id, LeafIndex: file.Seen()}, func(newer []statement.Entry) ([]envelope.Verified, error) {
		// It reads only of customers that are named and were not met: without them the file is not what it will be.
		if err := s.fold(ctx, newer); err != nil {
			return nil, err
		}
		house := before.house
		house.Holdings = s.held(&file, house.Holdings)
		if last, err = d.judge(file, house, now); err != nil {
			return nil, err
		}
		last.bears = before.bears
		if !before.covers(last) || escalation.ListsAccounts(last.statements) {
			return nil, errGuarded // nothing can be reserved inside the commit of others
		}
		return d.signAll(last, now)
	})
	switch {
	case errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTwin) || errors.Is(err, errOvertaken) || errors.Is(err, errGuarded):
		return nil
	case err != nil:
		return fmt.Errorf("stating in its turn what was decided about %s: %w", file.Entity, err)
	case len(receipts) == 0:
		return d.putAway(ctx, last)
	}
	return nil
}

func (d *Docket) signAll(j judged, now time.Time) ([]envelope.Verified, error) {
	sets := make([]envelope.Verified, len(j.statements))
	for i, s := range j.statements {
		var err error
		if sets[i], err = d.sign(j.file, s, now); err != nil {
			return nil, err
		}
	}
	return sets, nil
}

func (d *Docket) sign(file File, s statement.Statement, now time.Time) (envelope.Verified, error) {
	set, err := d.signer.Sign(envelope.Draft{
		Issuer: d.self, Audience: file.Entity, IssuedAt: now,
		JTI: jtiOf(file.Entity, s), EventURI: s.Kind().URI(), Event: s,
		Subject: envelope.Subject{Format: "uri", URI: string(file.Entity)},
	})
	if err != nil {
		return envelope.Verified{}, fmt.Errorf("signing %s about %s: %w", s.Kind(), file.Entity, err)
	}
	// What a fold could not read back must never get into the ledger.
	if _, err := statement.Decode(set); err != nil {
		return envelope.Verified{}, fmt.Errorf("a %s about %s that breaks its own schema: %w", s.Kind(), file.Entity, err)
	}
	return set, nil
}

// putAway notes when the file is judged again and what a list shows of it. It writes only if nothing was
// folded meanwhile; else the fold has judged it anew, or, if it was about the gateway, has woken it.
func (d *Docket) putAway(ctx context.Context, j judged) error {
	row, err := j.row()
	if err != nil {
		return err
	}
	err = d.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		again, err := releaseIn(tx, row.ID, j.now)
		if err != nil {
			return err
		}
		row.NextAt = min(row.NextAt, again)
		err = tx.Model(&fileRow{}).Where("id = ? AND seen = ?", row.ID, row.Seen).
			Select("next_at", "standing", "step_what", "step_at", "step_unless", "step_waits", "limit_at", "approval_at", "call_at", "review_at", "failed_at", "failure").Updates(row).Error
		if err != nil {
			return err
		}
		// Behind the write: whoever wakes files changes this first, and either waits for the row or was waited for.
		b, err := bearingIn(tx)
		if err == nil && b != j.bears {
			err = errOvertaken
		}
		return err
	})
	if errors.Is(err, errOvertaken) {
		return nil // it is due, and judged again
	}
	if err != nil {
		return fmt.Errorf("putting the file of %s away: %w", j.file.Entity, err)
	}
	return nil
}

// sweepPage is how many due files Sweep takes from the index at once.
const sweepPage = 200

// maxTries is how often one Sweep settles one file. A case is a handful of steps; more is a fault of ours that must be
// seen, not a loop.
const maxTries = 100

// patience is how often Sweep settles one file before it does so in the file's turn, where nobody can overtake it: a reseller that
// never stops stating must not keep its own case from moving.
const patience = 3

// Sweep folds what is new and settles every file that is due, until none is. It returns when the next
// file falls due, zero if none ever does, nothing new being said. A file that cannot be settled does not
// keep the others waiting: it is set aside, and its error is returned at the end, joined with the rest.
func (d *Docket) Sweep(ctx context.Context) (next time.Time, err error) {
	failed, tries := map[envelope.ID]error{}, map[envelope.ID]int{}
	var untold error
	for {
		_, err := d.looked(ctx)
		if err == nil {
			err = d.CatchUp(ctx)
		}
		if err != nil {
			return time.Time{}, errors.Join(append(slices.Collect(maps.Values(failed)), untold, err)...)
		}
		b, err := bearingIn(d.db.WithContext(ctx))
		if err == nil {
			err = d.mayDecide(b)
		}
		if err != nil {
			return time.Time{}, errors.Join(append(slices.Collect(maps.Values(failed)), untold, err)...)
		}
		due, err := d.due(ctx, len(failed))
		if err != nil {
			return time.Time{}, errors.Join(append(slices.Collect(maps.Values(failed)), untold, err)...)
		}
		due = slices.DeleteFunc(due, func(id envelope.ID) bool { return failed[id] != nil })
		if len(due) == 0 {
			more, at, err := d.tell(ctx)
			if err != nil {
				untold = errors.Join(untold, err)
			}
			if more && err == nil {
				continue
			}
			next = at
			break
		}
		for _, id := range due {
			if looked, err := d.looked(ctx); looked || err != nil {
				break // with what that found, or why it found nothing, Sweep begins again
			}
			settle := d.Settle
			if tries[id] >= patience {
				settle = d.settleInTurn
			}
			err := settle(ctx, id)
			if tries[id]++; err == nil && tries[id] > maxTries {
				err = fmt.Errorf("it is still due after %d decisions: what was decided does not show in its file", maxTries)
			}
			if err != nil {
				failed[id] = errors.Join(fmt.Errorf("settling %s: %w", id, err), d.setAside(ctx, id, err))
			}
		}
	}
	first, err := d.nextDue(ctx)
	if err == nil && (next.IsZero() || !first.IsZero() && first.Before(next)) {
		next = first
	}
	return next, errors.Join(append(slices.Collect(maps.Values(failed)), untold, err)...)
}

// tryAgain is how long a file that could not be settled is left alone: less than Lateness, and no tight loop.
const tryAgain = time.Minute

// looked asks whether time passed in which the gateway could take no submissions, and says whether it had to look.
func (d *Docket) looked(ctx context.Context) (bool, error) {
	if d.awake == nil {
		return false, nil
	}
	looked, err := d.awake(ctx)
	if err != nil {
		return looked, fmt.Errorf("asking whether submissions are taken, before a step is: %w", err)
	}
	return looked, nil
}

// setAside puts a file that could not be settled away until it is tried again, with why, so that a Watch names it. What fails because
// this process ends, may decide nothing, or finds the ledger full is no fault of the file: it stays due.
func (d *Docket) setAside(ctx context.Context, id envelope.ID, why error) error {
	if ctx.Err() != nil || errors.Is(why, ledger.ErrFull) || errors.Is(why, ErrSuperseded) {
		return nil //nolint:nilerr // ctx has ended, and that is no fault of the file
	}
	now := d.now()
	err := d.db.WithContext(ctx).Model(&fileRow{}).Where("id = ?", id[:]).Updates(map[string]any{
		"next_at": now.Add(tryAgain).UnixMicro(), "failed_at": gorm.Expr("CASE WHEN failed_at = 0 THEN ? ELSE failed_at END", now.UnixMicro()), "failure": why.Error(),
	}).Error
	if err != nil {
		return fmt.Errorf("setting it aside: %w", err)
	}
	return nil
}

// due returns the files that are due, longest first; beside names how many of them the caller will pass over.
func (d *Docket) due(ctx context.Context, beside int) ([]envelope.ID, error) {
	var rows []fileRow
	if err := dueBy(d.db.WithContext(ctx), d.now(), sweepPage+beside).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("looking for files that are due: %w", err)
	}
	ids := make([]envelope.ID, len(rows))
	for i, row := range rows {
		ids[i] = envelope.ID(row.ID)
	}
	return ids, nil
}

// dueBy finds the files that are due, longest first, and nothing else: 100,000 that sleep cost nothing.
func dueBy(db *gorm.DB, now time.Time, limit int) *gorm.DB {
	return db.Select("id").Where("next_at <= ?", now.UnixMicro()).Order("next_at, id").Limit(limit)
}

// dueNext finds when the next file is due.
func dueNext(db *gorm.DB) *gorm.DB {
	return db.Select("next_at").Where("next_at < ?", never).Order("next_at").Limit(1)
}

func (d *Docket) nextDue(ctx context.Context) (time.Time, error) {
	var row fileRow
	err := dueNext(d.db.WithContext(ctx)).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("looking for the next due file: %w", err)
	}
	return time.UnixMicro(row.NextAt).UTC(), nil
}
