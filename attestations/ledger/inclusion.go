package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/proof"
)

// Prove returns the proof that the statement with this digest is in the log, against the newest checkpoint, and when it was
// accepted; ErrNotFound if it is not there. A proof that would not check is never returned (ErrDamaged).
func (l *Ledger) Prove(ctx context.Context, digest envelope.Digest) (proof.Receipt, Receipt, error) {
	proved, receipt, err := l.prove(ctx, digest)
	if err != nil {
		return proof.Receipt{}, Receipt{}, fmt.Errorf("prove that %s is in the ledger: %w", digest, err)
	}
	return proved, receipt, nil
}

func (l *Ledger) prove(ctx context.Context, digest envelope.Digest) (proof.Receipt, Receipt, error) {
	// One statement, one snapshot: the head that it sees covers the entry that it sees.
	var row struct {
		LeafIndex  int64
		AcceptedAt time.Time
		Size       int64
		Checkpoint string
	}
	err := first(l.db.WithContext(ctx).Raw(`SELECT e.leaf_index, e.accepted_at, h.size, h.checkpoint
		FROM ledger_entries AS e, ledger_head AS h WHERE h.id = 1 AND e.digest = ? ORDER BY e.leaf_index LIMIT 1`, digest[:]), &row)
	if err != nil {
		return proof.Receipt{}, Receipt{}, err
	}
	tree, err := l.edgeOf(ctx, row.Size)
	if err != nil {
		return proof.Receipt{}, Receipt{}, err
	}
	path, err := tlog.ProveRecord(row.Size, row.LeafIndex, hashes{ctx: ctx, db: l.db, tree: tree})
	if err != nil {
		return proof.Receipt{}, Receipt{}, err
	}
	if err := tlog.CheckRecord(path, row.Size, tree.root(), row.LeafIndex, proof.LeafHash(digest)); err != nil {
		return proof.Receipt{}, Receipt{}, fmt.Errorf("%w: the stored hashes do not lead from entry %d to the root of %d: %w", ErrDamaged, row.LeafIndex, row.Size, err)
	}
	return proof.Receipt{Digest: digest, LeafIndex: row.LeafIndex, Hashes: path, Checkpoint: []byte(row.Checkpoint)},
		Receipt{LeafIndex: row.LeafIndex, Digest: digest, AcceptedAt: row.AcceptedAt}, nil
}

// edgeOf is the edge of a committed tree: mostly the one that the last commit left in memory.
func (l *Ledger) edgeOf(ctx context.Context, size int64) (edge, error) {
	if known := l.known.Load(); known.size == size {
		return known.edge, nil
	}
	return loadEdge(ctx, l.db, size)
}

// hashes reads the nodes of a tree from its tiles: the full ones are stored, the open ones are at its edge.
type hashes struct {
	ctx  context.Context // of the one call that it serves
	db   *gorm.DB
	tree edge
}

type tileName struct {
	level int
	n     int64
}

// place says where a node is: in which tile, and over which of its hashes.
func place(index int64) (name tileName, from, width int) {
	level, n := tlog.SplitStoredHashIndex(index)
	height := level % tileHeight
	element := n << height
	return tileName{level: level / tileHeight, n: element >> tileHeight}, int(element & (tileWidth - 1)), 1 << height
}

// ReadHashes is tlog.HashReader.
func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	tiles := make(map[tileName][]tlog.Hash)
	for _, index := range indexes {
		name, _, _ := place(index)
		tiles[name] = nil
	}
	if err := h.load(tiles); err != nil {
		return nil, err
	}
	nodes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		name, from, width := place(index)
		if tile := tiles[name]; from+width <= len(tile) {
			nodes[i] = perfect(tile[from : from+width])
			continue
		}
		return nil, fmt.Errorf("%w: tile %d of level %d is missing", ErrDamaged, name.n, name.level)
	}
	return nodes, nil
}

func (h hashes) load(tiles map[tileName][]tlog.Hash) error {
	var conditions []string
	var arguments []any
	for name := range tiles {
		if name.n == h.tree.size>>(tileHeight*(name.level+1)) {
			tiles[name] = h.tree.open[name.level]
			continue
		}
		conditions = append(conditions, "level = ? AND n = ?")
		arguments = append(arguments, name.level, name.n)
	}
	if len(conditions) == 0 {
		return nil
	}
	query := "SELECT level, n, data FROM ledger_tiles WHERE " + strings.Join(conditions, " OR ")
	return each(h.db.WithContext(h.ctx).Raw(query, arguments...), func(scan func(...any) error) error {
		var name tileName
		var data []byte
		if err := scan(&name.level, &name.n, &data); err != nil {
			return err
		}
		tiles[name] = split(data)
		return nil
	})
}
