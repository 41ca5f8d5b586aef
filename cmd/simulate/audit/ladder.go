package audit

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// finding is one that was opened and not cured.
type finding struct {
	id, rule, severity string
	since, opened      time.Time
	evidence           []int64
	file               string // the case it is behind
	by                 string // the officer who recorded its evidence

	settledLeaf int64     // of the entry by which an officer settled it
	settledAt   time.Time // zero if none did
	upheld      bool      // by deciding for the reseller: it was wrong
}

// file is a case: what was stated of it, and what people said in it.
type file struct {
	id         string
	policy     *numbers
	openedAt   time.Time
	reinstated bool // it is what was still open when a termination was taken back; its clock started then

	warnedAt, cureBy        time.Time
	restrictedAt, closesAt  time.Time
	closingAt, terminatesAt time.Time
	terminatedAt            time.Time
	limit                   time.Time
	limitPassed             time.Time // the limit of which was stated that it passed
	faced                   bool      // a finding behind it was cured by facts
	people                  people
	notice                  notice // of the step that was taken last
	successor               successor
}

// order is an order in force, with the case by which it was given.
type order struct{ name, file string }

// past is a case that ended.
type past struct {
	openedAt time.Time
	wrong    bool // the provider took it back

	policy  string // that it kept
	endedAt time.Time
	seen    int64 // the last entry that was judged by it
}

// decision is what any decision may say.
type decision struct {
	Basis struct {
		Policy string    `json:"policy"`
		Seen   int64     `json:"seen"`
		Now    time.Time `json:"now"`
	} `json:"basis"`
	Finding      string    `json:"finding"`
	Rule         string    `json:"rule"`
	Severity     string    `json:"severity"`
	Since        time.Time `json:"since"`
	Opened       time.Time `json:"opened"`
	Evidence     leaves    `json:"evidence"`
	Case         string    `json:"case"`
	CuredBy      int64     `json:"cured_by"`
	Findings     []string  `json:"findings"`
	CureBy       time.Time `json:"cure_by"`
	LimitAt      time.Time `json:"limit_at"`
	NextAt       time.Time `json:"next_at"`
	TerminatesAt time.Time `json:"terminates_at"`
	Order        string    `json:"order"`
	Until        time.Time `json:"until"`
	Scope        string    `json:"scope"`
	Number       int       `json:"number"`
	Before       string    `json:"before"`
	After        string    `json:"after"`
	Why          string    `json:"why"`
}

// decides is true for what a decision states.
func decides(e Entry) bool {
	switch e.Kind {
	case "finding-opened", "finding-cured", "warning-issued", "restriction-ordered", "closure-ordered", "order-withdrawn",
		"relationship-terminated", "standing-changed", "limit-passed", handOver:
		return e.By != e.About
	}
	return false
}

// group is the decisions of one commit.
type group struct {
	policy *numbers
	seen   int64
	now    time.Time
	leaf   int64
	at     time.Time
	over   bool // a case ended in it
	leaves bool // it orders closed what is left
	hands  bool // it orders customers handed over
}

func (d *dossier) decided(e Entry) {
	var said decision
	if err := unmarshal(e.JSON, &said); err != nil {
		d.fail(e.Leaf, "a %s that cannot be read: %v", e.Kind, err)
		return
	}
	g := d.group
	if g == nil || said.Basis.Seen != g.seen || !said.Basis.Now.Equal(g.now) || said.Basis.Policy != g.policy.id || !e.AcceptedAt.Equal(g.at) {
		d.settle()
		if g = d.begins(e, said); g == nil {
			return
		}
		d.group = g
	}
	g.leaf = e.Leaf
	d.facts.duties.asks(e, said)
	if d.file.terminated() && e.Kind != "standing-changed" {
		d.fail(e.Leaf, "a %s after the termination at %s", e.Kind, moment(d.file.terminatedAt))
		return
	}
	switch e.Kind {
	case "finding-opened":
		d.opened(e, said)
	case "finding-cured":
		d.cured(e, said)
	case "warning-issued":
		d.warned(e, said)
	case "restriction-ordered":
		d.restricted(e, said)
	case "closure-ordered":
		if said.Scope == remainingAccounts {
			d.leaves(e, said)
		} else {
			d.closed(e, said)
		}
	case handOver:
		d.hands(e, said)
	case "relationship-terminated":
		d.ended(e, said)
	case "limit-passed":
		d.passed(e, said)
	case "order-withdrawn":
		d.withdrawn(e, said)
	case "standing-changed":
		d.stood(e, said)
	}
}

func (f file) terminated() bool { return !f.terminatedAt.IsZero() }

// begins checks from what the decisions of a commit were made.
func (d *dossier) begins(e Entry, said decision) *group {
	g := &group{seen: said.Basis.Seen, now: said.Basis.Now, at: e.AcceptedAt}
	if said.Basis.Seen != d.last {
		d.fail(e.Leaf, "a %s decided upon entry %d, while entry %d stands before it", e.Kind, said.Basis.Seen, d.last)
		return nil
	}
	if said.Basis.Now.After(e.AcceptedAt) {
		d.fail(e.Leaf, "a %s of %s that was accepted before, at %s", e.Kind, moment(said.Basis.Now), moment(e.AcceptedAt))
		return nil
	}
	if d.auditor.Steady && e.AcceptedAt.Sub(said.Basis.Now) > Promptness {
		d.fail(e.Leaf, "a %s of %s that was committed only at %s: whatever time it gives begins too early", e.Kind, moment(said.Basis.Now), moment(e.AcceptedAt))
		return nil
	}
	if d.file.id != "" {
		if g.policy = d.file.policy; g.policy.id != said.Basis.Policy {
			d.fail(e.Leaf, "a %s by policy %s, while case %s is pinned to %s", e.Kind, said.Basis.Policy, d.file.id, g.policy.id)
			return nil
		}
		return g
	}
	if g.policy = d.auditor.wasInForce(said.Basis.Policy, said.Basis.Now); g.policy == nil {
		d.fail(e.Leaf, "a %s by policy %s, which is not the one in force", e.Kind, said.Basis.Policy)
		return nil
	}
	return g
}

func (d *dossier) opened(e Entry, said decision) {
	g := d.group
	var s shortfall
	for _, one := range d.short(g.policy, said.Rule) {
		if !s.owed || slices.Contains(said.Evidence, one.evidence[0]) {
			s = one
		}
	}
	severity := g.policy.rules[said.Rule].severity
	if s.severity != "" {
		severity = s.severity
	}
	f := &finding{id: said.Finding, rule: said.Rule, severity: said.Severity, since: said.Since, opened: said.Opened, evidence: said.Evidence, file: said.Case}
	f.by = s.by
	switch {
	case d.open[f.id] != nil:
		d.fail(e.Leaf, "finding %s opened twice", f.id)
	case !s.owed:
		d.fail(e.Leaf, "finding %s opened, and nothing falls short under %s", f.id, f.rule)
	case g.now.Before(d.auditor.opensAt(s)):
		d.fail(e.Leaf, "finding %s opened at %s, early: it falls short from %s on, and is found from %s on", f.id, moment(g.now), moment(s.since),
			moment(d.auditor.opensAt(s)))
	case !f.since.Equal(s.since):
		d.fail(e.Leaf, "finding %s says since %s; it falls short since %s", f.id, moment(f.since), moment(s.since))
	case !f.opened.Equal(g.now):
		d.fail(e.Leaf, "finding %s says that it was found at %s, decided at %s", f.id, moment(f.opened), moment(g.now))
	case f.severity != severity:
		d.fail(e.Leaf, "finding %s is called %s; policy %s says %s", f.id, f.severity, g.policy.id, severity)
	case !slices.Contains(f.evidence, s.evidence[0]):
		d.fail(e.Leaf, "finding %s names entries %v; it follows from %v", f.id, f.evidence, s.evidence)
	}
	for _, o := range d.open {
		if o.rule == f.rule && d.covers(o, s) {
			d.fail(e.Leaf, "finding %s opened, while %s says the same", f.id, o.id)
		}
	}
	for _, o := range d.dismissed {
		if o.says(f.rule, s) {
			d.fail(e.Leaf, "finding %s opened, though an appeal found %s wrong, which says the same", f.id, o.id)
		}
	}
	if f.severity == "minor" {
		if f.file != "" {
			d.fail(e.Leaf, "finding %s is minor, and has a case", f.id)
		}
	} else {
		d.finds(e)
		switch {
		case d.file.id == "" && f.file != e.JTI:
			d.fail(e.Leaf, "finding %s opens a case of the id %s, which is not its own jti %s", f.id, f.file, e.JTI)
		case d.file.id == "" && g.over:
			d.fail(e.Leaf, "finding %s opens a new case in the commit in which another one ended, by the policy of that one", f.id)
		case d.file.id == "":
			if d.auditor.wasInForce(g.policy.id, g.now) == nil {
				d.fail(e.Leaf, "finding %s opens a new case by policy %s, which is not the one in force", f.id, g.policy.id)
			}
			d.file = file{id: f.file, policy: g.policy, openedAt: g.now, people: d.file.people}
			d.file.people.approved = nil
			d.cases++
		case f.file != d.file.id:
			d.fail(e.Leaf, "finding %s names case %s, while case %s is open", f.id, f.file, d.file.id)
		}
	}
	d.open[f.id] = f
}

// short is what falls short under a rule. What an officer settled is no leave for ever: where the rule gives a time, and nothing has
// changed that long after, it falls short anew.
func (d *dossier) short(n *numbers, name string) []shortfall {
	all := slices.Clone(d.facts.falls(n, name))
	for i := range all {
		for moved := true; moved; {
			moved = false
			for _, o := range d.dismissed {
				if o.says(name, all[i]) && all[i].anew > 0 {
					all[i].since, all[i].given, moved = up(o.settledAt.Add(all[i].anew)), true, true
				}
			}
		}
	}
	return all
}

// says is true if a finding that an appeal found wrong is this shortfall.
func (o *finding) says(rule string, s shortfall) bool {
	if o.rule != rule || !slices.Contains(o.evidence, s.evidence[0]) {
		return false
	}
	// What follows from the same entry was settled whatever time another policy gives it.
	return o.since.Equal(s.since) || s.since.Before(up(o.settledAt.Add(s.anew)))
}

// covers says whether an open finding says what falls short already.
func (d *dossier) covers(o *finding, s shortfall) bool {
	if !o.settledAt.IsZero() {
		return slices.Contains(o.evidence, s.evidence[0]) // what an officer settled does not go on with others
	}
	if d.policy().rules[o.rule].byOfficer {
		return goesOn(o.rule) || slices.Contains(o.evidence, s.evidence[0])
	}
	if _, _, cured := d.facts.cure(d.policy(), o); cured {
		return false
	}
	return goesOn(o.rule) || slices.Contains(o.evidence, s.evidence[0])
}

func (d *dossier) cured(e Entry, said decision) {
	o := d.open[said.Finding]
	if o == nil {
		d.fail(e.Leaf, "finding %s cured, which is not open", said.Finding)
		return
	}
	leaf, _, cured := d.cure(d.group.policy, o)
	switch {
	case !cured:
		d.fail(e.Leaf, "finding %s cured, and it still falls short", o.id)
	case leaf != said.CuredBy:
		d.fail(e.Leaf, "finding %s cured by entry %d; it was cured by entry %d", o.id, said.CuredBy, leaf)
	}
	if o.settledAt.IsZero() || !o.upheld {
		d.file.faced = d.file.faced || o.file != "" && o.rule != overdue
	} else {
		d.dismissed = append(d.dismissed, o)
	}
	delete(d.open, o.id)
	p := &d.file.people
	p.reviews = slices.DeleteFunc(p.reviews, func(r review) bool { return r.finding == o.id })
	d.calms()
	d.over(d.group.now, d.group.seen)
}

// cure is the entry that cured an open finding: the decision of an appeal, whatever the facts say, else what they say.
func (d *dossier) cure(n *numbers, o *finding) (leaf int64, at time.Time, cured bool) {
	if !o.settledAt.IsZero() {
		return o.settledLeaf, o.settledAt, true
	}
	if leaf, at, cured = d.withdrew(o); cured {
		return leaf, at, true
	}
	if n.rules[o.rule].byOfficer {
		return 0, time.Time{}, false
	}
	return d.facts.cure(n, o)
}

// over ends the case once nothing behind it is open and no order of it stands. seen is the last entry that its policy judged.
func (d *dossier) over(at time.Time, seen int64) {
	if d.file.id == "" || len(d.behind()) > 0 || slices.ContainsFunc(d.orders, func(o order) bool { return o.file == d.file.id }) {
		return
	}
	d.past = append(d.past, past{openedAt: d.file.openedAt, wrong: !d.file.faced, policy: d.file.policy.id, endedAt: at, seen: seen})
	if d.group != nil {
		d.group.over = true
	}
	kept := d.file.people
	d.file = file{}
	d.file.people.reviews, d.file.people.decisions, d.file.people.approved = kept.reviews, kept.decisions, kept.approved
}

// behind are the findings behind the case, the earliest first.
func (d *dossier) behind() []*finding {
	var behind []*finding
	for _, o := range d.open {
		if d.file.id != "" && o.file == d.file.id {
			behind = append(behind, o)
		}
	}
	slices.SortFunc(behind, func(a, b *finding) int {
		if c := a.since.Compare(b.since); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	return behind
}

// unresolved checks what every step of a case needs: findings behind it, named, and none of them cured.
func (d *dossier) unresolved(e Entry, said decision) bool {
	behind := d.behind()
	if said.Case == "" || said.Case != d.file.id {
		d.fail(e.Leaf, "a %s of case %q, while the open case is %q", e.Kind, said.Case, d.file.id)
		return false
	}
	names := map[string]bool{}
	for _, o := range behind {
		names[o.id] = true
		if leaf, at, cured := d.cure(d.group.policy, o); cured {
			d.fail(e.Leaf, "a %s for finding %s, which entry %d cured at %s", e.Kind, o.id, leaf, moment(at))
			return false
		}
	}
	for _, name := range said.Findings {
		if !names[name] {
			d.fail(e.Leaf, "a %s for finding %s, which is not behind the case", e.Kind, name)
			return false
		}
	}
	if len(behind) == 0 || len(said.Findings) != len(behind) {
		d.fail(e.Leaf, "a %s for %d findings, while %d are open behind the case", e.Kind, len(said.Findings), len(behind))
		return false
	}
	return true
}

// stands is the standing that follows.
func (d *dossier) stands() string {
	f := &d.file
	switch {
	case f.terminated():
		return "terminated"
	case !f.closingAt.IsZero():
		return "closing"
	case !f.restrictedAt.IsZero():
		return "restricted"
	case !f.warnedAt.IsZero():
		return "warned"
	case len(d.open) > 0:
		return "watch"
	case len(d.facts.attested) > 0:
		return "good"
	}
	return "pending"
}

func (d *dossier) stood(e Entry, said decision) {
	d.changes++
	switch {
	case said.Number != d.changes:
		d.fail(e.Leaf, "change of standing number %d, after %d others", said.Number, d.changes-1)
	case said.Before != d.standing:
		d.fail(e.Leaf, "the standing was %s, and it says %s", d.standing, said.Before)
	case said.After != d.stands():
		d.fail(e.Leaf, "the standing that follows is %s, and it says %s", d.stands(), said.After)
	case said.Why == "":
		d.fail(e.Leaf, "a change of standing without a reason")
	}
	d.standing, d.changedAt = said.After, e.AcceptedAt
	d.retells(e, said)
}

// settle ends the commit that is being read: with it everything must be said that was due.
func (d *dossier) settle() {
	g := d.group
	if g == nil {
		return
	}
	d.group = nil
	if g.leaves && !d.file.terminated() {
		d.fail(g.leaf, "what is left is ordered closed, without a termination")
	}
	if g.over || d.policy() != g.policy {
		return // the case ended, or its policy was moved: what the one in force asks for follows in a commit of its own
	}
	if at, what := d.due(g.now); !d.broken && what != "" && !at.After(g.now) {
		d.fail(g.leaf, "left out: %s, due at %s, in what was decided at %s", what, moment(at), moment(g.now))
	}
}

// due is what must be stated next, as seen from a time on, nothing new being said, and when; what is "" if nothing is.
func (d *dossier) due(from time.Time) (at time.Time, what string) {
	consider := func(when time.Time, which string) {
		if what == "" || when.Before(at) || when.Equal(at) && which < what {
			at, what = when, which
		}
	}
	if stands := d.stands(); stands != d.standing {
		consider(time.Time{}, "a change of standing from "+d.standing+" to "+stands)
	}
	if d.file.terminated() {
		return at, what
	}
	n := d.policy()
	behind := d.behind()
	if slices.ContainsFunc(d.orders, func(o order) bool { return o.file != d.file.id || len(d.reasons()) == 0 }) {
		consider(time.Time{}, "order-withdrawn: no case needs the order any more")
	}
	for _, o := range d.open {
		if leaf, _, cured := d.cure(n, o); cured {
			consider(time.Time{}, "finding-cured for "+o.id+", cured by entry "+strconv.FormatInt(leaf, 10))
		}
	}
	for name := range n.rules {
		for _, s := range d.short(n, name) {
			covered := false
			for _, o := range d.open {
				covered = covered || o.rule == name && d.covers(o, s)
			}
			for _, o := range d.dismissed {
				covered = covered || o.says(name, s)
			}
			severity := s.severity
			if severity == "" {
				severity = n.rules[name].severity
			}
			if opens, never := d.foundFrom(severity, d.auditor.opensAt(s), from); !covered && !never {
				consider(opens, "finding-opened under "+name)
			}
		}
	}
	for _, m := range d.moves() {
		if d.waits(m) != "" {
			continue
		}
		if leaves, never := d.freed(m, d.falls(m), from); !never {
			consider(leaves, m.kind)
		}
	}
	if f := &d.file; len(behind) > 0 && !f.limit.IsZero() && !f.limitPassed.Equal(f.limit) {
		consider(f.limit, "limit-passed")
	}
	return at, what
}
