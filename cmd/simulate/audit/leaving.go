package audit

// With a termination every account that is left is ordered closed, in the same commit and before it, where the policy says what a closure
// closes at all.

const remainingAccounts = "remaining-accounts"

// leaves takes the order that goes with a termination.
func (d *dossier) leaves(e Entry, said decision) {
	switch {
	case !d.unresolved(e, said):
		return
	case d.file.closingAt.IsZero():
		d.fail(e.Leaf, "what is left is ordered closed, while the case has not come to a closure")
	case !d.file.policy.leaves:
		d.fail(e.Leaf, "what is left is ordered closed, of which policy %s says nothing", d.file.policy.id)
	case e.JTI != identity(d.entity, []string{e.Kind, d.file.id, remainingAccounts}):
		d.fail(e.Leaf, "an order to close what is left under the id %s, which is not that of this case", e.JTI)
	}
	d.ordered(e, said.Scope, remainingAccounts)
	d.group.leaves = true
}

// left checks that a termination orders closed what is left.
func (d *dossier) left(e Entry) {
	if d.file.policy.leaves && !d.group.leaves {
		d.fail(e.Leaf, "terminated, and what is left is not ordered closed")
	}
}
