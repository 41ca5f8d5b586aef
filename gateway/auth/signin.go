package auth

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/gateway/problem"
)

// Mount registers POST /sign-in and POST /sign-out. The page behind GET /sign-in is the dashboard's.
func (a *Auth) Mount(router fiber.Router) {
	router.Post("/sign-in", a.postSignIn)
	router.Post("/sign-out", a.postSignOut)
}

// postSignIn takes the form's members `secret` (of a link, or an API token) and `next`. A secret that is
// nobody's leads back to the page, which then says so.
func (a *Auth) postSignIn(c *fiber.Ctx) error {
	if originOf(c) == originForeign {
		return fmt.Errorf("%w: this form was sent from another site's page; open /sign-in of this gateway and sign in there", problem.ErrForbidden)
	}
	form, err := url.ParseQuery(string(c.BodyRaw()))
	if err != nil {
		return fmt.Errorf("%w: the form must be application/x-www-form-urlencoded with the members secret and next", problem.ErrRequest)
	}
	next := LocalPath(form.Get("next"))
	session, err := a.signIn(c.UserContext(), form.Get("secret"))
	if errors.Is(err, errUnknown) {
		return c.Redirect(signInPage(next)+"&refused=1", fiber.StatusSeeOther)
	}
	if err != nil {
		return err
	}
	a.setCookie(c, session)
	return c.Redirect(next, fiber.StatusSeeOther)
}

func (a *Auth) postSignOut(c *fiber.Ctx) error {
	if originOf(c) == originForeign {
		return fmt.Errorf("%w: this was sent from another site's page; nobody was signed out", problem.ErrForbidden)
	}
	if session := c.Cookies(a.cookieName()); session != "" {
		if err := a.signOut(c.UserContext(), session); err != nil {
			return err
		}
	}
	a.setCookie(c, "")
	return c.Redirect("/sign-in", fiber.StatusSeeOther)
}

func signInPage(next string) string { return "/sign-in?next=" + url.QueryEscape(next) }
