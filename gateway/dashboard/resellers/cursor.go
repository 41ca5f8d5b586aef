package resellers

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"unicode/utf8"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
)

// A cursor is the place after which the list goes on: the id, then the name, in base64url. Nobody outside
// relies on that.
func cursorOf(place docket.Place) string {
	return base64.RawURLEncoding.EncodeToString(append(place.ID[:], place.Name...))
}

// parseCursor reads what cursorOf wrote. No cursor is the beginning of the list.
func parseCursor(cursor string) (*docket.Place, error) {
	if cursor == "" {
		return nil, nil
	}
	const id = len(envelope.ID{})
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	// PostgreSQL takes no text that is not UTF-8, nor a NUL in it.
	if err != nil || len(text) < id || !utf8.Valid(text[id:]) || bytes.ContainsRune(text[id:], 0) || cursor != base64.RawURLEncoding.EncodeToString(text) {
		return nil, fmt.Errorf("%w: this address does not lead to a page of the list; begin at its first page", problem.ErrRequest)
	}
	return &docket.Place{ID: envelope.ID(text[:id]), Name: string(text[id:])}, nil
}
