package history

import "time"

// Waiting is which of a reseller's customers has waited longest: to be verified at all, and, in each risk tier, to be verified
// again. It is the least of all customers, which one entry cannot tell: when the one that waited longest waits no more, whoever
// folds looks for the next.
type Waiting struct {
	Unverified Waiter `json:"unverified,omitzero"` // has an open account and should be verified
	// Verified with an open account, so that it will have to be verified again. Who is a U.S. person is not.
	Low    Waiter `json:"low,omitzero"`
	Medium Waiter `json:"medium,omitzero"`
	High   Waiter `json:"high,omitzero"`
}

// Waiter is one customer that waits. The zero Waiter is nobody.
type Waiter struct {
	Customer  string    `json:"customer,omitzero"`
	Since     time.Time `json:"since,omitzero"`      // UTC; of who is verified, when the day of that began
	LeafIndex int64     `json:"leaf_index,omitzero"` // of the entry that says so
	From      time.Time `json:"from,omitzero"`       // before which nothing falls short, if that is later than Since: it waited, and had no account for a time
}

// Nobody is true for the zero Waiter.
func (w Waiter) Nobody() bool { return w.Customer == "" }

// before is one order for every node: who waited longer, and of those who waited equally long the first by id.
func (w Waiter) before(other Waiter) bool {
	if other.Nobody() || w.Nobody() {
		return other.Nobody() && !w.Nobody()
	}
	if !w.Since.Equal(other.Since) {
		return w.Since.Before(other.Since)
	}
	return w.Customer < other.Customer
}

// Queue is one of the lines in which customers wait.
type Queue string

// The queues. The last three are risk tiers, by the names that statements have for them.
const (
	ToVerify     Queue = "unverified"
	LowAgain     Queue = "low"
	MediumAgain  Queue = "medium"
	HighAgain    Queue = "high"
	notInAnyLine Queue = ""
)

// Queues returns all queues.
func Queues() []Queue { return []Queue{ToVerify, LowAgain, MediumAgain, HighAgain} }

// Waits says in which queue a customer stands, and as whom; false if in none.
func (c Customer) Waits() (Queue, Waiter, bool) {
	switch {
	case c.Unverified():
		return ToVerify, Waiter{Customer: c.ID, Since: c.UnverifiedSince, LeafIndex: c.UnverifiedLeaf, From: c.UnverifiedFrom}, true
	case c.AccountsOpen == 0 || c.US() || !c.Verification.Verified():
		return notInAnyLine, Waiter{}, false
	}
	on := c.Verification.VerifiedOn
	return Queue(c.Verification.RiskTier), Waiter{Customer: c.ID, LeafIndex: c.Verification.LeafIndex,
		Since: time.Date(on.Year, on.Month, on.Day, 0, 0, 0, 0, time.UTC)}, true
}

// First is who waited longest in a queue.
func (w *Waiting) First(q Queue) *Waiter {
	switch q {
	case ToVerify:
		return &w.Unverified
	case LowAgain:
		return &w.Low
	case MediumAgain:
		return &w.Medium
	case HighAgain:
		return &w.High
	}
	return &Waiter{} // the statement's form knows no other tier
}

// With takes customers as they stand now, each once, and returns what that leaves, and the queues whose first one is gone: of those
// the rest is not known here, and whoever folds lets the longest waiting other customer Join.
func (w Waiting) With(changed []Customer) (after Waiting, gone []Queue) {
	stands := map[string]Waiter{}
	in := map[string]Queue{}
	for _, c := range changed {
		q, waiter, waits := c.Waits()
		if waits {
			stands[c.ID], in[c.ID] = waiter, q
		} else {
			in[c.ID] = notInAnyLine
		}
	}
	for _, q := range Queues() {
		first := w.First(q)
		now, named := in[first.Customer]
		if !first.Nobody() && named && (now != q || stands[first.Customer] != *first) {
			*first = Waiter{}
			gone = append(gone, q)
		}
	}
	for id, waiter := range stands {
		w.Join(in[id], waiter)
	}
	return w, gone
}

// Join lets a customer stand in a queue: it is the first one if nobody waited longer.
func (w *Waiting) Join(q Queue, waiter Waiter) {
	if first := w.First(q); waiter.before(*first) {
		*first = waiter
	}
}
