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
)

// Those below a reseller that is closing or terminated are told, and have the policy's window to find another superior. It follows from
// two files, so it is stated about each of them like what the screener finds (tell.go): whoever's standing moves, or comes under somebody,
// is marked in the transaction that folds it; tellBelow holds what was stated of each subordinate against how the superior stands, and
// states the difference in the subordinate's turn, under a number that it counts.

// superiorRow is a reseller of which those below may have to be told.
type superiorRow struct {
	ResellerID []byte `gorm:"primaryKey"`
	Marked     int64
}

func (superiorRow) TableName() string { return "docket_superiors" }

// superiorsIn are the resellers whose subordinates a page of entries may concern: those whose standing moved, and those under which
// somebody was enrolled.
func superiorsIn(entries []statement.Entry, self envelope.Entity) [][]byte {
	ids := map[envelope.ID]bool{}
	for _, e := range entries {
		switch said := e.Statement.(type) {
		case statement.StandingChanged:
			if e.By != e.About && (ends(said.Before) || ends(said.After)) {
				ids[e.About.ID()] = true
			}
		case statement.EntityEnrolled:
			if said.Superior != self {
				ids[said.Superior.ID()] = true
			}
		}
	}
	var all [][]byte
	for id := range ids {
		all = append(all, id[:])
	}
	slices.SortFunc(all, slices.Compare)
	return all
}

// ends says that a standing concerns those below.
func ends(standing string) bool {
	return standing == escalation.Closing.String() || standing == escalation.Terminated.String()
}

func markSuperiors(tx *gorm.DB, ids [][]byte) error {
	if len(ids) == 0 {
		return nil
	}
	rows := make([]superiorRow, len(ids))
	for i, id := range ids {
		rows[i] = superiorRow{ResellerID: id}
	}
	again := clause.OnConflict{Columns: []clause.Column{{Name: "reseller_id"}}, DoUpdates: clause.Assignments(map[string]any{"marked": gorm.Expr("docket_superiors.marked + 1")})}
	if err := tx.Clauses(again).CreateInBatches(rows, writeBatch).Error; err != nil {
		return fmt.Errorf("marking whose subordinates are to be told: %w", err)
	}
	return nil
}

// tellBelow tells those below the resellers that are marked. It says whether it stated anything.
func (d *Docket) tellBelow(ctx context.Context) (stated bool, err error) {
	var due []superiorRow
	if err := d.db.WithContext(ctx).Order("reseller_id").Limit(sweepPage).Find(&due).Error; err != nil {
		return false, fmt.Errorf("looking for whose subordinates are to be told: %w", err)
	}
	var failed []error
	for _, row := range due {
		said, err := d.tellOf(ctx, row)
		if err != nil { // the others do not wait for it; the next sweep tries again
			failed = append(failed, err)
		}
		stated = stated || said
	}
	return stated, errors.Join(failed...)
}

// tellOf tells those below one reseller how it stands, and takes its mark away once all of them know.
func (d *Docket) tellOf(ctx context.Context, row superiorRow) (stated bool, err error) {
	superior, err := d.open(ctx, envelope.ID(row.ResellerID))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	if err == nil {
		for after := []byte{}; ; {
			var below []fileRow
			err := d.db.WithContext(ctx).Where("superior_id = ? AND id > ? AND standing <> ?", row.ResellerID, after, escalation.Terminated.String()).
				Order("id").Limit(sweepPage).Find(&below).Error
			if err != nil {
				return stated, fmt.Errorf("looking for who stands below %s: %w", superior.Entity, err)
			}
			for _, one := range below {
				said, err := d.tellSubordinate(ctx, superior, one)
				if err != nil {
					return stated, err
				}
				stated = stated || said
			}
			if len(below) < sweepPage {
				break
			}
			after = below[len(below)-1].ID
		}
	}
	if stated {
		return true, nil // fold it and look again
	}
	if err := d.db.WithContext(ctx).Where("reseller_id = ? AND marked = ?", row.ResellerID, row.Marked).Delete(&superiorRow{}).Error; err != nil {
		return false, fmt.Errorf("noting that those below were told: %w", err)
	}
	return false, nil
}

// tellSubordinate states about one subordinate how its superior stands, unless it was told already.
func (d *Docket) tellSubordinate(ctx context.Context, superior File, row fileRow) (stated bool, err error) {
	file, err := row.toFile()
	if err != nil {
		return false, err
	}
	if _, moved := d.superiorChanged(superior, file, d.now()); !moved {
		return false, nil
	}
	sheet := d.sheetOf(&file)
	receipts, err := d.ledger.AppendInTurn(ctx, ledger.Seen{About: file.ID(), LeafIndex: file.Seen()}, func(newer []statement.Entry) ([]envelope.Verified, error) {
		if err := sheet.fold(ctx, newer); err != nil {
			return nil, err
		}
		said, moved := d.superiorChanged(superior, file, d.now())
		if !moved || !file.History.TerminatedAt.IsZero() {
			return nil, nil
		}
		set, err := d.sign(file, said, d.now())
		return []envelope.Verified{set}, err
	})
	if errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTwin) || errors.Is(err, errOvertaken) {
		return true, nil // something newer was said: fold it and look again
	}
	if err != nil {
		return false, fmt.Errorf("telling %s how its superior stands: %w", file.Entity, err)
	}
	return len(receipts) > 0, nil
}

// superiorChanged is what is to be stated about a subordinate; false if nothing is. The date stays the one that was told first.
func (d *Docket) superiorChanged(superior, file File, now time.Time) (statement.SuperiorChanged, bool) {
	told, window := file.History.Superior, d.InForce().Case.Close.Window
	said := statement.SuperiorChanged{Basis: statement.Basis{Policy: d.InForce().ID(), Seen: file.Seen(), Now: now.UTC().Truncate(time.Second)},
		Number: told.Number + 1, Superior: superior.Entity, Status: statement.SuperiorStays, Why: "What was found of the superior is settled; it stays."}
	c := superior.Case
	switch stage, _ := c.Stage(); stage {
	case escalation.Closing:
		said.Status, said.FindBy = statement.SuperiorClosing, window.From(c.ClosingAt)
	case escalation.Terminated:
		said.Status, said.FindBy = statement.SuperiorTerminated, window.From(c.TerminatedAt)
		if !c.ClosingAt.IsZero() {
			said.FindBy = window.From(c.ClosingAt)
		}
	default:
	}
	if !told.FindBy.IsZero() && said.Status != statement.SuperiorStays {
		said.FindBy = told.FindBy
	}
	said.Why = superiorWords(said)
	return said, told.Entity == superior.Entity && window.Value > 0 && wanted(said.Status) != told.Status
}

// wanted is how a history notes a status.
func wanted(status string) string {
	if status == statement.SuperiorStays {
		return ""
	}
	return status
}

// superiorWords say it for the reseller that is told.
func superiorWords(said statement.SuperiorChanged) string {
	const then = " Find another superior by %s: it invites you, or the provider does, and you enrol under it with the identifier and the keys that you have. What you stated stays yours."
	by := said.FindBy.UTC().Format(time.RFC3339)
	switch said.Status {
	case statement.SuperiorClosing:
		return fmt.Sprintf("The account of your superior %s is ordered closed."+then, said.Superior, by)
	case statement.SuperiorTerminated:
		return fmt.Sprintf("The provider's relationship with your superior %s has ended."+then, said.Superior, by)
	}
	return fmt.Sprintf("Your superior %s stays: there is no need to find another one.", said.Superior)
}

// Below returns up to limit resellers that stand right below one, ordered by id, those after an id.
func (d *Docket) Below(ctx context.Context, superior envelope.ID, after *envelope.ID, limit int) ([]Subordinate, error) {
	query := d.db.WithContext(ctx).Where("superior_id = ?", superior[:]).Order("id").Limit(limit)
	if after != nil {
		query = query.Where("id > ?", after[:])
	}
	var rows []fileRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing who stands below: %w", err)
	}
	all := make([]Subordinate, len(rows))
	for i, row := range rows {
		file, err := row.toFile()
		if err != nil {
			return nil, err
		}
		all[i] = Subordinate{ID: file.ID(), Entity: file.Entity, Name: file.History.Name, Standing: file.Case.Standing, Superior: file.History.Superior}
	}
	return all, nil
}

// Subordinate is a reseller that stands right below another one.
type Subordinate struct {
	ID       envelope.ID
	Entity   envelope.Entity
	Name     string
	Standing escalation.Standing
	Superior history.Superior // what it was told of the one above
}
