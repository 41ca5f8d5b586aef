// Package findings decides what falls short of a policy, since when, and what cures it. It is a pure function of the
// policy, the facts and the time: the same on every node and on a replay.
//
// A finding is true since a moment that follows from the facts, not from when somebody looked. What is done about it,
// and by when it must be cured, is decided in escalation. Suspicion is no finding.
package findings

import (
	"strconv"
	"time"

	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Finding is one shortfall under one rule.
type Finding struct {
	ID       string          `json:"id"` // unique for one reseller; the same on every node that knows the same entries
	Rule     string          `json:"rule"`
	Severity policy.Severity `json:"severity"`
	Since    time.Time       `json:"since"`    // when the facts made it true, whole seconds, UTC
	Evidence []int64         `json:"evidence"` // leaf indexes of the entries it follows from
	Words    string          `json:"words"`    // the shortfall, for people
	Cures    string          `json:"cures"`    // what cures it, for the reseller

	// Reminders are when the reseller is reminded of a finding that is ahead: those that are not over yet, the next one first.
	Reminders []time.Time `json:"reminders,omitzero"`
}

// Assess returns what falls short now, and when, nothing new being said, the answer turns: the moment at which the next
// finding opens or an exemption ends, zero if none will. A finding is open from exactly Since on.
func Assess(p policy.Policy, h history.History, now time.Time) (open []Finding, turns time.Time) {
	if h.TerminatedAt.IsZero() && h.Exempt.In(now) {
		turns = wholeSecond(h.Exempt.Until)
	}
	for _, f := range all(&p, &h) {
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
	for _, f := range all(&p, &h) {
		if now.Before(f.Since) {
			f.Reminders = reminders(&p.Rules, f, now)
			ahead = append(ahead, f)
		}
	}
	return ahead
}

// reminders are the dates at which is reminded of a finding before it opens.
func reminders(r *policy.Rules, f Finding, now time.Time) []time.Time {
	if f.Rule != r.CIPStale.Name {
		return nil
	}
	var dates []time.Time
	for _, before := range r.CIPStale.Reminders.Value {
		if at := f.Since.Add(-time.Duration(before)); at.After(now) {
			dates = append(dates, at)
		}
	}
	return dates
}

func all(p *policy.Policy, h *history.History) []Finding {
	if !h.TerminatedAt.IsZero() || !h.Enrolled() {
		return nil // nothing is owed any more, or yet; what was found stays found
	}
	var all []Finding
	for i := range judged {
		if rule := judged[i].rule(&p.Rules); rule.On {
			if short, owed := judged[i].judge(&p.Rules, h); owed {
				all = append(all, found(rule, judged[i].exempted(rule, short, h.Exempt)))
			}
		}
	}
	if len(p.Rules.Custom) == 0 {
		return all
	}
	figures := figuresOf(h)
	for i := range p.Rules.Custom {
		if custom := &p.Rules.Custom[i]; custom.On && custom.Holds(&figures) {
			all = append(all, found(&custom.Rule, statedLast(h)))
		}
	}
	return all
}

func found(rule *policy.Rule, s shortfall) Finding {
	f := Finding{
		ID: rule.Name + "." + s.since.Format("20060102T150405Z"), Rule: rule.Name, Severity: rule.Severity, Since: s.since,
		Evidence: s.evidence, Words: rule.Finding, Cures: rule.Cure,
	}
	if lasts(rule.Name) {
		f.ID += "." + strconv.FormatInt(s.evidence[0], 10)
	}
	return f
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
