package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// What a reseller states of itself alone names people too: the contact of an attestation, whoever a remediation speaks of. An
// attestation has had its time when the ceiling has passed since another took its place or the relationship ended; everything else,
// since the relationship ended.

// ownRow says when what a reseller stated of itself may next have had its time.
type ownRow struct {
	EntityID []byte `gorm:"primaryKey"`
	NextAt   int64
}

func (ownRow) TableName() string { return "archive_own" }

// ofItself says whether an entry is what a reseller stated of itself alone, or its contact over a link. What it forwarded is erased with what is inside.
func ofItself(e statement.Entry) bool {
	kind := e.Statement.Kind()
	return kind.Erasable() && e.Customer == "" && kind != statement.KindForwarded
}

// sweepOwn erases what one reseller stated of itself and has had its time. Its entries are read only where something may have:
// what stands with no end today has its time a whole ceiling after that end, whenever it comes.
func (a *Archive) sweepOwn(ctx context.Context, entity envelope.Entity, old int64, now time.Time) error {
	id := entity.ID()
	due, err := a.ownMayBeDue(ctx, id, old, now)
	if err != nil || !due {
		return err
	}
	file, err := a.Docket.Open(ctx, id)
	if err != nil {
		return err
	}
	var own []statement.Entry
	err = a.each(ctx, id, func(e statement.Entry) bool {
		if ofItself(e) {
			own = append(own, e)
		}
		return true
	})
	if err != nil {
		return err
	}
	holds, err := a.Holds(ctx, id)
	if err != nil {
		return err
	}
	_, held, err := a.heldAbove(ctx, own, now)
	if err != nil {
		return err
	}
	held = held || slices.ContainsFunc(holds, func(h Hold) bool { return h.holds("", now) })
	next := a.terms().Ceiling.From(now)
	var erase []statement.Entry
	for i, e := range own {
		term := a.ownTerm(own[i:], file.History.TerminatedAt)
		switch {
		case e.Erased || term.Open:
		case now.Before(term.Until):
			next = earlier(next, term.Until)
		case held:
			next = earlier(next, now.Add(round))
		default:
			erase = append(erase, e)
		}
	}
	if len(erase) > 0 {
		basis := fmt.Sprintf("Records are kept for %s: %s", a.terms().Ceiling.Value, a.terms().Ceiling.Source)
		if _, err := a.stateErased(ctx, entity, erase, "schedule", basis); err != nil {
			return err
		}
	}
	row := ownRow{EntityID: id[:], NextAt: next.UnixMicro()}
	if err := a.DB.WithContext(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "entity_id"}}, UpdateAll: true}).Create(&row).Error; err != nil {
		return fmt.Errorf("noting when a reseller's own records are looked at again: %w", err)
	}
	return nil
}

// ownMayBeDue says whether it is time to look at a reseller: when that was noted, or, where nothing was, if it is on file for longer
// than anything is kept.
func (a *Archive) ownMayBeDue(ctx context.Context, id envelope.ID, old int64, now time.Time) (bool, error) {
	var row ownRow
	err := a.DB.WithContext(ctx).Where("entity_id = ?", id[:]).Take(&row).Error
	switch {
	case err == nil:
		return now.UnixMicro() >= row.NextAt, nil
	case !errors.Is(err, gorm.ErrRecordNotFound):
		return false, fmt.Errorf("reading when a reseller's own records are due: %w", err)
	}
	first, err := a.Ledger.About(ctx, id, 0, 1)
	if err != nil {
		return false, fmt.Errorf("reading a reseller's first entry: %w", err)
	}
	return len(first) > 0 && first[0].LeafIndex < old, nil
}

// ownTerm is how long the first of these is kept; the others came after it.
func (a *Archive) ownTerm(own []statement.Entry, terminated time.Time) Term {
	var replaced time.Time
	if isAttestation(own[0]) {
		if i := slices.IndexFunc(own[1:], isAttestation); i >= 0 {
			replaced = own[i+1].AcceptedAt
		}
	}
	return programTerm(a.terms(), replaced, terminated)
}

func isAttestation(e statement.Entry) bool {
	return e.Statement.Kind() == statement.KindCIPAttestation
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
