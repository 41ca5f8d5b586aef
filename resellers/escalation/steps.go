package escalation

import (
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// What each row of the table states. Each returns at least one statement that moves the case, or Decide would not end.

func (s situation) open() []statement.Statement {
	f := s.change().opened
	opened := statement.FindingOpened{
		Basis: s.basis(), Finding: f.ID, Rule: f.Rule, Severity: string(f.Severity), Since: f.Since, Opened: s.now,
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

func (s situation) cure() []statement.Statement {
	change := s.change()
	return []statement.Statement{statement.FindingCured{
		Basis: s.basis(), Finding: change.cured.ID, Rule: change.cured.Rule, CuredBy: change.by.LeafIndex,
	}}
}

func (s situation) withdraw() []statement.Statement {
	var withdrawn []statement.Statement
	for _, order := range s.c.Orders {
		withdrawn = append(withdrawn, statement.OrderWithdrawn{
			Basis: s.basis(), Case: s.c.ID, Order: order.Name, Why: "Every finding behind the case is cured.",
		})
	}
	return withdrawn
}

func (s situation) warn() []statement.Statement {
	// The earliest finding behind the case starts the clock, also when several were found at once.
	behind := s.c.Behind()
	since, opened := behind[0].Since, behind[0].OpenedAt
	for _, f := range behind[1:] {
		if f.Since.Before(since) {
			since, opened = f.Since, f.OpenedAt
		}
	}
	limit := s.policy.Case.LimitAt(since, opened)
	return []statement.Statement{statement.WarningIssued{
		Basis: s.basis(), Case: s.c.ID, Findings: ids(behind), LimitAt: limit,
		CureBy: s.policy.Case.CureBy(s.now, limit), ToCure: toCure(behind), Dispute: dispute,
	}}
}

func (s situation) restrict() []statement.Statement {
	return []statement.Statement{statement.RestrictionOrdered{
		Basis: s.basis(), Case: s.c.ID, Order: NoNewAccounts, Findings: ids(s.c.Behind()), Next: willClose,
		NextAt: s.policy.Case.ClosesAt(s.c.CureBy, s.now, s.c.LimitAt), LimitAt: s.c.LimitAt,
	}}
}

// close orders the reseller's own account closed: the rules of this version find fault with the reseller itself, so
// there are no single customers whose accounts could be closed instead.
func (s situation) close() []statement.Statement {
	return []statement.Statement{statement.ClosureOrdered{
		Basis: s.basis(), Case: s.c.ID, Scope: CloseAccount, Findings: ids(s.c.Behind()),
		TerminatesAt: s.policy.Case.TerminatesAt(s.now, s.c.LimitAt), LimitAt: s.c.LimitAt,
	}}
}

func (s situation) terminate() []statement.Statement {
	return []statement.Statement{statement.RelationshipTerminated{
		Basis: s.basis(), Case: s.c.ID, Findings: ids(s.c.Behind()), LimitAt: s.c.LimitAt, Why: s.whyTerminated(s.now),
	}}
}

func (s situation) stand() []statement.Statement {
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
