package history

import (
	"github.com/cipgate/cipgate/attestations/statement"
)

// Records are what an entry is about beside its reseller: one customer, and one owner or account of that customer or one
// training, each as it stands before the entry or after it. A reseller may have a million customers, so they are no part of its
// History: whoever folds fetches the few that an entry names (Names) and keeps what comes back. Those that it does not
// name are zero.
type Records struct {
	Customer Customer
	Owner    Owner
	Account  Account
	Training Training
}

// Names are the ids by which an entry names its Records, "" where it names none. An owner or account is one of the
// customer's: another customer's may have the same id.
type Names struct {
	Customer string
	Owner    string
	Account  string
	Training string
}

// NamesIn returns what an entry names.
func NamesIn(e statement.Entry) Names {
	names := Names{Customer: e.Customer} // none in what a reseller states of itself, or the gateway of a reseller
	switch said := e.Statement.(type) {
	case statement.CustomerVerification:
		if said.Owner != nil {
			names.Owner = said.Owner.ID
		}
	case statement.AccountStatus:
		names.Account = said.Account
	case statement.AITraining:
		names.Training = said.Transaction
	}
	return names
}

// WithRecords is With for an entry that is about records too: it returns them as they stand after it, and counts what
// changed in the Figures. Given are those that NamesIn names, zero where nothing was ever stated of them.
func (h History) WithRecords(before Records, e statement.Entry) (History, Records) {
	if h.passes(e) {
		return h, before
	}
	over := !h.TerminatedAt.IsZero()
	h = h.With(e)
	if over {
		return h, before // evidence, which changes nothing
	}
	after := before.with(e)
	h.Figures = h.Figures.moved(before, after)
	h.CustomersIncomplete = h.CustomersIncomplete.with(h.Figures.CustomersIncomplete > 0, e.LeafIndex, e.AcceptedAt.UTC())
	h.Shares = shared(h.Shares, h.Figures, e.LeafIndex, e.AcceptedAt.UTC())
	return h, after
}

func (r Records) with(e statement.Entry) Records {
	if e.Customer == "" {
		return r
	}
	c := r.Customer.named(e)
	switch said := e.Statement.(type) {
	case statement.CustomerVerification:
		if said.Owner == nil {
			c.Verification = c.Verification.with(said, e)
			break
		}
		before := r.Owner
		r.Owner = r.Owner.with(said, e)
		c = c.owned(before, r.Owner)
	case statement.AccountStatus:
		before := r.Account
		r.Account = r.Account.with(said, e)
		c = c.holds(before, r.Account)
	case statement.AITraining:
		r.Training = r.Training.with(said, e)
	case statement.SuspiciousActivity:
		if said.Supersedes == "" {
			c.Reports++
		}
	}
	r.Customer = c.clocked(e)
	return r
}
