package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/gateway/problem"
)

type personKey struct{}

// Person returns the name of who is asking, or "" outside of API and Page.
func Person(c *fiber.Ctx) string {
	person, _ := c.Locals(personKey{}).(string)
	return person
}

// PersonIn is Person for whoever has the request's context alone.
func PersonIn(ctx context.Context) string {
	person, _ := ctx.Value(personKey{}).(string)
	return person
}

// known notes who is asking, for Person and PersonIn.
func known(c *fiber.Ctx, person string) {
	c.Locals(personKey{}, person)
	c.SetUserContext(context.WithValue(c.UserContext(), personKey{}, person))
}

// API lets a request through that shows an API token as a bearer (RFC 6750), or a session. Else it returns
// an error that wraps problem.ErrUnauthenticated, or problem.ErrForbidden for a change that a session asks
// for from elsewhere than our own pages.
func (a *Auth) API() fiber.Handler {
	return func(c *fiber.Ctx) error {
		person, err := a.who(c)
		if errors.Is(err, errUnknown) {
			return fmt.Errorf("%w: show an API token as `Authorization: Bearer TOKEN` (the first one lies in admin.token in the gateway's data folder), or sign in at /sign-in", problem.ErrUnauthenticated)
		}
		if err != nil {
			return err
		}
		known(c, person)
		return c.Next()
	}
}

// Page is API for people: who is not signed in is led to the sign-in page and from there back.
func (a *Auth) Page() fiber.Handler {
	return func(c *fiber.Ctx) error {
		person, err := a.who(c)
		if errors.Is(err, errUnknown) {
			return leadToSignIn(c)
		}
		if err != nil {
			return err
		}
		known(c, person)
		return c.Next()
	}
}

// who says who is asking, or errUnknown.
func (a *Auth) who(c *fiber.Ctx) (string, error) {
	if shown := c.Get(fiber.HeaderAuthorization); shown != "" {
		scheme, token, _ := strings.Cut(shown, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return "", errUnknown
		}
		return tokenHolder(a.db.WithContext(c.UserContext()), strings.TrimSpace(token))
	}
	session := c.Cookies(a.cookieName())
	if session == "" {
		return "", errUnknown
	}
	person, err := a.sessionHolder(c.UserContext(), session)
	if err != nil {
		return "", err
	}
	// A browser adds the cookie to whatever any page sends here: a change must come from a page of ours.
	if changes(c) && originOf(c) != originOurs {
		return "", fmt.Errorf("%w: with a session, a change must come from this gateway's own pages (Sec-Fetch-Site or Origin says otherwise); programs use an API token", problem.ErrForbidden)
	}
	return person, nil
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
