package statement

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// What a schema says of one place in an event, in words for the engineer who wrote the event.

// part returns the schema of the value at path, nil if there is none.
func (s schema) part(path []string) map[string]any {
	part := s.document
	for _, step := range path {
		properties, _ := part["properties"].(map[string]any)
		next, ok := properties[step].(map[string]any)
		if !ok {
			next, _ = part["items"].(map[string]any)
		}
		part = s.resolve(next)
	}
	return part
}

// resolve follows a reference into the same file.
func (s schema) resolve(part map[string]any) map[string]any {
	reference, _ := part["$ref"].(string)
	name, ok := strings.CutPrefix(reference, "#/$defs/")
	if !ok {
		return part
	}
	definitions, _ := s.document["$defs"].(map[string]any)
	definition, _ := definitions[name].(map[string]any)
	return definition
}

// words says in a few words what a part of the schema asks for.
func (s schema) words(part map[string]any) string {
	if wanted, ok := part["x-wanted"].(string); ok {
		return wanted
	}
	if values, ok := part["enum"].([]any); ok {
		var quoted []string
		for _, v := range values {
			quoted = append(quoted, string(compact(v)))
		}
		return "one of " + strings.Join(quoted, ", ")
	}
	switch part["type"] {
	case "boolean":
		return "true or false"
	case "integer":
		return fmt.Sprintf("a whole number from %d to %d", part["minimum"], part["maximum"])
	case "array":
		return "a list"
	case "object":
		required, _ := part["required"].([]any)
		var names []string
		for _, name := range required {
			names = append(names, fmt.Sprint(name))
		}
		if len(names) > 5 {
			names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
		}
		return "an object with " + strings.Join(names, ", ")
	default:
		return "a text"
	}
}

// add says how to add what is missing.
func (s schema) add(path []string) string {
	return "Add " + strconv.Quote(path[len(path)-1]) + s.suchAs(path) + "."
}

// where says under which condition a member belongs there, empty if its schema has no `x-where`.
func (s schema) where(path []string, before string) string {
	if condition, ok := s.part(path)["x-where"].(string); ok {
		return before + condition + "."
	}
	return ""
}

// valueSuchAs says what to write instead of a value of another type.
func (s schema) valueSuchAs(path []string, part map[string]any) string {
	if example := s.example(path); example != "" {
		return "a value such as " + example
	}
	return s.words(part)
}

func (s schema) suchAs(path []string) string {
	if example := s.example(path); example != "" {
		return ", such as " + example
	}
	return ""
}

// example returns what stands at path in the first of the schema's examples that has it, if it is short enough to be
// read; empty otherwise.
func (s schema) example(path []string) string {
	examples, _ := s.document["examples"].([]any)
	for _, value := range examples {
		found := true
		for _, step := range path {
			switch at := value.(type) {
			case map[string]any:
				value, found = at[step]
			case []any:
				if found = len(at) > 0; found {
					value = at[0]
				}
			default:
				found = false
			}
			if !found {
				break
			}
		}
		if text := compact(value); found && len(text) <= 120 {
			return string(text)
		}
	}
	return ""
}

// closest returns the known name that name may be a slip of the pen for.
func closest(name string, known []string) string {
	plain := func(s string) string { return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(s)) }
	for _, k := range known {
		if distance(plain(name), plain(k)) <= 2 {
			return k
		}
	}
	return ""
}

// distance is how many letters to add, drop or change make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func article(jsonType string) string {
	switch jsonType {
	case "null":
		return "null"
	case "array", "object", "integer":
		return "an " + jsonType
	default:
		return "a " + jsonType
	}
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// compact writes a plain value as JSON, members in alphabetical order.
func compact(value any) []byte {
	text, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		panic("statement: " + err.Error()) // not reached: it was JSON
	}
	return text
}
