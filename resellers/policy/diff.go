package policy

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
)

// Change is one field in which two policies differ. A side that does not have the field is empty.
type Change struct {
	Field  string `json:"field"` // "case.cure.value"
	Before string `json:"before,omitzero"`
	After  string `json:"after,omitzero"`
}

// Diff returns what changes from a to b, ordered by field. Remarks and the order of a file are no change: what does not bear on a
// decision or its reasons is not compared.
func Diff(a, b Policy) []Change {
	before, after := flat(a), flat(b)
	var fields []string
	for field := range before {
		fields = append(fields, field)
	}
	for field := range after {
		if _, both := before[field]; !both {
			fields = append(fields, field)
		}
	}
	slices.Sort(fields)
	changes := []Change{}
	for _, field := range fields {
		if before[field] != after[field] {
			changes = append(changes, Change{Field: field, Before: before[field], After: after[field]})
		}
	}
	return changes
}

// Field is one value of a policy, in words.
type Field struct {
	Name  string `json:"field"`
	Value string `json:"value"`
}

// Fields returns all that a policy says, ordered by name.
func (p Policy) Fields() []Field {
	values := flat(p)
	fields := make([]Field, 0, len(values))
	for name, value := range values {
		fields = append(fields, Field{Name: name, Value: value})
	}
	slices.SortFunc(fields, func(a, b Field) int {
		if a.Name < b.Name {
			return -1
		}
		return 1 // no two have one name
	})
	return fields
}

// flat names each value of a policy by the way to it.
func flat(p Policy) map[string]string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("policy: a policy that cannot be written: %v", err)) // it holds nothing but text, numbers and lists
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		panic(fmt.Sprintf("policy: a policy that cannot be read back: %v", err))
	}
	values := map[string]string{}
	flatten("", tree, values)
	return values
}

func flatten(name string, tree any, values map[string]string) {
	switch tree := tree.(type) {
	case map[string]any:
		for member, below := range tree {
			flatten(wayTo(name, member), below, values)
		}
	case []any:
		named := false
		for _, item := range tree {
			if rule, is := item.(map[string]any); is {
				named = true
				own, _ := rule["name"].(string)
				flatten("rules."+own, item, values) // a custom rule, under the name that it has in the file
			}
		}
		if !named {
			values[name] = fmt.Sprint(tree)
		}
	default:
		values[name] = fmt.Sprint(tree)
	}
}

func wayTo(name, member string) string {
	if name == "" {
		return member
	}
	return name + "." + member
}
