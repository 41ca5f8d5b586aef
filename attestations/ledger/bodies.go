package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/tink"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// ErrErased says that the statement was erased: that it was stated, and when, is still proved, what it said is gone.
var ErrErased = errors.New("the statement was erased")

// bodies keeps what was stated unreadable for whoever has the database and not the key, which lies outside of it. The digest is
// bound to the body, so that one cannot be put in another's place; the tree is over the digest of the plain JWS and knows nothing of
// this.
type bodies struct{ key tink.AEAD }

func (b bodies) seal(digest envelope.Digest, body []byte) ([]byte, error) {
	sealed, err := b.key.Encrypt(body, digest[:])
	if err != nil {
		return nil, fmt.Errorf("encrypt the statement %s: %w", digest, err)
	}
	return sealed, nil
}

func (b bodies) open(digest, sealed []byte) ([]byte, error) {
	body, err := b.key.Decrypt(sealed, digest)
	if err != nil {
		return nil, fmt.Errorf("%w: a body cannot be opened with the key that this gateway has", ErrDamaged)
	}
	return body, nil
}

// fit says whether this is the key that the log was made with, by its first entry.
func (b bodies) fit(ctx context.Context, db *gorm.DB) error {
	var row entryRow
	if err := first(db.WithContext(ctx).Raw("SELECT digest, body FROM ledger_entries WHERE leaf_index = 0"), &row); err != nil {
		return fmt.Errorf("read the first entry: %w", err)
	}
	if _, err := b.open(row.Digest, row.Body); err != nil {
		return fmt.Errorf("this log was made with another key for bodies: copy it from the gateway's other machine or from your backup: %w", err)
	}
	return nil
}
