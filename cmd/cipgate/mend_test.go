package main

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// broken is a push that is wrong in one way.
type broken struct {
	forge
	header http.Header
}

func (b broken) member(name string, value any) broken {
	b.forge = b.event(name, value)
	return b
}

func (b broken) part(part, name string, value any) broken {
	b.forge = b.with(part, name, value)
	return b
}

// reader knows nothing of cipgate: only how to do what a refusal's text says to do. Each rule reads an instruction and what
// it names, and does that and no more.
var reader = []struct {
	says *regexp.Regexp
	does func(b broken, named []string) broken
}{
	{regexp.MustCompile(`Set (\w+) in the header to ([\w+]+)\.`), func(b broken, n []string) broken { return b.part("header", n[1], n[2]) }},
	{regexp.MustCompile(`Remove (\w+) from the header`), func(b broken, n []string) broken { return b.part("header", n[1], nil) }},
	{regexp.MustCompile(`Remove (exp|nbf|sub)\. `), func(b broken, n []string) broken { return b.part("claims", n[1], nil) }},
	{regexp.MustCompile(`wanted ("[^"]+"), .*Set (\w+) to the gateway's entity identifier, letter by letter as it stands here`),
		func(b broken, n []string) broken { return b.part("claims", n[2], unquoted(n[1])) }},
	{regexp.MustCompile(`Divide by 1000: (\w+) counts seconds`), func(b broken, n []string) broken {
		return b.part("claims", n[1], b.claims[n[1]].(int64)/1000)
	}},
	{regexp.MustCompile(`it is (\S+) here, .*Sign the statement again with the present time as (\w+)\.`), func(b broken, n []string) broken {
		now, err := time.Parse(time.RFC3339, n[1])
		if err != nil {
			b.t.Fatal(err)
		}
		return b.part("claims", n[2], now.Unix())
	}},
	{regexp.MustCompile(`Write the name as (\w+)\. Letter case counts`), func(b broken, n []string) broken {
		for name, value := range b.claims {
			if strings.EqualFold(name, n[1]) {
				return b.part("claims", name, nil).part("claims", n[1], value)
			}
		}
		return b
	}},
	{regexp.MustCompile(`Add "(\w+)", such as (.+?)\. (?:It is required|The schema|One more)`), func(b broken, n []string) broken {
		var value any
		if err := json.Unmarshal([]byte(n[2]), &value); err != nil {
			b.t.Fatalf("%s: %v", n[2], err)
		}
		return b.member(n[1], value)
	}},
	{regexp.MustCompile(`got "(\w+)"\. Did you mean "(\w+)"\?`), func(b broken, n []string) broken {
		value := eventOf(b.forge)[n[1]]
		event := maps.Clone(eventOf(b.forge))
		delete(event, n[1])
		event[n[2]] = value
		return b.part("claims", "events", map[string]any{statement.KindCIPAttestation.URI(): event})
	}},
	{regexp.MustCompile(`/(\w+): wanted one of ("[^"]+").*Write one of them letter by letter`), func(b broken, n []string) broken {
		return b.member(n[1], unquoted(n[2]))
	}},
	{regexp.MustCompile(`Use a new jti for a new statement`), func(b broken, _ []string) broken { b.forge = b.fresh(); return b }},
	{regexp.MustCompile(`Put one event into each token`), func(b broken, _ []string) broken {
		return b.part("claims", "events", map[string]any{statement.KindCIPAttestation.URI(): eventOf(b.forge)})
	}},
	{regexp.MustCompile(`Set the header ([\w-]+): (\S+)$`), func(b broken, n []string) broken {
		b.header = http.Header{n[1]: {n[2]}}
		return b
	}},
	{regexp.MustCompile(`(Content-Encoding): wanted none`), func(b broken, n []string) broken {
		b.header = b.header.Clone()
		b.header.Del(n[1])
		return b
	}},
}

func unquoted(text string) string {
	plain, err := strconv.Unquote(text)
	if err != nil {
		panic(err)
	}
	return plain
}

func eventOf(f forge) map[string]any {
	return f.claims["events"].(map[string]any)[statement.KindCIPAttestation.URI()].(map[string]any)
}

func TestWhoReadsOneRefusalAloneCanMendTheStatement(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		f := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
		good := func() broken { return broken{forge: f.fresh(), header: asSET.Clone()} }
		used := good()
		if response, text := g.do(http.MethodPost, "/events", used.header, []byte(used.signed())); response.StatusCode != http.StatusAccepted {
			t.Fatalf("%d %s", response.StatusCode, text)
		}
		compressed := good()
		compressed.header.Set("Content-Encoding", "gzip")
		untyped := good()
		untyped.header = http.Header{"Content-Type": {"application/jwt"}}
		now := g.clock.Now()
		rules := map[int]bool{}
		for name, b := range map[string]broken{
			"typ of another token":     good().part("header", "typ", "JWT"),
			"crit":                     good().part("header", "crit", []string{"x"}),
			"exp":                      good().part("claims", "exp", now.Add(time.Hour).Unix()),
			"sub":                      good().part("claims", "sub", "x"),
			"another audience":         good().part("claims", "aud", g.base+"/"),
			"milliseconds":             good().part("claims", "iat", now.UnixMilli()),
			"signed long ago":          good().part("claims", "iat", now.Add(-40*24*time.Hour).Unix()),
			"a claim in another case":  good().part("claims", "jti", nil).part("claims", "JTI", "x-1"),
			"a member left out":        good().member("basis", nil),
			"a member misspelled":      good().member("agreement_id", nil).member("agreementid", "MSA-2025-014"),
			"a value that is not one":  good().member("occasion", "sometimes"),
			"a jti used before":        {forge: used.event("attested_on", "2025-01-14"), header: asSET.Clone()},
			"two events":               good().part("claims", "events", map[string]any{statement.KindCIPAttestation.URI(): attestation(), "urn:example:x": map[string]any{}}),
			"another media type":       untyped,
			"a body that says it zips": compressed,
		} {
			response, text := g.do(http.MethodPost, "/events", b.header, []byte(b.signed()))
			if response.StatusCode < 400 {
				t.Errorf("%s was not refused: %d", name, response.StatusCode)
				continue
			}
			var told struct {
				Description string `json:"description"`
			}
			if err := json.Unmarshal([]byte(text), &told); err != nil {
				t.Fatal(err)
			}
			rule := slices.IndexFunc(reader, func(r struct {
				says *regexp.Regexp
				does func(broken, []string) broken
			}) bool {
				return r.says.MatchString(told.Description)
			})
			if rule < 0 {
				t.Errorf("%s: a reader does not know what to do: %s", name, told.Description)
				continue
			}
			rules[rule] = true
			mended := reader[rule].does(b, reader[rule].says.FindStringSubmatch(told.Description))
			if response, text := g.do(http.MethodPost, "/events", mended.header, []byte(mended.signed())); response.StatusCode != http.StatusAccepted {
				t.Errorf("%s: told %q, did that, and got %d %s", name, told.Description, response.StatusCode, text)
			}
		}
		if len(rules) < 10 {
			t.Errorf("only %d kinds of refusal were tried", len(rules))
		}
	})
}
