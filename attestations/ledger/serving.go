package ledger

import (
	"context"
	"fmt"
)

// Tile returns the first width hashes of a tile, 32 bytes each, as C2SP tlog-tiles serves them at tile/<level>/<n>[.p/<width>];
// 256 is the whole tile. ErrNotFound if the committed tree has no such tile, or not as many hashes in it.
func (l *Ledger) Tile(ctx context.Context, level int, n int64, width int) ([]byte, error) {
	data, err := l.tile(ctx, level, n, width)
	if err != nil {
		return nil, fmt.Errorf("read tile %d of level %d, %d wide: %w", n, level, width, err)
	}
	return data, nil
}

func (l *Ledger) tile(ctx context.Context, level int, n int64, width int) ([]byte, error) {
	// 2^63 leaves make 8 levels.
	if level < 0 || level >= 64/tileHeight || !isTile(n, width) {
		return nil, ErrNotFound
	}
	var full struct{ Data []byte }
	switch err := first(l.db.WithContext(ctx).Raw("SELECT data FROM ledger_tiles WHERE level = ? AND n = ?", level, n), &full); {
	case err == nil && len(full.Data) == tileWidth*hashSize:
		// A partial tile stays servable after it has filled: clients fall behind (C2SP tlog-tiles, "Partial Tiles").
		return full.Data[:width*hashSize], nil
	case err == nil:
		return nil, fmt.Errorf("%w: %d bytes are stored", ErrDamaged, len(full.Data))
	case !isNotFound(err):
		return nil, err
	case width == tileWidth:
		return nil, ErrNotFound
	}
	hashes, err := loadHashes(ctx, l.db, level, n*tileWidth, width)
	if err != nil {
		return nil, err
	}
	if len(hashes) < width {
		return nil, ErrNotFound
	}
	return join(hashes), nil
}

// EntryBundle returns the first width entries of a bundle, as C2SP tlog-tiles serves them at tile/entries/<n>[.p/<width>]. The
// log's entry is the digest, so each is the length 32 in two bytes, and the digest. ErrNotFound as for Tile.
func (l *Ledger) EntryBundle(ctx context.Context, n int64, width int) ([]byte, error) {
	failed := func(err error) error { return fmt.Errorf("read entry bundle %d, %d wide: %w", n, width, err) }
	if !isTile(n, width) {
		return nil, failed(ErrNotFound)
	}
	bundle := make([]byte, 0, width*(2+hashSize))
	query := l.db.WithContext(ctx).Raw("SELECT digest FROM ledger_entries WHERE leaf_index >= ? AND leaf_index < ? ORDER BY leaf_index",
		n*tileWidth, n*tileWidth+int64(width))
	err := each(query, func(scan func(...any) error) error {
		var digest []byte
		if err := scan(&digest); err != nil {
			return err
		}
		if len(digest) != hashSize {
			return fmt.Errorf("%w: a digest of %d bytes", ErrDamaged, len(digest))
		}
		bundle = append(append(bundle, 0, hashSize), digest...)
		return nil
	})
	if err == nil && len(bundle) < width*(2+hashSize) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, failed(err)
	}
	return bundle, nil
}

// isTile bounds what a path may name, so that numbers do not overflow.
func isTile(n int64, width int) bool {
	return n >= 0 && n < 1<<(63-tileHeight) && width >= 1 && width <= tileWidth
}
