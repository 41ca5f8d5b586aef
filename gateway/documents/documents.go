// Package documents is the door for written programs: PUT /documents/{digest}. It finds out who sends, reads the
// document, asks the archive, and answers; it judges no document.
package documents

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/sync/semaphore"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/archive"
)

// Type is the `typ` of the token by which a reseller hands a document in. (Ours.)
const Type = "document+jwt"

const (
	// maxAge is how old such a token may be, maxAhead how far ahead its clock.
	maxAge, maxAhead = time.Hour, time.Minute
	// chunk is what is read of a document in one go, and has its own time to arrive.
	chunk = 64 << 10
)

// Archive is where documents go.
type Archive interface {
	Expected(ctx context.Context, from envelope.Entity, digest envelope.Digest, mediaType string) error
	Put(ctx context.Context, from envelope.Entity, digest envelope.Digest, mediaType string, body []byte) (archive.Document, error)
}

// Issuers knows the keys in force; intake.Issuers is one.
type Issuers interface {
	Keys(ctx context.Context, issuer envelope.Entity) (envelope.Keys, error)
}

// Desk takes documents in. Its fields are set once.
type Desk struct {
	Archive  Archive
	Issuers  Issuers
	Audience envelope.Entity  // the gateway's own entity identifier
	Now      func() time.Time // the gateway's clock
	// Clock is the real one, for how long a sender may take, and Patience how long it may take for 64 KiB.
	Clock    func() time.Time
	Patience time.Duration
	Held     *semaphore.Weighted // bytes of documents in memory at once
}

// Mount registers PUT /documents/{digest}.
func (d Desk) Mount(router fiber.Router) { router.Put("/documents/:digest", d.put) }

type told struct {
	Digest     string    `json:"digest"`
	MediaType  string    `json:"media_type"`
	Bytes      int64     `json:"bytes"`
	ReceivedAt time.Time `json:"received_at"`
}

func (d Desk) put(c *fiber.Ctx) error {
	ctx := c.Context()
	ctx.SetConnectionClose() // unless all of it is read: where the next request begins is not known
	digest, err := envelope.ParseDigest(c.Params("digest"))
	if err != nil {
		return fmt.Errorf("%w: the part after /documents/ must be the base64url SHA-256 of the document, 43 characters, as copy.sha256 of the attestation has it: %w", problem.ErrRequest, err)
	}
	mediaType, err := mediaTypeOf(c)
	if err != nil {
		return err
	}
	from, err := d.sender(c, digest)
	if err != nil {
		return err
	}
	if err := d.Archive.Expected(c.UserContext(), from, digest, mediaType); err != nil {
		return err
	}
	if err := d.Held.Acquire(c.UserContext(), archive.MaxDocument); err != nil {
		return fmt.Errorf("waiting for room for a document: %w", err)
	}
	defer d.Held.Release(archive.MaxDocument)
	body, err := d.read(ctx)
	if err != nil {
		return err
	}
	kept, err := d.Archive.Put(c.UserContext(), from, digest, mediaType, body)
	if err != nil {
		return err
	}
	ctx.Response.Header.ResetConnectionClose()
	return c.Status(fiber.StatusCreated).JSON(told{Digest: kept.Digest.String(), MediaType: kept.MediaType, Bytes: kept.Size, ReceivedAt: kept.ReceivedAt})
}

func mediaTypeOf(c *fiber.Ctx) (string, error) {
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" {
		return "", fmt.Errorf("%w: Content-Encoding: wanted none, got %.40q. Send the document as it is, not compressed", problem.ErrMediaType, encoding)
	}
	media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil {
		return "", fmt.Errorf("%w: Content-Type: wanted one of %q. Set it to that of the document", problem.ErrMediaType, archive.MediaTypes)
	}
	return strings.ToLower(media), nil
}

// claims are those of the token.
type claims struct {
	Issuer   envelope.Entity `json:"iss"`
	Audience envelope.Entity `json:"aud"`
	IssuedAt int64           `json:"iat"`
	Digest   string          `json:"digest"`
}

// sender finds out who hands this document in: whoever signed the token for it.
func (d Desk) sender(c *fiber.Ctx, digest envelope.Digest) (envelope.Entity, error) {
	raw, ok := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	if !ok {
		return "", fmt.Errorf("%w: send a token that one of your statement keys has signed, as `Authorization: Bearer TOKEN`: header typ %s, claims iss, aud, iat and digest", problem.ErrUnauthenticated, Type)
	}
	token, err := envelope.ParseToken([]byte(raw), Type)
	if err != nil {
		return "", err
	}
	var said claims
	if err := json.Unmarshal(token.Payload(), &said); err != nil {
		return "", fault("", "iss, aud and digest as strings, iat as whole seconds", "another type", "Write the claims with a JWT library.")
	}
	keys, err := d.Issuers.Keys(c.UserContext(), said.Issuer)
	if err != nil {
		return "", err
	}
	if err := token.Verify(keys); err != nil {
		return "", err
	}
	now, issued := d.Now(), time.Unix(said.IssuedAt, 0)
	switch {
	case said.Audience != d.Audience:
		return "", &envelope.Fault{Reason: envelope.ErrAudience, Pointer: "/claims/aud", Wanted: string(d.Audience), Got: "another", Fix: "Set aud to the gateway's entity identifier."}
	case said.Digest != digest.String():
		return "", fault("/digest", "the digest in the address, "+digest.String(), "another", "Sign a token for each document.")
	case issued.Before(now.Add(-maxAge)) || issued.After(now.Add(maxAhead)):
		return "", fault("/iat", fmt.Sprintf("a time at most %s ago and %s ahead; it is %s here", maxAge, maxAhead, now.UTC().Format(time.RFC3339)),
			issued.UTC().Format(time.RFC3339), "Sign a new token, and set your clock by NTP.")
	}
	return said.Issuer, nil
}

func fault(pointer, wanted, got, fix string) error {
	return &envelope.Fault{Reason: envelope.ErrMalformed, Pointer: "/claims" + pointer, Wanted: wanted, Got: got, Fix: fix}
}

// read reads the document. Each part of it has its own time to arrive, so that a long document may take long.
func (d Desk) read(ctx *fasthttp.RequestCtx) ([]byte, error) {
	length := ctx.Request.Header.ContentLength()
	if length > archive.MaxDocument {
		return nil, tooLarge()
	}
	var body bytes.Buffer
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return ctx.Request.Body(), nil
	}
	for body.Len() <= archive.MaxDocument {
		if err := ctx.SetReadDeadline(d.Clock().Add(d.Patience)); err != nil {
			return nil, fmt.Errorf("setting a document's deadline: %w", err)
		}
		n, err := io.CopyN(&body, stream, chunk)
		if errors.Is(err, io.EOF) {
			if length >= 0 && body.Len() < length {
				break
			}
			return body.Bytes(), nil
		}
		if err != nil || n == 0 {
			return nil, fmt.Errorf("%w: the document did not arrive whole; 64 KiB have %s to arrive. Send it again", problem.ErrRequest, d.Patience)
		}
	}
	if body.Len() > archive.MaxDocument {
		return nil, tooLarge()
	}
	return nil, fmt.Errorf("%w: the document ended early. Send it again", problem.ErrRequest)
}

func tooLarge() error {
	return &envelope.Fault{Reason: envelope.ErrTooLarge, Wanted: fmt.Sprintf("a document of at most %d bytes", archive.MaxDocument), Got: "more",
		Fix: "Leave scans and pictures out, or save it as a smaller PDF; then attest the new digest."}
}
