package docs

import (
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
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
	for _, row := range escalation.Table(policy.Default()) {
		if !strings.Contains(steps(), "| "+row.When+" |") {
			t.Errorf("/docs/escalation lacks %q", row.Step)
		}
	}
}

// Every block of claims in the page is a statement that the dry run finds nothing wrong with, one for each kind; and the guide tells
// each kind's sub_id as its schema does.
func TestEveryExampleOfAStatementIsAccepted(t *testing.T) {
	guide, err := Text("integrator")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(statements(), "\n## ")[1:]
	var kinds []statement.Kind
	for _, section := range sections {
		name, rest, _ := strings.Cut(section, "\n")
		kind := statement.Kind(name)
		kinds = append(kinds, kind)
		at := strings.Index(rest, "\n    {")
		claims := strings.ReplaceAll(rest[at:], "\n    ", "\n")
		seen := envelope.InspectClaims([]byte(strings.TrimSpace(claims)), envelope.Terms{Audience: "https://gateway.example",
			Now: time.Unix(1798761600, 0), MaxAge: time.Hour, MaxAhead: time.Minute})
		_, problems := statement.Inspect(seen.Claims)
		if !seen.Readable || len(seen.Problems) > 0 || len(problems) > 0 || seen.Claims.EventURI != kind.URI() {
			t.Errorf("%s: %v, %v", kind, seen.Problems, problems)
		}
		if !strings.Contains(rest, "It is about ") || strings.Contains(rest, "about . ") {
			t.Errorf("%s: whom it is about is not said: %s", kind, rest)
		}
		if must := seen.Claims.Subject.Format == "opaque"; must != strings.Contains(between(guide, "one of your customers (", ")"), "`"+name+"`") {
			t.Errorf("the guide says otherwise of sub_id in %s", kind)
		}
	}
	var wanted []statement.Kind
	for _, kind := range statement.Kinds() {
		if !kind.ByGateway() {
			wanted = append(wanted, kind)
		}
	}
	if !slices.Equal(kinds, wanted) {
		t.Errorf("examples of %v, wanted %v", kinds, wanted)
	}
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

func TestNoPageOutsideIsServed(t *testing.T) {
	for _, name := range []string{"../docs", "nothing", "", "decisions", "docs.go", "/etc/passwd"} {
		if _, err := Text(name); !errors.Is(err, problem.ErrNoSuchPage) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
