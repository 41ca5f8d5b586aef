package auth

import (
	"net/url"

	"github.com/gofiber/fiber/v2"
)

// origin says where a browser's request comes from, as far as the browser tells.
type origin int

const (
	originUntold  origin = iota // no browser of today, or none at all
	originOurs                  // our own page, or the person's own doing
	originForeign               // another site's page
)

// originOf reads Sec-Fetch-Site (W3C Fetch Metadata), which a page cannot forge. Browsers leave it out over
// plain http to hosts other than the machine itself; there the Origin header (RFC 6454) must name the host
// that was asked.
func originOf(c *fiber.Ctx) origin {
	switch c.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return originOurs
	case "":
	default:
		return originForeign
	}
	told := c.Get(fiber.HeaderOrigin)
	if told == "" {
		return originUntold
	}
	from, err := url.Parse(told)
	if err != nil || from.Host == "" || from.Host != c.Get(fiber.HeaderHost) {
		return originForeign
	}
	return originOurs
}

// changes says whether a request may change something (RFC 9110, section 9.2.1).
func changes(c *fiber.Ctx) bool {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return false
	}
	return true
}
