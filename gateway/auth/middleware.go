package auth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/gateway/problem"
)

// API lets a request through that shows an API token as a bearer (RFC 6750), or a session. Else it returns
// an error that wraps problem.ErrUnauthenticated, or problem.ErrForbidden for a change that a session asks
// for from elsewhere than our own pages.
func (a *Auth) API() fiber.Handler {
	return func(c *fiber.Ctx) error {
		officer, err := a.who(c)
		if errors.Is(err, errUnknown) {
			return fmt.Errorf("%w: show an API token as `Authorization: Bearer TOKEN` (the first one lies in admin.token in the gateway's data folder), or sign in at /sign-in", problem.ErrUnauthenticated)
		}
		if err != nil {
			return err
		}
		known(c, officer)
		return c.Next()
	}
}

// Page is API for people: who is not signed in is led to the sign-in page and from there back.
func (a *Auth) Page() fiber.Handler {
	return func(c *fiber.Ctx) error {
		officer, err := a.who(c)
		if errors.Is(err, errUnknown) {
			return leadToSignIn(c)
		}
		if err != nil {
			return err
		}
		known(c, officer)
		return c.Next()
	}
}

// who says who is asking, or errUnknown.
func (a *Auth) who(c *fiber.Ctx) (Officer, error) {
	if shown := c.Get(fiber.HeaderAuthorization); shown != "" {
		scheme, token, _ := strings.Cut(shown, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Officer{}, errUnknown
		}
		holder, _, err := a.tokenHolder(a.db.WithContext(c.UserContext()), strings.TrimSpace(token))
		return holder, err
	}
	session := c.Cookies(a.cookieName())
	if session == "" {
		return Officer{}, errUnknown
	}
	officer, err := a.sessionHolder(c.UserContext(), session)
	if err != nil {
		return Officer{}, err
	}
	// A browser adds the cookie to whatever any page sends here: a change must come from a page of ours.
	if changes(c) && originOf(c) != originOurs {
		return Officer{}, fmt.Errorf("%w: with a session, a change must come from this gateway's own pages (Sec-Fetch-Site or Origin says otherwise); programs use an API token", problem.ErrForbidden)
	}
	return officer, nil
}

func leadToSignIn(c *fiber.Ctx) error {
	// A page that refreshes a part of itself must not show the sign-in form inside that part: htmx loads
	// the whole page again instead, and that request is led here.
	if c.Get("HX-Request") == "true" {
		c.Set("HX-Refresh", "true")
		return c.SendStatus(fiber.StatusNoContent)
	}
	next := home
	if !changes(c) {
		next = LocalPath(string(c.Request().URI().RequestURI()))
	}
	return c.Redirect(signInPage(next), fiber.StatusSeeOther)
}
