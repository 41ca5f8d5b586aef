package audit

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	provider = "https://provider.example"
	entity   = "https://provider.example/e/1"
	oneDay   = 24 * time.Hour
)

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// book is a ledger that is written by hand.
type book struct {
	t        *testing.T
	text     string
	entries  []Entry
	policies int
}

func newBook(t *testing.T) *book {
	t.Helper()
	text, err := os.ReadFile("../../../resellers/policy/us-iaas-2024.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return &book{t: t, text: string(text)}
}

func (b *book) add(day int, about, by, jti, kind, said string) {
	at := begin.Add(time.Duration(day) * oneDay)
	e := Entry{Leaf: int64(len(b.entries)), AcceptedAt: at, About: about, By: by, JTI: jti, Kind: kind, JSON: []byte(said)}
	if kind == "account-status" {
		e.Customer = "c"
	}
	b.entries = append(b.entries, e)
}

// activate puts the shipped policy in force with one rule, its time and its severity.
func (b *book) activate(day int, rule, after, severity string) {
	b.policies++
	text := regexp.MustCompile(`(?m)^version: .*$`).ReplaceAllString(b.text, fmt.Sprintf("version: 9%d", b.policies))
	text = strings.ReplaceAll(text, "    on: true\n", "    on: false\n")
	before, rest, found := strings.Cut(text, "\n  "+rule+":\n    on: false\n")
	if !found {
		b.t.Fatalf("the shipped policy has no rule %s that is on", rule)
	}
	rest = regexp.MustCompile(`value: \S+`).ReplaceAllString(rest[:60], "value: "+after) + rest[60:]
	rest = strings.Replace(rest, "severity: serious", "severity: "+severity, 1)
	text = before + "\n  " + rule + ":\n    on: true\n" + rest
	b.add(day, provider, provider, fmt.Sprint("activated-", b.policies), "policy-activated",
		fmt.Sprintf(`{"policy":"us-iaas-2024.9%d","document":%q}`, b.policies, text))
}

// decide states what was decided on a day, upon the entry about the entity that stands last.
func (b *book) decide(day int, jti, kind, said string) {
	seen := int64(-1)
	for _, e := range b.entries {
		if e.About == entity && !(decides(e) && e.AcceptedAt.Equal(begin.Add(time.Duration(day)*oneDay))) {
			seen = e.Leaf
		}
	}
	b.add(day, entity, provider, jti, kind, fmt.Sprintf(`{"basis":{"policy":"us-iaas-2024.9%d","seen":%d,"now":%q},%s}`, b.policies, seen, on(day), said))
}

func on(day int) string { return begin.Add(time.Duration(day) * oneDay).Format(time.RFC3339) }

func (b *book) violations() string {
	var words []string
	for _, v := range New(provider, nil).Check(b.entries, nil) {
		words = append(words, v.String())
	}
	return strings.Join(words, "\n")
}

func TestALimitThatBeginsBeforeItsPolicyIsFound(t *testing.T) {
	for limit, wanted := range map[int]string{430: "", 60: "the warning says that the limit is", 429: "the warning says that the limit is"} {
		b := newBook(t)
		b.activate(-1, "customer.unverified", "30d", "serious")
		b.add(0, entity, provider, "enrolled", "entity-enrolled", `{}`)
		b.activate(400, "cip.missing", "30d", "serious")
		b.decide(400, "f", "finding-opened", fmt.Sprintf(`"finding":"m","rule":"cip.missing","severity":"serious","since":%q,"opened":%q,"evidence":[1],"case":"f"`, on(30), on(400)))
		b.decide(400, identity(entity, []string{"warning-issued", "f"}), "warning-issued",
			fmt.Sprintf(`"case":"f","findings":["m"],"evidence":[{"entry":1}],"cure_by":%q,"limit_at":%q`, on(min(414, max(403, limit-5))), on(limit)))
		b.decide(400, "s", "standing-changed", `"number":1,"before":"pending","after":"warned","why":"w"`)
		if got := b.violations(); (wanted == "") != (got == "") || !strings.Contains(got, wanted) {
			t.Errorf("limit on day %d: %q, wanted %q", limit, got, wanted)
		}
	}
}

func TestWhatAnAppealFoundWrongIsFoundIfAnotherPolicyOpensItAgain(t *testing.T) {
	for _, again := range []bool{false, true} {
		b := newBook(t)
		b.activate(-1, "customer.unverified", "30d", "minor")
		b.add(0, entity, provider, "enrolled", "entity-enrolled", `{}`)
		b.add(0, entity, entity, "opened", "account-status", `{"account":"a","status":"opened","on":"2026-01-01"}`)
		b.decide(30, "f", "finding-opened", fmt.Sprintf(`"finding":"m","rule":"customer.unverified","severity":"minor","since":%q,"opened":%q,"evidence":[2]`, on(30), on(30)))
		b.decide(30, "s", "standing-changed", `"number":1,"before":"pending","after":"watch","why":"w"`)
		b.add(31, entity, entity, "answer", "remediation", `{"kind":"dispute","finding":"m","ground":"false-positive"}`)
		b.activate(40, "customer.unverified", "20d", "serious")
		b.add(600, entity, provider, "appeal", "appeal-decided", `{"remediation":"answer","finding":"m","decision":"upheld","by":{"id":"o-1"}}`)
		b.decide(600, "c", "finding-cured", `"finding":"m","rule":"customer.unverified","cured_by":7`)
		if again {
			b.decide(600, "g", "finding-opened", fmt.Sprintf(`"finding":"n","rule":"customer.unverified","severity":"serious","since":%q,"opened":%q,"evidence":[2],"case":"g"`, on(20), on(600)))
		}
		b.decide(600, "t", "standing-changed", `"number":2,"before":"watch","after":"pending","why":"w"`)
		got := b.violations()
		if again != (got != "") || again && !strings.Contains(got, "finding n") {
			t.Errorf("opened again %t: %q", again, got)
		}
	}
}
