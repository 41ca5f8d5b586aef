package audit

import "time"

// The limit of a case begins when its earliest finding is true, and no sooner than the policy of the case judged the reseller by the facts
// that it follows from: what a new policy finds in old facts was no shortfall before it.

// put is that a policy was put in force.
type put struct {
	policy string
	at     time.Time
	leaf   int64
}

// limit is the limit of the case, or what it will be once it is warned.
func (d *dossier) limit() time.Time {
	f := &d.file
	if !f.limit.IsZero() {
		return f.limit
	}
	var since, opened time.Time
	for _, o := range d.behind() {
		from := later(o.since, d.judgedFrom(o.evidence[0]))
		if since.IsZero() || from.Before(since) || from.Equal(since) && o.opened.Before(opened) {
			since, opened = from, o.opened
		}
	}
	start := since
	if f.policy.clock == "awareness" {
		start = opened
	}
	if f.reinstated && since.Before(f.openedAt) {
		start = f.openedAt
	}
	return start.Add(f.policy.limit)
}

// judgedFrom is from when on an entry was judged by the policy of the case; zero if that was so from the moment in which it came.
func (d *dossier) judgedFrom(entry int64) (from time.Time) {
	f := &d.file
	found := false
	var last put
	for _, p := range d.auditor.put {
		late := p.at.Truncate(time.Second).After(f.openedAt) // an officer moved the case to it
		if p.policy == f.policy.id && (!found || !late) {
			last, found = p, true
		}
	}
	if found && entry <= last.leaf {
		from = last.at.Truncate(time.Second)
	}
	for _, p := range d.past {
		if p.policy != f.policy.id && entry <= p.seen {
			from = later(from, p.endedAt)
		}
	}
	return from
}
