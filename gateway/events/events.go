// Package events is the door for submissions: POST /events, RFC 8935 push. It reads the request, asks
// intake, and answers; it decides nothing about the statement.
package events

import (
	"bytes"
	"context"
	"fmt"
	"mime"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/gateway/problem"
)

// MediaType is that of a pushed SET (RFC 8417, section 7.2).
const MediaType = "application/secevent+jwt"

// Road is where a submission goes; intake.Road is one.
type Road interface {
	Accept(ctx context.Context, raw []byte) (ledger.Receipt, error)
}

// Mount registers POST /events. The router's application may reuse its buffers: what outlives the request
// is copied here.
func Mount(router fiber.Router, road Road) {
	router.Post("/events", func(c *fiber.Ctx) error {
		if err := RequireMediaType(c, MediaType); err != nil {
			return err
		}
		// BodyRaw, never Body: Body inflates without a limit.
		receipt, err := road.Accept(c.UserContext(), bytes.Clone(c.BodyRaw()))
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderLocation, "/receipts/"+receipt.Digest.String())
		c.Set(fiber.HeaderLink, `</v1/me/standing>; rel="status"`)
		c.Status(fiber.StatusAccepted)
		return nil
	})
}

// RequireMediaType refuses a request whose Content-Type is not wanted, or that has a Content-Encoding: what
// is signed is read as it came, and nothing is inflated.
func RequireMediaType(c *fiber.Ctx, wanted string) error {
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" {
		return fmt.Errorf("%w: Content-Encoding: wanted none, got %.40q. Send the body as it is, not compressed", problem.ErrMediaType, encoding)
	}
	got := c.Get(fiber.HeaderContentType)
	media, _, err := mime.ParseMediaType(got)
	if err != nil || !strings.EqualFold(media, wanted) {
		return fmt.Errorf("%w: Content-Type: wanted %s, got %.80q. Set the header Content-Type: %s", problem.ErrMediaType, wanted, got, wanted)
	}
	return nil
}
