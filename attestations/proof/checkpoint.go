package proof

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// maxCheckpoint bounds a checkpoint before it is looked at. The largest honest one has a few dozen cosignatures, of
// which a post-quantum one takes 5 kB (C2SP signed-note, "Format").
const maxCheckpoint = 256 << 10

// maxSize bounds the size of a log: above it tlog's search for a power of two does not end.
const maxSize = 1 << 62

// emptyRoot is the root of a tree without leaves (RFC 9162, section 2.1.1).
var emptyRoot = Hash(sha256.Sum256(nil))

// Checkpoint is the head of a log: what its key signs (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string // the log's name, a URL without its scheme
	Size   int64  // how many entries the tree holds
	Root   Hash
}

// OpenCheckpoint reads a signed checkpoint. It must be signed by v and name v's log as its origin; signatures by other
// keys, such as witnesses', are passed over (C2SP signed-note, "Signatures"), and so are extension lines.
func OpenCheckpoint(signed []byte, v note.Verifier) (Checkpoint, error) {
	if len(signed) > maxCheckpoint {
		return Checkpoint{}, fmt.Errorf("%w: a checkpoint of %d bytes, at most %d are read", ErrMalformed, len(signed), maxCheckpoint)
	}
	opened, err := note.Open(signed, note.VerifierList(v))
	if _, unsigned := errors.AsType[*note.UnverifiedNoteError](err); unsigned {
		return Checkpoint{}, fmt.Errorf("%w: no signature by %s+%08x", ErrSignature, v.Name(), v.KeyHash())
	}
	if _, invalid := errors.AsType[*note.InvalidSignatureError](err); invalid {
		return Checkpoint{}, fmt.Errorf("%w: the signature by %s+%08x is not of this text", ErrSignature, v.Name(), v.KeyHash())
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: the checkpoint is no signed note: %w", ErrMalformed, err)
	}
	head, err := parseCheckpoint(opened.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if head.Origin != v.Name() {
		return Checkpoint{}, fmt.Errorf("%w: it names %q, the key is of %q", ErrOrigin, head.Origin, v.Name())
	}
	return head, nil
}

// SignCheckpoint returns the signed note of c. Who calls it must never sign a head that does not continue the one
// signed before (C2SP tlog-checkpoint, "Signatures").
func SignCheckpoint(c Checkpoint, signer note.Signer) ([]byte, error) {
	if c.Origin != signer.Name() {
		return nil, fmt.Errorf("proof: sign a checkpoint: %w: it names %q, the key is of %q", ErrOrigin, c.Origin, signer.Name())
	}
	text := c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
	if _, err := parseCheckpoint(text); err != nil {
		return nil, fmt.Errorf("proof: sign a checkpoint: %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return nil, fmt.Errorf("proof: sign a checkpoint: %w", err)
	}
	return signed, nil
}

// parseCheckpoint reads the note's text (C2SP tlog-checkpoint, "Note text"). One tree has one spelling: the size has no
// leading zero and the root re-encodes to itself.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[len(lines)-1] != "" {
		return Checkpoint{}, fmt.Errorf("%w: a checkpoint has at least three lines, each ended: origin, size, root", ErrMalformed)
	}
	for _, line := range lines[:len(lines)-1] {
		if line == "" {
			return Checkpoint{}, fmt.Errorf("%w: an empty line in the checkpoint's text", ErrMalformed)
		}
	}
	size, err := parseDecimal(lines[1])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the checkpoint's size: %w", err)
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the checkpoint's root: %w", err)
	}
	if size > maxSize {
		return Checkpoint{}, fmt.Errorf("%w: a log of more than 2^62 entries", ErrMalformed)
	}
	if size == 0 && root != emptyRoot {
		return Checkpoint{}, fmt.Errorf("%w: a log of no entries with another root than the empty tree's", ErrMalformed)
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: root}, nil
}

// parseDecimal reads a count of at most 63 bits without sign or leading zero.
func parseDecimal(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%w: wanted a decimal number without leading zeros, below 2^63", ErrMalformed)
	}
	return int64(n), nil
}

// parseHash reads the 44 characters of a hash. Strict refuses unused bits; the length refuses line breaks, which
// encoding/base64 would pass over.
func parseHash(s string) (h Hash, err error) {
	if len(s) != base64.StdEncoding.EncodedLen(len(h)) {
		return Hash{}, fmt.Errorf("%w: wanted a hash of 44 characters of base64, got %d", ErrMalformed, len(s))
	}
	sum, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(sum) != len(h) {
		return Hash{}, fmt.Errorf("%w: wanted a hash of 44 characters of base64 (RFC 4648, section 4)", ErrMalformed)
	}
	return Hash(sum), nil
}
