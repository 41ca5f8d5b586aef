package history

import (
	"slices"
	"time"
)

// keptDebts is how many open debts of one kind a History holds: the oldest, which fall due first.
const keptDebts = 256

// Debt is one thing that was asked of the reseller and is not done.
type Debt struct {
	ID        string    `json:"id,omitzero"`   // by which the answer names it
	Name      string    `json:"name,omitzero"` // of an order, what it orders
	At        time.Time `json:"at"`            // when the ledger took the request
	DueAt     time.Time `json:"due_at,omitzero"`
	LeafIndex int64     `json:"leaf_index"`

	// Answer is the newest answer that does not settle it, such as why an order cannot be carried out.
	Answer     string    `json:"answer,omitzero"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
}

// Debts are what was asked, of one kind, and is not done: the oldest first.
type Debts struct {
	Open []Debt `json:"open,omitzero"`
	// DoneAt and DoneLeaf are of the entry that settled one last.
	DoneAt   time.Time `json:"done_at,omitzero"`
	DoneLeaf int64     `json:"done_leaf,omitzero"`
	// Carried are the orders that were carried out by somebody's word, while they are in force: the latest 256.
	Carried []Carried `json:"carried,omitzero"`
}

// asked adds a debt. The same asked again stays as it was first asked, so that nobody's time begins anew.
func (d Debts) asked(one Debt) Debts {
	if len(d.Open) == keptDebts || one.ID != "" && slices.ContainsFunc(d.Open, func(o Debt) bool { return o.ID == one.ID }) {
		return d
	}
	d.Open = append(slices.Clone(d.Open), one) // histories are values: the one we came from keeps its own
	return d
}

// settled takes out what is done.
func (d Debts) settled(leafIndex int64, at time.Time, done func(Debt) bool) Debts {
	if !slices.ContainsFunc(d.Open, done) {
		return d
	}
	d.Open = slices.DeleteFunc(slices.Clone(d.Open), done)
	if len(d.Open) == 0 {
		d.Open = nil
	}
	d.DoneAt, d.DoneLeaf = at, leafIndex
	return d
}

// answered notes an answer to a debt that it does not settle.
func (d Debts) answered(id, answer string, at time.Time) Debts {
	i := slices.IndexFunc(d.Open, func(o Debt) bool { return o.ID == id })
	if i < 0 || id == "" {
		return d
	}
	d.Open = slices.Clone(d.Open)
	d.Open[i].Answer, d.Open[i].AnsweredAt = answer, at
	return d
}

func called(id string) func(Debt) bool {
	return func(d Debt) bool { return id != "" && d.ID == id }
}
