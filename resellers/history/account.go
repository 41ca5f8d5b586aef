package history

import (
	"github.com/cipgate/cipgate/attestations/statement"
)

// Account is one account of a customer, as its reseller stated it. The zero Account is one that no entry has named.
type Account struct {
	ID     string         `json:"id,omitzero"`     // opaque, the reseller's own, of one customer's accounts
	Status string         `json:"status,omitzero"` // open, limited, closed
	On     statement.Date `json:"on,omitzero"`     // since when it has this status; zero if that was not stated
	Reason string         `json:"reason,omitzero"` // why it is limited or closed
	Order  string         `json:"order,omitzero"`  // jti of the order by which it is

	// OpenedOn is zero if it was never stated that the account opened. Entries may come in another order than things
	// happened in, so that is a gap for people to ask about and nothing that was refused.
	OpenedOn statement.Date `json:"opened_on,omitzero"`
	Plan     string         `json:"plan,omitzero"`     // trial, free, paid
	Products []string       `json:"products,omitzero"` // processing, accelerated-processing, storage, network, managed, other

	// LastAccessedOn is the latest day that was stated. Records are kept for two years from the later of that and the closing
	// (15 CFR 7.302, proposed).
	LastAccessedOn statement.Date `json:"last_accessed_on,omitzero"`

	LeafIndex int64  `json:"leaf_index,omitzero"` // of the newest entry that names it
	JTI       string `json:"jti,omitzero"`        // of the statement that its status follows from
}

// What an Account's Status can be.
const (
	Open    = "open"
	Limited = "limited"
	Closed  = "closed"
)

// Open is true if it is not closed: a limited account is open.
func (a Account) Open() bool { return a.ID != "" && a.Status != Closed }

// with takes one more statement about the account.
func (a Account) with(said statement.AccountStatus, e statement.Entry) Account {
	if a.ID == "" {
		a.ID, a.Status = said.Account, Open // whatever is stated of an account, it was opened
	}
	a.LeafIndex = e.LeafIndex
	switch said.Status {
	case "last-accessed":
		if said.On.After(a.LastAccessedOn) || said.Supersedes != "" {
			a.LastAccessedOn = said.On
		}
		return a
	case "opened":
		a.OpenedOn = said.On
	}
	if said.Plan != "" {
		a.Plan = said.Plan
	}
	if said.Products != nil {
		a.Products = said.Products
	}
	corrects := a.JTI != "" && said.Supersedes == a.JTI
	if a.JTI != "" && !corrects && a.On.After(said.On) {
		return a // it came late: how the account stands is of a later day
	}
	a.Status, a.On, a.Reason, a.Order, a.JTI = Open, said.On, said.Reason, said.Order, e.JTI
	if said.Status == Limited || said.Status == Closed {
		a.Status = said.Status
	}
	return a
}
