package quick

import (
	"errors"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// counted is a statement that the guard counts, or a reservation of one: the docket's row, which all nodes share.
type counted struct {
	kind     escalation.GuardKind
	entity   envelope.Entity
	at       time.Time
	accounts int
	stands   bool // in the ledger
}

// errGuarded says that the guard's numbers are used up, though it was judged that they are not.
var errGuarded = errors.New("the guard holds back what was judged to be free")

// releaseAfter is how long what was reserved is left alone, as in the docket.
const releaseAfter = time.Minute

func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// counts is what the guard counts of a statement; nil if nothing.
func counts(f *file, s statement.Statement) *counted {
	switch s := s.(type) {
	case statement.ClosureOrdered:
		if s.Scope == escalation.RemainingAccounts {
			return nil // the termination counts what goes with it
		}
		return &counted{kind: escalation.GuardClosures, entity: f.entity, at: s.Basis.Now, accounts: f.history.Figures.AccountsOpen}
	case statement.RelationshipTerminated:
		return &counted{kind: escalation.GuardTerminations, entity: f.entity, at: s.Basis.Now, accounts: max(0, f.history.Figures.AccountsOpen-s.HandedOver)}
	case statement.FindingOpened:
		if s.Severity != string(policy.Minor) {
			return &counted{kind: escalation.GuardFindings, entity: f.entity, at: s.Basis.Now}
		}
	}
	return nil
}

// houseFor is what bears on every case. With a reseller it counts what others reserved too, and nothing that this one did.
func (e *Engine) houseFor(beside envelope.Entity, now time.Time) escalation.House {
	h := e.house
	h.Counts = escalation.Counts{Resellers: e.resellers, Day: midnight(now), Tripped: e.tripped}
	within := time.Duration(e.inForce.Guard.Findings.Within)
	opened := map[envelope.Entity]bool{}
	for _, c := range e.guarded {
		if !c.stands && (beside == "" || c.entity == beside) {
			continue
		}
		today := midnight(c.at).Equal(h.Counts.Day)
		switch {
		case c.kind == escalation.GuardFindings:
			if c.entity != beside && c.at.UnixMicro() > now.Add(-within).UnixMicro() {
				opened[c.entity] = true
				if until := c.at.Add(within); h.Counts.OpenedUntil.IsZero() || until.Before(h.Counts.OpenedUntil) {
					h.Counts.OpenedUntil = until
				}
			}
		case today && c.kind == escalation.GuardClosures:
			h.Counts.Closures++
			h.Counts.Accounts += c.accounts
		case today:
			h.Counts.Terminations++
			h.Counts.Accounts += c.accounts
		}
	}
	h.Counts.Opened = len(opened)
	return h
}

// reserve takes, for what was judged, the guard's numbers.
func (e *Engine) reserve(f *file, now time.Time) error {
	var wanted []*counted
	for _, d := range f.judged.drafts {
		if c := counts(f, d.Statement); c != nil {
			wanted = append(wanted, c)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	e.unreserve(func(c *counted) bool { return c.entity == f.entity })
	h, guard := e.houseFor(f.entity, now), e.inForce.Guard
	for _, c := range wanted {
		step := escalation.StepClose
		switch c.kind {
		case escalation.GuardFindings:
			if h.GuardsFindings(guard, now) {
				return errGuarded
			}
			continue
		case escalation.GuardTerminations:
			step = escalation.StepTerminate
		}
		if kind, _ := h.Guard(guard, step, c.accounts, now); kind != "" {
			return errGuarded
		}
	}
	for i, d := range f.judged.drafts {
		if c := counts(f, f.judged.drafts[i].Statement); c != nil && e.guarded[d.JTI] == nil {
			e.guarded[d.JTI] = c
		}
	}
	return nil
}

// unreserve gives back what was reserved and does not stand in the ledger.
func (e *Engine) unreserve(which func(*counted) bool) {
	for jti, c := range e.guarded {
		if !c.stands && which(c) {
			delete(e.guarded, jti)
		}
	}
}

// putAway gives back what was reserved for a file of which nothing must be stated, and notes when it is looked at again.
func (e *Engine) putAway(f *file, wake, now time.Time) {
	e.unreserve(func(c *counted) bool { return c.entity == f.entity && !c.at.After(now.Add(-releaseAfter)) })
	for _, c := range e.guarded {
		if c.stands || c.entity != f.entity {
			continue
		}
		if again := c.at.Add(releaseAfter); wake.IsZero() || again.Before(wake) {
			wake = again
		}
	}
	f.due, f.wake = false, wake
}

// count notes what an entry about a reseller, of which this is the file before it, changes of the guard's numbers.
func (e *Engine) count(f *file, entry statement.Entry) {
	if entry.By == entry.About {
		return
	}
	terminated := !f.c.TerminatedAt.IsZero()
	switch entry.Statement.(type) {
	case statement.EntityEnrolled:
		if !f.history.Enrolled() {
			e.resellers++
		}
	case statement.RelationshipTerminated:
		if !terminated && f.history.Enrolled() {
			e.resellers--
		}
	case statement.RelationshipReinstated:
		if terminated && f.history.Enrolled() {
			e.resellers++
		}
	}
	if c := counts(f, entry.Statement); c != nil {
		c.stands = true
		e.guarded[entry.JTI] = c
		e.trips(c)
	}
}

// trips notes that with a finding which stands in the ledger the guard's number was reached.
func (e *Engine) trips(last *counted) {
	brake, within := e.inForce.Guard.Findings, time.Duration(e.inForce.Guard.Findings.Within)
	if last.kind != escalation.GuardFindings || brake.Count == 0 || e.house.ReleasedAt(escalation.GuardFindings, last.at) {
		return
	}
	opened := map[envelope.Entity]bool{}
	for _, c := range e.guarded {
		if c.stands && c.kind == last.kind && c.at.After(last.at.Add(-within)) {
			opened[c.entity] = true
		}
	}
	e.tripped = e.tripped || len(opened) >= brake.Allowed(e.resellers)
}

// policyOf is what a file is judged by: the policy that its case is pinned to, or the one in force, with the guard of the one in force,
// which is one brake for all.
func (e *Engine) policyOf(f *file) *policy.Policy {
	if f.c.Policy == "" || f.c.Policy == e.inForce.ID() {
		return e.inForce
	}
	key := f.c.Policy + " under " + e.inForce.ID()
	if e.mixed[key] == nil && e.shelf[f.c.Policy] != nil {
		p := *e.shelf[f.c.Policy]
		p.Guard = e.inForce.Guard
		e.mixed[key] = &p
	}
	return e.mixed[key]
}
