// Package findings decides what falls short of a policy, since when, and what cures it. It is a pure function of the
// policy, the facts and the time: the same on every node and on a replay.
//
// A finding is true since a moment that follows from the facts, not from when somebody looked. What is done about it,
// and by when it must be cured, is decided in escalation. Suspicion is no finding.
package findings

import (
	"slices"
	"strconv"
	"strings"
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
	// Given says that a time that was given, be it an exemption's last part of a second, ended at Since. What may not be at all, or was put
	// on record, had none, so that no outage gives any back.
	Given bool   `json:"-"`
	Cures string `json:"cures"` // what cures it, for the reseller

	// Audiences are who may be shown each piece of the evidence, in its order; nil if the reseller may be shown all of it. For
	// leaves out what a reader may not see.
	Audiences []Audience `json:"audiences,omitzero"`

	// Reminders are when the reseller is reminded of a finding that is ahead: those that are not over yet, the next one first.
	Reminders []time.Time `json:"reminders,omitzero"`
}

// Assess returns what falls short now, and when, nothing new being said, the answer turns: the moment at which the next
// finding opens or an exemption ends, zero if none will. A finding is open from exactly Since on.
func Assess(p *policy.Policy, h *history.History, now time.Time) (open []Finding, turns time.Time) {
	if h.TerminatedAt.IsZero() && h.Exempt.In(now) {
		turns = wholeSecond(h.Exempt.Until)
	}
	for _, o := range owed(p, h) {
		switch {
		case !now.Before(o.since):
			open = append(open, o.found(h))
		case turns.IsZero() || o.since.Before(turns):
			turns = o.since
		}
	}
	return open, turns
}

// Ahead returns what will fall short after now, nothing new being said.
func Ahead(p *policy.Policy, h *history.History, now time.Time) []Finding {
	var ahead []Finding
	for _, o := range owed(p, h) {
		if !now.Before(o.since) {
			continue
		}
		f := o.found(h)
		f.Reminders = reminders(o.rule, f.Since, now)
		ahead = append(ahead, f)
	}
	return ahead
}

// reminders are the dates at which is reminded of a finding before it opens.
func reminders(rule *policy.Rule, opens, now time.Time) []time.Time {
	var dates []time.Time
	for _, before := range rule.Reminders.Value {
		if at := opens.Add(-time.Duration(before)); at.After(now) {
			dates = append(dates, at)
		}
	}
	return dates
}

// owing is a shortfall, now or ahead, under its rule.
type owing struct {
	rule *policy.Rule
	shortfall
}

// owed returns what falls short or will, in the order of the rules.
func owed(p *policy.Policy, h *history.History) []owing {
	if !h.TerminatedAt.IsZero() || !h.Enrolled() {
		return nil // nothing is owed any more, or yet; what was found stays found
	}
	all := make([]owing, 0, 8)
	add := func(rule *policy.Rule, s shortfall) {
		if o := (owing{rule, s}); len(h.Settled) == 0 || o.stands(h) {
			all = append(all, o)
		}
	}
	for i := range judged {
		row := &judged[i]
		rule := row.rule(&p.Rules)
		if !rule.On {
			continue
		}
		if row.each != nil {
			for _, s := range row.each(h) {
				add(rule, s)
			}
		} else if s, is := row.judge(&p.Rules, h); is {
			add(rule, row.exempted(rule, s, h.Exempt))
		}
	}
	if len(p.Rules.Custom) == 0 {
		return all
	}
	figures := figuresOf(h)
	for i := range p.Rules.Custom {
		if custom := &p.Rules.Custom[i]; custom.On && custom.Holds(&figures) {
			add(&custom.Rule, statedLast(h))
		}
	}
	return all
}

// stands is false if an officer settled the shortfall. A settlement ends one finding and is no leave for ever: where the rule gives a
// time, and the facts are still so that long after it was settled, it is found anew. Else one customer that was disputed would hide
// every one that comes behind it.
func (o *owing) stands(h *history.History) bool {
	for range len(h.Settled) + 1 {
		s, done := settlement(h, o.rule, idOf(o.rule.Name, o.since, o.evidence))
		if !done {
			s, done = o.settledBy(h)
		}
		if !done {
			return true
		}
		if o.anew <= 0 {
			return false
		}
		o.since = wholeSecond(s.At.Add(o.anew))
		o.evidence = append(slices.Clone(o.evidence), s.LeafIndex)
	}
	return false
}

// settledBy is how an officer settled the same, which follows first from the same entry, when a policy was in force that gave it another
// time, and so another name: a number that changes finds nothing again that was settled. Where no policy gives a time, none changes it.
func (o *owing) settledBy(h *history.History) (history.Settled, bool) {
	if o.anew <= 0 && lasts(o.rule.Name) {
		return history.Settled{}, false
	}
	for _, s := range h.Settled {
		if s.First > 0 && s.First == o.evidence[0] && strings.HasPrefix(s.Finding, o.rule.Name+".") && (s.Upheld || o.rule.CuredBy == policy.ByOfficer) &&
			o.since.Before(wholeSecond(s.At.Add(o.anew))) {
			return s, true
		}
	}
	return history.Settled{}, false
}

func (o *owing) found(h *history.History) Finding {
	f := Finding{
		ID: idOf(o.rule.Name, o.since, o.evidence), Rule: o.rule.Name, Severity: o.rule.Severity, Since: o.since,
		Evidence: o.evidence, Words: o.rule.Finding, Cures: o.rule.Cure, Audiences: audiences(h, o.evidence),
		Given: o.exempt || o.since.After(wholeSecond(o.from)),
	}
	if o.severity != "" {
		f.Severity = o.severity
	}
	return f
}

// idOf names a finding: by its rule, since when it is true, and, unless the rule is about one entry alone, the first entry that it
// follows from.
func idOf(rule string, since time.Time, evidence []int64) string {
	id := make([]byte, 0, 64)
	id = append(id, rule...)
	id = since.AppendFormat(id, ".20060102T150405Z")
	if lasts(rule) && len(evidence) > 0 {
		id = strconv.AppendInt(append(id, '.'), evidence[0], 10)
	}
	return string(id)
}

// Again stands, in the id of a finding that was opened once before with the same facts, between the name of the shortfall, which is
// the same, and a number that tells the two apart.
const Again = history.Again

// Named is the name of the shortfall that a finding is about, as Assess gives it.
func Named(finding string) string { return history.Named(finding) }

// wholeSecond rounds up, since statements carry whole seconds: a finding opens no part of a second early, and its Since
// is the same before and after it was written down.
func wholeSecond(t time.Time) time.Time {
	whole := t.UTC().Truncate(time.Second)
	if whole.Before(t) {
		whole = whole.Add(time.Second)
	}
	return whole
}
