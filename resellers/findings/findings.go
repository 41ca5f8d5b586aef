// Package findings decides what falls short of a policy, since when, and what cures it. It is a pure function of the
// policy, the facts and the time: the same on every node and on a replay.
//
// A finding is true since a moment that follows from the facts, not from when somebody looked. What is done about it,
// and by when it must be cured, is decided in escalation. Suspicion is no finding.
package findings

import (
	"time"

	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Finding is one shortfall under one rule.
type Finding struct {
	ID       string          `json:"id"` // from rule and Since: the same on every node, unique for one reseller
	Rule     string          `json:"rule"`
	Severity policy.Severity `json:"severity"`
	Since    time.Time       `json:"since"`    // when the facts made it true, whole seconds, UTC
	Evidence []int64         `json:"evidence"` // leaf indexes of the entries it follows from
	Words    string          `json:"words"`    // the shortfall, for people
	Cures    string          `json:"cures"`    // what cures it, for the reseller
}

// shortfall says, for one rule, from which entry and moment its time runs, nothing new being said. ok is false if
// nothing is owed under the rule.
type shortfall func(h history.History) (from time.Time, evidence int64, ok bool)

// judged lists the rules in the order in which their findings are returned.
var judged = []struct {
	rule  func(policy.Rules) policy.Rule
	short shortfall
}{
	// 15 CFR 7.303, proposed: a reseller maintains a CIP; it has not said so yet.
	{func(r policy.Rules) policy.Rule { return r.CIPMissing }, func(h history.History) (time.Time, int64, bool) {
		_, attested := h.Latest()
		return h.EnrolledAt, h.EnrolledLeaf, h.Enrolled() && !attested
	}},
	// 15 CFR 7.304, proposed: every year. Lateness counts from accepted_at, never from what the statement claims.
	{func(r policy.Rules) policy.Rule { return r.CIPStale }, func(h history.History) (time.Time, int64, bool) {
		latest, attested := h.Latest()
		return latest.AcceptedAt, latest.LeafIndex, h.Enrolled() && attested
	}},
}

// Assess returns what falls short now, and when, nothing new being said, the answer turns: the moment at which the next
// finding opens, zero if none will. A finding is open from exactly Since on.
func Assess(p policy.Policy, h history.History, now time.Time) (open []Finding, turns time.Time) {
	for _, f := range all(p, h) {
		switch {
		case !now.Before(f.Since):
			open = append(open, f)
		case turns.IsZero() || f.Since.Before(turns):
			turns = f.Since
		}
	}
	return open, turns
}

// Ahead returns what will fall short after now, nothing new being said.
func Ahead(p policy.Policy, h history.History, now time.Time) []Finding {
	var ahead []Finding
	for _, f := range all(p, h) {
		if now.Before(f.Since) {
			ahead = append(ahead, f)
		}
	}
	return ahead
}

func all(p policy.Policy, h history.History) []Finding {
	if !h.TerminatedAt.IsZero() {
		return nil // nothing is owed any more; what was found stays found
	}
	var all []Finding
	for _, judged := range judged {
		rule := judged.rule(p.Rules)
		from, evidence, owed := judged.short(h)
		if !rule.On || !owed {
			continue
		}
		since := wholeSecond(rule.After.From(from))
		all = append(all, Finding{
			ID:       rule.Name + "." + since.Format("20060102T150405Z"),
			Rule:     rule.Name,
			Severity: rule.Severity,
			Since:    since,
			Evidence: []int64{evidence},
			Words:    rule.Finding,
			Cures:    rule.Cure,
		})
	}
	return all
}

// Cured returns what cured a finding that follows from this evidence, if anything did: the first attestation accepted
// after it. A finding that is merely not assessed, by a node whose clock is behind, is not cured.
func Cured(h history.History, evidence []int64) (history.Attestation, bool) {
	newest := int64(-1)
	for _, leafIndex := range evidence {
		newest = max(newest, leafIndex)
	}
	return h.FirstAfter(newest)
}

// wholeSecond rounds up, since statements carry whole seconds: a finding opens no part of a second early, and its Since
// is the same before and after it was written down.
func wholeSecond(t time.Time) time.Time {
	whole := t.UTC().Truncate(time.Second)
	if whole.Before(t) {
		whole = whole.Add(time.Second)
	}
	return whole
}
