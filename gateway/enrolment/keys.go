package enrolment

import (
	"context"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/registry"
)

const (
	// MediaTypeKeySet is that of a signed JWK Set, by which keys are rotated (OpenID Federation 1.1, section 15.3).
	MediaTypeKeySet = "application/" + registry.TypeKeySet
	// MediaTypeRevocation is that of a request to take keys away. (Ours.)
	MediaTypeRevocation = "application/" + registry.TypeRevocation
)

// keyJSON is one key of an entity, without the key itself: that stands in the provider's subordinate statement.
type keyJSON struct {
	KeyID            string     `json:"kid"`
	Thumbprint       string     `json:"thumbprint"`
	Purpose          string     `json:"purpose"`
	InForce          bool       `json:"in_force"`
	ValidFrom        time.Time  `json:"valid_from"`
	ValidUntil       *time.Time `json:"valid_until,omitempty"`
	Reason           string     `json:"reason,omitempty"`
	CompromisedSince *time.Time `json:"compromised_since,omitempty"`
}

type keysJSON struct {
	Entity      envelope.Entity `json:"entity"`
	ID          string          `json:"id"`
	Status      string          `json:"status"`
	Keys        []keyJSON       `json:"keys"`
	Subordinate string          `json:"subordinate_statement,omitempty"`
}

// maxShown is how many keys are shown, those in force first.
const maxShown = 256

// keys shows which keys an entity enrolled and when each was in force. Who verifies an old statement needs that of
// everybody, so it is open, as historical keys are (OpenID Federation 1.1, section 8.7).
func (d Desk) keys(c *fiber.Ctx) error {
	id, err := entityID(c)
	if err != nil {
		return err
	}
	entity, err := d.Registry.Entity(c.UserContext(), id)
	if err != nil {
		return err
	}
	return d.show(c, entity)
}

// changeKeys takes what an entity signed about its own keys to whoever judges it, and answers with its keys as they are
// then.
func (d Desk) changeKeys(mediaType string, change func(ctx context.Context, id envelope.ID, request []byte) (registry.Entity, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, err := entityID(c)
		if err != nil {
			return err
		}
		if err := events.RequireMediaType(c, mediaType); err != nil {
			return err
		}
		entity, err := change(c.UserContext(), id, c.BodyRaw())
		if err != nil {
			return err
		}
		return d.show(c, entity)
	}
}

func (d Desk) show(c *fiber.Ctx, entity registry.Entity) error {
	id := entity.Entity.ID()
	list, err := d.Registry.KeyList(c.UserContext(), id, maxShown)
	if err != nil {
		return err
	}
	told := keysJSON{Entity: entity.Entity, ID: id.String(), Status: entity.Status, Keys: make([]keyJSON, len(list))}
	for i, key := range list {
		told.Keys[i] = keyJSON{KeyID: key.KeyID, Thumbprint: key.Thumbprint, Purpose: key.Purpose, InForce: key.InForce(d.Now()), ValidFrom: key.ValidFrom,
			ValidUntil: orNone(key.ValidUntil), Reason: key.Reason, CompromisedSince: orNone(key.CompromisedSince)}
	}
	if told.Subordinate, err = d.subordinate(entity); err != nil {
		return err
	}
	return c.JSON(told)
}

func orNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func entityID(c *fiber.Ctx) (envelope.ID, error) {
	id, err := envelope.ParseID(c.Params("id"))
	if err != nil {
		return id, fmt.Errorf("%w: id: wanted the base64url SHA-256 of your entity identifier, 43 characters: %w", problem.ErrRequest, err)
	}
	return id, nil
}

type confirmedJSON struct {
	Entity      envelope.Entity `json:"entity"`
	ConfirmedAt time.Time       `json:"confirmed_at"`
}

// confirm takes a contact's word, over the link it was given, that it is reached.
func (d Desk) confirm(c *fiber.Ctx) error {
	token, err := bearer(c)
	if err != nil {
		return err
	}
	entity, err := d.Registry.ConfirmContact(c.UserContext(), token)
	if err != nil {
		return err
	}
	return c.JSON(confirmedJSON{entity.Entity, entity.ContactConfirmedAt})
}
