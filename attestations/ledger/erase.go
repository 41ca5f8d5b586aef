package ledger

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Erase takes names, contacts and free text out of the statement with this digest and keeps what standing rests on
// (statement.Residue). The entry stays where it is, with its digest, its receipt and its proof. Erasing again changes nothing.
//
// State it first (statement.RecordErased), so that Check finds it said. Errors are ErrNotFound, statement.ErrNotErasable and the
// database's. Copies of the database that were made before, and its free pages until they are used again, still hold the body,
// encrypted.
func (l *Ledger) Erase(ctx context.Context, digest envelope.Digest) error {
	if err := l.erase(ctx, digest); err != nil {
		return fmt.Errorf("erase the statement %s: %w", digest, err)
	}
	l.recent.forget()
	return nil
}

func (l *Ledger) erase(ctx context.Context, digest envelope.Digest) error {
	raw, receipt, err := l.Raw(ctx, digest)
	if errors.Is(err, ErrErased) {
		return nil
	}
	if err != nil {
		return err
	}
	residue, err := statement.Residue(raw)
	if err != nil {
		return err
	}
	sealed, err := l.bodies.seal(digest, residue)
	if err != nil {
		return err
	}
	return l.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// A trigger lets a body change only where this table has its entry.
		if err := tx.Exec("INSERT INTO ledger_erasures (leaf_index, erased_at) VALUES (?, ?) ON CONFLICT DO NOTHING", receipt.LeafIndex, l.time()).Error; err != nil {
			return err
		}
		return tx.Exec("UPDATE ledger_entries SET body = ? WHERE leaf_index = ?", sealed, receipt.LeafIndex).Error
	})
}
