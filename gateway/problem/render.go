package problem

import (
	"log/slog"
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
)

// SET renders an error as RFC 8935, section 2.3, asks: `err` and `description`. It is the error handler of
// the application that takes submissions.
func SET(log *slog.Logger) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		p := tell(c, log, err)
		c.Set(fiber.HeaderContentLanguage, "en")
		c.Set(fiber.HeaderLink, `</docs/refusals>; rel="help"`)
		body, err := json.Marshal(struct {
			Err         string `json:"err"`
			Description string `json:"description"`
		}{p.Code, p.Description})
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Status(p.Status).Send(body)
	}
}

// Details renders an error as RFC 9457 problem details. It is the error handler of everything else.
func Details(log *slog.Logger) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		p := tell(c, log, err)
		body, err := JSON(p)
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, "application/problem+json")
		return c.Status(p.Status).Send(body)
	}
}

// JSON writes a problem as RFC 9457 details.
func JSON(p Problem) ([]byte, error) {
	return json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", p.Title, p.Status, p.Description})
}

// tell looks an error up, sets the headers that follow from it, and logs it if the fault is ours.
func tell(c *fiber.Ctx, log *slog.Logger, err error) Problem {
	p := Of(err)
	if p.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, RetrySeconds(p.RetryAfter))
	}
	// Whoever knows more about how to get in has said it (RFC 9728, section 5.1).
	if p.Status == fiber.StatusUnauthorized && len(c.Response().Header.Peek(fiber.HeaderWWWAuthenticate)) == 0 {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	}
	if p.Ours {
		log.Error("request failed", "method", c.Method(), "path", c.Path(), "error", err)
	}
	return p
}

// RetrySeconds writes a wait as Retry-After wants it: whole seconds, rounded up (RFC 9110, section 10.2.3).
func RetrySeconds(wait time.Duration) string {
	return strconv.Itoa(int(math.Ceil(wait.Seconds())))
}
