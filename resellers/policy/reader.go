package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Fault is one thing that is wrong with a policy file, for the person who wrote it.
type Fault struct {
	Line, Column int    // where, counted from 1
	Field        string // "case.limit.value"; empty if the file is not YAML at all
	Wanted       string
	Got          string
}

func (f *Fault) Error() string {
	where := fmt.Sprintf("line %d, column %d", f.Line, f.Column)
	if f.Field != "" {
		where += ", " + f.Field
	}
	return fmt.Sprintf("%s: wanted %s, got %s", where, f.Wanted, f.Got)
}

// reader walks the syntax tree of a file and gathers every fault, so that a file is mended in one go. It is stricter
// than decoding into structs: each field must be there, once, in plain form (no anchors, aliases, tags or merges), since
// a number that silently became zero would terminate everybody at once.
type reader struct{ faults []error }

// value is a node with the name of the field it is the value of.
type value struct {
	node  ast.Node
	field string
}

func (r *reader) fault(at value, wanted, got string) {
	f := &Fault{Line: 1, Column: 1, Field: at.field, Wanted: wanted, Got: got}
	if token := tokenOf(at.node); token != nil {
		f.Line, f.Column = token.Position.Line, token.Position.Column
	}
	r.faults = append(r.faults, f)
}

// tokenOf returns where a node begins. The token of a mapping is its first colon, that of its first key says more.
func tokenOf(node ast.Node) *token.Token {
	if mapping, ok := node.(*ast.MappingNode); ok && len(mapping.Values) > 0 {
		return mapping.Values[0].Key.GetToken()
	}
	if node == nil {
		return nil
	}
	return node.GetToken()
}

// document parses the bytes as one YAML document.
func (r *reader) document(file []byte) (value, bool) {
	tree, err := parser.ParseBytes(file, 0)
	if err != nil {
		f := &Fault{Line: 1, Column: 1, Wanted: "a YAML file", Got: firstLine(err.Error())}
		var syntax yaml.Error
		if errors.As(err, &syntax) && syntax.GetToken() != nil {
			position := syntax.GetToken().Position
			f.Line, f.Column, f.Got = position.Line, position.Column, syntax.GetMessage()
		}
		r.faults = append(r.faults, f)
		return value{}, false
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		got := fmt.Sprintf("%d documents", len(tree.Docs))
		if len(tree.Docs) <= 1 {
			got = "an empty file"
		}
		r.fault(value{}, "one YAML document", got)
		return value{}, false
	}
	return value{node: tree.Docs[0].Body}, true
}

// object reads a mapping that has exactly these fields, and returns their values in the same order. A field that is not
// there is a fault and a value without a node, about which the readers below are silent.
func (r *reader) object(v value, fields ...string) []value {
	values := make([]value, len(fields))
	for i, name := range fields {
		values[i].field = strings.TrimPrefix(v.field+"."+name, ".")
	}
	if v.node == nil {
		return values
	}
	mapping, ok := v.node.(*ast.MappingNode)
	if !ok {
		r.fault(v, "a mapping of "+strings.Join(fields, ", "), describe(v.node))
		return values
	}
	for _, pair := range mapping.Values {
		name, plain := pair.Key.(*ast.StringNode)
		at := value{node: pair.Key, field: v.field}
		i := -1
		if plain {
			i = indexOf(fields, name.Value)
			at.field = strings.TrimPrefix(v.field+"."+name.Value, ".")
		}
		switch {
		case i < 0:
			r.fault(at, "one of the fields "+strings.Join(fields, ", "), describe(pair.Key)+", which is none of them")
		case values[i].node != nil: // the parser refuses this too; a second value must never win
			r.fault(at, "each field once", "it a second time")
		default:
			values[i].node = pair.Value
		}
	}
	for _, missing := range values {
		if missing.node == nil {
			r.fault(value{node: v.node, field: missing.field}, "this field", "nothing: it is missing")
		}
	}
	return values
}

func (r *reader) text(v value) string {
	switch node := v.node.(type) {
	case nil:
		return ""
	case *ast.StringNode:
		if s := strings.TrimSpace(node.Value); s != "" {
			return s
		}
	case *ast.LiteralNode:
		if s := strings.TrimSpace(node.Value.Value); s != "" {
			return s
		}
	}
	r.fault(v, "text", describe(v.node))
	return ""
}

func (r *reader) word(v value, words ...string) string {
	if v.node == nil {
		return ""
	}
	if node, ok := v.node.(*ast.StringNode); ok && indexOf(words, node.Value) >= 0 {
		return node.Value
	}
	r.fault(v, "one of "+strings.Join(words, ", "), describe(v.node))
	return ""
}

func (r *reader) boolean(v value) bool {
	switch node := v.node.(type) {
	case nil:
	case *ast.BoolNode:
		return node.Value
	default:
		r.fault(v, "true or false", describe(v.node))
	}
	return false
}

func (r *reader) count(v value) int {
	switch node := v.node.(type) {
	case nil:
		return 0
	case *ast.IntegerNode:
		if n, ok := node.Value.(uint64); ok && n >= 1 && n <= 1_000_000 {
			return int(n)
		}
	}
	r.fault(v, "a whole number from 1 to 1000000", describe(v.node))
	return 0
}

func (r *reader) duration(v value) Duration {
	if v.node == nil {
		return 0
	}
	wanted := "a duration with its unit, such as 30d or 72h"
	node, ok := v.node.(*ast.StringNode)
	if !ok {
		r.fault(v, wanted, describe(v.node))
		return 0
	}
	d, err := ParseDuration(node.Value)
	switch {
	case err != nil:
		r.fault(v, wanted+", at most "+longest.String(), describe(v.node))
	case d <= 0:
		r.fault(v, "a duration longer than nothing", describe(v.node))
	}
	return d
}

func indexOf(words []string, word string) int {
	for i, w := range words {
		if w == word {
			return i
		}
	}
	return -1
}

// describe says what stands in the file, short enough for one line.
func describe(node ast.Node) string {
	switch node := node.(type) {
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.LiteralNode:
		return shorten(node.Value.Value)
	case *ast.StringNode:
		return shorten(node.Value)
	}
	return shorten(node.String())
}

func shorten(s string) string {
	s = firstLine(strings.TrimSpace(s))
	if runes := []rune(s); len(runes) > 60 {
		s = string(runes[:60]) + "..."
	}
	return fmt.Sprintf("%q", s)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
