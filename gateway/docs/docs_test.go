package docs

import (
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/escalation"
)

func TestEveryPageRendersAndItsLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(/docs/([^)#]*)\)`)
	for _, name := range Names() {
		text, err := Text(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(text, "# ") {
			t.Errorf("%s has no title", name)
		}
		html, err := render(text)
		if err != nil || !strings.Contains(string(html), "<h1>") {
			t.Errorf("%s: %v", name, err)
		}
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(Names(), found[1]) {
				t.Errorf("%s links to /docs/%s, which there is not", name, found[1])
			}
		}
	}
}

func TestThePrintedPagesHoldEveryRow(t *testing.T) {
	for _, row := range problem.Table {
		if !strings.Contains(refusals(), "| "+row.Title+" |") {
			t.Errorf("/docs/refusals lacks %q", row.Title)
		}
	}
	for _, row := range escalation.Table() {
		if !strings.Contains(steps(), "| "+row.When+" |") {
			t.Errorf("/docs/escalation lacks %q", row.Step)
		}
	}
}

func TestNoPageOutsideIsServed(t *testing.T) {
	for _, name := range []string{"../docs", "nothing", "", "decisions", "docs.go", "/etc/passwd"} {
		if _, err := Text(name); !errors.Is(err, problem.ErrNoSuchPage) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
