package ledger

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// maxPageBytes bounds the memory of a page: 5,000 statements of the largest size would be over a gigabyte.
const maxPageBytes = 32 << 20

// Entries returns the entries from leaf index from on, in order: all of them, or those of the given kinds. At most limit, and
// fewer where they are large; none means that there are no more.
func (l *Ledger) Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error) {
	entries, unknown := l.recent.entries(l.time(), from, limit, kinds)
	if len(entries) > 0 {
		return entries, nil
	}
	from = unknown
	const columns = "SELECT leaf_index, accepted_at, digest, body FROM ledger_entries WHERE leaf_index >= ?"
	query := l.db.WithContext(ctx).Raw(columns+" ORDER BY leaf_index LIMIT ?", from, limit)
	if len(kinds) > 0 {
		query = l.db.WithContext(ctx).Raw(columns+" AND kind IN ? ORDER BY leaf_index LIMIT ?", from, kinds, limit)
	}
	entries, err := l.recall(query, limit)
	if err != nil {
		return nil, fmt.Errorf("read the ledger from entry %d on: %w", from, err)
	}
	return entries, nil
}

// About returns the entries about one entity from leaf index from on, in order, as Entries does.
func (l *Ledger) About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error) {
	query := l.db.WithContext(ctx).Raw("SELECT leaf_index, accepted_at, digest, body FROM ledger_entries WHERE about = ? AND leaf_index >= ? ORDER BY about, leaf_index LIMIT ?",
		id[:], from, limit)
	entries, err := l.recall(query, limit)
	if err != nil {
		return nil, fmt.Errorf("read what the ledger holds about %s from entry %d on: %w", id, from, err)
	}
	return entries, nil
}

// Latest returns the newest entries about one entity that stand before a leaf index, newest first: at most limit, and fewer
// where they are large; none means that there are no more.
func (l *Ledger) Latest(ctx context.Context, id envelope.ID, before int64, limit int) ([]statement.Entry, error) {
	query := l.db.WithContext(ctx).Raw("SELECT leaf_index, accepted_at, digest, body FROM ledger_entries WHERE about = ? AND leaf_index < ? ORDER BY about DESC, leaf_index DESC LIMIT ?",
		id[:], before, limit)
	entries, err := l.recall(query, limit)
	if err != nil {
		return nil, fmt.Errorf("read what the ledger holds about %s before entry %d: %w", id, before, err)
	}
	return entries, nil
}

// Entry returns one entry; ErrNotFound if there is none.
func (l *Ledger) Entry(ctx context.Context, leafIndex int64) (statement.Entry, error) {
	entries, err := l.recall(l.db.WithContext(ctx).Raw("SELECT leaf_index, accepted_at, digest, body FROM ledger_entries WHERE leaf_index = ?", leafIndex), 1)
	if err == nil && len(entries) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return statement.Entry{}, fmt.Errorf("read entry %d of the ledger: %w", leafIndex, err)
	}
	return entries[0], nil
}

// Raw returns the compact JWS with this digest, byte for byte as it was signed, and its receipt; ErrNotFound if there is none,
// ErrErased if it was erased.
func (l *Ledger) Raw(ctx context.Context, digest envelope.Digest) ([]byte, Receipt, error) {
	var row entryRow
	err := first(l.db.WithContext(ctx).Raw("SELECT leaf_index, accepted_at, digest, body FROM ledger_entries WHERE digest = ? ORDER BY leaf_index LIMIT 1", digest[:]), &row)
	if err != nil {
		return nil, Receipt{}, fmt.Errorf("read the statement %s: %w", digest, err)
	}
	receipt, err := row.receipt()
	if err != nil {
		return nil, Receipt{}, fmt.Errorf("read the statement %s: %w", digest, err)
	}
	body, err := l.bodies.open(row.Digest, row.Body)
	if err == nil && statement.IsResidue(body) {
		err = ErrErased
	}
	if err != nil {
		return nil, receipt, fmt.Errorf("read the statement %s: %w", digest, err)
	}
	return body, receipt, nil
}

// Raws is Raw for many, without their receipts, by their digests. Of what is not there, or was erased, nothing is returned. The
// caller bounds their number.
func (l *Ledger) Raws(ctx context.Context, digests ...envelope.Digest) (map[envelope.Digest][]byte, error) {
	wanted := make([][]byte, len(digests))
	for i := range digests {
		wanted[i] = digests[i][:]
	}
	found := make(map[envelope.Digest][]byte, len(digests))
	err := each(l.db.WithContext(ctx).Raw("SELECT digest, body FROM ledger_entries WHERE digest IN ? ORDER BY leaf_index", wanted), func(scan func(...any) error) error {
		var digest, sealed []byte
		if err := scan(&digest, &sealed); err != nil {
			return err
		}
		if len(digest) != len(envelope.Digest{}) {
			return fmt.Errorf("%w: a digest of %d bytes", ErrDamaged, len(digest))
		}
		body, err := l.bodies.open(digest, sealed)
		if err == nil && !statement.IsResidue(body) {
			found[envelope.Digest(digest)] = body
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %d statements: %w", len(digests), err)
	}
	return found, nil
}

// Size returns how many entries are committed.
func (l *Ledger) Size(ctx context.Context) (int64, error) {
	row, err := l.head(ctx)
	return row.Size, err
}

// Checkpoint returns the signed note of the committed head (C2SP tlog-checkpoint).
func (l *Ledger) Checkpoint(ctx context.Context) ([]byte, error) {
	row, err := l.head(ctx)
	return []byte(row.Checkpoint), err
}

// head asks the database, not this process: another gateway may have committed since, and receipts that it gave out must be
// provable here.
func (l *Ledger) head(ctx context.Context) (headRow, error) {
	l.recent.expire(l.time())
	var row headRow
	if err := first(l.db.WithContext(ctx).Raw(selectHead), &row); err != nil {
		return headRow{}, fmt.Errorf("read the head of the ledger: %w", err)
	}
	return row, nil
}

func (l *Ledger) recall(query *gorm.DB, limit int) ([]statement.Entry, error) {
	if limit < 1 {
		return nil, fmt.Errorf("wanted a limit of at least 1, got %d", limit)
	}
	var entries []statement.Entry
	bytes := 0
	err := each(query, func(scan func(...any) error) error {
		if bytes > maxPageBytes {
			return errStop
		}
		var leafIndex int64
		var acceptedAt time.Time
		var digest, sealed []byte
		if err := scan(&leafIndex, &acceptedAt, &digest, &sealed); err != nil {
			return err
		}
		entry, err := l.recallOne(leafIndex, acceptedAt, digest, sealed)
		if err != nil {
			return err
		}
		entries = append(entries, entry)
		bytes += len(sealed)
		return nil
	})
	return entries, err
}

func (l *Ledger) recallOne(leafIndex int64, acceptedAt time.Time, digest, sealed []byte) (statement.Entry, error) {
	if len(digest) != len(envelope.Digest{}) {
		return statement.Entry{}, fmt.Errorf("%w: entry %d has a digest of %d bytes", ErrDamaged, leafIndex, len(digest))
	}
	body, err := l.bodies.open(digest, sealed)
	if err != nil {
		return statement.Entry{}, fmt.Errorf("entry %d: %w", leafIndex, err)
	}
	return statement.Recall(leafIndex, acceptedAt, envelope.Digest(digest), body)
}
