// Package enrolment is the door through which a reseller comes in, and changes its keys later: POST /enrolments with
// the invitation's token and a self-signed entity configuration, and below it what an enrolled entity signs about its
// own keys. registry judges all of it, trust writes what the provider says of the subordinate.
package enrolment

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/registry"
	"github.com/cipgate/cipgate/sync/trust"
)

// MediaType is that of an entity configuration (OpenID Federation 1.1, section 15.2).
const MediaType = "application/entity-statement+jwt"

// Registry is who enrols.
type Registry interface {
	Recorded(ctx context.Context, token string) (registry.Invitation, registry.Invited, error)
	Enrol(ctx context.Context, token string, configuration []byte) (registry.Entity, error)
	Entity(ctx context.Context, id envelope.ID) (registry.Entity, error)
	KeyList(ctx context.Context, id envelope.ID, limit int) ([]registry.Key, error)
	Rotate(ctx context.Context, id envelope.ID, request []byte) (registry.Entity, error)
	Revoke(ctx context.Context, id envelope.ID, request []byte) (registry.Entity, error)
	Publish(ctx context.Context, id envelope.ID, configuration []byte) (registry.Entity, error)
	ConfirmContact(ctx context.Context, token string) (registry.Entity, error)
}

// Desk answers enrolments for one gateway.
type Desk struct {
	Registry Registry
	Gateway  trust.Gateway
	LogVkey  string
	Now      func() time.Time
}

// Mount registers /enrolments and what lies below it, and POST /confirmations.
func (d Desk) Mount(router fiber.Router) {
	router.Get("/enrolments", d.invitation)
	router.Post("/enrolments", d.enrol)
	router.Get("/enrolments/:id", d.keys)
	router.Post("/enrolments/:id/jwks", d.changeKeys(MediaTypeKeySet, d.Registry.Rotate))
	router.Post("/enrolments/:id/revocations", d.changeKeys(MediaTypeRevocation, d.Registry.Revoke))
	router.Post("/enrolments/:id/configuration", d.changeKeys(MediaType, d.Registry.Publish))
	router.Post("/confirmations", d.confirm)
}

type answer struct {
	Status         string          `json:"status"`
	Entity         envelope.Entity `json:"entity"`
	ID             string          `json:"id"`
	KeyIDs         []string        `json:"kid"`
	EventsEndpoint string          `json:"events_endpoint"`
	Audience       envelope.Entity `json:"audience"`
	// Subordinate is what the provider says of the entity: nothing while its enrolment is pending, nor of a reseller's reseller, for
	// whom its own superior speaks (OpenID Federation 1.1, section 3).
	Subordinate string `json:"subordinate_statement,omitempty"`
}

type invitationJSON struct {
	Entity    envelope.Entity `json:"entity"`
	Name      string          `json:"name"`
	Country   string          `json:"country"`
	Superior  envelope.Entity `json:"superior"`
	Audience  envelope.Entity `json:"audience"`
	LogVkey   string          `json:"log_vkey"`
	Approval  bool            `json:"approval"` // an officer must approve the enrolment
	ExpiresAt time.Time       `json:"expires_at"`
}

// invitation shows the holder of a token what it needs to build its configuration.
func (d Desk) invitation(c *fiber.Ctx) error {
	token, err := bearer(c)
	if err != nil {
		return err
	}
	invitation, invited, err := d.Registry.Recorded(c.UserContext(), token)
	if err != nil {
		return err
	}
	return c.JSON(invitationJSON{Entity: invited.Entity, Name: invitation.Name, Country: invitation.Country,
		Superior: invitation.Superior, Audience: d.Gateway.Entity, LogVkey: d.LogVkey, Approval: invitation.Approval, ExpiresAt: invited.ExpiresAt})
}

func bearer(c *fiber.Ctx) (string, error) {
	token, ok := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	if !ok {
		return "", fmt.Errorf("%w: send the token as `Authorization: Bearer TOKEN`; it is the part after # of the address that you were given", problem.ErrUnauthenticated)
	}
	return token, nil
}

func (d Desk) enrol(c *fiber.Ctx) error {
	token, err := bearer(c)
	if err != nil {
		return err
	}
	if err := events.RequireMediaType(c, MediaType); err != nil {
		return err
	}
	enrolled, err := d.Registry.Enrol(c.UserContext(), token, c.BodyRaw())
	if err != nil {
		return err
	}
	keys, err := envelope.ParseKeys(enrolled.JWKS)
	if err != nil {
		return err
	}
	told := answer{
		Status: enrolled.Status, Entity: enrolled.Entity, ID: enrolled.Entity.ID().String(), KeyIDs: keys.IDs(),
		EventsEndpoint: string(d.Gateway.Entity) + "/events", Audience: d.Gateway.Entity,
	}
	if told.Subordinate, err = d.subordinate(enrolled); err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(told)
}

// subordinate is the provider's signed statement about an enrolled entity that stands right below it, empty for others.
func (d Desk) subordinate(about registry.Entity) (string, error) {
	if about.Pending() || about.Superior != d.Gateway.Entity {
		return "", nil
	}
	signed, err := d.Gateway.Statement(trust.Subordinate{Entity: about.Entity, Federation: about.Federation, Statements: about.JWKS}, d.Now())
	return string(signed), err
}
