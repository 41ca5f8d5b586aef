package proof

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// firstLine names the format (C2SP tlog-proof, "Format").
const firstLine = "c2sp.org/tlog-proof@v1"

// maxReceipt bounds a receipt before it is looked at: a checkpoint, 63 hashes and as much extra data again.
const maxReceipt = 2*maxCheckpoint + (maxHashes+2)*64

// MarshalText writes the receipt as a C2SP tlog-proof@v1 without extra data. The error wraps ErrMalformed if what came
// out could not be read back.
func (r Receipt) MarshalText() ([]byte, error) {
	if r.LeafIndex < 0 || len(r.Hashes) > maxHashes {
		return nil, fmt.Errorf("proof: write a receipt: %w: index %d, %d hashes", ErrMalformed, r.LeafIndex, len(r.Hashes))
	}
	if err := checkNote(string(r.Checkpoint), r.LeafIndex); err != nil {
		return nil, fmt.Errorf("proof: write a receipt: %w", err)
	}
	text := make([]byte, 0, len(firstLine)+32+len(r.Hashes)*45+len(r.Checkpoint))
	text = append(text, firstLine...)
	text = append(text, "\nindex "...)
	text = strconv.AppendInt(text, r.LeafIndex, 10)
	text = append(text, '\n')
	for _, h := range r.Hashes {
		text = base64.StdEncoding.AppendEncode(text, h[:])
		text = append(text, '\n')
	}
	text = append(text, '\n')
	return append(text, r.Checkpoint...), nil
}

// ParseReceipt reads a C2SP tlog-proof@v1. It is strict: each receipt has one spelling, and nothing may follow the
// checkpoint. An `extra` line is checked for its form and then passed over, since nothing authenticates it. Whether the
// receipt proves anything is for Check. Digest stays zero: the format does not name the entry. Errors wrap ErrMalformed.
func ParseReceipt(text []byte) (Receipt, error) {
	if len(text) > maxReceipt {
		return Receipt{}, fmt.Errorf("%w: a receipt of %d bytes, at most %d are read", ErrMalformed, len(text), maxReceipt)
	}
	rest, found := strings.CutPrefix(string(text), firstLine+"\n")
	if !found {
		return Receipt{}, fmt.Errorf("%w: the first line is not %q", ErrMalformed, firstLine)
	}
	line, rest, _ := strings.Cut(rest, "\n")
	if extra, ok := strings.CutPrefix(line, "extra "); ok {
		if err := checkExtra(extra); err != nil {
			return Receipt{}, err
		}
		line, rest, _ = strings.Cut(rest, "\n")
	}
	digits, ok := strings.CutPrefix(line, "index ")
	if !ok {
		return Receipt{}, fmt.Errorf("%w: no line with the entry's index", ErrMalformed)
	}
	var r Receipt
	var err error
	if r.LeafIndex, err = parseDecimal(digits); err != nil {
		return Receipt{}, fmt.Errorf("the entry's index: %w", err)
	}
	for {
		if line, rest, found = strings.Cut(rest, "\n"); !found {
			return Receipt{}, fmt.Errorf("%w: it ends before the empty line that the checkpoint follows", ErrMalformed)
		}
		if line == "" {
			break
		}
		if len(r.Hashes) == maxHashes {
			return Receipt{}, fmt.Errorf("%w: more than %d hashes", ErrMalformed, maxHashes)
		}
		h, err := parseHash(line)
		if err != nil {
			return Receipt{}, fmt.Errorf("hash %d: %w", len(r.Hashes)+1, err)
		}
		r.Hashes = append(r.Hashes, h)
	}
	if err := checkNote(rest, r.LeafIndex); err != nil {
		return Receipt{}, err
	}
	r.Checkpoint = []byte(rest)
	return r, nil
}

// checkExtra asks the line for its form only: base64 that re-encodes to itself, and some of it, since "if no extra data
// is present, this line is omitted".
func checkExtra(s string) error {
	data, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(data) == 0 || base64.StdEncoding.EncodeToString(data) != s {
		return fmt.Errorf("%w: extra data that is not base64 (RFC 4648, section 4)", ErrMalformed)
	}
	return nil
}

// checkNote asks whether text is a signed note of a checkpoint that holds the entry, without asking whose.
func checkNote(text string, index int64) error {
	if len(text) > maxCheckpoint {
		return fmt.Errorf("%w: a checkpoint of %d bytes, at most %d are read", ErrMalformed, len(text), maxCheckpoint)
	}
	_, err := note.Open([]byte(text), note.VerifierList())
	unsigned, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return fmt.Errorf("%w: what follows the empty line is no signed note: %w", ErrMalformed, err)
	}
	head, err := parseCheckpoint(unsigned.Note.Text)
	if err != nil {
		return err
	}
	if index >= head.Size {
		return fmt.Errorf("%w: index %d is outside the checkpoint's %d entries", ErrMalformed, index, head.Size)
	}
	return nil
}
