package archive

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
)

// lag is how many entries the stored cursor may lie behind what was looked at.
const lag = 10_000

// page is how many entries one turn looks at.
const page = 500

type cursorRow struct {
	ID       int
	NextLeaf int64
	NextAt   int64
}

func (cursorRow) TableName() string { return "archive_cursor" }

func (a *Archive) cursor(ctx context.Context) (cursorRow, error) {
	var row cursorRow
	if err := a.DB.WithContext(ctx).Where("id = 1").Take(&row).Error; err != nil {
		return row, fmt.Errorf("reading the archive's cursor: %w", err)
	}
	return row, nil
}

// CatchUp folds what was stated about holds and what was forwarded, and carries out what was stated to be erased, up to what the ledger held when
// it was called.
func (a *Archive) CatchUp(ctx context.Context) error {
	size, err := a.Ledger.Size(ctx)
	if err != nil {
		return fmt.Errorf("reading the ledger's size: %w", err)
	}
	for {
		done, err := a.turn(ctx, size)
		if err != nil || done {
			return err
		}
	}
}

func (a *Archive) turn(ctx context.Context, size int64) (done bool, err error) {
	cursor, err := a.cursor(ctx)
	if err != nil {
		return false, err
	}
	from := max(cursor.NextLeaf, a.looked.Load())
	if from >= size {
		return true, nil
	}
	entries, err := a.Ledger.Entries(ctx, from, page, statement.KindOfficerAction, statement.KindRecordErased, statement.KindForwarded)
	if err != nil {
		return false, fmt.Errorf("reading entries for the archive: %w", err)
	}
	next := size
	if len(entries) > 0 {
		next = entries[len(entries)-1].LeafIndex + 1
	} else if a.looked.Store(size); size-cursor.NextLeaf < lag {
		return true, nil
	}
	// Erasing comes before the cursor: it changes nothing when it is done again.
	for _, e := range entries {
		if said, is := e.Statement.(statement.RecordErased); is {
			if err := a.carryOut(ctx, e.About.ID(), said); err != nil {
				return false, err
			}
		}
	}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, e := range entries {
			var err error
			switch said := e.Statement.(type) {
			case statement.OfficerAction:
				err = foldHold(tx, e, said)
			case statement.Forwarded:
				err = foldWrapped(tx, e, said)
			}
			if err != nil {
				return err
			}
		}
		return tx.Model(&cursorRow{}).Where("id = 1 AND next_leaf = ?", cursor.NextLeaf).Update("next_leaf", next).Error
	})
	if err != nil {
		return false, fmt.Errorf("folding into the archive: %w", err)
	}
	return next >= size, nil
}

// carryOut erases what the gateway stated to be erased: statements, and documents of that reseller.
func (a *Archive) carryOut(ctx context.Context, id envelope.ID, said statement.RecordErased) error {
	for _, text := range said.Digests {
		digest, err := envelope.ParseDigest(text)
		if err != nil {
			return fmt.Errorf("erasing %.64q: %w", text, err)
		}
		err = a.Ledger.Erase(ctx, digest)
		if errors.Is(err, ledger.ErrNotFound) {
			err = a.eraseDocument(ctx, id, digest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Rebuild drops the holds and what wraps what, and folds them again. What was stated to be erased is erased already, or is now.
func (a *Archive) Rebuild(ctx context.Context) error {
	a.looked.Store(0)
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, rows := range []any{&holdRow{}, &wrappedRow{}} {
			if err := tx.Where("1 = 1").Delete(rows).Error; err != nil {
				return err
			}
		}
		return tx.Model(&cursorRow{}).Where("id = 1").Update("next_leaf", 0).Error
	})
	if err != nil {
		return fmt.Errorf("emptying the archive's holds: %w", err)
	}
	return a.CatchUp(ctx)
}
