package policy

import (
	"errors"
	"fmt"
	"time"
)

// Parse reads a policy file. The error joins one *Fault for each thing that is wrong, with line, column and field.
func Parse(file []byte) (Policy, error) {
	var r reader
	root, ok := r.document(file)
	if !ok {
		return Policy{}, fmt.Errorf("policy: %w", errors.Join(r.faults...))
	}
	f := r.object(root, "policy", "version", "title", "legal_basis", "status", "rules", "case", "intake")
	p := Policy{
		Name:       r.name(f[0]),
		Version:    r.count(f[1]),
		Title:      r.text(f[2]),
		LegalBasis: r.text(f[3]),
		Status:     r.word(f[4], "proposed", "in force"),
		Rules:      r.rules(f[5]),
		Case:       r.escalation(f[6]),
		Intake:     r.intake(f[7]),
		digest:     digestOf(file),
		document:   string(file),
	}
	if len(r.faults) > 0 {
		return Policy{}, fmt.Errorf("policy: %w", errors.Join(r.faults...))
	}
	return p, nil
}

// name reads the policy's name: it becomes part of the ID that stands in every decision.
func (r *reader) name(v value) string {
	name := r.text(v)
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			r.fault(v, "a name of small letters, digits and hyphens, such as us-iaas-2024", describe(v.node))
			return ""
		}
	}
	if len(name) > 60 {
		r.fault(v, "a name of at most 60 characters", describe(v.node))
	}
	return name
}

func (r *reader) rules(v value) Rules {
	f := r.object(v, "cip.missing", "cip.stale")
	return Rules{CIPMissing: r.rule("cip.missing", f[0]), CIPStale: r.rule("cip.stale", f[1])}
}

func (r *reader) rule(name string, v value) Rule {
	f := r.object(v, "on", "after", "severity", "finding", "cure", "source", "status")
	return Rule{
		Name:     name,
		On:       r.boolean(f[0]),
		After:    r.number(f[1]),
		Severity: Severity(r.word(f[2], string(Minor), string(Serious))),
		Finding:  r.text(f[3]),
		Cure:     r.text(f[4]),
		Source:   r.text(f[5]),
		Status:   r.origin(f[6]),
	}
}

func (r *reader) escalation(v value) Case {
	f := r.object(v, "clock_start", "limit", "cure", "cure_margin", "cure_floor", "restriction", "closing_margin",
		"termination_margin", "step_floor")
	clock := r.object(f[0], "value", "source", "status")
	before := len(r.faults)
	c := Case{
		ClockStart:        Clock(r.word(clock[0], string(FromEvidence), string(FromAwareness))),
		ClockSource:       r.text(clock[1]),
		ClockStatus:       r.origin(clock[2]),
		Limit:             r.number(f[1]),
		Cure:              r.number(f[2]),
		CureMargin:        r.number(f[3]),
		CureFloor:         r.number(f[4]),
		Restriction:       r.number(f[5]),
		ClosingMargin:     r.number(f[6]),
		TerminationMargin: r.number(f[7]),
		StepFloor:         r.number(f[8]),
	}
	if v.node != nil && len(r.faults) == before {
		r.fits(v, c)
	}
	return c
}

// fits checks that the numbers belong together: a case found on time must run through all its steps inside the limit.
func (r *reader) fits(v value, c Case) {
	found := time.Unix(0, 0).UTC()
	limit := c.LimitAt(found, found)
	cureBy := c.CureBy(found, limit)
	closesAt := c.ClosesAt(cureBy, cureBy, limit)
	terminatesAt := c.TerminatesAt(closesAt, limit)
	if terminatesAt.After(limit) {
		since := func(t time.Time) string { return Duration(t.Sub(found)).String() }
		r.fault(v, "numbers with which a case found on time ends inside its limit of "+c.Limit.Value.String(),
			fmt.Sprintf("a restriction after %s, a closure after %s and a termination after %s",
				since(cureBy), since(closesAt), since(terminatesAt)))
	}
}

func (r *reader) intake(v value) Intake {
	f := r.object(v, "max_age", "max_ahead")
	return Intake{MaxAge: r.number(f[0]), MaxAhead: r.number(f[1])}
}

func (r *reader) number(v value) Number {
	f := r.object(v, "value", "source", "status")
	return Number{Value: r.duration(f[0]), Source: r.text(f[1]), Status: r.origin(f[2])}
}

func (r *reader) origin(v value) Origin {
	return Origin(r.word(v, string(FromRule), string(Recalled), string(Ours)))
}
