package audit

import (
	"slices"
	"strings"
	"time"
)

// The steps of a case, each against the time and the people that it needs.

func (d *dossier) warned(e Entry, said decision) {
	g, n := d.group, d.file.policy
	if !d.inTurn(e, said) {
		return
	}
	limit := d.limit()
	// Cure time is compressed to fit into the limit, and never under the floor; who repeats has a share of it.
	length := n.cure
	if d.repeats() {
		length = n.cure / 100 * time.Duration(n.repeatShare)
	}
	cureBy := earlier(g.now.Add(length).Truncate(time.Second), limit.Add(-n.cureMargin))
	cureBy = later(cureBy, g.now.Add(n.cureFloor))
	switch {
	case !said.LimitAt.Equal(limit):
		d.fail(e.Leaf, "the warning says that the limit is %s; it is %s", moment(said.LimitAt), moment(limit))
	case !said.CureBy.Equal(cureBy):
		d.fail(e.Leaf, "the warning gives time until %s; it is until %s", moment(said.CureBy), moment(cureBy))
	case !slices.Equal(said.Evidence, d.restsOn()):
		d.fail(e.Leaf, "the warning names entries %v; its findings follow from %v", said.Evidence, d.restsOn())
	}
	d.file.warnedAt, d.file.cureBy, d.file.limit = g.now, said.CureBy, said.LimitAt
	d.tells(e, "warned")
}

// inTurn checks that a step is one that the case can take, not early, and with the people that it needs.
func (d *dossier) inTurn(e Entry, said decision) bool {
	if !d.unresolved(e, said) {
		return false
	}
	var step *move
	moves := d.moves()
	for i := range moves {
		if moves[i].kind == e.Kind {
			step = &moves[i]
		}
	}
	if step == nil {
		d.fail(e.Leaf, "a %s, which does not come next", e.Kind)
		return false
	}
	at := d.fires(*step, d.falls(*step), d.group.now)
	switch {
	case d.group.now.Before(at):
		d.fail(e.Leaf, "a %s at %s, early: its time is %s", e.Kind, moment(d.group.now), moment(at))
	case step.kind != "warning-issued" && !said.LimitAt.Equal(d.file.limit):
		d.fail(e.Leaf, "a %s says that the limit is %s; it is %s", e.Kind, moment(said.LimitAt), moment(d.file.limit))
	case e.JTI != identity(d.entity, step.identity(d.file.id)):
		d.fail(e.Leaf, "a %s under the id %s, which is not that of its approval", e.Kind, e.JTI)
	default:
		if why := d.waits(*step); why != "" {
			d.fail(e.Leaf, "a %s, though %s", e.Kind, why)
			return false
		}
		return true
	}
	return false
}

func (d *dossier) restricted(e Entry, said decision) {
	if !d.inTurn(e, said) {
		return
	}
	n, now := d.file.policy, d.group.now
	moves := d.moves()
	ended := d.moved(moves[len(moves)-1], d.file.cureBy) // the cure time, with all that moved it
	next := earlier(ended.Add(n.restriction), d.file.limit.Add(-n.closingMargin))
	next = d.inHours(later(next, now.Add(n.stepFloor)))
	if !said.NextAt.Equal(next) {
		d.fail(e.Leaf, "the restriction says that the account is closed at %s; that is at %s", moment(said.NextAt), moment(next))
	}
	d.file.restrictedAt, d.file.closesAt = now, said.NextAt
	d.tells(e, "restricted")
	d.ordered(e, said.Order, "no-new-accounts")
}

func (d *dossier) closed(e Entry, said decision) {
	if !d.inTurn(e, said) {
		return
	}
	d.brakes(e, "close")
	n, now := d.file.policy, d.group.now
	next := d.inHours(later(d.file.limit.Add(-n.terminationMargin), now.Add(n.stepFloor)))
	if !said.TerminatesAt.Equal(next) {
		d.fail(e.Leaf, "the closure says that the relationship ends at %s; that is at %s", moment(said.TerminatesAt), moment(next))
	}
	d.file.closingAt, d.file.terminatesAt = now, said.TerminatesAt
	d.tells(e, "closing")
	d.ordered(e, said.Scope, "reseller-account")
}

func (d *dossier) ended(e Entry, said decision) {
	if !d.inTurn(e, said) {
		return
	}
	d.brakes(e, "terminate")
	d.left(e)
	d.handed(e)
	now := d.group.now
	// The limit is never passed silently, and no other reason may pretend that it was.
	if passed := now.After(d.file.limit); passed != strings.Contains(said.Why, "after the limit") {
		d.fail(e.Leaf, "terminated at %s with the limit at %s, and says: %s", moment(now), moment(d.file.limit), said.Why)
	}
	d.file.terminatedAt, d.facts.terminated = now, true
}

// passed checks that it is stated that the limit passed when it does, and once.
func (d *dossier) passed(e Entry, said decision) {
	f := &d.file
	switch {
	case !d.unresolved(e, said):
		return
	case f.limit.IsZero() || d.group.now.Before(f.limit):
		d.fail(e.Leaf, "it is stated at %s that the limit passed; it is %s", moment(d.group.now), moment(f.limit))
	case f.limitPassed.Equal(f.limit):
		d.fail(e.Leaf, "it is stated a second time that the limit %s passed", moment(f.limit))
	case !said.LimitAt.Equal(f.limit) || said.Why == "":
		d.fail(e.Leaf, "it is stated that the limit %s passed, because: %q; it is %s", moment(said.LimitAt), said.Why, moment(f.limit))
	}
	f.limitPassed = f.limit
}

func (d *dossier) ordered(e Entry, name, wanted string) {
	if name != wanted || slices.Contains(d.orders, order{name, d.file.id}) {
		d.fail(e.Leaf, "a %s that orders %s, with %v in force", e.Kind, name, d.orders)
	}
	d.orders = append(d.orders, order{name, d.file.id})
}

func (d *dossier) withdrawn(e Entry, said decision) {
	of := order{said.Order, said.Case}
	switch {
	case !slices.Contains(d.orders, of):
		d.fail(e.Leaf, "order %s of case %q withdrawn, which is not in force", said.Order, said.Case)
	case said.Case == d.file.id && len(d.reasons()) > 0:
		d.fail(e.Leaf, "order %s withdrawn, while %s is open", said.Order, d.reasons()[0].id)
	}
	d.orders = slices.DeleteFunc(d.orders, func(o order) bool { return o == of })
	d.over(d.group.now, d.group.seen)
}
