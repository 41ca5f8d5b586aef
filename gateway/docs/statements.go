package docs

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/statement"
)

// subIDs says, for each value of a schema's x-sub-id, whom a statement is about.
var subIDs = map[string]string{
	"none":           "yourself: leave `sub_id` out",
	"opaque":         "one customer: `sub_id` names it, by an id of your own",
	"opaque-or-none": "a customer, if one is known: `sub_id` names it, or is left out",
}

// statements prints every event type with the claims of its smallest example, from the schemas that judge them.
func statements() string {
	var b strings.Builder
	b.WriteString(`# Every statement, by example

The claims of one whole statement of each type, the smallest that is accepted. Replace ` + "`iss`, `aud`, `iat` and `jti`" + ` by your own, sign
it ([how](/docs/integrator)), and push it. Unsigned, they can be tried out:

    curl -H 'Content-Type: application/json' --data-binary @claims.json GATEWAY/events/validate

Which members an event may have besides, and where each comes from, is in its schema; its further ` + "`examples`" + ` show them in use.
`)
	for _, kind := range statement.Kinds() {
		if kind.ByGateway() {
			continue
		}
		schema := jsontext.Value(statement.Schema(kind))
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\nIt is about %s. [Schema](/schemas/%s.v1.json)\n\n", kind, memberOf(schema, "description"), subIDs[memberOf(schema, "x-sub-id")], kind)
		for line := range strings.Lines(claimsOf(kind, memberOf(schema, "x-sub-id") == "opaque")) {
			b.WriteString("    " + line)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// claimsOf are the claims of a kind's smallest example.
func claimsOf(kind statement.Kind, customer bool) string {
	about := ""
	if customer {
		about = ` "sub_id": {"format": "opaque", "id": "customer-1"},`
	}
	claims := jsontext.Value(fmt.Sprintf(`{"iss": "https://reseller.example", "aud": "https://gateway.example", "iat": 1798761600, "jti": "0190f0a0-0000-7000-8000-000000000001",%s "events": {%q: %s}}`,
		about, kind.URI(), statement.Example(kind)))
	// The examples are part of the program, and its tests read each.
	_ = claims.Indent(jsontext.WithIndent("  "))
	return string(claims)
}

// memberOf reads a text that a schema has at its top.
func memberOf(schema jsontext.Value, name string) string {
	from := jsontext.NewDecoder(bytes.NewReader(schema))
	if _, err := from.ReadToken(); err != nil {
		return ""
	}
	for from.PeekKind() == '"' {
		key, err := from.ReadToken()
		if err != nil {
			return ""
		}
		if key.String() == name && from.PeekKind() == '"' {
			text, err := from.ReadToken()
			if err != nil {
				return ""
			}
			return text.String()
		}
		if err := from.SkipValue(); err != nil {
			return ""
		}
	}
	return ""
}
