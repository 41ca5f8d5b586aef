// Package wellknown serves what a stranger needs to begin: who this gateway is, its keys, the schemas of
// every event type, and the configurations of the entities it hosts.
package wellknown

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/registry"
	"github.com/cipgate/cipgate/sync/trust"
)

// Registry is where hosted entities are looked up.
type Registry interface {
	Entity(ctx context.Context, id envelope.ID) (registry.Entity, error)
}

// Board is what one gateway shows of itself.
type Board struct {
	Gateway  trust.Gateway
	Registry Registry
	LogVkey  string
	Version  string
	Sandbox  bool
	Now      func() time.Time
	// Home answers a browser on /.
	Home fiber.Handler
	// Keys are the keys that sign what the gateway sends, a JWK Set: its statement key, and those of notices that receivers want signed
	// otherwise. Only the statement key stands in its configuration too: nothing else signs what is in the ledger.
	Keys func(ctx context.Context) ([]byte, error)
}

// Mount registers /, /jwks.json, /schemas/ and the well-known addresses.
func (b Board) Mount(router fiber.Router) {
	router.Get("/", b.self)
	router.Get("/jwks.json", b.keys)
	router.Get("/schemas/:name", schema)
	router.Get("/.well-known/openid-federation", b.configuration)
	router.Get("/e/:slug/.well-known/openid-federation", b.hosted)
}

type selfJSON struct {
	Entity  envelope.Entity `json:"entity"`
	LogVkey string          `json:"log_vkey"`
	Version string          `json:"version"`
	Sandbox bool            `json:"sandbox"`
}

func (b Board) self(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAccept)
	if c.Accepts(fiber.MIMEApplicationJSON, fiber.MIMETextHTML) == fiber.MIMETextHTML {
		return b.Home(c)
	}
	return c.JSON(selfJSON{b.Gateway.Entity, b.LogVkey, b.Version, b.Sandbox})
}

func schema(c *fiber.Ctx) error {
	name, ok := strings.CutSuffix(c.Params("name"), ".v1.json")
	if kind, known := statement.KindOf("urn:cipgate:event:" + name + ":v1"); ok && known {
		c.Set(fiber.HeaderContentType, "application/schema+json")
		return c.Send(statement.Schema(kind))
	}
	names := make([]string, 0, len(statement.Kinds()))
	for _, kind := range statement.Kinds() {
		names = append(names, string(kind)+".v1.json")
	}
	return fmt.Errorf("%w: no such schema; there are %s", problem.ErrNoSuchPage, strings.Join(names, ", "))
}

func (b Board) keys(c *fiber.Ctx) error {
	keys, err := b.Keys(c.UserContext())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/jwk-set+json")
	return c.Send(keys)
}

func (b Board) configuration(c *fiber.Ctx) error {
	signed, err := b.Gateway.Configuration(b.Now())
	if err != nil {
		return err
	}
	return entityStatement(c, signed)
}

// hosted serves the configuration of an entity that cannot serve its own: signed by the entity's key, which
// this gateway never holds.
func (b Board) hosted(c *fiber.Ctx) error {
	entity := b.Gateway.Entity + envelope.Entity("/e/"+c.Params("slug"))
	found, err := b.Registry.Entity(c.UserContext(), entity.ID())
	if err != nil {
		return err
	}
	return entityStatement(c, []byte(found.Configuration))
}

func entityStatement(c *fiber.Ctx, signed []byte) error {
	c.Set(fiber.HeaderContentType, "application/"+trust.TypeEntityStatement)
	return c.Send(signed)
}
