package policy

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Fault is one thing that is wrong with a policy file, for the person who wrote it.
type Fault struct {
	Line   int    `json:"line"` // where, counted from 1
	Column int    `json:"column"`
	Field  string `json:"field,omitzero"` // "case.limit.value"; empty if the file is not YAML at all
	Wanted string `json:"wanted"`
	Got    string `json:"got"`
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
type reader struct {
	faults  []error
	earlier bool // the file may lack what policy files got since it was written
}

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
func (r *reader) object(v value, fields ...string) []value { return r.grown(v, fields) }

// grown is object for a mapping that got more fields in a later version of this program: an earlier file may lack those.
func (r *reader) grown(v value, fields []string, since ...string) []value {
	values, _ := r.pick(v, "", append(fields[:len(fields):len(fields)], since...))
	if _, mapping := v.node.(*ast.MappingNode); !mapping {
		return values
	}
	for i, missing := range values {
		if missing.node == nil && !(r.earlier && i >= len(fields)) {
			r.fault(value{node: v.node, field: missing.field}, "this field", "nothing: it is missing")
		}
	}
	return values
}

// optional is object for a mapping that may leave the fields behind the first ones out.
func (r *reader) optional(v value, fields []string, may ...string) []value {
	values, _ := r.pick(v, "", append(fields[:len(fields):len(fields)], may...))
	if _, mapping := v.node.(*ast.MappingNode); mapping {
		for _, missing := range values[:len(fields)] {
			if missing.node == nil {
				r.fault(value{node: v.node, field: missing.field}, "this field", "nothing: it is missing")
			}
		}
	}
	return values
}

// named reads a mapping that may have any of these fields, and others whose name begins with the prefix: those are returned in the
// order of the file.
func (r *reader) named(v value, prefix string, fields ...string) (values, others []value) {
	return r.pick(v, prefix, fields)
}

// pick finds the values of fields. One that is not there has no node.
func (r *reader) pick(v value, prefix string, fields []string) (values, others []value) {
	values = make([]value, len(fields))
	for i, name := range fields {
		values[i].field = strings.TrimPrefix(v.field+"."+name, ".")
	}
	if v.node == nil {
		return values, nil
	}
	mapping, ok := v.node.(*ast.MappingNode)
	if !ok {
		r.fault(v, "a mapping of "+strings.Join(fields, ", "), describe(v.node))
		return values, nil
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
		case i < 0 && plain && prefix != "" && strings.HasPrefix(name.Value, prefix):
			others = append(others, value{node: pair.Value, field: at.field}) // the parser refuses the same name twice
		case i < 0:
			r.fault(at, "one of the fields "+strings.Join(fields, ", ")+anyOf(prefix), describe(pair.Key)+", which is none of them")
		case values[i].node != nil: // the parser refuses this too; a second value must never win
			r.fault(at, "each field once", "it a second time")
		default:
			values[i].node = pair.Value
		}
	}
	return values, others
}

func anyOf(prefix string) string {
	if prefix == "" {
		return ""
	}
	return ", or one that begins with " + prefix
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

// names reads a list of names of fields, each once: small letters, digits and underscores, as the schema of a statement asks.
// An empty list is written [].
func (r *reader) names(v value) []string {
	if v.node == nil {
		return nil
	}
	list, ok := v.node.(*ast.SequenceNode)
	if !ok {
		r.fault(v, "a list of names, or []", describe(v.node))
		return nil
	}
	var names []string
	for _, item := range list.Values {
		at := value{node: item, field: v.field}
		name := r.text(at)
		if name == "" {
			continue
		}
		if !fieldName.MatchString(name) || indexOf(names, name) >= 0 {
			r.fault(at, "a name of small letters, digits and underscores, such as customer_name, and each once", describe(item))
			continue
		}
		names = append(names, name)
	}
	return names
}

var fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

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

// durations reads a list of durations, each shorter than the one before.
func (r *reader) durations(v value) []Duration {
	var all []Duration
	for _, item := range r.list(v, 20, "a list of 1 to 20 durations, such as [60d, 30d, 7d]") {
		d := r.duration(item)
		if n := len(all); n > 0 && d >= all[n-1] {
			r.fault(item, "the longest first", describe(item.node))
		}
		all = append(all, d)
	}
	return all
}

// list reads a list of at least one and at most so many values.
func (r *reader) list(v value, most int, wanted string) []value {
	if v.node == nil {
		return nil
	}
	list, ok := v.node.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 || len(list.Values) > most {
		r.fault(v, wanted, describe(v.node))
		return nil
	}
	items := make([]value, len(list.Values))
	for i, node := range list.Values {
		items[i] = value{node: node, field: v.field}
	}
	return items
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
