package policy

import (
	"slices"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// Proof says which steps of a case wait for proof that the reseller was told of the step before (standing.md, "Proof of notice"), and
// when it is tried by which channel, each counted from when that step was stated. A policy without it lets no step wait.
type Proof struct {
	Steps         Steps  `json:"steps"`          // that wait: StepClose, StepTerminate
	SecondContact Number `json:"second_contact"` // after this the second contact is mailed
	Phone         Number `json:"phone"`          // after this an officer calls, or sends a courier
	Superior      Number `json:"superior"`       // after this the superior is told
	Unanswered    Count  `json:"unanswered"`     // so many calls or couriers that nobody answered, on different days, count as proof; 0: none do
	AtLimit       Choice `json:"at_limit"`       // what becomes of a step that still waits when the limit comes: GoesOn or Waits
	Margin        Number `json:"margin"`         // a termination waits no longer than until this long before the limit
}

// Steps are steps of a case, by their names in escalation's table, with where it comes from that these are meant.
type Steps struct {
	Value  []string `json:"value"`
	Source string   `json:"source"`
	Status Origin   `json:"status"`
}

// The steps that can wait for proof of notice: those that cannot be taken back.
const (
	StepClose     = "close"
	StepTerminate = "terminate"
)

// What becomes of a step whose notice nobody could prove, when the limit comes.
const (
	GoesOn = "goes-on" // it is taken inside the limit, and its statement says that the notice was not proved
	Waits  = "waits"   // it waits for an officer's record for as long as it takes, past the limit too, loudly
)

// AsksFor says whether a step waits for proof that the reseller was told of the one before.
func (p Proof) AsksFor(step string) bool { return slices.Contains(p.Steps.Value, step) }

// mostUnanswered bounds how many tries are asked for: escalation keeps that many.
const mostUnanswered = 9

func (r *reader) proof(v value, c Case) Proof {
	f := r.object(v, "steps", "second_contact", "phone", "superior", "unanswered", "at_limit", "margin")
	steps := r.object(f[0], "value", "source", "status")
	proof := Proof{
		Steps:         Steps{Value: r.steps(steps[0]), Source: r.text(steps[1]), Status: r.origin(steps[2])},
		SecondContact: r.number(f[1]), Phone: r.number(f[2]), Superior: r.number(f[3]), Unanswered: r.tries(f[4]),
		AtLimit: r.choice(f[5], GoesOn, Waits), Margin: r.number(f[6]),
	}
	if v.node == nil {
		return proof
	}
	for i, channel := range []Number{proof.SecondContact, proof.Phone, proof.Superior} {
		before := [...]Number{{}, proof.SecondContact, proof.Phone}[i]
		if channel.Value > 0 && channel.Value <= before.Value {
			r.fault(f[i+1], "a time after the channel before it, "+before.Value.String(), channel.Value.String())
		}
	}
	if margin := c.TerminationMargin.Value; proof.Margin.Value > 0 && margin > 0 && proof.Margin.Value >= margin {
		r.fault(f[6], "less than the termination margin of "+margin.String()+", since a termination waits from there on", proof.Margin.Value.String())
	}
	return proof
}

// steps reads which steps wait. None is written [].
func (r *reader) steps(v value) []string {
	const wanted = "a list of close, terminate, each once, or []"
	if v.node == nil {
		return nil
	}
	list, ok := v.node.(*ast.SequenceNode)
	if !ok {
		r.fault(v, wanted, describe(v.node))
		return nil
	}
	var steps []string
	for _, item := range list.Values {
		at := value{node: item, field: v.field}
		step := r.word(at, StepClose, StepTerminate)
		if slices.Contains(steps, step) {
			r.fault(at, wanted, "it a second time")
			continue
		}
		steps = append(steps, step)
	}
	return steps
}

// tries is a count that may be 0.
func (r *reader) tries(v value) Count {
	f := r.object(v, "value", "source", "status")
	count := Count{Source: r.text(f[1]), Status: r.origin(f[2])}
	if f[0].node == nil {
		return count
	}
	node, ok := f[0].node.(*ast.IntegerNode)
	n, whole := uint64(0), false
	if ok {
		n, whole = node.Value.(uint64)
	}
	if !whole || n > mostUnanswered {
		r.fault(f[0], "a whole number from 0 to "+strconv.Itoa(mostUnanswered)+" of tries", describe(f[0].node))
		return count
	}
	count.Value = int(n)
	return count
}
