package obligations

import (
	"strconv"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Opened returns what an entry about a reseller opens by the policy in force when the ledger took it. before and after are the
// reseller's case without and with it: what changes nothing there, such as a closure of a case that is not open, opens nothing.
func Opened(p *policy.Policy, before, after escalation.Case, e statement.Entry) []Obligation {
	if e.By == e.About { // what a reseller says of itself
		if _, is := e.Statement.(statement.SuspiciousActivity); is && before.TerminatedAt.IsZero() {
			return open(p, policy.ActivityReport, e, e.JTI, e.AcceptedAt)
		}
		return nil
	}
	switch s := e.Statement.(type) {
	case statement.ClosureOrdered:
		if before.ClosingAt.IsZero() && !after.ClosingAt.IsZero() {
			return open(p, policy.ClosureReport, e, s.Case, s.Basis.Now)
		}
	case statement.LimitPassed:
		if !after.PassedLimit.Equal(before.PassedLimit) {
			return crossed(p, e, s.Case, after.PassedLimit)
		}
	case statement.RelationshipTerminated:
		// Terminated in the first moment in which anybody looked again, so that nobody stated before that the limit had passed.
		limit := before.LimitAt
		if before.TerminatedAt.IsZero() && !limit.IsZero() && after.TerminatedAt.After(limit) && !before.PassedLimit.Equal(limit) {
			return crossed(p, e, s.Case, limit)
		}
	case statement.TransactionCovered:
		return covered(p, e, s)
	case statement.OfficerAction:
		switch s.Action {
		case escalation.ActionLimitExtended:
			if after.ID != "" && after.LimitAt.After(before.LimitAt) && !before.LimitAt.IsZero() {
				return crossed(p, e, after.ID, before.LimitAt)
			}
		case ActionRecorded:
			return recorded(p, e, s)
		}
	}
	return nil
}

// OpenedByHouse returns what an entry about the gateway opens.
func OpenedByHouse(p *policy.Policy, e statement.Entry) []Obligation {
	switch s := e.Statement.(type) {
	case statement.PolicyActivated:
		return open(p, policy.Certification, e, "1", e.AcceptedAt) // once: the others follow from one another
	case statement.OfficerAction:
		if s.Action == ActionRecorded {
			return recorded(p, e, s)
		}
	}
	return nil
}

func open(p *policy.Policy, kind string, e statement.Entry, subject string, from time.Time) []Obligation {
	duty, on := p.Obligations.Duty(kind)
	if !on {
		return nil
	}
	o := Obligation{ID: identity(e.About, kind, subject), Kind: kind, About: e.About, Subject: subject, OpenedAt: second(e.AcceptedAt), Leaf: e.LeafIndex}
	return []Obligation{o.dated(p, duty, from)}
}

// crossed is one for each limit of a case that was crossed, however it was: by two officers who moved it, or by time.
func crossed(p *policy.Policy, e statement.Entry, inCase string, limit time.Time) []Obligation {
	all := open(p, policy.LimitCrossed, e, inCase+" "+limit.UTC().Format(time.RFC3339), e.AcceptedAt)
	for i := range all {
		all[i].Subject = inCase
	}
	return all
}

// covered is the report of a covered transaction: due by the earlier of its two clocks. The earliest knowledge governs; where the
// definition moved, nobody could know before that, and its clock begins with the statement that says so.
func covered(p *policy.Policy, e statement.Entry, s statement.TransactionCovered) []Obligation {
	anew := s.Ground == statement.CoveredAnew
	from := s.KnewAt
	if anew {
		from = e.AcceptedAt
	}
	all := open(p, policy.AITrainingReport, e, s.Transaction, from)
	for i := range all {
		o := &all[i]
		second := p.Obligations.AITraining.Transaction
		if s.StartedOn == (statement.Date{}) || anew || second.Value == 0 {
			continue
		}
		started := time.Date(s.StartedOn.Year, s.StartedOn.Month, s.StartedOn.Day, 0, 0, 0, 0, time.UTC)
		if due := second.From(started); due.Before(o.DueAt) {
			o.CountFrom, o.DueAt = started, due
			*o = o.reminding(p)
		}
	}
	return all
}

// recorded is what an authority asked for, from when it was received.
func recorded(p *policy.Policy, e statement.Entry, s statement.OfficerAction) []Obligation {
	kind := detail(s, DetailKind)
	if s.On.Type != On || kind != policy.DepartmentRequest && kind != policy.FollowUp {
		return nil
	}
	from := e.AcceptedAt
	if at, err := time.Parse(time.RFC3339, detail(s, DetailReceived)); err == nil && at.Before(from) {
		from = at
	}
	all := open(p, kind, e, s.On.ID, from)
	for i := range all {
		all[i].ID, all[i].Subject = s.On.ID, ""
		all[i].Request, all[i].What = detail(s, DetailRequest), s.Reason
	}
	return all
}

// Follows is the obligation that follows when one ends: the next certification, counted from when the one before was due, so that
// nobody gains by being late.
func (o Obligation) Follows(p *policy.Policy) (Obligation, bool) {
	duty, on := p.Obligations.Duty(o.Kind)
	if o.Kind != policy.Certification || o.Closed.How == "" || !on {
		return Obligation{}, false
	}
	n, err := strconv.Atoi(o.Subject)
	if err != nil {
		return Obligation{}, false
	}
	subject := strconv.Itoa(n + 1)
	next := Obligation{ID: identity(o.About, o.Kind, subject), Kind: o.Kind, About: o.About, Subject: subject, OpenedAt: o.Closed.At, Leaf: o.Closed.Leaf}
	return next.dated(p, duty, o.DueAt), true
}
