package audit

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// move is a step that the case can take from where it stands.
type move struct {
	kind         string // of the statement
	step         string // as the policy names it
	base         time.Time
	latest       time.Time // the last moment at which the rest still fits into the limit; zero if nothing bounds it
	irreversible bool
}

// identity is what the statement of a step can be only once about an entity.
func (m move) identity(file string) []string {
	switch m.kind {
	case "restriction-ordered":
		return []string{m.kind, file, "no-new-accounts"}
	case "closure-ordered":
		return []string{m.kind, file, "reseller-account"}
	}
	return []string{m.kind, file}
}

// identity is the jti of a decision: a UUID of version 8 from the SHA-256 of what is decided.
func identity(entity string, decided []string) string {
	space := uuid.NewHash(sha256.New(), uuid.NameSpaceURL, []byte("urn:cipgate:decision"), 8)
	return uuid.NewHash(sha256.New(), space, []byte(entity+"\x00"+strings.Join(decided, "\x00")), 8).String()
}

// moves are the steps that the open case can take: one, and where a finding is critical, or an officer recorded its evidence, the
// closure at once.
func (d *dossier) moves() []move {
	behind, f := d.behind(), &d.file
	if f.id == "" || len(behind) == 0 || f.terminated() {
		return nil
	}
	n, limit := f.policy, d.limit()
	closure := move{kind: "closure-ordered", step: "close", latest: limit.Add(-n.closingMargin), irreversible: true}
	for _, o := range behind {
		if o.urgent() && (closure.base.IsZero() || o.opened.Before(closure.base)) {
			closure.base = o.opened
		}
	}
	switch {
	case !f.closingAt.IsZero():
		return []move{{kind: "relationship-terminated", step: "terminate", base: f.terminatesAt, latest: limit.Add(-n.terminationMargin), irreversible: true}}
	case !f.restrictedAt.IsZero():
		if closure.base.IsZero() || f.closesAt.Before(closure.base) {
			closure.base = f.closesAt
		}
		return []move{closure}
	case !f.warnedAt.IsZero():
		restriction := move{kind: "restriction-ordered", step: "restrict", base: f.cureBy, latest: limit.Add(-n.cureMargin)}
		if d.repeats() {
			restriction.base = f.warnedAt
		}
		if closure.base.IsZero() {
			return []move{restriction}
		}
		return []move{closure, restriction}
	}
	return []move{{kind: "warning-issued", step: "warn", base: f.openedAt}}
}

func (o *finding) urgent() bool { return o.severity == "critical" || o.rule == "evidence.recorded" }

// repeats says that with this case there are too many in the policy's time.
func (d *dossier) repeats() bool {
	n := d.file.policy
	if n.repeatCount == 0 {
		return false
	}
	cases := 1
	for _, p := range d.past {
		if !p.wrong && !p.openedAt.Before(d.file.openedAt.Add(-n.repeatWithin)) {
			cases++
		}
	}
	return cases >= n.repeatCount
}

// began is when the stage began in which the case is.
func (f *file) began() time.Time {
	for _, at := range []time.Time{f.closingAt, f.restrictedAt, f.warnedAt} {
		if !at.IsZero() {
			return at
		}
	}
	return f.openedAt
}

// falls is when a step falls due. It does not ask people.
func (d *dossier) falls(m move) time.Time {
	f := &d.file
	at := m.base
	// No step before the first finding behind the case has been open for the cure floor.
	if m.step != "warn" && !(m.step == "restrict" && d.repeats()) {
		var ripe time.Time
		for _, o := range d.behind() {
			opened := o.opened.Add(f.policy.cureFloor)
			if m.step == "close" && o.urgent() {
				opened = o.opened
			}
			if ripe.IsZero() || opened.Before(ripe) {
				ripe = opened
			}
		}
		at = later(at, ripe)
	}
	at = d.moved(m, at)
	if m.irreversible {
		at = d.afterProof(m, d.afterDisputes(m, at))
	}
	return at
}

// moved is a time of the case with what an extension, holds and outages moved it by.
func (d *dossier) moved(m move, at time.Time) time.Time {
	f := &d.file
	if x := f.people.extension; !x.to.IsZero() && x.stage.Equal(f.began()) {
		to := x.to
		if !m.latest.IsZero() {
			to = earlier(to, m.latest)
		}
		at = later(at, to)
	}
	return d.afterStops(m, at)
}

// stop is a time in which the clock of the case stands still.
type stop struct {
	from, to time.Time
	held     bool // by an officer; an outage else
}

// afterStops gives back what holds and outages took: what was unused when it began. After a hold at least the hold return is left, and
// no single officer's hold passes the limit.
func (d *dossier) afterStops(m move, at time.Time) time.Time {
	f, n := &d.file, d.file.policy
	var stops []stop
	for _, o := range d.auditor.outages {
		stops = append(stops, stop{from: o.from, to: o.to})
	}
	for _, h := range f.people.holds {
		end := h.ends
		if h.kind != "stay" && !m.latest.IsZero() {
			end = earlier(end, m.latest.Add(-n.holdReturn))
		}
		stops = append(stops, stop{from: h.placed, to: end, held: true})
	}
	for i := range stops {
		stops[i].from = later(stops[i].from, f.began())
	}
	stops = slices.DeleteFunc(stops, func(s stop) bool { return !s.to.After(s.from) })
	slices.SortStableFunc(stops, func(a, b stop) int { return a.from.Compare(b.from) })
	for i := 0; i < len(stops); {
		one := stops[i]
		for i++; i < len(stops) && !stops[i].from.After(one.to); i++ {
			one.to, one.held = later(one.to, stops[i].to), one.held || stops[i].held
		}
		after := at
		if one.from.Before(at) {
			after = at.Add(one.to.Sub(one.from))
		}
		if one.held {
			if !m.latest.IsZero() {
				after = earlier(after, m.latest)
			}
			after = later(after, one.to.Add(n.holdReturn))
		}
		at = later(at, after)
	}
	return at
}

// heard is how many disputes of one finding keep irreversible steps waiting.
const heard = 2

// afterDisputes lets an irreversible step wait for disputes, up to the limit and not over it.
func (d *dossier) afterDisputes(m move, at time.Time) time.Time {
	f := &d.file
	count := map[string]int{}
	counts := func(r review) bool {
		o := d.open[r.finding]
		if r.kind != "dispute" || o == nil || f.id == "" || o.file != f.id {
			return false
		}
		count[r.finding]++
		return count[r.finding] <= heard
	}
	for _, r := range f.people.decisions {
		if counts(r) && !r.upheld && r.decided.After(f.began()) {
			at = later(at, earlier(r.decided.Add(f.policy.stepFloor), m.latest))
		}
	}
	for _, r := range f.people.reviews {
		if counts(r) {
			at = later(at, m.latest)
		}
	}
	return at
}

// waits says what a step waits for though its time has come; "" if for nothing.
func (d *dossier) waits(m move) string {
	f := &d.file
	rule := f.policy.approvals[m.step]
	needed := rule.people
	if slices.ContainsFunc(d.behind(), func(o *finding) bool { return o.severity == "critical" && o.rule != overdue }) {
		needed = rule.critical
	}
	if needed > 0 {
		id, people := "", map[string]bool{}
		if len(f.people.grants) > 0 || len(f.people.refusals) > 0 {
			id = identity(d.entity, m.identity(f.id))
		}
		for _, g := range f.people.grants {
			if g.approval == id && !g.lapsed && !d.barred(g.by) {
				people[g.by] = true
			}
		}
		switch {
		case slices.ContainsFunc(f.people.refusals, func(g grant) bool { return g.approval == id }):
			return "an officer refused it"
		case len(people) < needed && !rule.acts:
			return fmt.Sprintf("%d of %d people approved it", len(people), needed)
		}
	}
	if d.unproved(m) {
		return "it is not proved that the reseller was told of the step before"
	}
	if m.irreversible && d.auditor.paused {
		return "automation is paused"
	}
	return ""
}
