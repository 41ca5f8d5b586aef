// Package signin is the page on which a person signs in. What it asks for is judged by auth.
package signin

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
)

//go:embed page.html
var pageHTML string

var page = frame.Parse(pageHTML)

type view struct {
	Next    string // where to go after
	Refused bool   // what was sent before was nobody's
}

// Handler serves the page.
func Handler(f frame.Frame) fiber.Handler {
	return func(c *fiber.Ctx) error {
		shown := view{Next: auth.LocalPath(c.Query("next")), Refused: c.Query("refused") != ""}
		return f.Show(c, frame.Page{Title: "Sign in", Template: page, View: shown, Scripts: []string{"signin.js"}, Public: true})
	}
}
