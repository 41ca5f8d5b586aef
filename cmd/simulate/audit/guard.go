package audit

import (
	"slices"
	"time"
)

// The guard, as standing.md has it: a day, UTC, sees so many resellers closed and terminated at most, with so many accounts; findings opened
// of more resellers than a number within a time are held to be the gateway's own fault until two people say otherwise. The brake is one
// for all, so its numbers are those of the policy in force.

// brakes are the guard's numbers in a policy file. A policy of an earlier version has none, and brakes nothing.
type brakes struct {
	closures, terminations, findings brake
	accounts                         int
	within                           time.Duration // of findings
}

type brake struct{ count, share int }

// allowed is the smaller of the count and the share, and one at least.
func (b brake) allowed(resellers int) int { return max(1, min(b.count, b.share*resellers/100)) }

// ofFindings is the larger of the two.
func (b brake) ofFindings(resellers int) int { return max(b.count, b.share*resellers/100) }

func readBrakes(b branch) (g brakes, err error) {
	read := func(name string) brake {
		return brake{whole(b.down(name)["count"]), whole(b.down(name)["share"])}
	}
	g = brakes{closures: read("closures"), terminations: read("terminations"), findings: read("findings"), accounts: whole(b.down("accounts")["value"])}
	if within, has := b.down("findings")["within"].(string); has {
		g.within, err = readLength(within)
	}
	return g, err
}

// today is what the guard counted in one day.
type today struct {
	closures, terminations, accounts int
	// Whether the number was used up at any moment of it: then whoever waits may wait until the next day, also if the number rises again.
	closed, ended bool
}

type finder struct {
	entity string
	at     time.Time
}

type release struct {
	guard       string
	from, until time.Time
}

// guard is what the guard counted.
type guard struct {
	days     map[time.Time]*today
	found    []finder  // findings that were opened, but for minor ones
	reached  time.Time // when the number of findings was reached; zero once two people released it
	by       *group    // the commit that reached it: what else is found of that reseller leaves with it
	releases []release
	crowds   []crowd // how many resellers there were, and since when
}

type crowd struct {
	at        time.Time
	resellers int
}

func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

func (g *guard) day(t time.Time) *today {
	if g.days == nil {
		g.days = map[time.Time]*today{}
	}
	if g.days[midnight(t)] == nil {
		g.days[midnight(t)] = &today{}
	}
	return g.days[midnight(t)]
}

func (g *guard) released(kind string, t time.Time) bool {
	for _, r := range g.releases {
		if r.guard == kind && !t.Before(r.from) && t.Before(r.until) {
			return true
		}
	}
	return false
}

// release takes that an officer released the guard: it takes two, and ends.
func (g *guard) release(said action, at time.Time) {
	if said.ProposedBy.ID == "" || said.ProposedBy.ID == said.Officer.ID || said.EndsAt.IsZero() {
		return
	}
	kind := said.detail("guard")
	g.releases = append(g.releases, release{kind, at.Truncate(time.Second), said.EndsAt})
	if kind == "findings" {
		g.reached = time.Time{}
	}
}

// counts notes how many resellers there are now.
func (a *Auditor) counts(at time.Time) {
	n := 0
	for _, d := range a.order {
		if !d.facts.enrolledAt.IsZero() && !d.facts.terminated {
			n++
		}
	}
	g := &a.guard
	if last := len(g.crowds) - 1; last < 0 || g.crowds[last].resellers != n {
		g.crowds = append(g.crowds, crowd{at, n})
	}
	a.fills(at, n)
}

// fills notes whether the numbers of a day are used up.
func (a *Auditor) fills(at time.Time, resellers int) {
	if a.inForce == nil {
		return
	}
	d, b := a.guard.day(at), a.inForce.guard
	d.closed = d.closed || b.closures.count > 0 && d.closures >= b.closures.allowed(resellers)
	d.ended = d.ended || b.terminations.count > 0 && d.terminations >= b.terminations.allowed(resellers)
}

// resellers are how many there were at most when something was decided that is committed now.
func (a *Auditor) resellers(now time.Time) (most int) {
	for i := len(a.guard.crowds) - 1; i >= 0; i-- {
		most = max(most, a.guard.crowds[i].resellers)
		if now.Sub(a.guard.crowds[i].at) > Promptness {
			break
		}
	}
	return most
}

func (d *dossier) openAccounts() (n int) {
	for _, c := range d.facts.customers {
		for _, one := range c.accounts {
			if !one.closed {
				n++
			}
		}
	}
	return n
}

// brakes checks that the guard let a closure or a termination leave, and counts it.
func (d *dossier) brakes(e Entry, step string) {
	a, now := d.auditor, d.group.now
	accounts, sure := d.takes(step, now)
	g, b, day := &a.guard, a.inForce.guard, a.guard.day(d.group.now)
	kind, used, number := "closures", day.closures, b.closures
	if step == "terminate" {
		kind, used, number = "terminations", day.terminations, b.terminations
	}
	if a.Steady && len(a.found) == 0 && sure { // what a node that stood still for long states was counted when it was decided, and forgotten since
		n := a.resellers(now)
		switch {
		case number.count > 0 && used >= number.allowed(n) && !g.released(kind, now):
			d.fail(e.Leaf, "a %s at %s, while the guard holds it: %d %s that day, of %d resellers", e.Kind, moment(now), used, kind, n)
		case b.accounts > 0 && (accounts > b.accounts || day.accounts+accounts > b.accounts) && !g.released("accounts", now):
			d.fail(e.Leaf, "a %s at %s, while the guard holds it: %d accounts with %d that day, of %d", e.Kind, moment(now), accounts, day.accounts, b.accounts)
		}
	}
	if day.accounts += accounts; step == "terminate" {
		day.terminations++
	} else {
		day.closures++
	}
	a.fills(now, a.least(now)) // one that left at the same moment is counted by no node that looks next
}

// others are of how many other resellers findings were opened within the guard's time before now, and when the newest of these leaves it.
func (d *dossier) others(now time.Time) (n int) {
	g, seen := &d.auditor.guard, map[string]bool{}
	for _, f := range g.found {
		if f.entity != d.entity && f.at.After(now.Add(-d.auditor.inForce.guard.within)) && !seen[f.entity] {
			seen[f.entity] = true
			n++
		}
	}
	return n
}

// counted says that a finding of this reseller was opened within the guard's time: another one makes no more resellers of them.
func (d *dossier) counted(now time.Time) bool {
	return slices.ContainsFunc(d.auditor.guard.found, func(f finder) bool {
		return f.entity == d.entity && f.at.After(now.Add(-d.auditor.inForce.guard.within))
	})
}

// finds checks that the guard let a finding be opened, and counts it. Whoever reaches the number is the last that is let through.
func (d *dossier) finds(e Entry) {
	a, now := d.auditor, d.group.now
	g, b := &a.guard, a.inForce.guard.findings
	if b.count > 0 && !g.released("findings", now) {
		n, others := a.resellers(now), d.others(now)
		switch {
		case a.Steady && len(a.found) == 0 && others >= b.ofFindings(n):
			d.fail(e.Leaf, "a finding opened at %s, while the guard holds it: of %d other resellers within %s, of %d", moment(now), others, a.inForce.guard.within, n)
		case a.Steady && len(a.found) == 0 && !g.reached.IsZero() && g.by != d.group && !(g.reached.Equal(now) && d.counted(now)):
			d.fail(e.Leaf, "a finding opened at %s, while the guard holds it: its number was reached at %s", moment(now), moment(g.reached))
		case others+1 >= b.ofFindings(a.least(now)):
			g.reached, g.by = now, d.group
		}
	}
	g.found = append(g.found, finder{d.entity, now})
}

// least is how many resellers there were at least when something was decided that is committed now.
func (a *Auditor) least(now time.Time) int {
	least := a.resellers(now)
	for i := len(a.guard.crowds) - 1; i >= 0; i-- {
		least = min(least, a.guard.crowds[i].resellers)
		if now.Sub(a.guard.crowds[i].at) > Promptness {
			break
		}
	}
	return least
}

// fires is when a step is taken whose time may be over: what cannot be taken back is not taken at night because it is late.
func (d *dossier) fires(m move, at, from time.Time) time.Time {
	if m.irreversible && at.Before(from) {
		return later(at, d.inHours(from))
	}
	return at
}

// freed is when a step can leave that falls due at a time, nothing new being said; never is true if the guard holds it for good.
func (d *dossier) freed(m move, at, from time.Time) (leaves time.Time, never bool) {
	if !m.irreversible {
		return at, false
	}
	at = d.fires(m, at, from)
	for t := later(at, from); ; t = at {
		full, never := d.full(m.step, t)
		if never {
			return at, true
		}
		if !full { // also of a day that nobody has seen yet
			return at, false
		}
		at = d.inHours(later(at, midnight(t).Add(24*time.Hour)))
	}
}

// full says whether the numbers of a day were used up, so that a step waits for the next; never is true if no day's number is enough.
func (d *dossier) full(step string, t time.Time) (full, never bool) {
	g, b := &d.auditor.guard, d.auditor.inForce.guard
	accounts, _ := d.takes(step, t)
	day := g.days[midnight(t)]
	if day == nil {
		day = &today{}
	}
	kind, full := "closures", day.closed
	if step == "terminate" {
		kind, full = "terminations", day.ended
	}
	full = full && !g.released(kind, t)
	if b.accounts > 0 && !g.released("accounts", t) {
		full, never = full || day.accounts+accounts > b.accounts, accounts > b.accounts
	}
	return full, never
}

// foundFrom is when a finding can be opened that falls short from a time on; never is true if the guard holds it until it is released.
func (d *dossier) foundFrom(severity string, at, from time.Time) (opens time.Time, never bool) {
	a, t := d.auditor, later(at, from)
	g, b := &a.guard, a.inForce.guard.findings
	if severity == "minor" || b.count == 0 || g.released("findings", t) {
		return at, false
	}
	if !g.reached.IsZero() {
		return at, true
	}
	if d.others(t) >= b.ofFindings(a.least(t)) { // it is looked at again when all of these are counted no more
		return t.Add(a.inForce.guard.within), false
	}
	return at, false
}

// outage takes a time in which nothing could be handed in.
func (a *Auditor) outage(one span) {
	var all []span
	for _, o := range a.outages {
		if o.to.Before(one.from) || one.to.Before(o.from) {
			all = append(all, o)
			continue
		}
		one.from, one.to = earlier(o.from, one.from), later(o.to, one.to)
	}
	a.outages = append(all, one)
}

// opensAt is when something is found that falls short from then on: what falls due while nothing can be handed in has the time from the
// outage's end on that it had left when the outage began. What had no time, such as evidence, has none to lose.
func (a *Auditor) opensAt(s shortfall) time.Time {
	since := s.since
	for moved := s.given; moved; {
		moved = false
		for _, o := range a.outages {
			if !since.Before(o.from) && since.Before(o.to) {
				since, moved = o.to.Add(since.Sub(o.from)), true
			}
		}
	}
	return since
}
