package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
)

const (
	checkPage = 1000
	// maxProblems ends a check: a ledger with more is not repaired by reading on.
	maxProblems = 20
)

// Check reads everything again and returns nil if it is what was committed: every body has its digest, is about whom its row
// says, and has its key; the entries are numbered without a gap and accepted in order; the tiles hold the hashes of the entries,
// and these lead to the root that the log's key signed; and nothing is stored beyond the head. Otherwise the error is
// ErrDamaged and names what is wrong, up to 20 problems. Appending may go on meanwhile.
func (l *Ledger) Check(ctx context.Context) error {
	row, err := l.head(ctx)
	if err != nil {
		return err
	}
	c := checker{db: l.db.WithContext(ctx), bodies: l.bodies, stated: make(map[envelope.Digest]bool)}
	for c.tree.size < row.Size {
		from := c.tree.size
		count := min(checkPage, row.Size-from)
		if err := c.page(count); err != nil {
			return fmt.Errorf("check the ledger from entry %d on: %w", from, err)
		}
		if c.tree.size < from+count {
			c.found("entry %d is missing", c.tree.size) // nothing after a gap can fit
			return c.problems()
		}
		if len(c.damage) >= maxProblems {
			return c.problems()
		}
	}
	if row.AcceptedAt.Before(c.acceptedAt) {
		c.found("the head is older than entry %d", row.Size-1)
	}
	if err := l.sign.check(&head{edge: c.tree, checkpoint: []byte(row.Checkpoint)}); err != nil {
		c.found("%w", err)
	}
	for digest, leafIndex := range c.erased {
		if !c.stated[digest] {
			c.found("entry %d was erased, and nothing in the ledger says so", leafIndex)
		}
	}
	if err := c.beyond(); err != nil {
		return fmt.Errorf("check what lies beyond the head of the ledger: %w", err)
	}
	return c.problems()
}

// checker computes the tree anew as it reads.
type checker struct {
	db         *gorm.DB
	tree       edge
	acceptedAt time.Time
	damage     []error
	bodies     bodies
	erased     map[envelope.Digest]int64 // what is erased, by leaf index
	stated     map[envelope.Digest]bool  // what the ledger says was erased
}

func (c *checker) found(format string, arguments ...any) {
	c.damage = append(c.damage, fmt.Errorf(format, arguments...))
}

func (c *checker) problems() error {
	if len(c.damage) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrDamaged, errors.Join(c.damage...))
}

// page checks the next entries, up to a gap.
func (c *checker) page(count int64) error {
	var tiles []tile
	keys := make(map[jtiKey]int64, count)
	from := c.tree.size
	err := each(c.db.Raw("SELECT leaf_index, accepted_at, about, kind, digest, body FROM ledger_entries WHERE leaf_index >= ? AND leaf_index < ? ORDER BY leaf_index",
		from, from+count), func(scan func(...any) error) error {
		var (
			leafIndex             int64
			acceptedAt            time.Time
			about, digest, sealed []byte
			kind                  string
		)
		if err := scan(&leafIndex, &acceptedAt, &about, &kind, &digest, &sealed); err != nil {
			return err
		}
		if leafIndex != c.tree.size {
			return errStop
		}
		if acceptedAt.Before(c.acceptedAt) {
			c.found("entry %d was accepted before entry %d", leafIndex, leafIndex-1)
		}
		c.acceptedAt = acceptedAt
		computed, body := c.digestOf(leafIndex, digest, sealed)
		if entry, err := statement.Recall(leafIndex, acceptedAt, computed, body); err != nil {
			c.found("entry %d: %w", leafIndex, err)
		} else {
			c.erasures(entry)
			if id := entry.About.ID(); !bytes.Equal(about, id[:]) || kind != string(entry.Statement.Kind()) {
				c.found("entry %d is a %s about %s, its row says otherwise", leafIndex, entry.Statement.Kind(), entry.About)
			}
			keys[keyOf(entry.By, entry.JTI)] = leafIndex
		}
		tiles = c.tree.add(proof.LeafHash(computed), tiles)
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.keys(keys); err != nil {
		return err
	}
	return c.tiles(tiles)
}

// digestOf opens a body and computes its digest; of one that is erased or cannot be opened it is what the row says.
func (c *checker) digestOf(leafIndex int64, digest, sealed []byte) (computed envelope.Digest, body []byte) {
	copy(computed[:], digest)
	body, err := c.bodies.open(digest, sealed)
	switch {
	case err != nil:
		c.found("entry %d: %w", leafIndex, err)
	case statement.IsResidue(body):
		if c.erased == nil {
			c.erased = make(map[envelope.Digest]int64)
		}
		c.erased[computed] = leafIndex
	case envelope.DigestOf(body) != computed:
		computed = envelope.DigestOf(body)
		c.found("entry %d: the body is not what its digest says", leafIndex)
	}
	return computed, body
}

// erasures notes what the gateway says was erased.
func (c *checker) erasures(entry statement.Entry) {
	said, is := entry.Statement.(statement.RecordErased)
	if !is || entry.By == entry.About {
		return
	}
	for _, text := range said.Digests {
		if digest, err := envelope.ParseDigest(text); err == nil {
			c.stated[digest] = true
		}
	}
}

func (c *checker) keys(wanted map[jtiKey]int64) error {
	list := make([][]byte, 0, len(wanted))
	for key := range wanted {
		list = append(list, key[:])
	}
	stored := make(map[jtiKey]int64, len(wanted))
	err := each(c.db.Raw("SELECT leaf_index, key FROM ledger_jtis WHERE key IN ?", list), func(scan func(...any) error) error {
		var leafIndex int64
		var key []byte
		if err := scan(&leafIndex, &key); err != nil {
			return err
		}
		if len(key) == len(jtiKey{}) {
			stored[jtiKey(key)] = leafIndex
		}
		return nil
	})
	if err != nil {
		return err
	}
	for key, leafIndex := range wanted {
		if at, found := stored[key]; !found || at != leafIndex {
			c.found("entry %d: its jti is not kept, a twin could come in", leafIndex)
		}
	}
	return nil
}

func (c *checker) tiles(wanted []tile) error {
	for _, t := range wanted {
		var stored struct{ Hash, Data []byte }
		err := first(c.db.Raw("SELECT hash, data FROM ledger_tiles WHERE level = ? AND n = ?", t.level, t.n), &stored)
		switch {
		case isNotFound(err):
			c.found("tile %d of level %d is missing", t.n, t.level)
		case err != nil:
			return err
		case !bytes.Equal(stored.Hash, t.hash[:]) || !bytes.Equal(stored.Data, t.data):
			c.found("tile %d of level %d is not over the entries' hashes", t.n, t.level)
		}
	}
	return nil
}

// beyond looks for rows that the head does not cover. Each query is one snapshot, head and rows.
func (c *checker) beyond() error {
	for _, outside := range []struct{ what, query string }{
		{"entries", "SELECT count(*) FROM ledger_entries, ledger_head WHERE leaf_index >= size"},
		{"keys", "SELECT count(*) FROM ledger_jtis, ledger_head WHERE leaf_index >= size"},
		{"tiles", "SELECT count(*) FROM ledger_tiles, ledger_head WHERE n >= (size >> (8 * (level + 1)))"},
	} {
		var count int64
		if err := c.db.Raw(outside.query).Row().Scan(&count); err != nil {
			return err
		}
		if count > 0 {
			c.found("%d %s lie beyond the head", count, outside.what)
		}
	}
	return nil
}
