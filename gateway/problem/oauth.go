package problem

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
)

// Errors of the token endpoint (RFC 6749, section 5.2). auth detects them.
var (
	// ErrTokenRequest says that the request for a token is not well formed.
	ErrTokenRequest = errors.New("not a request for a token")
	// ErrGrant says that tokens are given for something else only.
	ErrGrant = errors.New("unsupported grant type")
	// ErrClient says that the assertion does not show who is asking.
	ErrClient = errors.New("client not authenticated")
	// ErrScope says that nobody may have such a token.
	ErrScope = errors.New("no such scope")
)

// OAuthTable is Table for the token endpoint: codes of RFC 6749, section 5.2.
var OAuthTable = []Row{
	{Is: ErrTokenRequest, Status: http.StatusBadRequest, Code: "invalid_request", Title: "Not a request for a token"},
	{Is: ErrGrant, Status: http.StatusBadRequest, Code: "unsupported_grant_type", Title: "Unsupported grant type"},
	{Is: ErrClient, Status: http.StatusUnauthorized, Code: "invalid_client", Title: "Client not authenticated"},
	{Is: ErrScope, Status: http.StatusBadRequest, Code: "invalid_scope", Title: "No such scope"},
}

// OAuth renders an error as RFC 6749, section 5.2, asks: `error` and `error_description`.
func OAuth(log *slog.Logger) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		p := ofOAuth(err)
		if p.Ours {
			log.Error("request failed", "method", c.Method(), "path", c.Path(), "error", err)
		}
		if p.RetryAfter > 0 {
			c.Set(fiber.HeaderRetryAfter, RetrySeconds(p.RetryAfter))
		}
		c.Set(fiber.HeaderCacheControl, "no-store")
		body, err := json.Marshal(struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}{p.Code, p.Description})
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Status(p.Status).Send(body)
	}
}

func ofOAuth(err error) Problem {
	for _, row := range OAuthTable {
		if errors.Is(err, row.Is) {
			return Problem{Status: row.Status, Code: row.Code, Title: row.Title, Description: err.Error()}
		}
	}
	return Of(err)
}
