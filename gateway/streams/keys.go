package streams

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/registry"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/notices"
)

// mediaKeys is the media type of a JWK set (RFC 7517, section 8.5.2).
const mediaKeys = "application/jwk-set+json"

// Keys are those with which the provider's own systems sign.
type Keys interface {
	RegisterSystemKeys(ctx context.Context, label string, by statement.Officer, set []byte) ([]registry.Key, error)
	SystemKeys(ctx context.Context, label string) ([]registry.Key, error)
}

type keyJSON struct {
	KeyID      string    `json:"kid"`
	Thumbprint string    `json:"thumbprint"` // RFC 7638
	ValidFrom  time.Time `json:"valid_from"`
}

// keysJSON says under which names a system signs, and with what.
type keysJSON struct {
	Issuer   envelope.Entity `json:"iss"`
	Audience envelope.Entity `json:"aud"`
	Events   string          `json:"events_endpoint"`
	Keys     []keyJSON       `json:"keys"`
}

func (d Doors) showKeys(c *fiber.Ctx, system string, keys []registry.Key) error {
	shown := keysJSON{Issuer: envelope.SystemOf(d.Gateway, system), Audience: d.Gateway, Events: string(d.Gateway) + "/events", Keys: make([]keyJSON, len(keys))}
	for i, key := range keys {
		shown.Keys[i] = keyJSON{key.KeyID, key.Thumbprint, key.ValidFrom}
	}
	return c.JSON(shown)
}

// system is which of the provider's own systems asks. A reseller signs with the keys that it enrolled.
func system(c *fiber.Ctx) (auth.Receiver, error) {
	receiver := auth.ReceiverOf(c)
	if receiver.System == "" {
		return receiver, fmt.Errorf("%w: these are the keys of the provider's own systems, which show an API token. A reseller signs with the keys that it enrolled, and changes them by POST /enrolments/{id}/jwks", problem.ErrForbidden)
	}
	return receiver, nil
}

// keys tells a system the keys that it registered. (Ours.)
func (d Doors) keys(c *fiber.Ctx) error {
	receiver, err := system(c)
	if err != nil {
		return err
	}
	found, err := d.Keys.SystemKeys(c.UserContext(), receiver.System)
	if err != nil {
		return err
	}
	return d.showKeys(c, receiver.System, found)
}

// setKeys registers the keys of a system in place of those that it had. (Ours.)
func (d Doors) setKeys(c *fiber.Ctx) error {
	receiver, err := system(c)
	if err != nil {
		return err
	}
	if err := events.RequireMediaType(c, mediaKeys); err != nil {
		return err
	}
	if !receiver.Officer.Role.Includes(auth.Member) {
		return fmt.Errorf("%w: this takes a token of an account with the role officer or one above it, which may confirm orders; this one has the role %s. An administrator changes it: cipgate officer change",
			problem.ErrForbidden, receiver.Officer.Role)
	}
	streams, err := d.Delivery.Streams(c.UserContext(), notices.OfSystem(receiver.System))
	if err != nil {
		return err
	}
	if len(streams) == 0 {
		return fmt.Errorf("%w: wanted a system that has a stream, since it confirms what comes over it. Make one first: POST /ssf/streams", delivery.ErrNoStream)
	}
	made, err := d.Keys.RegisterSystemKeys(c.UserContext(), receiver.System, receiver.Officer.Stated(), jsontext.Value(c.BodyRaw()))
	if err != nil {
		return err
	}
	return d.showKeys(c, receiver.System, made)
}
