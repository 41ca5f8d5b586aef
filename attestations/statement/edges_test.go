package statement

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// place is one value in an event: the steps to it, and what the schema says of it.
type place struct {
	path []string
	part map[string]any
}

// placesIn returns every value in an event, the event itself first.
func placesIn(k Kind, event any) []place {
	var all []place
	var visit func(value any, path []string)
	visit = func(value any, path []string) {
		all = append(all, place{slices.Clone(path), schemas[k]().part(path)})
		switch value := value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(value)) {
				visit(value[name], append(path, name))
			}
		case []any:
			for i, item := range value {
				visit(item, append(path, strconv.Itoa(i)))
			}
		}
	}
	visit(event, nil)
	return all
}

// missing is what edited takes for no value.
type missing struct{}

// edited returns a copy of value with what stands at path replaced, or left out.
func edited(value any, path []string, by any) any {
	if len(path) == 0 {
		return by
	}
	switch value := value.(type) {
	case map[string]any:
		copied := maps.Clone(value)
		copied[path[0]] = edited(value[path[0]], path[1:], by)
		if copied[path[0]] == any(missing{}) {
			delete(copied, path[0])
		}
		return copied
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i >= len(value) {
			return value
		}
		copied := slices.Clone(value)
		if copied[i] = edited(value[i], path[1:], by); copied[i] == any(missing{}) {
			return slices.Delete(copied, i, i+1)
		}
		return copied
	default:
		return value
	}
}

// at returns what stands at path.
func at(value any, path []string) any {
	for _, step := range path {
		switch container := value.(type) {
		case map[string]any:
			value = container[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil {
				return nil
			}
			value = container[i]
		}
	}
	return value
}

// eachExample calls do for every example of a submission, as a plain value.
func eachExample(t *testing.T, do func(k Kind, event any)) {
	t.Helper()
	for _, k := range Kinds() {
		for _, example := range schemas[k]().examples {
			if value, err := anyOf(example); err != nil {
				t.Fatal(err)
			} else if forms[k].exact {
				do(k, value)
			}
		}
	}
}

func TestEveryMemberOfASubmissionStandsInAnExample(t *testing.T) {
	named := func(k Kind, name string, part map[string]any) string {
		return string(k) + ": " + name + ": " + part["description"].(string)
	}
	seen := map[string]bool{}
	eachExample(t, func(k Kind, event any) {
		for _, p := range placesIn(k, event)[1:] {
			seen[named(k, p.path[len(p.path)-1], p.part)] = true
		}
	})
	for _, k := range Kinds() {
		if !forms[k].exact {
			continue
		}
		walk(schemas[k]().document, "", func(_ string, part map[string]any) {
			properties, _ := part["properties"].(map[string]any)
			for name, p := range properties {
				if member := named(k, name, schemas[k]().resolve(p.(map[string]any))); !seen[member] {
					t.Errorf("%s: stands in no example", member)
				}
			}
		})
	}
}

// Every bound that a schema names is tried at its edge, at every place of every example.
func TestDecodeAndSchemaAgreeAtEveryBound(t *testing.T) {
	eachExample(t, func(k Kind, event any) {
		for _, p := range placesIn(k, event) {
			var tried []any
			if most, ok := p.part["maxLength"].(int64); ok {
				text := at(event, p.path).(string)
				longest := text + strings.Repeat("a", max(0, int(most)-len([]rune(text))))
				tried = append(tried, longest, longest+"a", "é"+longest[1:], "é"+longest)
			}
			if most, ok := p.part["maxItems"].(int64); ok {
				full := slices.Repeat(at(event, p.path).([]any)[:1], int(most))
				tried = append(tried, full, append(full, full[0]), full[:1], full[:0])
			}
			if most, ok := p.part["maximum"].(int64); ok {
				least := p.part["minimum"].(int64)
				tried = append(tried, most, most+1, least, least-1)
			}
			for _, value := range tried {
				agree(t, k, compact(edited(event, p.path, value)))
			}
		}
	})
}

// Every place takes the texts of every form, and every word of every list, or refuses them, by decode and schema alike.
func TestDecodeAndSchemaAgreeOnEveryFormAtEveryPlace(t *testing.T) {
	texts := map[string]bool{"x": true}
	for _, form := range textForms {
		for _, seed := range form.seeds {
			if len(seed) < 100 {
				texts[seed] = true
			}
		}
	}
	words := map[string]bool{"x": true, "": true}
	done := map[string]bool{}
	eachExample(t, func(k Kind, event any) {
		for _, p := range placesIn(k, event) {
			values, _ := p.part["enum"].([]any)
			for _, v := range values {
				words[v.(string)] = true
			}
		}
	})
	eachExample(t, func(k Kind, event any) {
		for _, p := range placesIn(k, event) {
			name := string(k) + "/" + strings.Join(slices.DeleteFunc(slices.Clone(p.path), isDigits), "/")
			if p.part["type"] != "string" || done[name] {
				continue
			}
			done[name] = true
			tried := texts
			if p.part["enum"] != nil {
				tried = words
			}
			for i, text := range slices.Sorted(maps.Keys(tried)) {
				if (i+len(done))%placeStride == 0 {
					agree(t, k, compact(edited(event, p.path, text)))
				}
			}
		}
	})
}

// Every condition is tried with the member that it is about there and not there: each word and each flag in an object that
// has conditions, with each other member of that object left out.
func TestDecodeAndSchemaAgreeOnEveryCondition(t *testing.T) {
	eachExample(t, func(k Kind, event any) {
		for _, object := range placesIn(k, event) {
			members, ok := at(event, object.path).(map[string]any)
			if !ok {
				continue
			}
			for name := range members {
				path := append(slices.Clone(object.path), name)
				agree(t, k, compact(edited(event, path, missing{})))
				values := valuesOf(schemas[k]().part(path))
				if object.part["allOf"] == nil {
					values = nil
				}
				for _, value := range values {
					one := edited(event, path, value)
					agree(t, k, compact(one))
					for other := range members {
						agree(t, k, compact(edited(one, append(slices.Clone(object.path), other), missing{})))
					}
				}
			}
		}
	})
}

// valuesOf returns every value that a part may have, if they can be listed.
func valuesOf(part map[string]any) []any {
	if part["type"] == "boolean" {
		return []any{true, false}
	}
	values, _ := part["enum"].([]any)
	return values
}
