package statement

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// Each example of a submission, as other senders would write it.
func TestAStatementIsReadAlikeHoweverItIsWritten(t *testing.T) {
	eachExactExample(func(k Kind, example jsontext.Value) {
		want, err := forms[k].decode(example)
		if err != nil {
			t.Fatalf("%s: %s: %v", k, example, err)
		}
		spaced := example.Clone()
		if err := spaced.Indent(jsontext.WithIndent("\t"), jsontext.WithIndentPrefix("  ")); err != nil {
			t.Fatal(err)
		}
		for how, written := range map[string][]byte{
			"with spaces":       spaced,
			"with \\r":          []byte("\r\n" + strings.ReplaceAll(string(spaced), "\n", " \r\n ") + " \r\n"),
			"in escapes":        inEscapes(t, example),
			"in escapes, apart": inEscapes(t, spaced),
		} {
			got, err := forms[k].decode(written)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: %s\ngot  %+v, %v\nwant %+v", k, how, written, got, err, want)
			}
		}
	})
}

// The envelope lets nothing through that is not JSON. If something did, no statement may come of it, and no panic.
func TestOfPartOfAStatementNothingIsRead(t *testing.T) {
	eachExactExample(func(k Kind, example jsontext.Value) {
		for _, whole := range [][]byte{example, inEscapes(t, example)} {
			for end := range whole {
				if s, err := forms[k].decode(whole[:end]); err == nil {
					t.Errorf("%s: %s was read as %+v", k, whole[:end], s)
				}
			}
			for _, behind := range []string{",", "}", "x", `"`, "{}"} {
				if s, err := forms[k].decode(append(whole[:len(whole):len(whole)], behind...)); err == nil {
					t.Errorf("%s: %s%s was read as %+v", k, whole, behind, s)
				}
			}
		}
	})
}

func eachExactExample(do func(k Kind, example jsontext.Value)) {
	for _, k := range kinds {
		for _, example := range schemas[k]().examples {
			if forms[k].exact {
				do(k, example)
			}
		}
	}
}

// inEscapes writes every character of every string as an escape. Of escapes it knows that of a new line.
func inEscapes(t *testing.T, value jsontext.Value) []byte {
	t.Helper()
	var to strings.Builder
	inString := false
	const newLine = 0xe000 // of no meaning, so that it stands in no example
	for _, c := range strings.ReplaceAll(string(value), `\n`, string(rune(newLine))) {
		switch {
		case c == '\\' || c > 0xffff:
			t.Fatalf("%s: this test knows no other escape than of a new line", value)
		case c == '"':
			inString = !inString
			to.WriteRune(c)
		case c == newLine:
			to.WriteString(`\u000a`)
		case inString:
			fmt.Fprintf(&to, `\u%04x`, c)
		default:
			to.WriteRune(c)
		}
	}
	return []byte(to.String())
}
