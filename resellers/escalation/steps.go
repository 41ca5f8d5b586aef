package escalation

import (
	"slices"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// What each row of the table states. Each returns at least one statement that moves the case, or Decide would not end.

func (s *situation) open() []statement.Statement {
	f := s.change().opened
	opened := statement.FindingOpened{
		Basis: s.basis(), Finding: s.c.identity(*f), Rule: f.Rule, Severity: string(f.Severity), Since: f.Since, Opened: s.now,
		Evidence: f.Evidence, Cure: f.Cures,
	}
	if f.Severity != policy.Minor {
		opened.Case = s.c.ID
		if opened.Case == "" {
			opened.Case = ID(s.about, opened)
		}
	}
	return []statement.Statement{opened}
}

func (s *situation) cure() []statement.Statement {
	change := s.change()
	return []statement.Statement{statement.FindingCured{
		Basis: s.basis(), Finding: change.cured.ID, Rule: change.cured.Rule, CuredBy: change.by.LeafIndex,
	}}
}

func (s *situation) withdraw() []statement.Statement {
	var withdrawn []statement.Statement
	for _, order := range s.idle() {
		why := "Every finding behind the case is cured."
		if order.Case != s.c.ID && order.Case != "" {
			why = "The termination was taken back."
		}
		of := order.Case
		if of == "" { // given by an earlier version, which kept none: it was the open case's
			of = s.c.ID
		}
		withdrawn = append(withdrawn, statement.OrderWithdrawn{Basis: s.basis(), Case: of, Order: order.Name, Why: why})
	}
	return withdrawn
}

func (s *situation) warn() []statement.Statement {
	// The earliest finding behind the case starts the clock, also when several were found at once.
	behind, limit := s.c.Behind(), s.limit()
	cureBy := s.policy.Case.CureBy(s.now, limit)
	if s.repeats() {
		cureBy = s.policy.Case.ShortCureBy(s.now, limit)
	}
	return []statement.Statement{statement.WarningIssued{
		Basis: s.basis(), Case: s.c.ID, Findings: ids(behind), LimitAt: limit,
		CureBy: cureBy, ToCure: toCure(behind), Dispute: dispute, Evidence: restsOn(behind),
	}}
}

// mostEvidence is how many entries a warning names: each finding names all of its own.
const mostEvidence = 1000

// restsOn are the entries that findings rest on, each once, in the ledger's order. Who may be shown which is decided when it is told.
func restsOn(open []Open) []statement.Evidence {
	var leaves []int64
	for _, f := range open {
		leaves = append(leaves, f.Evidence...)
	}
	slices.Sort(leaves)
	leaves = slices.Compact(leaves)
	var all []statement.Evidence
	for _, leaf := range leaves[:min(len(leaves), mostEvidence)] {
		all = append(all, statement.Evidence{Entry: leaf})
	}
	return all
}

func (s *situation) restrict() []statement.Statement {
	_, next := s.closes()
	return []statement.Statement{statement.RestrictionOrdered{
		Basis: s.basis(), Case: s.c.ID, Order: NoNewAccounts, Findings: ids(s.c.Behind()), Next: next,
		NextAt: s.inHours(s.policy.Case.ClosesAt(s.cureEnded(), s.now, s.c.LimitAt)), LimitAt: s.c.LimitAt,
	}}
}

// close orders the reseller's own account closed, or those of the customers that the findings name.
func (s *situation) close() []statement.Statement {
	scope, _ := s.closes()
	order := statement.ClosureOrdered{
		Basis: s.basis(), Case: s.c.ID, Scope: scope, Findings: ids(s.c.Behind()),
		TerminatesAt: s.inHours(s.policy.Case.TerminatesAt(s.now, s.c.LimitAt)), LimitAt: s.c.LimitAt,
	}
	if scope == CustomerAccounts {
		return parts(order, s.house.Holdings.Accounts, s.implicated())
	}
	return []statement.Statement{order}
}

func (s *situation) terminate() []statement.Statement {
	orders, handedOver := s.leaving()
	return append(orders, statement.RelationshipTerminated{
		Basis: s.basis(), Case: s.c.ID, Findings: ids(s.c.Behind()), LimitAt: s.c.LimitAt, Why: s.whyTerminated(s.now) + s.succession(), HandedOver: handedOver,
	})
}

func (s *situation) pass() []statement.Statement {
	return []statement.Statement{statement.LimitPassed{
		Basis: s.basis(), Case: s.c.ID, Findings: ids(s.c.Behind()), LimitAt: s.c.LimitAt, Why: s.whyPassed(),
	}}
}

func (s *situation) stand() []statement.Statement {
	after := s.stands()
	return []statement.Statement{statement.StandingChanged{
		Basis: s.basis(), Number: s.c.Changes + 1, Before: s.c.Standing.String(), After: after.String(), Why: s.reason(after),
	}}
}

func ids(open []Open) []string {
	ids := make([]string, len(open))
	for i, f := range open {
		ids[i] = f.ID
	}
	return ids
}
