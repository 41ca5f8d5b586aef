package history

import (
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// keptEntries is how many of the entries that name a customer it holds: the newest. The ledger has them all.
const keptEntries = 16

// Customer is what a reseller stated about one of its customers. Who that is, nobody here knows: ID is the reseller's own
// opaque id. The zero Customer is one that no entry has named.
type Customer struct {
	ID           string       `json:"id,omitzero"`
	FirstAt      time.Time    `json:"first_at,omitzero"` // when the first entry that names it was accepted
	Verification Verification `json:"verification,omitzero"`

	// Owners counts its beneficial owners that were stated, OwnersVerified and OwnersUS those of them that are verified, and
	// that were found to be U.S. persons.
	Owners         int `json:"owners,omitzero"`
	OwnersVerified int `json:"owners_verified,omitzero"`
	OwnersUS       int `json:"owners_us,omitzero"`

	Accounts     int `json:"accounts,omitzero"`
	AccountsOpen int `json:"accounts_open,omitzero"` // not closed; a limited one is open

	// UnverifiedSince is since when it has an open account and is not verified though it should be, counted from when the
	// ledger took the entry that made it so; zero if that does not hold.
	UnverifiedSince time.Time `json:"unverified_since,omitzero"`
	UnverifiedLeaf  int64     `json:"unverified_leaf,omitzero"` // of that entry

	Reports int `json:"reports,omitzero"` // of suspicious activity, without corrections

	Entries    []int64 `json:"entries,omitzero"` // leaf indexes of the newest entries that name it, oldest first
	EntryCount int     `json:"entry_count,omitzero"`
}

// US is true if the customer and every owner of it that was stated are found to be U.S. persons: then nobody has to be
// verified (15 CFR 7.302, proposed). Everybody else is foreign.
func (c Customer) US() bool { return c.Verification.USPerson && c.OwnersUS == c.Owners }

// Unverified is true if it has an open account and is not verified though it should be.
func (c Customer) Unverified() bool {
	return c.AccountsOpen > 0 && !c.Verification.Verified() && !c.US()
}

// Incomplete is true if it was verified, should be, and an element that 7.302 asks for is not said to be in hand.
func (c Customer) Incomplete() bool {
	return c.Verification.Verified() && len(c.Verification.Missing) > 0 && !c.US()
}

// named notes an entry that names the customer.
func (c Customer) named(e statement.Entry) Customer {
	if c.ID == "" {
		c.ID, c.FirstAt = e.Customer, e.AcceptedAt.UTC()
	}
	held := make([]int64, 0, keptEntries)
	held = append(held, c.Entries[max(0, len(c.Entries)+1-keptEntries):]...)
	c.Entries = append(held, e.LeafIndex)
	c.EntryCount++
	return c
}

// owned counts what changed about one of its owners.
func (c Customer) owned(before, after Owner) Customer {
	count := func(o Owner, n int) {
		if o.ID == "" {
			return
		}
		c.Owners += n
		if o.Verification.Verified() {
			c.OwnersVerified += n
		}
		if o.Verification.USPerson {
			c.OwnersUS += n
		}
	}
	count(before, -1)
	count(after, +1)
	return c
}

// holds counts what changed about one of its accounts.
func (c Customer) holds(before, after Account) Customer {
	count := func(a Account, n int) {
		if a.ID == "" {
			return
		}
		c.Accounts += n
		if a.Open() {
			c.AccountsOpen += n
		}
	}
	count(before, -1)
	count(after, +1)
	return c
}

// clocked starts or stops the time in which it should have been verified.
func (c Customer) clocked(e statement.Entry) Customer {
	switch {
	case !c.Unverified():
		c.UnverifiedSince, c.UnverifiedLeaf = time.Time{}, 0
	case c.UnverifiedSince.IsZero():
		c.UnverifiedSince, c.UnverifiedLeaf = e.AcceptedAt.UTC(), e.LeafIndex
	}
	return c
}

// Owner is a beneficial owner of a customer (15 CFR 7.301, proposed). The zero Owner is one that no entry has named.
type Owner struct {
	ID           string       `json:"id,omitzero"`            // opaque, the reseller's own, of one customer's owners
	Basis        string       `json:"basis,omitzero"`         // control, ownership, both
	SharePercent int64        `json:"share_percent,omitzero"` // 0 where the basis is control
	Verification Verification `json:"verification,omitzero"`
}

func (o Owner) with(said statement.CustomerVerification, e statement.Entry) Owner {
	o.ID = said.Owner.ID
	o.Verification = o.Verification.with(said, e)
	if o.Verification.LeafIndex == e.LeafIndex {
		o.Basis, o.SharePercent = said.Owner.Basis, said.Owner.SharePercent
	}
	return o
}
