package policy

import (
	"errors"
	"fmt"
	"time"
)

// Parse reads a policy file. The error joins one *Fault for each thing that is wrong, with line, column and field.
func Parse(file []byte) (Policy, error) { return parse(file, reader{}) }

// ParseEarlier reads a policy that was in force once, as the ledger holds it. It may lack what policy files got since: rules that
// it does not name were not judged then and are not judged by it now; sections that it lacks are zero, since only the policy in force
// is asked for them. What it does say is read as strictly as by Parse.
func ParseEarlier(file []byte) (Policy, error) { return parse(file, reader{earlier: true}) }

func parse(file []byte, r reader) (Policy, error) {
	root, ok := r.document(file)
	if !ok {
		return Policy{}, fmt.Errorf("policy: %w", errors.Join(r.faults...))
	}
	f := r.grown(root, []string{"policy", "version", "title", "legal_basis", "status", "rules", "case", "intake"}, "special_measures", "records", "guard", "hours", "obligations", "change")
	p := Policy{
		Name:       r.name(f[0]),
		Version:    r.count(f[1]),
		Title:      r.text(f[2]),
		LegalBasis: r.text(f[3]),
		Status:     r.word(f[4], "proposed", "in force"),
		Rules:      r.rules(f[5]),
		Case:       r.escalation(f[6]),
		Intake:     r.intake(f[7]),

		SpecialMeasures: r.specialMeasures(f[8]),
		Records:         r.records(f[9]),
		Guard:           r.guard(f[10]),
		Hours:           r.hours(f[11]),
		Obligations:     r.obligations(f[12]),
		Change:          r.change(f[13]),

		digest:   digestOf(file),
		document: string(file),
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

func (r *reader) escalation(v value) Case {
	f := r.grown(v, []string{"clock_start", "limit", "cure", "cure_margin", "cure_floor", "restriction", "closing_margin",
		"termination_margin", "step_floor"}, "approvals", "approval_lead", "approval_deputy_after", "hold_return", "repeat", "appeal", "proof", "close")
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

		Approvals:           r.approvals(f[9]),
		ApprovalLead:        r.number(f[10]),
		ApprovalDeputyAfter: r.number(f[11]),
		HoldReturn:          r.number(f[12]),
		Repeat:              r.repeat(f[13]),
		Appeal:              r.number(f[14]),
	}
	c.Proof = r.proof(f[15], c)
	c.Close = r.closing(f[16])
	if r.earlier && f[12].node == nil {
		c.HoldReturn = c.CureFloor // it knew no holds; no step comes at once after one
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
	f := r.grown(v, []string{"max_age", "max_ahead"}, "max_path_length", "identity", "ai_training_fields", "enrolment")
	return Intake{MaxAge: r.number(f[0]), MaxAhead: r.number(f[1]), MaxPathLength: r.counted(f[2]),
		Identity: r.choice(f[3], RefuseIt, AcceptIt), AITrainingFields: r.fields(f[4]), Enrolment: r.choice(f[5], AsInvited, EachApproved)}
}

func (r *reader) counted(v value) Count {
	f := r.object(v, "value", "source", "status")
	return Count{Value: r.count(f[0]), Source: r.text(f[1]), Status: r.origin(f[2])}
}

// fields reads the names of fields. One that is required and optional is neither.
func (r *reader) fields(v value) Fields {
	f := r.object(v, "required", "optional", "source", "status")
	fields := Fields{Required: r.names(f[0]), Optional: r.names(f[1]), Source: r.text(f[2]), Status: r.origin(f[3])}
	for _, name := range fields.Optional {
		if indexOf(fields.Required, name) >= 0 {
			r.fault(f[1], "fields that are not required", "one that is")
		}
	}
	return fields
}

func (r *reader) specialMeasures(v value) SpecialMeasures {
	f := r.object(v, "longest", "notice", "outside", "likeness")
	return SpecialMeasures{Longest: r.number(f[0]), Notice: r.number(f[1]), Outside: r.choice(f[2], RefuseIt, WarnOfIt), Likeness: r.percent(f[3])}
}

func (r *reader) records(v value) Records {
	f := r.object(v, "floor", "ceiling")
	records := Records{Floor: r.number(f[0]), Ceiling: r.number(f[1])}
	if records.Ceiling.Value < records.Floor.Value {
		r.fault(f[1], "at least the floor of "+records.Floor.Value.String(), records.Ceiling.Value.String())
	}
	return records
}

func (r *reader) choice(v value, words ...string) Choice {
	f := r.object(v, "value", "source", "status")
	return Choice{Value: r.word(f[0], words...), Source: r.text(f[1]), Status: r.origin(f[2])}
}

func (r *reader) percent(v value) Percent {
	f := r.object(v, "value", "source", "status")
	p := Percent{Value: r.count(f[0]), Source: r.text(f[1]), Status: r.origin(f[2])}
	if p.Value > 100 {
		r.fault(f[0], "a whole number from 1 to 100", describe(f[0].node))
	}
	return p
}

func (r *reader) number(v value) Number {
	f := r.object(v, "value", "source", "status")
	return Number{Value: r.duration(f[0]), Source: r.text(f[1]), Status: r.origin(f[2])}
}

func (r *reader) origin(v value) Origin {
	return Origin(r.word(v, string(FromRule), string(Recalled), string(Ours)))
}
