package docket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/screening"
)

// What a special measure does to a reseller follows from facts that no file holds: measures, and everybody on file. So that all that is
// decided is a fold of the ledger, the docket states what the screener found, and that statement is what a file folds: a rebuild reads
// back what was found then, whatever is found now.
//
//   - Whoever changes hits, or opens or closes accounts, marks the reseller in the same transaction.
//   - tell holds what a file says against the hits of each reseller that is marked, or whose time has come, and states the difference
//     in the reseller's turn, under a number that it counts: twice is once.
//   - Killed before the statement the mark stands; killed behind it, there is no difference.

// prohibitionRow is a reseller of whom a measure prohibits somebody, or did.
type prohibitionRow struct {
	ResellerID []byte `gorm:"primaryKey"`
	Marked     int64
	DueAt      int64
}

func (prohibitionRow) TableName() string { return "docket_prohibitions" }

// markAgain makes what was stated of these resellers be held against their hits again; of all of them if ids is nil.
func markAgain(tx *gorm.DB, ids [][]byte) error {
	set := map[string]any{"marked": gorm.Expr("marked + 1"), "due_at": atOnce}
	if ids == nil {
		return tx.Model(&prohibitionRow{}).Where("1 = 1").Updates(set).Error
	}
	for some := range slices.Chunk(ids, page) {
		if err := tx.Model(&prohibitionRow{}).Where("reseller_id IN ?", some).Updates(set).Error; err != nil {
			return err
		}
	}
	return nil
}

// markHit is markAgain for resellers of whom somebody was found, perhaps for the first time.
func markHit(tx *gorm.DB, hits []screening.Hit) error {
	ids := map[envelope.ID]bool{}
	for _, h := range hits {
		ids[h.Party.Reseller.ID()] = true
	}
	if len(ids) == 0 {
		return nil
	}
	rows := make([]prohibitionRow, 0, len(ids))
	for id := range ids {
		rows = append(rows, prohibitionRow{ResellerID: id[:], DueAt: atOnce})
	}
	slices.SortFunc(rows, func(a, b prohibitionRow) int { return slices.Compare(a.ResellerID, b.ResellerID) })
	return tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "reseller_id"}}, DoUpdates: clause.Assignments(map[string]any{
		"marked": gorm.Expr("docket_prohibitions.marked + 1"), "due_at": atOnce})}).CreateInBatches(rows, writeBatch).Error
}

// markTold marks every reseller of whom a statement says that somebody is prohibited: of those that a rebuild finds nobody of, that must
// be stated too.
func (s *Screener) markTold(tx *gorm.DB) error {
	if err := markAgain(tx, nil); err != nil {
		return err
	}
	var rows []fileRow
	return tx.Order("id").FindInBatches(&rows, page, func(tx *gorm.DB, _ int) error {
		var marks []prohibitionRow
		for _, row := range rows {
			file, err := row.toFile()
			if err != nil {
				return err
			}
			if file.History.Prohibited.Spell.Lasts() {
				marks = append(marks, prohibitionRow{ResellerID: row.ID, DueAt: atOnce})
			}
		}
		if len(marks) == 0 {
			return nil
		}
		return tx.Session(&gorm.Session{NewDB: true}).Clauses(clause.OnConflict{DoNothing: true}).Create(&marks).Error
	}).Error
}

// tell states what was found beside the files. It says whether there is something new to fold, and when there will be something to
// state, nothing new being said.
func (d *Docket) tell(ctx context.Context) (more bool, next time.Time, err error) {
	covered, failed := d.tellCovered(ctx)
	below, untold := d.tellBelow(ctx)
	prohibited, next, err := d.tellProhibited(ctx)
	return covered || below || prohibited, next, errors.Join(failed, untold, err)
}

// tellProhibited states, of resellers that are due, whom a measure prohibits, where that is not what was stated last. It says whether
// it stated anything, and when the next one is due, zero if none is.
func (d *Docket) tellProhibited(ctx context.Context) (stated bool, next time.Time, err error) {
	now := d.now()
	var failed []error
	var due []prohibitionRow
	if err := d.db.WithContext(ctx).Where("due_at <= ?", now.UnixMicro()).Order("due_at, reseller_id").Limit(sweepPage).Find(&due).Error; err != nil {
		return false, time.Time{}, fmt.Errorf("looking for whom measures prohibit: %w", err)
	}
	if len(due) > 0 {
		complete, err := d.screened(ctx, now)
		if err != nil {
			return false, time.Time{}, err
		}
		for _, row := range due {
			said, err := d.tellOne(ctx, row, complete)
			if err != nil { // the others do not wait for it, nor is it tried without a pause
				failed = append(failed, err, d.toldUntil(ctx, row, now.Add(glanceAgain)))
			}
			stated = stated || said
		}
	}
	var first prohibitionRow
	err = d.db.WithContext(ctx).Where("due_at > ? AND due_at < ?", now.UnixMicro(), never).Order("due_at").Limit(1).Take(&first).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return stated, time.Time{}, errors.Join(failed...)
	}
	if err != nil {
		return stated, time.Time{}, errors.Join(append(failed, fmt.Errorf("looking for when a measure prohibits somebody next: %w", err))...)
	}
	return stated, time.UnixMicro(first.DueAt).UTC(), errors.Join(failed...)
}

// glanceAgain is when a reseller is looked at again of whom nothing is stated before everybody is screened.
const glanceAgain = time.Minute

// tellOne holds what was stated of one reseller against its hits. That somebody is prohibited is stated at once; all else only when
// everybody is screened, since a version that replaces another one finds again whom that one found.
func (d *Docket) tellOne(ctx context.Context, row prohibitionRow, complete bool) (stated bool, err error) {
	file, err := d.Open(ctx, envelope.ID(row.ResellerID))
	if errors.Is(err, ErrNotFound) {
		return false, nil // not folded yet
	}
	if err != nil {
		return false, err
	}
	found, told := file.Prohibited, file.History.Prohibited
	if !file.History.TerminatedAt.IsZero() || tells(told, found) {
		return false, d.toldUntil(ctx, row, found.Turns)
	}
	if !complete && (found.None() || told.Spell.Lasts()) {
		return false, d.toldUntil(ctx, row, d.now().Add(glanceAgain)) // the end of the walk marks it
	}
	sheet := d.sheetOf(&file)
	// In its turn, so that a reseller that never stops stating does not keep this from being stated.
	receipts, err := d.ledger.AppendInTurn(ctx, ledger.Seen{About: file.ID(), LeafIndex: file.Seen()}, func(newer []statement.Entry) ([]envelope.Verified, error) {
		if err := sheet.fold(ctx, newer); err != nil || tells(file.History.Prohibited, found) {
			return nil, err
		}
		set, err := d.sign(file, screeningChanged(file.History.Prohibited.Number+1, found), d.now())
		return []envelope.Verified{set}, err
	})
	if errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTwin) || errors.Is(err, errOvertaken) {
		return true, nil // something newer was said: fold it and look again
	}
	if err != nil {
		return false, fmt.Errorf("stating whom of %s a measure prohibits: %w", file.Entity, err)
	}
	return len(receipts) > 0, nil
}

func screeningChanged(number int, found screening.Prohibited) statement.ScreeningChanged {
	said := statement.ScreeningChanged{Number: number, Customers: found.Customers, Itself: found.Itself}
	if !found.None() {
		said.Since, said.Evidence = found.Since, found.Evidence
	}
	return said
}

// tells is true if what was stated is what is found.
func tells(told history.Prohibited, found screening.Prohibited) bool {
	return told.Spell.Lasts() == !found.None() && told.Customers == found.Customers && told.Itself == found.Itself &&
		(found.None() || slices.Equal(told.Evidence, found.Evidence))
}

// toldUntil puts a reseller away until a measure comes into force or ends for it, unless it was marked meanwhile.
func (d *Docket) toldUntil(ctx context.Context, row prohibitionRow, turns time.Time) error {
	err := d.db.WithContext(ctx).Model(&prohibitionRow{}).Where("reseller_id = ? AND marked = ?", row.ResellerID, row.Marked).
		Update("due_at", microsOrNever(turns)).Error
	if err != nil {
		return fmt.Errorf("noting that it was stated whom a measure prohibits: %w", err)
	}
	return nil
}

// screened is true if everybody on file is screened against every version as far as it should be.
func (d *Docket) screened(ctx context.Context, now time.Time) (bool, error) {
	var at screeningRow
	if err := d.db.WithContext(ctx).Where("id = 1").Take(&at).Error; err != nil {
		return false, fmt.Errorf("reading how far screening has come: %w", err)
	}
	var waits int64
	err := d.db.WithContext(ctx).Model(&measureRow{}).Where("screened < ? OR screened < ? AND from_at <= ?", sinceImposed, sinceInForce, now.UnixMicro()).
		Limit(1).Count(&waits).Error
	if err != nil {
		return false, fmt.Errorf("reading how far measures are screened for: %w", err)
	}
	return at.Walk == walkOver && waits == 0, nil
}

// jtiOf names what the docket states beside decisions, by what is stated: the same each time.
func jtiOf(about envelope.Entity, said statement.Statement) string {
	switch said := said.(type) {
	case statement.ScreeningChanged:
		return named(about, said.Kind(), fmt.Sprint(said.Number))
	case statement.SuperiorChanged:
		return named(about, said.Kind(), fmt.Sprint(said.Number))
	case statement.TransactionCovered:
		if said.Ground == statement.CoveredAnew {
			return named(about, said.Kind(), said.Transaction, said.Ground, said.Policy)
		}
		return named(about, said.Kind(), said.Transaction, said.Ground, said.KnewAt.UTC().Format(time.RFC3339))
	}
	return escalation.ID(about, said)
}
