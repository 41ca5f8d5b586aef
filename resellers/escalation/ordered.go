package escalation

import (
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
)

// Ordered is one order and what became of it, folded from the ledger: it is delivered until it is confirmed, or withdrawn. The texts with
// which it was answered are not in it: they stand in the ledger, and may be erased there.
type Ordered struct {
	JTI       string          `json:"jti"`
	LeafIndex int64           `json:"leaf_index"`
	About     envelope.Entity `json:"about"`
	Case      string          `json:"case"`
	Policy    string          `json:"policy"`
	Name      string          `json:"name"`            // NoNewAccounts, the scope of a closure, or HandOver
	At        time.Time       `json:"at"`              // when the ledger took it
	DueAt     time.Time       `json:"due_at,omitzero"` // by when it is to be carried out; zero of one that forbids

	// Of a closure of customers' accounts: how many this order names, which part of the closure it is, and how many all parts name.
	Accounts int `json:"accounts,omitzero"` // of a hand-over, how many open ones it is about
	Part     int `json:"part,omitzero"`
	Parts    int `json:"parts,omitzero"`
	Total    int `json:"total,omitzero"`

	Successor envelope.Entity `json:"successor,omitzero"` // of a hand-over

	Acknowledged Acknowledged `json:"acknowledged,omitzero"`
	Answer       Carried      `json:"answer,omitzero"`    // the newest one, whatever it says
	Confirmed    Carried      `json:"confirmed,omitzero"` // by which it counts as carried out; zero while it does not
	WithdrawnAt  time.Time    `json:"withdrawn_at,omitzero"`
	Withdrawn    int64        `json:"withdrawn_leaf,omitzero"`
}

// Acknowledged is what proved first that a reseller has an order.
type Acknowledged struct {
	At      time.Time `json:"at"`
	Channel string    `json:"channel"`
}

// Carried is what somebody said of an order: the reseller, the successor, or the provider's own people and systems.
type Carried struct {
	At        time.Time         `json:"at"`
	LeafIndex int64             `json:"leaf_index"`
	JTI       string            `json:"jti"`
	Outcome   string            `json:"outcome"`          // done, partly, cannot
	On        string            `json:"on,omitzero"`      // the day it was carried out, or found impossible
	By        envelope.Entity   `json:"by,omitzero"`      // a reseller, or by its signature one of the provider's own systems
	Officer   statement.Officer `json:"officer,omitzero"` // or somebody of the provider's
}

// The states of an order.
const (
	OrderOpen      = "open" // to be confirmed
	OrderConfirmed = "confirmed"
	OrderWithdrawn = "withdrawn"
)

// State is how an order stands by what the ledger says. One that was withdrawn is withdrawn, whoever carried it out before.
func (o Ordered) State() string {
	switch {
	case !o.WithdrawnAt.IsZero():
		return OrderWithdrawn
	case !o.Confirmed.At.IsZero():
		return OrderConfirmed
	}
	return OrderOpen
}

// Overdue says whether the order is open and should have been confirmed by now.
func (o Ordered) Overdue(now time.Time) bool {
	return o.State() == OrderOpen && !o.DueAt.IsZero() && !now.Before(o.DueAt)
}

// OrderOf is the order that an entry gives; false if it gives none. within is how long it may stay unconfirmed, unless it says itself by
// when it is done.
func OrderOf(e statement.Entry, within time.Duration) (Ordered, bool) {
	if e.By == e.About { // what an entity says about itself is no order
		return Ordered{}, false
	}
	at := e.AcceptedAt.UTC()
	o := Ordered{JTI: e.JTI, LeafIndex: e.LeafIndex, About: e.About, At: at, DueAt: at.Add(within)}
	switch s := e.Statement.(type) {
	case statement.RestrictionOrdered:
		o.Case, o.Policy, o.Name, o.DueAt = s.Case, s.Basis.Policy, s.Order, time.Time{} // it forbids, so there is nothing to carry out
	case statement.ClosureOrdered:
		o.Case, o.Policy, o.Name = s.Case, s.Basis.Policy, s.Scope
		o.Accounts, o.Part, o.Parts, o.Total = len(s.Accounts), s.Part, s.Parts, s.Total
	case statement.HandOverOrdered:
		o.Case, o.Policy, o.Name, o.Successor, o.Accounts = s.Case, s.Basis.Policy, s.Order, s.Successor, s.Accounts
		o.DueAt = s.Until.UTC()
	default:
		return Ordered{}, false
	}
	return o, true
}

// OrderPolicy is by which policy an entry gives an order; empty if it gives none.
func OrderPolicy(e statement.Entry) string {
	o, _ := OrderOf(e, 0)
	return o.Policy
}

// OrderNamed is the order that an entry says something of, by its jti; empty if it names none.
func OrderNamed(e statement.Entry) string {
	switch s := e.Statement.(type) {
	case statement.OrderConfirmation:
		return s.Order
	case statement.NoticeProved:
		return s.Notice
	case statement.OfficerAction:
		if s.Action == history.ActionOrderConfirmed || s.Action == history.ActionNotified {
			return s.On.ID
		}
	}
	return ""
}

// With returns the order with one more entry, whoever it is about. What does not concern the order, or comes from somebody whose word
// on it does not count, changes nothing.
func (o Ordered) With(e statement.Entry) Ordered {
	at, ours := e.AcceptedAt.UTC(), e.By != e.About && e.About == o.About
	switch s := e.Statement.(type) {
	case statement.OrderWithdrawn:
		if ours && s.Case == o.Case && s.Order == o.Name && o.WithdrawnAt.IsZero() {
			o.WithdrawnAt, o.Withdrawn = at, e.LeafIndex
		}
	case statement.OrderConfirmation:
		// The reseller says it of itself, one of the provider's own systems of the reseller, and so does the successor that an order names of
		// itself. A forwarded one was signed by the reseller all the same.
		if s.Order == o.JTI && (e.About == o.About || e.About == o.Successor && e.By == e.About) {
			return o.carried(Carried{Outcome: s.Outcome, On: s.On.String(), By: e.By}, s.Supersedes, e)
		}
	case statement.NoticeProved:
		if ours && s.Notice == o.JTI {
			o.Acknowledged = o.Acknowledged.first(at, s.Channel)
		}
	case statement.OfficerAction:
		if !ours || s.On.ID != o.JTI {
			return o
		}
		switch s.Action {
		case history.ActionOrderConfirmed:
			return o.carried(Carried{Outcome: detail(s, "outcome"), On: detail(s, "on"), Officer: s.Officer}, detail(s, "supersedes"), e)
		case history.ActionNotified:
			if detail(s, "answered") != Unanswered {
				o.Acknowledged = o.Acknowledged.first(at, detail(s, "channel"))
			}
		}
	}
	return o
}

func (a Acknowledged) first(at time.Time, channel string) Acknowledged {
	if a.At.IsZero() {
		return Acknowledged{At: at, Channel: channel}
	}
	return a
}

// carried takes what was said of the order. Done is done, until whoever said so corrects it.
func (o Ordered) carried(said Carried, supersedes string, e statement.Entry) Ordered {
	said.At, said.LeafIndex, said.JTI = e.AcceptedAt.UTC(), e.LeafIndex, e.JTI
	o.Answer = said
	if said.By != "" && said.By == o.About {
		o.Acknowledged = o.Acknowledged.first(said.At, ByConfirmation)
	}
	confirmed := o.Confirmed.word()
	switch {
	case said.Outcome == history.OutcomeDone && o.Confirmed.At.IsZero(), confirmed.SaidAnew(said.word(), said.Outcome, supersedes):
		o.Confirmed = said
	case confirmed.TakenBack(said.word(), said.Outcome, supersedes):
		o.Confirmed = Carried{}
	}
	return o
}

func (c Carried) word() history.Word {
	return history.Word{JTI: c.JTI, By: c.By, Officer: c.Officer.ID}
}
