package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
)

// MaxDocument is how many bytes a document may have.
const MaxDocument = 20 << 20

// MediaTypes are those that a written program may have.
var MediaTypes = []string{"application/pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"application/vnd.oasis.opendocument.text", "text/plain", "text/markdown"}

// Document is a written program that is in hand.
type Document struct {
	Digest     envelope.Digest // SHA-256 of its bytes
	MediaType  string
	Size       int64 // bytes
	ReceivedAt time.Time
	ErasedAt   time.Time // zero if it was not
}

type documentRow struct {
	EntityID   []byte `gorm:"primaryKey"`
	Digest     []byte `gorm:"primaryKey"`
	MediaType  string
	Size       int64
	ReceivedAt int64
	ErasedAt   int64
	Body       []byte
}

func (documentRow) TableName() string { return "archive_documents" }

func (row documentRow) toDocument() Document {
	d := Document{Digest: envelope.Digest(row.Digest), MediaType: row.MediaType, Size: row.Size, ReceivedAt: time.UnixMicro(row.ReceivedAt).UTC()}
	if row.ErasedAt != 0 {
		d.ErasedAt = time.UnixMicro(row.ErasedAt).UTC()
	}
	return d
}

// Expected says whether a reseller may hand this document in: one of its accepted attestations names its digest. So does one of a
// terminated reseller, as evidence that it had what it attested; it names no further ones. Ask it before the document is read.
// Errors wrap ErrRefused.
func (a *Archive) Expected(ctx context.Context, from envelope.Entity, digest envelope.Digest, mediaType string) error {
	if !slices.Contains(MediaTypes, mediaType) {
		return refused("Content-Type: wanted one of %q, got %.80q. Convert the document, PDF is best", MediaTypes, mediaType)
	}
	file, err := a.Docket.Open(ctx, from.ID())
	if err == nil && !file.History.TerminatedAt.IsZero() && !named(file, digest) {
		return refused("the address: wanted the digest of a written program that one of your attestations named before the relationship was terminated, got %s. "+
			"State in a remediation what else is to be on record", digest)
	}
	if errors.Is(err, docket.ErrNotFound) || err == nil && !named(file, digest) {
		return refused("the address: wanted the digest of a written program that one of your accepted attestations names in copy.sha256, got %s. "+
			"Push the cip-attestation first; it is known here a second after its 202", digest)
	}
	return err
}

func named(file docket.File, digest envelope.Digest) bool {
	_, known := file.History.Copy(digest.String())
	return known
}

// Put takes a document in: its bytes must be those that the digest names and that its media type says. It is stored
// before the ledger says that it is in hand; handing the same in again changes nothing. Errors wrap ErrRefused.
func (a *Archive) Put(ctx context.Context, from envelope.Entity, digest envelope.Digest, mediaType string, body []byte) (Document, error) {
	if err := a.Expected(ctx, from, digest, mediaType); err != nil {
		return Document{}, err
	}
	if got := envelope.Digest(sha256.Sum256(body)); got != digest {
		return Document{}, refused("the body: wanted the bytes with the SHA-256 %s, got %d bytes with %s. Send the file exactly as it was when its digest was computed", digest, len(body), got)
	}
	if !looksLike(mediaType, body) {
		return Document{}, refused("the body: wanted a document of the type %s, as Content-Type says, got something else. Send the document itself, not an archive or a page about it", mediaType)
	}
	id := from.ID()
	sealed, err := a.Bodies.Encrypt(body, associated(id, digest))
	if err != nil {
		return Document{}, fmt.Errorf("encrypting a document: %w", err)
	}
	row := documentRow{EntityID: id[:], Digest: digest[:], MediaType: mediaType, Size: int64(len(body)), ReceivedAt: a.Now().UnixMicro(), Body: sealed}
	if err := a.DB.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
		return Document{}, fmt.Errorf("storing a document: %w", err)
	}
	kept, err := a.document(ctx, id, digest, "entity_id", "digest", "media_type", "size", "received_at", "erased_at")
	if err != nil {
		return Document{}, err
	}
	if kept.ErasedAt != 0 {
		return Document{}, refused("the document %s was erased on request or on schedule and is not taken again. Attest a newer program and hand that in", digest)
	}
	said := statement.DocumentReceived{Document: statement.Copy{SHA256: digest.String(), MediaType: kept.MediaType, Bytes: kept.Size},
		From: string(from), ReceivedAt: time.UnixMicro(kept.ReceivedAt).UTC().Truncate(time.Second)}
	jti := uuid.NewSHA1(namespace, append(id[:], digest[:]...)).String()
	return kept.toDocument(), a.state(ctx, from, jti, said)
}

// associated binds a document to whose it is.
func associated(id envelope.ID, digest envelope.Digest) []byte {
	return slices.Concat([]byte("document"), id[:], digest[:])
}

// looksLike holds the first bytes against the media type. A text has no bytes that are none.
func looksLike(mediaType string, body []byte) bool {
	switch mediaType {
	case "application/pdf":
		return bytes.HasPrefix(body, []byte("%PDF-"))
	case "text/plain", "text/markdown":
		return len(body) > 0 && utf8.Valid(body) && bytes.IndexByte(body, 0) < 0
	default: // both are ZIP archives with a document inside
		return http.DetectContentType(body) == "application/zip"
	}
}

func (a *Archive) document(ctx context.Context, id envelope.ID, digest envelope.Digest, columns ...string) (documentRow, error) {
	var row documentRow
	query := a.DB.WithContext(ctx).Where("entity_id = ? AND digest = ?", id[:], digest[:])
	if len(columns) > 0 {
		query = query.Select(columns)
	}
	err := query.Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, fmt.Errorf("%w: document %s of this reseller", ErrNotFound, digest)
	}
	if err != nil {
		return row, fmt.Errorf("reading a document: %w", err)
	}
	return row, nil
}

// Open returns a document of a reseller with its bytes; ErrNotFound if there is none, ErrGone if it was erased.
func (a *Archive) Open(ctx context.Context, id envelope.ID, digest envelope.Digest) (Document, []byte, error) {
	row, err := a.document(ctx, id, digest)
	if err != nil {
		return Document{}, nil, err
	}
	if row.ErasedAt != 0 {
		return row.toDocument(), nil, fmt.Errorf("%w: the document %s, at %s", ErrGone, digest, time.UnixMicro(row.ErasedAt).UTC().Format(time.RFC3339))
	}
	body, err := a.Bodies.Decrypt(row.Body, associated(id, digest))
	if err != nil {
		return Document{}, nil, fmt.Errorf("the document %s cannot be opened with the key that this gateway has: %w", digest, err)
	}
	return row.toDocument(), body, nil
}

// Documents lists a reseller's documents, the newest first: at most limit.
func (a *Archive) Documents(ctx context.Context, id envelope.ID, limit int) ([]Document, error) {
	var rows []documentRow
	err := a.DB.WithContext(ctx).Select("digest", "media_type", "size", "received_at", "erased_at").Where("entity_id = ?", id[:]).
		Order("received_at DESC, digest").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("listing documents: %w", err)
	}
	documents := make([]Document, len(rows))
	for i, row := range rows {
		documents[i] = row.toDocument()
	}
	return documents, nil
}

// eraseDocument empties the document with this digest, whosever it is; it may not be there.
func (a *Archive) eraseDocument(ctx context.Context, id envelope.ID, digest envelope.Digest) error {
	err := a.DB.WithContext(ctx).Model(&documentRow{}).Where("entity_id = ? AND digest = ? AND erased_at = 0", id[:], digest[:]).
		Updates(map[string]any{"body": []byte{}, "erased_at": a.Now().UnixMicro()}).Error
	if err != nil {
		return fmt.Errorf("erasing the document %s: %w", digest, err)
	}
	return nil
}
