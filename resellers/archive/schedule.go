package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
)

// erasedRow says up to which entry a customer's records were erased.
type erasedRow struct {
	EntityID []byte `gorm:"primaryKey"`
	Customer string `gorm:"primaryKey"`
	UpTo     int64
}

func (erasedRow) TableName() string { return "archive_erased" }

// round is how often customers are looked through for what has reached its ceiling.
const round = 24 * time.Hour

// Sweep erases, once a day, what was stated of customers, and by resellers of themselves, once it has reached the policy's ceiling
// and no hold keeps it.
func (a *Archive) Sweep(ctx context.Context) error {
	cursor, err := a.cursor(ctx)
	if err != nil {
		return err
	}
	now := a.Now()
	if now.UnixMicro() < cursor.NextAt {
		return nil
	}
	// Whoever moves the cursor does the round.
	moved := a.DB.WithContext(ctx).Model(&cursorRow{}).Where("id = 1 AND next_at = ?", cursor.NextAt).Update("next_at", now.Add(round).UnixMicro())
	if moved.Error != nil {
		return fmt.Errorf("beginning a round of the archive: %w", moved.Error)
	}
	if moved.RowsAffected == 0 {
		return nil
	}
	if err := a.sweepAll(ctx, now); err != nil {
		// The round is not done: the next keeper's round does it.
		undone := a.DB.WithContext(ctx).Model(&cursorRow{}).Where("id = 1").Update("next_at", now.UnixMicro()).Error
		if undone != nil {
			return fmt.Errorf("%w; and it cannot be noted that it must be done again: %w", err, undone)
		}
		return err
	}
	return a.CatchUp(ctx)
}

func (a *Archive) sweepAll(ctx context.Context, now time.Time) error {
	old, err := a.firstAfter(ctx, a.terms().Ceiling.Before(now))
	if err != nil || old == 0 {
		return err
	}
	var after *docket.Place
	for {
		lines, err := a.Docket.List(ctx, after, page)
		if err != nil {
			return fmt.Errorf("looking through resellers: %w", err)
		}
		for _, line := range lines {
			if err := a.sweepOne(ctx, line.Entity, old, now); err != nil {
				return fmt.Errorf("erasing on schedule what was stated by %s: %w", line.Entity, err)
			}
			if err := a.sweepOwn(ctx, line.Entity, old, now); err != nil {
				return fmt.Errorf("erasing on schedule what %s stated of itself: %w", line.Entity, err)
			}
		}
		if len(lines) < page {
			return nil
		}
		last := lines[len(lines)-1]
		after = &docket.Place{Name: last.Name, ID: last.ID}
	}
}

// firstAfter returns the leaf index of the first entry that was accepted after t. Entries are in the order of their times.
func (a *Archive) firstAfter(ctx context.Context, t time.Time) (int64, error) {
	high, err := a.Ledger.Size(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the ledger's size: %w", err)
	}
	low := int64(0)
	for low < high {
		middle := low + (high-low)/2
		entry, err := a.Ledger.Entry(ctx, middle)
		if errors.Is(err, ledger.ErrNotFound) {
			return 0, fmt.Errorf("%w: entry %d", ledger.ErrDamaged, middle)
		}
		if err != nil {
			return 0, fmt.Errorf("reading when entry %d was accepted: %w", middle, err)
		}
		if entry.AcceptedAt.After(t) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low, nil
}

// maybeDue names a reseller's customers without an open account of which nothing was stated since the entry at old, and
// that were not erased since.
func (a *Archive) maybeDue(ctx context.Context, id envelope.ID, old int64) (map[string]bool, error) {
	var after *docket.CustomerPlace
	due := map[string]bool{}
	for {
		customers, err := a.Docket.Customers(ctx, id, docket.CustomerFilter{}, after, page)
		if err != nil {
			return nil, err
		}
		last := map[string]int64{}
		for _, c := range customers {
			if n := len(c.Entries); c.AccountsOpen == 0 && n > 0 && c.Entries[n-1] < old {
				last[c.ID] = c.Entries[n-1]
			}
		}
		if err := a.withoutErased(ctx, id, last); err != nil {
			return nil, err
		}
		for customer := range last {
			due[customer] = true
		}
		if len(customers) < page {
			return due, nil
		}
		place := docket.CustomerFilter{}.PlaceOf(customers[len(customers)-1])
		after = &place
	}
}

// withoutErased takes those customers out whose newest entry was erased already.
func (a *Archive) withoutErased(ctx context.Context, id envelope.ID, last map[string]int64) error {
	if len(last) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(last))
	var rows []erasedRow
	err := a.DB.WithContext(ctx).Where("entity_id = ? AND customer IN ?", id[:], names).Order("customer").Limit(len(names)).Find(&rows).Error
	if err != nil {
		return fmt.Errorf("reading whose records were erased: %w", err)
	}
	for _, row := range rows {
		if last[row.Customer] <= row.UpTo {
			delete(last, row.Customer)
		}
	}
	return nil
}

// sweepOne looks through the customers of one reseller. Only where one may have reached its ceiling are entries read.
func (a *Archive) sweepOne(ctx context.Context, entity envelope.Entity, old int64, now time.Time) error {
	id := entity.ID()
	due, err := a.maybeDue(ctx, id, old)
	if err != nil || len(due) == 0 {
		return err
	}
	holds, err := a.Holds(ctx, id)
	if err != nil {
		return err
	}
	byCustomer := map[string][]statement.Entry{}
	err = a.each(ctx, id, func(e statement.Entry) bool {
		if due[e.Customer] && !e.Statement.Kind().ByGateway() {
			byCustomer[e.Customer] = append(byCustomer[e.Customer], e)
		}
		return true
	})
	if err != nil {
		return err
	}
	basis := fmt.Sprintf("Records are kept for %s: %s", a.terms().Ceiling.Value, a.terms().Ceiling.Source)
	var rows []erasedRow
	var erase []statement.Entry
	for customer, entries := range byCustomer {
		term := customerTerm(a.terms(), entries)
		if term.Open || now.Before(term.Until) || slices.ContainsFunc(holds, func(h Hold) bool { return h.holds(customer, now) }) {
			continue
		}
		if _, held, err := a.heldAbove(ctx, entries, now); err != nil {
			return err
		} else if held {
			continue
		}
		rows = append(rows, erasedRow{EntityID: id[:], Customer: customer, UpTo: entries[len(entries)-1].LeafIndex})
		erase = append(erase, slices.DeleteFunc(entries, func(e statement.Entry) bool { return e.Erased })...)
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := a.stateErased(ctx, entity, erase, "schedule", basis); err != nil {
		return err
	}
	err = a.DB.WithContext(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "entity_id"}, {Name: "customer"}}, UpdateAll: true}).
		CreateInBatches(rows, 200).Error
	if err != nil {
		return fmt.Errorf("noting whose records were erased: %w", err)
	}
	return nil
}
