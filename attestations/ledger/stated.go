package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Stated returns the receipt of what stands under an issuer's jti, without appending anything: what Append would answer for
// raw, a compact JWS. Errors are ErrNotFound if nothing stands there, and a *TwinError if something else does.
func (l *Ledger) Stated(ctx context.Context, issuer envelope.Entity, jti string, raw []byte) (Receipt, error) {
	key := keyOf(issuer, jti)
	var row entryRow
	err := first(l.db.WithContext(ctx).Raw("SELECT e.leaf_index, e.accepted_at, e.digest, e.body FROM ledger_jtis j "+
		"JOIN ledger_entries e ON e.leaf_index = j.leaf_index WHERE j.key = ? ORDER BY j.key LIMIT 1", key[:]), &row)
	if errors.Is(err, ErrNotFound) {
		return Receipt{}, ErrNotFound
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("look for a jti: %w", err)
	}
	receipt, err := row.receipt()
	if err != nil {
		return Receipt{}, fmt.Errorf("look for a jti: %w", err)
	}
	receipt.Duplicate = true
	if receipt.Digest == envelope.DigestOf(raw) {
		return receipt, nil
	}
	body, err := l.bodies.open(row.Digest, row.Body)
	if err != nil {
		return Receipt{}, fmt.Errorf("look for a jti: %w", err)
	}
	same, err := sameContent(raw, body)
	if err != nil {
		return Receipt{}, fmt.Errorf("compare with what stands under the same jti: %w", err)
	}
	if !same {
		return Receipt{}, &TwinError{Issuer: issuer, JTI: jti, First: receipt}
	}
	return receipt, nil
}
