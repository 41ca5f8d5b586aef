package statement

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// read decodes the event of a kind, or says by the kind's schema what is wrong with it.
func read(k Kind, event []byte) (Statement, error) {
	s, err := forms[k].decode(event)
	if err == nil && forms[k].exact {
		return s, nil
	}
	value, notJSON := anyOf(event)
	if notJSON != nil {
		return nil, fault(k, "strict JSON (RFC 8259, I-JSON)", "another text", "Write it with a JSON library.")
	}
	if refusal := schemas[k]().refuse(k, value); refusal != nil {
		return nil, refusal
	}
	if err == nil {
		return s, nil
	}
	// The schema lets it pass: 2.0 is a whole number to it, and not to the library. FuzzDecodeAgreesWithSchema holds that
	// there is no other case.
	if s, err = forms[k].decode(compact(value)); err != nil {
		return nil, fault(k, "a value that the schema describes", "another", "Compare it with the examples of /schemas/"+fileName(k)+".")
	}
	return s, nil
}

// refuse returns the first of what the schema finds wrong, nil if nothing is.
func (s schema) refuse(k Kind, value any) error {
	var invalid *jsonschema.ValidationError
	if !errors.As(s.compiled.Validate(value), &invalid) {
		return nil
	}
	problems := s.problems(invalid)
	first := problems[0]
	more := ""
	if n := len(problems) - 1; n == 1 {
		more = " One more member needs work."
	} else if n > 1 {
		more = fmt.Sprintf(" %d more members need work.", n)
	}
	return fault(k, first.wanted, first.got, first.fix+more+" The schema is /schemas/"+fileName(k)+".", first.path...)
}

// problem is one thing that the schema finds wrong. What it says comes from the schema and from the shape of the
// value, never from the value: that may be a person's.
type problem struct {
	path             []string
	wanted, got, fix string
	unknown          bool // a member that the schema does not know
}

// problems returns all that is wrong in an order that does not change: unknown members first, since a misspelled one
// explains the one that is missing, then by place.
func (s schema) problems(invalid *jsonschema.ValidationError) []problem {
	var all []problem
	var gather func(*jsonschema.ValidationError)
	gather = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			all = append(all, s.problemsOf(e)...)
		}
		for _, cause := range e.Causes {
			gather(cause)
		}
	}
	gather(invalid)
	slices.SortStableFunc(all, func(a, b problem) int {
		if a.unknown != b.unknown {
			if a.unknown {
				return -1
			}
			return 1
		}
		return cmp.Or(slices.Compare(a.path, b.path), strings.Compare(a.wanted, b.wanted))
	})
	return slices.CompactFunc(all, func(a, b problem) bool { return slices.Equal(a.path, b.path) })
}

func (s schema) problemsOf(e *jsonschema.ValidationError) []problem {
	path := e.InstanceLocation
	part := s.part(path)
	switch found := e.ErrorKind.(type) {
	case *kind.Required:
		return each(found.Missing, func(name string) problem {
			at := append(slices.Clone(path), name)
			return problem{path: at, wanted: s.words(s.part(at)), got: "nothing", fix: s.add(at) + s.where(at, " It is required where ")}
		})
	case *kind.AdditionalProperties:
		return each(found.Properties, func(name string) problem { return s.unknown(path, part, name) })
	case *kind.Type:
		return one(path, s.words(part), article(found.Got), "Write "+s.valueSuchAs(path, part)+".")
	case *kind.Enum:
		return one(path, s.words(part), "another value", "Write one of them letter by letter.")
	case *kind.Pattern, *kind.Format:
		return one(path, s.words(part), "a text of another form", "Write it in this form"+s.suchAs(path)+".")
	case *kind.MinLength:
		return one(path, s.words(part), plural(found.Got, "character"), "Fill it in, or leave it out if it is not required.")
	case *kind.MaxLength:
		return one(path, fmt.Sprintf("at most %s", plural(found.Want, "character")), plural(found.Got, "character"), "Shorten it.")
	case *kind.Minimum:
		return one(path, s.words(part), "a smaller number", "Write a number inside these bounds.")
	case *kind.Maximum:
		return one(path, s.words(part), "a larger number", "Write a number inside these bounds.")
	case *kind.MinItems:
		return one(path, fmt.Sprintf("at least %s", plural(found.Want, "item")), plural(found.Got, "item"), "Fill the list, or leave it out if it is not required.")
	case *kind.MaxItems:
		return one(path, fmt.Sprintf("at most %s", plural(found.Want, "item")), plural(found.Got, "item"), "Send fewer; group what belongs together.")
	case *kind.FalseSchema:
		return one(path, "no such member here", "one", "Leave it out."+s.where(path, " It belongs only where "))
	default:
		return one(path, "what the schema asks for", "something else", "Compare it with the schema's examples.")
	}
}

func one(path []string, wanted, got, fix string) []problem {
	return []problem{{path: path, wanted: wanted, got: got, fix: fix}}
}

func each(names []string, word func(string) problem) []problem {
	var all []problem
	for _, name := range names {
		all = append(all, word(name))
	}
	return all
}

// unknown words a member that the schema does not know. Its name is repeated only if it can be nothing but a name.
func (s schema) unknown(path []string, part map[string]any, name string) problem {
	properties, _ := part["properties"].(map[string]any)
	known := slices.Sorted(maps.Keys(properties))
	p := problem{path: path, wanted: "only members that the schema names", got: "a member of another name", fix: "Leave it out.", unknown: true}
	if len(known) <= 12 {
		p.wanted = "no members but " + strings.Join(known, ", ")
	}
	if isName(name) {
		p.path = append(slices.Clone(path), name)
		p.got = strconv.Quote(name)
		if meant := closest(name, known); meant != "" {
			p.fix = "Did you mean " + strconv.Quote(meant) + "?"
		}
	}
	return p
}

func fault(k Kind, wanted, got, fix string, path ...string) error {
	return &envelope.Fault{
		Reason:  envelope.ErrMalformed,
		Pointer: pointer(k, path...),
		Wanted:  wanted,
		Got:     got,
		Fix:     fix,
	}
}

// pointer returns the JSON Pointer (RFC 6901) of a place in the event, from the token: /claims/events/....
func pointer(k Kind, path ...string) string {
	escaped := strings.NewReplacer("~", "~0", "/", "~1")
	var b strings.Builder
	b.WriteString("/claims/events/" + k.URI())
	for _, step := range path {
		b.WriteByte('/')
		b.WriteString(escaped.Replace(step))
	}
	return b.String()
}
