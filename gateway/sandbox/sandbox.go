// Package sandbox moves the clock of a gateway that was started with --sandbox. Other gateways do not mount
// it.
package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
	"github.com/sosodev/duration"

	"github.com/cipgate/cipgate/gateway/problem"
)

// Clock is the gateway's clock.
type Clock interface {
	Now() time.Time
	// Advance moves the clock forward and returns when all that fell due on the way has been done, each at
	// its own time.
	Advance(ctx context.Context, by time.Duration) error
}

// longest is how far one call may move the clock.
const longest = 10 * 366 * 24 * time.Hour

type nowJSON struct {
	Now time.Time `json:"now"`
}

// Mount registers /sandbox/clock. A sandbox holds nothing real, so it asks for no token.
func Mount(router fiber.Router, clock Clock) {
	router.Get("/sandbox/clock", func(c *fiber.Ctx) error { return c.JSON(nowJSON{clock.Now()}) })
	router.Post("/sandbox/clock", func(c *fiber.Ctx) error {
		var asked struct {
			Advance string `json:"advance"`
		}
		if err := json.Unmarshal(c.BodyRaw(), &asked, json.RejectUnknownMembers(true)); err != nil {
			return fmt.Errorf(`%w: wanted {"advance": "P31D"}: %w`, problem.ErrRequest, err)
		}
		by, err := duration.Parse(asked.Advance)
		if err != nil || by.ToTimeDuration() <= 0 || by.ToTimeDuration() > longest {
			return fmt.Errorf("%w: advance: wanted an ISO 8601 duration above zero and of at most ten years, such as P31D or PT6H, got %.40q", problem.ErrRequest, asked.Advance)
		}
		if err := clock.Advance(c.UserContext(), by.ToTimeDuration()); err != nil {
			return err
		}
		return c.JSON(nowJSON{clock.Now()})
	})
}
