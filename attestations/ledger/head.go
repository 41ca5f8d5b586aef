package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/proof"
)

// head is the newest entry's side of the log: the tree, its signed checkpoint, and when the last entry was accepted.
type head struct {
	edge
	checkpoint []byte
	acceptedAt time.Time
}

// headRow is the one row of ledger_head.
type headRow struct {
	Size       int64
	Checkpoint string
	AcceptedAt time.Time
}

const selectHead = "SELECT size, checkpoint, accepted_at FROM ledger_head WHERE id = 1"

// signing is the log's name and key.
type signing struct {
	signer note.Signer
	origin string
}

func (s signing) checkpoint(e edge) ([]byte, error) {
	return proof.SignCheckpoint(proof.Checkpoint{Origin: s.origin, Size: e.size, Root: e.root()}, s.signer)
}

// begin stores the head of an empty log unless there is a log.
func (s signing) begin(ctx context.Context, db *gorm.DB, now time.Time) error {
	empty, err := s.checkpoint(edge{})
	if err != nil {
		return err
	}
	err = db.WithContext(ctx).Exec("INSERT INTO ledger_head (id, size, checkpoint, accepted_at) VALUES (1, 0, ?, ?) ON CONFLICT DO NOTHING",
		string(empty), now).Error
	if err != nil {
		return fmt.Errorf("begin the log: %w", err)
	}
	return nil
}

// load reads the committed head and the hashes at its edge. It must be what this log's key signed, since the next commit
// builds on it: appending to a tree whose hashes do not lead to the signed root would fork the log. newest, which may be nil,
// is the head that this process has seen committed before: a database that lies behind it was restored or failed over, and
// signing on would contradict receipts that are out.
func (s signing) load(ctx context.Context, db *gorm.DB, newest *head) (*head, error) {
	var row headRow
	if err := first(db.WithContext(ctx).Raw(selectHead), &row); err != nil {
		return nil, fmt.Errorf("read the head: %w", err)
	}
	e, err := loadEdge(ctx, db, row.Size)
	if err != nil {
		return nil, fmt.Errorf("read the edge of the tree: %w", err)
	}
	h := &head{edge: e, checkpoint: []byte(row.Checkpoint), acceptedAt: row.AcceptedAt}
	if err := s.check(h); err != nil {
		return nil, err
	}
	if newest == nil {
		return h, nil
	}
	continued, err := continues(ctx, db, newest.edge, e)
	if err == nil && !continued {
		err = fmt.Errorf("%w: the database holds %d entries that do not continue the %d which this gateway has seen committed. "+
			"It was restored from a backup, or failed over to a server that had not received all. Nothing is appended, since that would contradict receipts that are out",
			errForked, h.size, newest.size)
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}

var errForked = errors.New("the log has lost its end")

// continues says whether the newer tree has the older one as its beginning.
func continues(ctx context.Context, db *gorm.DB, older, newer edge) (bool, error) {
	switch {
	case newer.size < older.size:
		return false, nil
	case newer.size == older.size:
		return newer.root() == older.root(), nil
	case older.size == 0:
		return true, nil
	}
	root, err := tlog.TreeHash(older.size, hashes{ctx: ctx, db: db, tree: newer})
	if err != nil {
		return false, fmt.Errorf("read the tree of %d entries: %w", older.size, err)
	}
	return root == older.root(), nil
}

// check asks whether a stored head is what this log's key signs for its hashes. Ed25519 signs the same text alike, so
// signing again is the check; a witness's signature may follow.
func (s signing) check(h *head) error {
	wanted, err := s.checkpoint(h.edge)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(h.checkpoint, wanted) {
		return nil
	}
	text, _, _ := strings.Cut(string(wanted), "\n\n")
	origin, _, _ := strings.Cut(string(h.checkpoint), "\n")
	switch {
	case origin != s.origin:
		return fmt.Errorf("the database holds the log %q, this gateway is set up as %q. Name the right database or the right entity", origin, s.origin)
	case !strings.HasPrefix(string(h.checkpoint), text+"\n\n"):
		return fmt.Errorf("%w: the hashes of %d entries do not lead to the signed root", ErrDamaged, h.size)
	}
	return errors.New("the head is signed by another key than this gateway's log key. Give it the key that the log was begun with")
}

// loadEdge reads the open tiles of a tree of the given size: of level 0 from the entries, of each other from the roots of the
// full tiles below it.
func loadEdge(ctx context.Context, db *gorm.DB, size int64) (edge, error) {
	open := make([][]tlog.Hash, levels(size))
	for level := range open {
		width := openWidth(size, level)
		open[level] = make([]tlog.Hash, 0, tileWidth)
		if width == 0 {
			continue
		}
		end := size >> (tileHeight * level)
		hashes, err := loadHashes(ctx, db, level, end-int64(width), width)
		if err != nil {
			return edge{}, err
		}
		if len(hashes) < width {
			return edge{}, fmt.Errorf("%w: of %d hashes at level %d up to %d there are %d", ErrDamaged, width, level, end, len(hashes))
		}
		open[level] = append(open[level], hashes...)
	}
	return edgeOf(size, open), nil
}

// loadHashes reads width hashes of a level, from its n-th on; fewer if there are fewer.
func loadHashes(ctx context.Context, db *gorm.DB, level int, n int64, width int) ([]tlog.Hash, error) {
	query := "SELECT digest FROM ledger_entries WHERE leaf_index >= ? AND leaf_index < ? ORDER BY leaf_index"
	arguments := []any{n, n + int64(width)}
	if level > 0 {
		query = "SELECT hash FROM ledger_tiles WHERE n >= ? AND n < ? AND level = ? ORDER BY n"
		arguments = append(arguments, level-1)
	}
	hashes := make([]tlog.Hash, 0, width)
	err := each(db.WithContext(ctx).Raw(query, arguments...), func(scan func(...any) error) error {
		var bytes []byte
		if err := scan(&bytes); err != nil {
			return err
		}
		if len(bytes) != hashSize {
			return fmt.Errorf("%w: a hash of %d bytes", ErrDamaged, len(bytes))
		}
		if level == 0 {
			hashes = append(hashes, proof.LeafHash(envelope.Digest(bytes)))
		} else {
			hashes = append(hashes, tlog.Hash(bytes))
		}
		return nil
	})
	return hashes, err
}
