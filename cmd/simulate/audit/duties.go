package audit

import (
	"cmp"
	"slices"
	"time"
)

// Orders and contacts: what was ordered and not carried out, whom no channel reached, and contacts of whom nobody knows whether they are
// reached.

const (
	overdue     = "order.overdue"
	unreachable = "contact.unreachable"
	unconfirmed = "contact.unconfirmed"
)

// duties are what an entity owes of what it was told.
type duties struct {
	orders   []owedOrder // to close accounts and to hand them over, neither carried out nor withdrawn; the oldest first
	carried  []owedOrder // carried out, and not withdrawn: whoever said so may correct it
	doneLeaf int64       // of the entry that took one of them off last
	doneAt   time.Time

	asked    bool   // something is asked, and since then nothing proved that it arrived, and nobody answered
	channel  string // open if one is known that could prove it, paused if the provider paused it
	unproved spell  // both hold

	contactLeaf int64 // of the contact's last confirmation, else of the enrolment
	contactAt   time.Time
}

type owedOrder struct {
	jti, name string
	leaf      int64
	at, until time.Time // until when it says itself that it is done
	said, by  string    // the statement by which it was carried out, and who stated it
}

// asks takes a decision that was stated, by which something is ordered, withdrawn or asked.
func (u *duties) asks(e Entry, said decision) {
	order := owedOrder{jti: e.JTI, leaf: e.Leaf, at: e.AcceptedAt}
	switch e.Kind {
	case "closure-ordered":
		order.name = said.Scope
		u.orders = append(u.orders, order)
	case handOver:
		order.name, order.until = said.Order, said.Until
		u.orders = append(u.orders, order)
	case "order-withdrawn":
		u.ends(e, func(o owedOrder) bool { return o.name == said.Order })
		return
	case "warning-issued", "restriction-ordered":
	default:
		return
	}
	u.reaches(e, true)
}

// reaches notes whether something is asked by now that did not arrive as far as anybody knows.
func (u *duties) reaches(e Entry, asked bool) {
	u.asked = asked
	u.unproved.is(asked && u.channel == "open", e.Leaf, e.AcceptedAt)
}

// off takes off the orders of which that holds.
func (u *duties) off(e Entry, which func(owedOrder) bool) {
	if slices.ContainsFunc(u.orders, which) {
		u.orders, u.doneLeaf, u.doneAt = slices.DeleteFunc(u.orders, which), e.Leaf, e.AcceptedAt
	}
}

// ends takes off the orders of which that holds for good, whoever carried them out before.
func (u *duties) ends(e Entry, which func(owedOrder) bool) {
	u.carried = slices.DeleteFunc(u.carried, which)
	u.off(e, which)
}

// told is what somebody says of an order: the entity, one of the provider's systems, or an officer. Who said that it was carried out, and
// supersedes that, is believed the later word: where it says otherwise the order is owed since it was given.
func (u *duties) told(e Entry, by, order, outcome, supersedes string) {
	is := func(o owedOrder) bool { return o.jti == order }
	corrected := slices.IndexFunc(u.carried, func(o owedOrder) bool { return is(o) && supersedes != "" && o.said == supersedes && o.by == by })
	owed := slices.IndexFunc(u.orders, is)
	switch {
	case outcome == "done" && owed >= 0:
		o := u.orders[owed]
		o.said, o.by = e.JTI, by
		u.carried = append(u.carried, o)
		u.off(e, is)
	case corrected < 0:
	case outcome == "done":
		u.carried[corrected].said = e.JTI
	default:
		u.orders = append(u.orders, u.carried[corrected])
		slices.SortFunc(u.orders, func(a, b owedOrder) int { return cmp.Compare(a.leaf, b.leaf) })
		u.carried = slices.Delete(u.carried, corrected, corrected+1)
	}
}

// heeds takes any entry that is no decision, before the entity's other facts take it.
func (d *dossier) heeds(e Entry) error {
	u, own := &d.facts.duties, e.By == d.auditor.gateway
	reached := func() { u.reaches(e, false) }
	if slices.Contains(submissions, e.Kind) && d.facts.terminated {
		return nil
	}
	switch e.Kind {
	case "entity-enrolled":
		if own && u.contactAt.IsZero() {
			u.contactLeaf, u.contactAt = e.Leaf, e.AcceptedAt
		}
	case "information-requested", "cip-requested":
		if own {
			u.reaches(e, true)
		}
	case "cip-attestation", "remediation":
		reached()
	case "order-confirmation":
		var said struct {
			Order      string `json:"order"`
			Outcome    string `json:"outcome"`
			Supersedes string `json:"supersedes"`
		}
		if err := unmarshal(e.JSON, &said); err != nil {
			return err
		}
		if e.By == e.About { // what one of the provider's own systems says of it proves nothing of what the reseller was told
			reached()
		}
		u.told(e, e.By, said.Order, said.Outcome, said.Supersedes)
	case "notice-proved":
		if own {
			u.channel = "open"
			reached()
		}
	case "relationship-reinstated":
		if own && d.facts.terminated { // what was asked before is not asked any more
			reached()
			u.ends(e, func(owedOrder) bool { return true })
		}
	case "officer-action":
		var said action
		if err := unmarshal(e.JSON, &said); err != nil {
			return err
		}
		if own {
			u.officer(e, said)
			d.succeeds(e, said)
		}
	}
	return nil
}

func (u *duties) officer(e Entry, said action) {
	switch said.Action {
	case "order.confirmed": // by the provider's people, or by its own system
		u.told(e, "officer "+said.Officer.ID, said.On.ID, said.detail("outcome"), said.detail("supersedes"))
	case "notice.recorded":
		u.channel = "open" // it was called, whether anybody answered or not
		u.reaches(e, u.asked && said.detail("answered") == "no")
	case "contact.confirmed":
		u.contactLeaf, u.contactAt = e.Leaf, e.AcceptedAt
	case "stream.paused": // nothing goes out over it: who is not reached now is not reached by our own doing
		if u.channel == "open" {
			u.channel = "paused"
		}
		u.reaches(e, u.asked)
	case "stream.enabled":
		if u.channel == "paused" {
			u.channel = "open"
		}
		u.reaches(e, u.asked)
	}
}

// falls is what falls short under one of the three rules.
func (u *duties) falls(r rule, name string) (s shortfall) {
	switch name {
	case overdue:
		for _, o := range u.orders {
			if due := up(later(o.at.Add(r.after), o.until)); !s.owed || due.Before(s.since) {
				s = shortfall{owed: true, since: due, evidence: []int64{o.leaf}, given: true}
			}
		}
	case unreachable:
		s = u.unproved.short(r.after)
	case unconfirmed:
		s = shortfall{owed: true, since: up(u.contactAt.Add(r.after)), evidence: []int64{u.contactLeaf}, given: true, anew: r.after}
	}
	return s
}

// cure is the entry by which a finding under one of the three rules was cured, if by one.
func (u *duties) cure(r rule, o *finding, take func(int64, time.Time)) {
	newest := slices.Max(o.evidence)
	switch o.rule {
	case overdue:
		s := u.falls(r, overdue)
		same := s.owed && s.since.Equal(o.since) && s.evidence[0] == o.evidence[0]
		if u.doneLeaf > newest && (!s.owed || !same && s.since.After(u.doneAt)) {
			take(u.doneLeaf, u.doneAt)
		}
	case unreachable:
		u.unproved.cures(o, take)
	case unconfirmed:
		if u.contactLeaf > newest {
			take(u.contactLeaf, u.contactAt)
		}
	}
}

// reasons are the findings behind the case but for orders that are overdue: those are behind the case that gave them, and no reason for
// anything of their own.
func (d *dossier) reasons() []*finding {
	return slices.DeleteFunc(d.behind(), func(o *finding) bool { return o.rule == overdue })
}

// withdrew says that none of the orders is in force, or is after this commit, that a finding about overdue orders can be about. It goes
// with them, and what made them unneeded is by what it is cured.
func (d *dossier) withdrew(o *finding) (leaf int64, at time.Time, is bool) {
	if o.rule != overdue || slices.ContainsFunc(d.orders, func(o order) bool { return o.name != "no-new-accounts" }) {
		return 0, time.Time{}, false
	}
	leaf, at = d.last, d.lastAt
	if d.group != nil {
		leaf, at = d.group.seen, d.group.now
	}
	return leaf, at, true
}
