package statement

import (
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Inspect is Decode for the dry run: of claims that may be unsigned it returns everything that the statement's schema
// finds wrong, where Decode returns the first. What a schema cannot say (one member against another) is looked at once
// the schema has nothing to say, and then all of it. The statement is nil if there is any problem.
func Inspect(c envelope.Claims) (Statement, []envelope.Problem) {
	kind, known := KindOf(c.EventURI)
	if !known {
		return nil, problemOf(unknownEvent(c.EventURI), "the event types of protocol.md, Submissions")
	}
	var all []envelope.Problem
	if _, err := About(c); err != nil {
		all = problemOf(err, "RFC 9493, section 3; x-sub-id of /schemas/"+fileName(kind))
	}
	s, err := read(kind, c.Event)
	if err != nil {
		return nil, append(all, schemas[kind]().all(kind, c.Event, err)...)
	}
	for _, err := range check(s, c) {
		fault := (*envelope.Fault)(nil)
		source := ""
		if errors.As(err, &fault) {
			source = schemas[kind]().sourceOf(kind, stepsOf(kind, fault.Pointer))
		}
		all = append(all, problemOf(err, source)...)
	}
	if len(all) > 0 {
		return nil, all
	}
	return s, nil
}

func problemOf(err error, source string) []envelope.Problem {
	fault := (*envelope.Fault)(nil)
	if !errors.As(err, &fault) {
		return nil
	}
	return []envelope.Problem{{Fault: fault, Source: source}}
}

// all returns everything that the schema finds wrong with an event, or refused alone where the event is not for the
// schema to judge.
func (s schema) all(k Kind, event []byte, refused error) []envelope.Problem {
	value, err := anyOf(event)
	var invalid *jsonschema.ValidationError
	if err != nil || !errors.As(s.compiled.Validate(value), &invalid) {
		return problemOf(refused, "RFC 8259; RFC 7493, section 2")
	}
	var all []envelope.Problem
	for _, p := range s.problems(invalid) {
		all = append(all, problemOf(fault(k, p.wanted, p.got, p.fix, p.path...), s.sourceOf(k, p.path))...)
	}
	return all
}

// sourceOf says where the rule about a member stands: its schema's description ends with it, in brackets. A member
// without one has that of the member around it.
func (s schema) sourceOf(k Kind, path []string) string {
	for n := len(path); n >= 0; n-- {
		text, _ := s.part(path[:n])["description"].(string)
		open := strings.LastIndex(text, " (")
		if rest, ok := strings.CutSuffix(strings.TrimSuffix(text, "."), ")"); ok && open >= 0 {
			source := strings.TrimSuffix(rest[open+2:], ".")
			if source == "Ours" {
				source = "ours, not in the rule"
			}
			return source + "; /schemas/" + fileName(k)
		}
	}
	return "/schemas/" + fileName(k)
}

// stepsOf is the way into the event that a fault's pointer names.
func stepsOf(k Kind, at string) []string {
	rest, ok := strings.CutPrefix(at, pointer(k)+"/")
	if !ok {
		return nil
	}
	return strings.Split(rest, "/")
}
