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
	// ledger took the entry that made it so; zero if that does not hold. Closing its accounts stops the time, and opening one goes
	// on with it, moved up by what ran before: whoever closes and opens accounts gets no new time, only verifying does.
	UnverifiedSince time.Time `json:"unverified_since,omitzero"`
	UnverifiedLeaf  int64     `json:"unverified_leaf,omitzero"` // of that entry
	UnverifiedFrom  time.Time `json:"unverified_from,omitzero"` // when that entry was taken, where it is not UnverifiedSince
	// WaitedMicros is how long it had an open account unverified before they were all closed, in microseconds.
	WaitedMicros int64 `json:"waited_us,omitzero"`

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

// Incomplete is true if it has an open account, was verified, should be, and an element that 7.302 asks for is not said to be in
// hand. Of who has no account any more nothing is asked: the rule collects at the account's opening, and for as long as it is kept.
func (c Customer) Incomplete() bool {
	return c.AccountsOpen > 0 && c.Verification.Verified() && len(c.Verification.Missing) > 0 && !c.US()
}

// Introduced is true if a verification of it, or of an owner, was stated, or what became of an account (statement.Introduces).
func (c Customer) Introduced() bool {
	return c.Verification.Result != "" || c.Owners > 0 || c.Accounts > 0
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
	at := e.AcceptedAt.UTC()
	runs := !c.UnverifiedSince.IsZero()
	switch {
	case c.Unverified() && !runs:
		c.UnverifiedSince, c.UnverifiedLeaf = at, e.LeafIndex
		if c.WaitedMicros > 0 {
			c.UnverifiedSince, c.UnverifiedFrom = at.Add(-time.Duration(c.WaitedMicros)*time.Microsecond), at
		}
		return c
	case c.Unverified():
		return c
	case runs:
		c.WaitedMicros = at.Sub(c.UnverifiedSince).Microseconds()
		c.UnverifiedSince, c.UnverifiedLeaf, c.UnverifiedFrom = time.Time{}, 0, time.Time{}
	}
	if c.Verification.Verified() || c.US() {
		c.WaitedMicros = 0
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
