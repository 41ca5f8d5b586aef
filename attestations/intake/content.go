package intake

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Content is what the policy asks of a statement beyond its schema. The zero Content takes no names, no field that a policy would
// have to name, and nothing that is forwarded.
type Content struct {
	Identity       Choice         // whether a customer-verification may name the person; policy `intake.identity`
	TrainingFields TrainingFields // what `fields` of an ai-training may and must hold; policy `intake.ai_training_fields`
	MaxPathLength  Hops           // how often a SET may be wrapped; policy `intake.max_path_length`
}

// Choice is a yes or no of the policy.
type Choice struct {
	Yes    bool
	Source string
}

// TrainingFields are the names that `fields` of an ai-training may hold. Each Required one must be there once the training occurred:
// of what is only planned, not everything is known.
type TrainingFields struct {
	Required, Optional []string
	Source             string
}

// Hops is a number of the policy.
type Hops struct {
	Most   int
	Source string
}

// problems returns everything in a statement that the policy asks otherwise. Nothing of what was sent is repeated.
func (c Content) problems(said statement.Statement) []envelope.Problem {
	switch said := said.(type) {
	case statement.CustomerVerification:
		return c.identity(said)
	case statement.AITraining:
		return c.trainingFields(said)
	}
	return nil
}

func (c Content) identity(said statement.CustomerVerification) []envelope.Problem {
	if said.Identity == nil || c.Identity.Yes {
		return nil
	}
	return []envelope.Problem{{Source: "policy intake.identity: " + c.Identity.Source, Fault: &envelope.Fault{Reason: envelope.ErrMalformed,
		Pointer: inEvent(said, "identity"), Wanted: "no names: the policy of this gateway does not ask for them", Got: "an identity",
		Fix: "Leave identity out and keep it. State what was checked, how and with which result, and documents by their digest."}}}
}

func (c Content) trainingFields(said statement.AITraining) []envelope.Problem {
	rules := c.TrainingFields
	source := "policy intake.ai_training_fields: " + rules.Source
	var all []envelope.Problem
	stated := make([]string, len(said.Fields))
	for i, field := range said.Fields {
		stated[i] = field.Name
		if slices.Contains(rules.Required, field.Name) || slices.Contains(rules.Optional, field.Name) {
			continue
		}
		all = append(all, envelope.Problem{Source: source, Fault: &envelope.Fault{Reason: envelope.ErrMalformed,
			Pointer: inEvent(said, "fields", fmt.Sprint(i), "name"), Wanted: wantedFields(rules), Got: "another name",
			Fix: "Write the name as the policy does, or leave the field out: what nobody asked for is not kept."}})
	}
	if said.State != "occurred" {
		return all
	}
	missing := slices.DeleteFunc(slices.Clone(rules.Required), func(name string) bool { return slices.Contains(stated, name) })
	if len(missing) > 0 {
		all = append(all, envelope.Problem{Source: source, Fault: &envelope.Fault{Reason: envelope.ErrMalformed,
			Pointer: inEvent(said, "fields"), Wanted: "the fields " + strings.Join(rules.Required, ", ") + " of a training that occurred",
			Got: "none named " + strings.Join(missing, ", "), Fix: "Add to fields: {\"name\": \"" + missing[0] + "\", \"value\": ...}, and so on."}})
	}
	return all
}

func wantedFields(rules TrainingFields) string {
	names := slices.Concat(rules.Required, rules.Optional)
	if len(names) == 0 {
		return "no fields: the policy of this gateway names none"
	}
	return "a field that the policy names: " + strings.Join(names, ", ")
}

// inEvent is the JSON Pointer of a place in a statement's event.
func inEvent(said statement.Statement, path ...string) string {
	return "/claims/events/" + said.Kind().URI() + "/" + strings.Join(path, "/")
}
