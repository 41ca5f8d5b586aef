package statement

import (
	"bytes"
	"embed"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed schemas/*.json
var embedded embed.FS

// Schemas returns the JSON Schemas as they are served: one file NAME.v1.json for each kind.
func Schemas() fs.FS {
	folder, err := fs.Sub(embedded, "schemas")
	if err != nil {
		panic("statement: " + err.Error()) // not reached: the name is valid
	}
	return folder
}

// Schema returns the JSON Schema (2020-12) of a kind, nil if it is unknown. Its `examples` are complete events, the
// smallest first; `x-sub-id` says what sub_id must be: the customer by an opaque id ("opaque"), that or nothing
// ("opaque-or-none"), an entity ("uri"), or nothing ("none"). Where nothing is, the issuer itself is too.
func Schema(k Kind) []byte {
	text, err := embedded.ReadFile("schemas/" + fileName(k))
	if err != nil {
		return nil
	}
	return text
}

// Example returns the smallest complete event of a kind, nil if it is unknown.
func Example(k Kind) []byte {
	if _, known := forms[k]; !known {
		return nil
	}
	return bytes.Clone(schemas[k]().examples[0])
}

func fileName(k Kind) string { return string(k) + ".v1.json" }

// schema is one file, compiled to judge and kept as it stands to word what was judged.
type schema struct {
	compiled *jsonschema.Schema
	document map[string]any
	examples []jsontext.Value
}

// schemas are compiled one by one, each when it is first asked: all of them together take more than everything else that a command does
// when it starts, and what a program meets is a few.
var schemas = func() map[Kind]func() schema {
	all := make(map[Kind]func() schema, len(kinds))
	for _, k := range kinds {
		all[k] = sync.OnceValue(func() schema { return compile(k) })
	}
	return all
}()

// compile panics where a schema is wrong, which is a fault of the build and found by the first test that asks each.
func compile(k Kind) schema {
	document, err := anyOf(Schema(k))
	if err != nil {
		panic("statement: schema of " + string(k) + ": " + err.Error())
	}
	object := document.(map[string]any)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.UseRegexpEngine(compileOnce())
	if err := compiler.AddResource(object["$id"].(string), document); err != nil {
		panic("statement: schema of " + string(k) + ": " + err.Error())
	}
	return schema{compiled: compiler.MustCompile(object["$id"].(string)), document: object, examples: examplesIn(Schema(k))}
}

// compileOnce returns a maker of regular expressions that makes each once: members of one form share theirs, and making them is
// most of the cost.
func compileOnce() jsonschema.RegexpEngine {
	made := map[string]jsonschema.Regexp{}
	return func(pattern string) (jsonschema.Regexp, error) {
		if known, ok := made[pattern]; ok {
			return known, nil
		}
		expression, err := regexp.Compile(pattern)
		if err != nil {
			return nil, err
		}
		made[pattern] = expression
		return expression, nil
	}
}

// examplesIn returns a schema's examples with their members in the order in which they were written.
func examplesIn(text []byte) []jsontext.Value {
	var document struct {
		Examples []jsontext.Value `json:"examples"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		panic("statement: the examples of a schema: " + err.Error())
	}
	for i := range document.Examples {
		if err := document.Examples[i].Compact(); err != nil {
			panic("statement: the examples of a schema: " + err.Error())
		}
	}
	return document.Examples
}

// anyOf reads JSON into maps, slices and plain values, as the schema library takes them. A number becomes an int64 if
// it is whole, however it is spelled, and otherwise a stand-in that is not whole or out of every bound: the library
// computes with exact fractions, and 1e999999 would cost it a megabyte, 1e9999999 a panic.
func anyOf(text []byte) (any, error) {
	from := jsontext.NewDecoder(bytes.NewBuffer(text))
	value, err := anyFrom(from)
	if err != nil {
		return nil, err
	}
	if _, err := from.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errForm // something follows
	}
	return value, nil
}

func anyFrom(from *jsontext.Decoder) (any, error) {
	if from.PeekKind() == '0' {
		number, err := from.ReadValue()
		if err != nil {
			return nil, err
		}
		return standIn(string(number)), nil
	}
	t, err := from.ReadToken()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return t.Bool(), nil
	case '"':
		return t.String(), nil
	case '[':
		items := []any{}
		for from.PeekKind() != ']' {
			item, err := anyFrom(from)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		_, err := from.ReadToken() // the bracket
		return items, err
	default:
		object := map[string]any{}
		for from.PeekKind() != '}' {
			name, err := from.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String()
			if object[key], err = anyFrom(from); err != nil {
				return nil, err
			}
		}
		_, err := from.ReadToken() // the brace
		return object, err
	}
}

func standIn(number string) any {
	n, form := wholeNumber(number)
	switch {
	case form == whole:
		return n
	case form == fraction:
		return 0.5
	case number[0] == '-':
		return -1e30
	default:
		return 1e30
	}
}
