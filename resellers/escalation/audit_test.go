package escalation

import (
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// auditor reads a ledger again, knowing only the law of standing.md, and fails on whatever breaks it. It shares no code
// with what decides.
type auditor struct {
	t          tester
	attested   []statement.Entry
	enrolledAt time.Time
	open       map[string]statement.FindingOpened
	orders     map[string]bool
	caseID     string
	limit      time.Time
	passed     time.Time // the limit of which was said that it passed
	warned     *statement.WarningIssued
	restricted *statement.RestrictionOrdered
	closing    *statement.ClosureOrdered
	left       time.Time // when every account that is left was ordered closed
	terminated bool
	standing   string
	changes    int
	punctual   bool
	synthetic  bool // findings do not follow from the entries
}

func (a *auditor) holds(ok bool, format string, args ...any) {
	a.t.Helper()
	if !ok {
		a.t.Fatalf(format, args...)
	}
}

func (a *auditor) read(e statement.Entry) {
	t := a.t
	t.Helper()
	switch s := e.Statement.(type) {
	case statement.EntityEnrolled:
		a.enrolledAt = e.AcceptedAt
		return
	case statement.CIPAttestation:
		if !a.terminated {
			a.attested = append(a.attested, e)
		}
		return
	case statement.OfficerAction:
		if a.caseID != "" && s.On.ID == a.caseID && s.Action == ActionLimitExtended && !a.terminated && !a.limit.IsZero() && wholeSecond(s.EndsAt).After(a.limit) &&
			s.ProposedBy != nil && s.ProposedBy.ID != s.Officer.ID {
			a.limit = wholeSecond(s.EndsAt)
		}
		return
	case statement.Remediation, statement.AppealDecided, statement.NoticeProved:
		return // these lives uphold no dispute
	case statement.StandingChanged:
		a.changes++
		a.holds(s.Number == a.changes && s.Before == a.standing && s.After != s.Before && s.Why != "", "standing %s: %+v", a.standing, s)
		a.standing = s.After
		late := a.warned != nil && s.Basis.Now.After(a.limit) && !a.terminated && slices.ContainsFunc(values(a.open), serious)
		a.holds(!late || a.passed.Equal(a.limit), "%s at %v, past the limit %v of which nobody said that it passed", s.After, s.Basis.Now, a.limit)
		return
	}
	a.holds(!a.terminated, "stated after the termination: %+v", e.Statement)
	switch s := e.Statement.(type) {
	case statement.FindingOpened:
		a.opened(s)
	case statement.FindingCured:
		opened, open := a.open[s.Finding]
		a.holds(open, "cured, but never opened: %+v", s)
		cure := slices.IndexFunc(a.attested, func(e statement.Entry) bool { return e.LeafIndex == s.CuredBy })
		a.holds(cure >= 0 && s.CuredBy > opened.Evidence[0], "cured by what is no attestation: %+v", s)
		delete(a.open, s.Finding)
		a.end()
	case statement.WarningIssued:
		now := s.Basis.Now
		a.holds(a.warned == nil && s.Case == a.caseID, "warned twice: %+v", s)
		a.holds(!s.CureBy.Before(now.Add(3*day)) && !s.CureBy.After(now.Add(14*day)), "a cure time of %v", s.CureBy.Sub(now))
		a.holds(s.CureBy.Equal(now.Add(3*day)) || !s.CureBy.After(s.LimitAt.Add(-5*day)), "cure by %v, limit %v", s.CureBy, s.LimitAt)
		a.warned, a.limit = &s, s.LimitAt
		for _, f := range a.open {
			a.holds(f.Severity == "minor" || !s.LimitAt.After(f.Since.Add(30*day)), "a limit of %v for a finding since %v", s.LimitAt, f.Since)
		}
		a.behind(s.Findings)
	case statement.RestrictionOrdered:
		now := s.Basis.Now
		a.holds(a.warned != nil && a.restricted == nil && s.Case == a.caseID && s.LimitAt.Equal(a.limit), "restricted out of turn: %+v", s)
		a.holds(!now.Before(a.warned.CureBy), "restricted at %v, before %v", now, a.warned.CureBy)
		a.holds(!a.punctual || now.Equal(a.warned.CureBy), "restricted at %v, wanted %v", now, a.warned.CureBy)
		a.holds(!s.NextAt.Before(now.Add(day)), "closing %v after the restriction", s.NextAt.Sub(now))
		a.restricted = &s
		a.orders[s.Order] = true
		a.behind(s.Findings)
	case statement.ClosureOrdered:
		now := s.Basis.Now
		if a.orders[s.Scope] = true; s.Scope == RemainingAccounts {
			a.holds(a.closing != nil && s.Case == a.caseID && a.left.IsZero(), "what is left closed out of turn: %+v", s)
			a.left = now
			break
		}
		a.holds(a.restricted != nil && a.closing == nil && s.Case == a.caseID && s.LimitAt.Equal(a.limit), "closed out of turn: %+v", s)
		a.holds(!now.Before(a.restricted.NextAt), "closed at %v, before %v", now, a.restricted.NextAt)
		a.holds(!a.punctual || now.Equal(a.restricted.NextAt), "closed at %v, wanted %v", now, a.restricted.NextAt)
		a.holds(!s.TerminatesAt.Before(now.Add(day)), "terminated %v after the closure", s.TerminatesAt.Sub(now))
		a.closing = &s
		a.behind(s.Findings)
	case statement.RelationshipTerminated:
		now := s.Basis.Now
		a.holds(a.left.Equal(now), "terminated at %v, and what is left was ordered closed at %v", now, a.left)
		a.holds(a.closing != nil && s.Case == a.caseID && s.LimitAt.Equal(a.limit), "terminated out of turn: %+v", s)
		a.holds(!now.Before(a.closing.TerminatesAt), "terminated at %v, before %v", now, a.closing.TerminatesAt)
		a.holds(!a.punctual || !now.After(a.limit), "everything was on time, and terminated at %v, after the limit %v", now, a.limit)
		a.holds(now.After(a.limit) == strings.Contains(s.Why, "after the limit"), "terminated at %v, limit %v, and says: %s", now, a.limit, s.Why)
		a.behind(s.Findings)
		a.terminated = true
	case statement.LimitPassed:
		a.holds(!s.Basis.Now.Before(s.LimitAt) && s.Case == a.caseID && s.LimitAt.Equal(a.limit) && !a.passed.Equal(a.limit) && s.Why != "",
			"a limit of %v, and stated that it passed: %+v", a.limit, s)
		a.passed = s.LimitAt
		a.behind(s.Findings)
	case statement.OrderWithdrawn:
		a.holds(a.orders[s.Order] && s.Case == a.caseID, "withdrawn, but not in force: %+v", s)
		a.holds(!slices.ContainsFunc(values(a.open), serious), "withdrawn with an open finding: %+v", s)
		delete(a.orders, s.Order)
		a.end()
	}
}

func values(open map[string]statement.FindingOpened) []statement.FindingOpened {
	var all []statement.FindingOpened
	for _, f := range open {
		all = append(all, f)
	}
	return all
}

func serious(f statement.FindingOpened) bool { return f.Severity != "minor" }

func (a *auditor) opened(s statement.FindingOpened) {
	_, twice := a.open[s.Finding]
	a.holds(!twice && !s.Opened.Before(s.Since) && s.Opened.Equal(s.Basis.Now), "opened twice, or before it was true: %+v", s)
	if !a.synthetic {
		due := a.enrolledAt.Add(30 * day)
		if n := len(a.attested); n > 0 {
			due = a.attested[n-1].AcceptedAt.Add(365 * day)
		}
		early := s.Since.Sub(due)
		a.holds(early >= 0 && early < time.Second, "since %v, wanted %v", s.Since, due)
	}
	a.open[s.Finding] = s
	if serious(s) && a.caseID == "" {
		a.caseID = ID(reseller, s)
	}
	a.holds((s.Case == a.caseID) == serious(s) || s.Case == "" && !serious(s), "case %s, stated %s", a.caseID, s.Case)
}

// behind checks that a step names open findings, and that at least one of them had its time.
func (a *auditor) behind(names []string) {
	a.t.Helper()
	a.holds(len(names) > 0, "a step about nothing")
	for _, name := range names {
		_, open := a.open[name]
		a.holds(open, "a step for %s, which is not open", name)
	}
	// An attestation accepted before the step leaves nothing to be punished for.
	for _, name := range names {
		for _, e := range a.attested {
			a.holds(e.LeafIndex <= a.open[name].Evidence[0], "a step for %s, cured by entry %d", name, e.LeafIndex)
		}
	}
}

// ripe checks that a step at that time is not too soon for every finding behind it.
func (a *auditor) ripe(names []string, now time.Time) {
	a.t.Helper()
	ok := slices.ContainsFunc(names, func(name string) bool { return !now.Before(a.open[name].Opened.Add(3 * day)) })
	a.holds(ok, "a step at %v, less than 72 hours after every finding behind it was opened: %v", now, names)
}

func (a *auditor) end() {
	if !slices.ContainsFunc(values(a.open), serious) && len(a.orders) == 0 {
		a.caseID, a.limit, a.passed, a.warned, a.restricted, a.closing = "", time.Time{}, time.Time{}, nil, nil, nil
	}
}

func audit(t tester, l *life, punctual, synthetic bool) *auditor {
	t.Helper()
	a := &auditor{t: t, open: map[string]statement.FindingOpened{}, orders: map[string]bool{}, standing: "pending", punctual: punctual, synthetic: synthetic}
	for _, e := range l.entries {
		switch s := e.Statement.(type) {
		case statement.RestrictionOrdered:
			a.ripe(s.Findings, s.Basis.Now)
		case statement.ClosureOrdered:
			a.ripe(s.Findings, s.Basis.Now)
		case statement.RelationshipTerminated:
			a.ripe(s.Findings, s.Basis.Now)
		}
		a.read(e)
	}
	a.holds(a.standing == l.c.Standing.String(), "stated %s, folded %s", a.standing, l.c.Standing)
	a.holds(a.caseID == l.c.ID, "case %s, folded %s", a.caseID, l.c.ID)
	a.holds(l.c.LimitAt.Equal(a.limit), "limit %v, folded %v", a.limit, l.c.LimitAt)
	return a
}
