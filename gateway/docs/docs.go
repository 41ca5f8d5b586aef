// Package docs serves the guides that came with this version, under /docs, so that what is read matches what
// runs. Three pages are printed from the program itself: the refusals from problem's table, the escalation from
// the table by which it decides, and an example of every statement from the schemas.
package docs

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

//go:embed *.md decisions/*.md
var files embed.FS

var page = frame.Parse(`{{define "main"}}<article class="docs">{{.}}</article>{{end}}`)

var markdown = goldmark.New(goldmark.WithExtensions(extension.Table))

// Library serves the guides inside a gateway's frame.
type Library struct {
	Frame frame.Frame
}

// Mount registers /docs.
func (l Library) Mount(router fiber.Router) {
	router.Get("/docs", func(c *fiber.Ctx) error { return l.show(c, "index") })
	router.Get("/docs/*", func(c *fiber.Ctx) error { return l.show(c, c.Params("*")) })
}

func (l Library) show(c *fiber.Ctx, name string) error {
	text, err := Text(name)
	if err != nil {
		return err
	}
	html, err := render(text)
	if err != nil {
		return err
	}
	title, _, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
	return l.Frame.Show(c, frame.Page{Title: title, Template: page, View: html, Public: true})
}

// Names lists every page.
func Names() []string {
	names := []string{"refusals", "escalation", "statements"}
	// The embedded files can always be walked.
	_ = fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if name, ok := strings.CutSuffix(path, ".md"); ok && err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return names
}

// Text returns a page as Markdown; an error that wraps problem.ErrNoSuchPage if there is none.
func Text(name string) (string, error) {
	switch name {
	case "refusals":
		return refusals(), nil
	case "escalation":
		return steps(), nil
	case "statements":
		return statements(), nil
	}
	text, err := files.ReadFile(name + ".md")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return "", fmt.Errorf("%w: there are /docs/%s", problem.ErrNoSuchPage, strings.Join(Names(), ", /docs/"))
	}
	return string(text), err
}

// render turns a page of ours into HTML. What it is given is part of the program; nothing that came from
// outside reaches it.
func render(text string) (template.HTML, error) {
	var html bytes.Buffer
	if err := markdown.Convert([]byte(text), &html); err != nil {
		return "", fmt.Errorf("rendering a page: %w", err)
	}
	return template.HTML(html.String()), nil //nolint:gosec // our own text, see above
}

func refusals() string {
	var b strings.Builder
	b.WriteString(`# Refusals

What the gateway answers when it does not take a request. ` + "`POST /events`" + ` answers ` + "`{\"err\", \"description\"}`" + ` (RFC 8935,
section 2.3), everything else problem details (RFC 9457). The description names what is wrong, what was wanted, and what to do.
Nothing of a refused submission is kept but a count.

| status | err | what it means | send the same again |
|---|---|---|---|
`)
	for _, row := range problem.Table {
		again := "no: it would be refused again"
		if row.RetryAfter > 0 {
			again = fmt.Sprintf("yes, after `Retry-After` (%s or more)", row.RetryAfter)
		}
		fmt.Fprintf(&b, "| %d | `%s` | %s | %s |\n", row.Status, row.Code, row.Title, again)
	}
	b.WriteString("\nWhat got no `202` may always be sent again: the same statement is never stored twice.\n")
	return b.String()
}

func steps() string {
	var b strings.Builder
	b.WriteString(`# The escalation, step by step

These rows are the ones by which the program decides. It takes the first that applies, again and again, until none does. Every
date comes from the policy in force when the case was opened.

| step | from | when | what it does | approval | source |
|---|---|---|---|---|---|
`)
	for _, row := range escalation.Table(policy.Default()) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", row.Step, strings.Join(row.From, ", "), row.When, row.Does, row.Approval, row.Source)
	}
	return b.String()
}
