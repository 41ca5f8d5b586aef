// Package receipts serves what proves the ledger: a receipt for each entry, and the log itself as C2SP
// tlog-tiles, so that stock tools can audit it. All of it is public and none of it personal: the log's
// entries are digests.
package receipts

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"filippo.io/torchwood"
	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/gateway/problem"
)

// Ledger is what is served of the ledger.
type Ledger interface {
	Prove(ctx context.Context, digest envelope.Digest) (proof.Receipt, ledger.Receipt, error)
	Checkpoint(ctx context.Context) ([]byte, error)
	Tile(ctx context.Context, level int, n int64, width int) ([]byte, error)
	EntryBundle(ctx context.Context, n int64, width int) ([]byte, error)
}

// Shelf serves one ledger.
type Shelf struct {
	Ledger Ledger
	Vkey   string        // the log's verifier key (C2SP signed-note)
	Policy func() string // id of the policy in force, named on each receipt
}

// Mount registers /receipts and /log.
func (s Shelf) Mount(router fiber.Router) {
	router.Get("/receipts/:digest", s.receipt)
	router.Get("/log/checkpoint", s.checkpoint)
	router.Get("/log/vkey", func(c *fiber.Ctx) error { return text(c, []byte(s.Vkey+"\n")) })
	router.Get("/log/tile/*", s.tile)
}

type receiptJSON struct {
	Digest     string    `json:"digest"`
	LeafIndex  int64     `json:"leaf_index"`
	AcceptedAt time.Time `json:"accepted_at"`
	Policy     string    `json:"policy"`
	Hashes     []string  `json:"hashes"`
	Checkpoint string    `json:"checkpoint"`
}

func (s Shelf) receipt(c *fiber.Ctx) error {
	digest, err := envelope.ParseDigest(c.Params("digest"))
	if err != nil {
		return fmt.Errorf("%w: the part after /receipts/ must be the base64url SHA-256 of the compact JWS, 43 characters: %w", problem.ErrRequest, err)
	}
	receipt, entry, err := s.Ledger.Prove(c.UserContext(), digest)
	if errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("%w: nothing with digest %s was accepted here. The digest is over the exact bytes that were pushed", err, digest)
	}
	if err != nil {
		return err
	}
	c.Vary(fiber.HeaderAccept)
	if c.Accepts(fiber.MIMETextPlain, fiber.MIMEApplicationJSON) == fiber.MIMEApplicationJSON {
		hashes := make([]string, len(receipt.Hashes))
		for i, hash := range receipt.Hashes {
			hashes[i] = base64.StdEncoding.EncodeToString(hash[:])
		}
		return c.JSON(receiptJSON{Digest: digest.String(), LeafIndex: entry.LeafIndex, AcceptedAt: entry.AcceptedAt,
			Policy: s.Policy(), Hashes: hashes, Checkpoint: string(receipt.Checkpoint)})
	}
	proved, err := receipt.MarshalText()
	if err != nil {
		return err
	}
	return text(c, proved)
}

func (s Shelf) checkpoint(c *fiber.Ctx) error {
	note, err := s.Ledger.Checkpoint(c.UserContext())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return text(c, note)
}

// tile serves /log/tile/<L>/<N>[.p/<W>] and /log/tile/entries/<N>[.p/<W>] (C2SP tlog-tiles).
func (s Shelf) tile(c *fiber.Ctx) error {
	wanted, err := torchwood.ParseTilePath("tile/" + c.Params("*"))
	if err != nil {
		return fmt.Errorf("%w: not a tile's path: %w", problem.ErrRequest, err)
	}
	var data []byte
	if wanted.L == -1 {
		data, err = s.Ledger.EntryBundle(c.UserContext(), wanted.N, wanted.W)
	} else {
		data, err = s.Ledger.Tile(c.UserContext(), wanted.L, wanted.N, wanted.W)
	}
	if err != nil {
		return err
	}
	// A tile that was served once never changes.
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderContentType, fiber.MIMEOctetStream)
	return c.Send(data)
}

func text(c *fiber.Ctx, body []byte) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.Send(body)
}
