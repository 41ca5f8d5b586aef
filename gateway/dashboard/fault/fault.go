// Package fault is the page that a browser gets where a program gets problem details. Which status and
// which words belong to an error is decided in problem.
package fault

import (
	_ "embed"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
)

//go:embed page.html
var pageHTML string

var page = frame.Parse(pageHTML)

type view struct {
	Title       string
	Description string
}

// Pages is a middleware that tells errors to browsers as pages. Everything else about an error (its status
// and headers, that it is counted and logged) stays with the application's own error handler, which also
// answers whoever does not ask for HTML.
func Pages(f frame.Frame) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := c.Next()
		if err == nil || c.Accepts(fiber.MIMEApplicationJSON, fiber.MIMETextHTML) != fiber.MIMETextHTML {
			return err
		}
		if err := c.App().ErrorHandler(c, err); err != nil {
			return err
		}
		p := problem.Of(err)
		if p.Title == "" {
			p.Title = http.StatusText(p.Status)
		}
		return f.Show(c, frame.Page{Title: p.Title, Template: page, View: view{p.Title, officer.Sentence(p.Description)}, Status: p.Status, Public: true})
	}
}
