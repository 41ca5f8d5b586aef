// Package resellers is the page that lists every reseller: how it stands, what comes next and when. It
// decides nothing; what it shows was put on the docket's lines when each reseller was last judged.
package resellers

import (
	"context"
	_ "embed"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/resellers/docket"
)

// Docket is where the list comes from.
type Docket interface {
	List(ctx context.Context, after *docket.Place, limit int) ([]docket.Line, error)
}

//go:embed page.html
var pageHTML string

var page = frame.Parse(pageHTML)

// pageSize is how many resellers one page shows.
const pageSize = 50

// Handler serves the page.
func Handler(f frame.Frame, files Docket, now func() time.Time) fiber.Handler {
	return func(c *fiber.Ctx) error {
		after, err := parseCursor(c.Query("after"))
		if err != nil {
			return err
		}
		lines, err := files.List(c.UserContext(), after, pageSize+1)
		if err != nil {
			return err
		}
		here := "/resellers"
		if after != nil {
			here += "?after=" + cursorOf(*after)
		}
		return f.Show(c, frame.Page{Title: "Resellers", Template: page, View: fill(lines, pageSize, here, after == nil, now())})
	}
}
