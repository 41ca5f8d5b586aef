package docket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// turnPage is how many entries one Turn folds in one transaction. Each file that they are about is read and written once, so under load, when each
// of a few resellers states hundreds a second, a short page would write the same files again and again.
const turnPage = 5000

// page is how many records are asked for at once.
const page = 1000

type cursorRow struct {
	ID       int
	NextLeaf int64
}

func (cursorRow) TableName() string { return "docket_cursor" }

// errOvertaken says that another process folded the page first; its work stands.
var errOvertaken = errors.New("another process folded this page")

// Turn folds the next page of the ledger into the files and their customers. It returns the leaf index of the first entry not
// yet folded.
func (d *Docket) Turn(ctx context.Context) (next int64, err error) {
	var cursor cursorRow
	if err := d.db.WithContext(ctx).Where("id = 1").Take(&cursor).Error; err != nil {
		return 0, fmt.Errorf("reading the docket's cursor: %w", err)
	}
	entries, err := d.ledger.Entries(ctx, cursor.NextLeaf, turnPage)
	if err != nil {
		return 0, fmt.Errorf("reading entries for the docket: %w", err)
	}
	if len(entries) == 0 {
		return cursor.NextLeaf, nil
	}
	next = entries[len(entries)-1].LeafIndex + 1
	// Everything is read and judged before the transaction, so that it holds the store's one writer no longer than it
	// writes. If another process folded meanwhile the cursor is not where it was, and nothing is written.
	folded, err := d.fold(ctx, entries)
	if errors.Is(err, errOvertaken) {
		return cursor.NextLeaf, nil
	}
	if err != nil {
		return 0, fmt.Errorf("folding into the docket: %w", err)
	}
	err = d.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		moved := tx.Model(&cursorRow{}).Where("id = 1 AND next_leaf = ?", cursor.NextLeaf).
			Update("next_leaf", next)
		if moved.Error != nil {
			return moved.Error
		}
		if moved.RowsAffected == 0 {
			return errOvertaken
		}
		return folded.write(tx)
	})
	if errors.Is(err, errOvertaken) {
		return cursor.NextLeaf, nil
	}
	if err != nil {
		return 0, fmt.Errorf("folding into the docket: %w", err)
	}
	return next, nil
}

// CatchUp folds all that the ledger held when it was called. What comes meanwhile is left for the next time: under
// load each page would be a few entries long, and each page is a commit.
func (d *Docket) CatchUp(ctx context.Context) error {
	size, err := d.ledger.Size(ctx)
	if err != nil {
		return fmt.Errorf("reading the ledger's size: %w", err)
	}
	for {
		next, err := d.Turn(ctx)
		if err != nil || next >= size {
			return err
		}
	}
}

// fold brings a page of entries into the files they are about, and into what those hold of customers, and returns the new
// rows: each is read once and written once.
func (d *Docket) fold(ctx context.Context, entries []statement.Entry) (rows, error) {
	files, err := d.filesAbout(ctx, entries)
	if err != nil {
		return rows{}, err
	}
	s := d.sheetOf(slices.Collect(maps.Values(files))...)
	if err := s.obliging(ctx); err != nil {
		return rows{}, err
	}
	if err := s.fold(ctx, entries); err != nil {
		return rows{}, err
	}
	obliged, err := s.obligations(ctx)
	if err != nil {
		return rows{}, err
	}
	now := d.now()
	// What bears on every case is read first: if it changes meanwhile, who changed it wakes the files.
	b, err := bearingIn(d.db.WithContext(ctx))
	if err != nil {
		return rows{}, err
	}
	house, err := d.houseIn(d.db.WithContext(ctx), nil, now)
	if err != nil {
		return rows{}, err
	}
	house.Counts = house.Counts.MaybeBeside()
	r, err := s.rows(house, now)
	if err == nil {
		r.superiors = superiorsIn(entries, d.self)
		r.orders, err = d.ordersOf(ctx, entries)
	}
	r.obligations = obliged
	if err == nil && d.mayDecide(b) != nil {
		for i := range r.files {
			r.files[i].NextAt = atOnce // for a process that judges by the policy in force
		}
	}
	return r, err
}

// writeBatch keeps a statement's parameters under SQLite's limit of 32,766 and its text short.
const writeBatch = 200

// filesAbout opens the files that a page of entries is about, or begins them. Entries about the gateway
// itself, such as a policy put in force, belong to no file.
func (d *Docket) filesAbout(ctx context.Context, entries []statement.Entry) (map[envelope.Entity]*File, error) {
	files := map[envelope.Entity]*File{}
	var ids [][]byte
	for _, entry := range entries {
		if entry.About != d.self && files[entry.About] == nil {
			files[entry.About] = &File{Entity: entry.About}
			id := entry.About.ID()
			ids = append(ids, id[:])
		}
	}
	var rows []fileRow
	if err := d.db.WithContext(ctx).Where("id IN ?", ids).Order("entity").Limit(len(ids)).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("opening files: %w", err)
	}
	for _, row := range rows {
		file, err := row.toFile()
		if err != nil {
			return nil, err
		}
		files[file.Entity] = &file
	}
	return files, nil
}

// Rebuild drops every file, with what it holds of customers, and folds the ledger again from its first entry. Folding decides
// nothing, so nothing is stated; the next Sweep judges every file, and since what it would state stands in the ledger
// already it states nothing either. Run it while no other process folds.
func (d *Docket) Rebuild(ctx context.Context) error {
	err := d.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, table := range []string{"docket_files", customersTable, ownersTable, accountsTable, trainingsTable, obligationsTable, "docket_countries", "docket_guard", "docket_orders", "docket_superiors"} {
			if err := tx.Exec("DELETE FROM " + table).Error; err != nil {
				return err
			}
		}
		if err := tx.Model(&houseRow{}).Where("id = 1").Updates(map[string]any{"house": "{}", "resellers": 0, "tripped_at": 0, "policy": ""}).Error; err != nil {
			return err
		}
		return tx.Model(&cursorRow{}).Where("id = 1").Update("next_leaf", 0).Error
	})
	if err != nil {
		return fmt.Errorf("emptying the docket: %w", err)
	}
	if err := d.CatchUp(ctx); err != nil {
		return err
	}
	return d.tripAgain(ctx)
}
