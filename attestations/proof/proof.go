// Package proof answers one question: is this entry in that log?
//
// It decides from bytes alone, with no network and no database: a receipt, the digest it is for and the log's public
// key are all that Check asks for, so anybody can keep a receipt and verify it years later. The formats are not ours:
// a receipt is a C2SP tlog-proof@v1, the tree's head a C2SP tlog-checkpoint, its signature a C2SP signed-note, the tree
// that of RFC 6962, section 2.1 (RFC 9162 keeps it).
//
// It does not decide whether the log is honest about what it never showed: that two readers see one log is for
// Consistent, on checkpoints that the two obtained apart, and for witnesses.
package proof

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Hash is a node of the Merkle tree.
type Hash = tlog.Hash

var (
	// ErrMalformed says that a receipt or a checkpoint is not in its format.
	ErrMalformed = errors.New("malformed")
	// ErrSignature says that the checkpoint is not signed by the log's key.
	ErrSignature = errors.New("the log's signature does not verify")
	// ErrOrigin says that the checkpoint is of another log.
	ErrOrigin = errors.New("the checkpoint is of another log")
	// ErrNotIncluded says that the entry is not where the receipt says.
	ErrNotIncluded = errors.New("the entry is not in the log")
	// ErrInconsistent says that one checkpoint's tree does not continue the other's: the log rewrote its past, or the
	// path belongs to another pair.
	ErrInconsistent = errors.New("the log does not continue the older one")
)

// maxHashes is the length of the longest path: no tree whose leaves 63 bits can number is deeper.
const maxHashes = 63

// Receipt proves that one entry is in the log.
type Receipt struct {
	Digest     envelope.Digest // what it is for; zero when read from text, since tlog-proof@v1 does not name the entry
	LeafIndex  int64           // zero-based
	Hashes     []Hash          // from the leaf's sibling up to the root's child; at most 63
	Checkpoint []byte          // the signed note, as the log gave it
}

// LeafHash returns the leaf of a statement. The log's entry is the digest, never the statement, so that the whole log
// can be public and a body can be erased without breaking a proof (protocol.md, "Receipts and the log").
func LeafHash(d envelope.Digest) Hash { return tlog.RecordHash(d[:]) }

// Check returns nil if r proves that the statement with digest d is in the log whose key is v: the checkpoint carries
// v's signature, is of the log v names, and the path leads from d at r.LeafIndex to its root. Otherwise the error wraps
// one of this package's.
func Check(r Receipt, d envelope.Digest, v note.Verifier) error {
	head, err := OpenCheckpoint(r.Checkpoint, v)
	if err != nil {
		return err
	}
	if r.Digest != (envelope.Digest{}) && r.Digest != d {
		return fmt.Errorf("%w: the receipt is for %s, not for %s", ErrNotIncluded, r.Digest, d)
	}
	return included(LeafHash(d), r.LeafIndex, r.Hashes, head)
}

// included checks the path from leaf to the root of head (RFC 9162, section 2.1.3.2).
func included(leaf Hash, index int64, path []Hash, head Checkpoint) error {
	if index < 0 || index >= head.Size {
		return fmt.Errorf("%w: index %d is outside a log of %d entries", ErrNotIncluded, index, head.Size)
	}
	if err := tlog.CheckRecord(path, head.Size, head.Root, index, leaf); err != nil {
		return fmt.Errorf("%w: the %d hashes do not lead from entry %d to the root of %d entries",
			ErrNotIncluded, len(path), index, head.Size)
	}
	return nil
}

// Consistent returns nil if the log behind the newer checkpoint continues the log behind the older one: both carry v's
// signature and path leads from one root to the other (RFC 9162, section 2.1.4.2). Every log continues the empty one,
// without a path, as C2SP tlog-witness has it. Otherwise the error wraps one of this package's.
func Consistent(older, newer []byte, path []Hash, v note.Verifier) error {
	from, err := OpenCheckpoint(older, v)
	if err != nil {
		return fmt.Errorf("the older checkpoint: %w", err)
	}
	to, err := OpenCheckpoint(newer, v)
	if err != nil {
		return fmt.Errorf("the newer checkpoint: %w", err)
	}
	return continues(from, to, path)
}

func continues(older, newer Checkpoint, path []Hash) error {
	if older.Size == 0 && older.Root == emptyRoot && len(path) == 0 {
		return nil
	}
	if newer.Size < older.Size {
		return fmt.Errorf("%w: %d entries were signed before, now only %d", ErrInconsistent, older.Size, newer.Size)
	}
	if err := tlog.CheckTree(path, newer.Size, newer.Root, older.Size, older.Root); err != nil {
		return fmt.Errorf("%w: the %d hashes do not lead from %d entries to %d", ErrInconsistent, len(path), older.Size, newer.Size)
	}
	return nil
}
