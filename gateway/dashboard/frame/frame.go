// Package frame is what every page has in common: head and foot, the words for times and standings, and the
// headers that keep a page from being turned against its reader. A page brings a template that defines
// "main" and a value that fills it; the frame knows neither.
//
// Whatever stands in a page came from outside and is escaped by html/template. Nothing in a page may run or
// be styled in line: the Content-Security-Policy allows files of this gateway alone.
package frame

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/dashboard/assets"
)

// Log is what the foot of a page says of the ledger.
type Log interface {
	Size(ctx context.Context) (int64, error)
}

// Frame shows the pages of one gateway. Its fields are set once.
type Frame struct {
	Entity  envelope.Entity
	Sandbox bool
	Version string
	Log     Log
	Now     func() time.Time
}

// Page is one page to be shown.
type Page struct {
	Title    string
	Template *template.Template // from Parse
	View     any                // fills the template's "main"
	Status   int                // HTTP, 200 if zero
	Scripts  []string           // assets beside htmx
	Public   bool               // shows nothing of the resellers and asks nobody to sign in
}

// filled is what the frame's own template sees.
type filled struct {
	Page
	Gateway string
	Entity  envelope.Entity
	Sandbox bool
	Version string
	Person  string
	Size    string
	Now     Moment
}

//go:embed frame.html
var frameHTML string

// policy is the Content-Security-Policy of every page. Pico draws its marks from data: images.
const policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Parse reads a page's template, which defines "main", into the frame. The text is part of the program: one
// that does not parse is a mistake of ours that the first test of the page finds.
func Parse(page string) *template.Template {
	root := template.New("frame").Funcs(template.FuncMap{"asset": assets.URL})
	return template.Must(template.Must(root.Parse(frameHTML)).Parse(page))
}

// Show renders a page. It is rendered whole before anything is sent, so that a failure is told as one.
func (f Frame) Show(c *fiber.Ctx, page Page) error {
	size := ""
	if !page.Public {
		entries, err := f.Log.Size(c.UserContext())
		if err != nil {
			return fmt.Errorf("reading the ledger's size for a page: %w", err)
		}
		size = Count(entries, "entry", "entries")
	}
	body, err := f.Render(page, auth.Person(c), size)
	if err != nil {
		return err
	}
	guard(c)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	if page.Status != 0 {
		c.Status(page.Status)
	}
	return c.Send(body)
}

// Render writes a page for a person who is signed in, "" if nobody is, with the size of the ledger in words.
func (f Frame) Render(page Page, person, size string) ([]byte, error) {
	var body bytes.Buffer
	err := page.Template.Execute(&body, filled{Page: page, Gateway: f.name(), Entity: f.Entity, Sandbox: f.Sandbox,
		Version: f.Version, Person: person, Size: size, Now: MomentOf(f.Now(), f.Now())})
	if err != nil {
		return nil, fmt.Errorf("rendering the page %q: %w", page.Title, err)
	}
	return body.Bytes(), nil
}

// guard sets the headers that protect a page.
func guard(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	// Not no-referrer: browsers would then send "Origin: null" with our own forms, which auth must refuse.
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set(fiber.HeaderCacheControl, "no-store")
}

// name is how a gateway is called for short: its host and path.
func (f Frame) name() string {
	at, err := url.Parse(string(f.Entity))
	if err != nil || at.Host == "" {
		return string(f.Entity)
	}
	return at.Host + strings.TrimSuffix(at.Path, "/")
}
