package audit

import "time"

// With a termination a successor, whom an officer named in the case, takes the accounts of verified customers until a date: in the same
// commit, before what is left is ordered closed.

const handOver = "hand-over-ordered"

// successor is who takes verified customers.
type successor struct {
	entity string
	until  time.Time
}

// succeeds takes that an officer named a successor, or took it back.
func (d *dossier) succeeds(e Entry, said action) {
	if d.file.id == "" || said.On.ID != d.file.id || d.file.terminated() {
		return
	}
	switch said.Action {
	case "successor.named":
		if entity := said.detail("successor"); entity != "" && entity != d.entity && said.EndsAt.After(e.AcceptedAt.Truncate(time.Second)) {
			d.file.successor = successor{entity, said.EndsAt}
		}
	case "successor.withdrawn":
		d.file.successor = successor{}
	}
}

// heir says whether there is a successor if the relationship ends at that time. sure is false where its own standing changed since: whoever
// decided may have seen it as it was.
func (d *dossier) heir(now time.Time) (is, sure bool) {
	n := d.file.successor
	if n.entity == "" || !n.until.After(now) || !d.file.policy.leaves {
		return false, true
	}
	if n.entity == d.auditor.gateway {
		return true, true
	}
	of := d.auditor.entities[n.entity]
	if of == nil {
		return false, true
	}
	return of.standing != "closing" && of.standing != "terminated", of.changedAt.Before(now)
}

// verifiedAccounts are the open accounts of customers that are verified.
func (d *dossier) verifiedAccounts() (n int) {
	for _, c := range d.facts.customers {
		if !c.party.verified {
			continue
		}
		for _, one := range c.accounts {
			if !one.closed {
				n++
			}
		}
	}
	return n
}

// takes is how many customers' accounts a step takes away, as the guard counts them: those that a successor takes are not lost. sure is
// as in heir.
func (d *dossier) takes(step string, now time.Time) (n int, sure bool) {
	n = d.openAccounts()
	if step != "terminate" {
		return n, true
	}
	is, sure := d.heir(now)
	if is {
		n = max(0, n-d.verifiedAccounts())
	}
	return n, sure
}

// hands takes the order by which a successor takes the verified customers.
func (d *dossier) hands(e Entry, said decision) {
	var order struct {
		Successor string `json:"successor"`
		Accounts  int    `json:"accounts"`
	}
	if err := unmarshal(e.JSON, &order); err != nil {
		d.fail(e.Leaf, "a %s that cannot be read: %v", e.Kind, err)
		return
	}
	is, sure := d.heir(d.group.now)
	n := d.file.successor
	switch {
	case !d.unresolved(e, said):
		return
	case d.file.closingAt.IsZero() || d.group.leaves:
		d.fail(e.Leaf, "a %s, which does not come next", e.Kind)
	case !is && sure:
		d.fail(e.Leaf, "customers are handed over to %s at %s, and the case has no successor that could take them: %s until %s", order.Successor, moment(d.group.now),
			n.entity, moment(n.until))
	case order.Successor != n.entity || !said.Until.Equal(n.until):
		d.fail(e.Leaf, "customers are handed over to %s until %s; named is %s until %s", order.Successor, moment(said.Until), n.entity, moment(n.until))
	case order.Accounts != d.verifiedAccounts():
		d.fail(e.Leaf, "%d accounts are handed over; open are %d of verified customers", order.Accounts, d.verifiedAccounts())
	case e.JTI != identity(d.entity, []string{e.Kind, d.file.id, "hand-over"}):
		d.fail(e.Leaf, "an order to hand over under the id %s, which is not that of this case", e.JTI)
	}
	d.ordered(e, said.Order, "hand-over")
	d.group.hands = true
}

// handed checks that a termination hands over, if it does, and says how much.
func (d *dossier) handed(e Entry) {
	var said struct {
		HandedOver int `json:"handed_over"`
	}
	if err := unmarshal(e.JSON, &said); err != nil {
		d.fail(e.Leaf, "a %s that cannot be read: %v", e.Kind, err)
		return
	}
	is, sure := d.heir(d.group.now)
	wanted := 0
	if d.group.hands {
		wanted = d.verifiedAccounts()
	}
	switch {
	case is && sure && !d.group.hands:
		d.fail(e.Leaf, "terminated, and %s takes nobody over though it is named until %s", d.file.successor.entity, moment(d.file.successor.until))
	case said.HandedOver != wanted:
		d.fail(e.Leaf, "terminated, and says that %d accounts were handed over; they are %d", said.HandedOver, wanted)
	}
}
