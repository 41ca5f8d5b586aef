package audit

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// shortfall is since when something falls short under a rule, nothing new being said; that may be ahead.
type shortfall struct {
	owed     bool
	since    time.Time // whole seconds
	evidence []int64
	severity string // where it is not the rule's
	by       string // the officer who recorded it
	given    bool   // a time that was given ended at since
	// anew is after which it is found again once an officer settled it; 0 if it is not.
	anew time.Duration
}

// up rounds up to whole seconds, which is what statements carry: no finding opens a part of a second early.
func up(t time.Time) time.Time {
	whole := t.Truncate(time.Second)
	if whole.Before(t) {
		whole = whole.Add(time.Second)
	}
	return whole
}

// falls says what falls short under a rule: of evidence each piece, else one thing at most.
func (f *facts) falls(n *numbers, name string) []shortfall {
	r, known := n.rules[name]
	if !known || !r.on || f.enrolledAt.IsZero() || f.terminated {
		return nil
	}
	if name == "evidence.recorded" {
		return f.recorded
	}
	if s := f.short(r, name); s.owed {
		return []shortfall{s}
	}
	return nil
}

// short is falls, whether the rule is on or not.
func (f *facts) short(r rule, name string) shortfall {
	switch name {
	case "cip.missing":
		if len(f.attested) > 0 {
			return shortfall{}
		}
		return f.exempted(shortfall{owed: true, since: up(f.enrolledAt.Add(r.after)), evidence: []int64{f.enrolledLeaf}, given: r.after > 0, anew: r.after}, f.enrolledAt, r.after)
	case "cip.stale":
		if len(f.attested) == 0 {
			return shortfall{}
		}
		last := f.attested[len(f.attested)-1]
		return f.exempted(shortfall{owed: true, since: up(last.at.Add(r.after)), evidence: []int64{last.leaf}, given: r.after > 0, anew: r.after}, last.at, 0)
	case "cip.incomplete":
		return f.exempted(f.incomplete.short(0), f.incomplete.at, 0)
	case "cip.copy-missing":
		return f.exempted(f.copyOwed.short(r.after), f.copyOwed.at, r.after)
	case "customer.unverified":
		return f.unverified(r)
	case "customer.stale":
		return f.outOfDate(r)
	case "customer.incomplete":
		return f.incompleteLast.short(0)
	case "report.late":
		for _, l := range f.late { // the first that took longer than allowed; what came late stays late
			if l.by > r.suspicious {
				return shortfall{owed: true, since: l.at.Truncate(time.Second), evidence: []int64{l.leaf}}
			}
		}
	case "abuse.unanswered":
		return f.unanswered(r)
	}
	return f.duties.falls(r, name)
}

func (s spell) short(after time.Duration) shortfall {
	if !s.lasts {
		return shortfall{}
	}
	since := s.at.Truncate(time.Second) // what may not be at all falls short from the second of its entry on
	if after > 0 {
		since = up(s.at.Add(after))
	}
	return shortfall{owed: true, since: since, evidence: []int64{s.leaf}, given: after > 0, anew: after}
}

// exempted moves a shortfall of the program behind an exemption that its time runs into. What was never handed in has its whole time
// from the end on, what grew old meanwhile is due at the end.
func (f *facts) exempted(s shortfall, from time.Time, anew time.Duration) shortfall {
	x := f.exempt
	if !s.owed || x.id == "" || !x.until.After(from) {
		return s
	}
	if after := up(x.until.Add(anew)); after.After(s.since) {
		s.since, s.given = after, true
		s.evidence = append(s.evidence, x.ended)
	}
	return s
}

// unverified is the customer that has waited longest, or too large a share of all.
func (f *facts) unverified(r rule) (s shortfall) {
	var first *customer
	for _, id := range slices.Sorted(maps.Keys(f.customers)) {
		if c := f.customers[id]; c.waits && (first == nil || c.since.Before(first.since)) {
			first = c
		}
	}
	if first != nil {
		s = shortfall{owed: true, since: up(later(first.since.Add(r.after), first.from)), evidence: []int64{first.sinceAt}, given: true, anew: r.after}
	}
	begin := -1
	for i := len(f.counts) - 1; i >= 0 && r.share > 0 && f.counts[i].exceeds(r.share); i-- {
		begin = i
	}
	if begin >= 0 {
		if since := up(f.counts[begin].at.Add(r.after)); !s.owed || since.Before(s.since) {
			s = shortfall{owed: true, since: since, evidence: []int64{f.counts[begin].leaf}, given: r.after > 0, anew: r.after}
		}
	}
	return s
}

// outOfDate is the verification of a customer with an open account that is, or will be, older than its tier allows first.
func (f *facts) outOfDate(r rule) (s shortfall) {
	for _, id := range slices.Sorted(maps.Keys(f.customers)) {
		c := f.customers[id]
		if !c.hasAccount() || c.us() || !c.party.verified {
			continue
		}
		day, err := time.Parse(time.DateOnly, c.party.verifiedOn)
		if err != nil {
			continue
		}
		if since := up(day.Add(r.refresh[c.party.tier])); !s.owed || since.Before(s.since) {
			s = shortfall{owed: true, since: since, evidence: []int64{c.party.leaf}, given: true, anew: r.refresh[c.party.tier]}
		}
	}
	return s
}

// unanswered is the inquiry that falls due first: this long after it was asked, or by the date that the reseller was told if that is later.
func (f *facts) unanswered(r rule) (s shortfall) {
	for _, i := range f.inquiries {
		if due := up(later(i.at.Add(r.after), i.dueAt)); !i.answered && (!s.owed || due.Before(s.since)) {
			s = shortfall{owed: true, since: due, evidence: []int64{i.leaf}, given: true, anew: r.after}
		}
	}
	return s
}

// goesOn says whether a rule is one about many things: a finding under it goes on until none of them falls short.
func goesOn(name string) bool {
	return name == "customer.unverified" || name == "customer.stale" || name == "report.late" || name == "abuse.unanswered" || name == overdue
}

// cure is the entry that cured an open finding, if one did.
func (f *facts) cure(n *numbers, o *finding) (leaf int64, at time.Time, cured bool) {
	newest := int64(-1)
	for _, l := range o.evidence {
		newest = max(newest, l)
	}
	take := func(l int64, t time.Time) {
		if !cured || l < leaf {
			leaf, at, cured = l, t, true
		}
	}
	switch o.rule {
	case "cip.missing", "cip.stale":
		for _, a := range f.attested {
			if a.leaf > newest {
				take(a.leaf, a.at)
				break
			}
		}
	case "cip.incomplete":
		f.incomplete.cures(o, take)
	case "cip.copy-missing":
		f.copyOwed.cures(o, take)
	case "customer.incomplete":
		f.incompleteLast.cures(o, take)
	case "customer.unverified", "customer.stale", "abuse.unanswered":
		last, lastAt := f.statedLeaf, f.statedAt
		if o.rule == "abuse.unanswered" {
			last, lastAt = f.answeredLeaf, f.answeredAt
		}
		s := f.short(n.rules[o.rule], o.rule)
		same := s.owed && s.evidence[0] == o.evidence[0] // whatever time another policy gives it
		if last > newest && (!s.owed || !same && s.since.After(lastAt)) {
			take(last, lastAt)
		}
	case overdue, unreachable, unconfirmed:
		f.duties.cure(n.rules[o.rule], o, take)
	}
	still := f.short(n.rules[o.rule], o.rule)
	same := still.owed && still.since.Equal(o.since) && still.evidence[0] == o.evidence[0]
	// An exemption ends what was there when it was granted. What came behind that was under it, or comes after it.
	if x := f.exempt; strings.HasPrefix(o.rule, "cip.") && x.id != "" && newest < x.leaf && o.since.Before(x.until) && !same {
		take(x.leaf, x.since)
	}
	return leaf, at, cured
}

// cures says by which entry a finding about a spell was cured: the one that ended that spell, whatever came later.
func (s *spell) cures(o *finding, take func(int64, time.Time)) {
	for ; s != nil; s = s.before {
		if s.leaf == o.evidence[0] && s.leaf > 0 && !s.lasts {
			take(s.endedLeaf, s.endedAt)
		}
	}
}
