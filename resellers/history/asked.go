package history

import (
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// asked folds what the provider asks of the reseller. All of it are notices, of which one must be proved.
func (h History) asked(e statement.Entry) History {
	at := e.AcceptedAt.UTC()
	debt := Debt{ID: e.JTI, At: at, LeafIndex: e.LeafIndex}
	switch s := e.Statement.(type) {
	case statement.InformationRequested:
		debt.ID, debt.DueAt = s.Inquiry, s.DueAt.UTC()
		h.Inquiries = h.Inquiries.asked(debt)
	case statement.CIPRequested:
		debt.ID, debt.DueAt = s.Request, s.DueAt.UTC()
		h.CIPRequests = h.CIPRequests.asked(debt)
	case statement.RestrictionOrdered:
		// It forbids, and there is nothing to carry out: no debt. Orders that are delivered until confirmed are those to close and to hand over.
	case statement.ClosureOrdered:
		debt.Name = s.Scope
		h.Orders = h.Orders.asked(debt)
	case statement.HandOverOrdered:
		debt.Name, debt.DueAt = s.Order, s.Until.UTC()
		h.Orders = h.Orders.asked(debt)
	case statement.OrderWithdrawn:
		h.Orders = h.Orders.ended(e.LeafIndex, at, func(d Debt) bool { return d.Name == s.Order })
		return h
	case statement.WarningIssued:
	default:
		return h
	}
	return h.asks(e.LeafIndex, at)
}

// remedied folds an answer, whichever way it came. Who answers was reached.
func (h History) remedied(said statement.Remediation, e statement.Entry) History {
	leafIndex, at := e.LeafIndex, e.AcceptedAt.UTC()
	h = h.hears(leafIndex, at)
	h.Inquiries = h.Inquiries.settled(leafIndex, at, called(said.Inquiry))
	return h
}

// confirmed folds what the reseller says of an order. Only one that was carried out whole is done.
func (h History) confirmed(said statement.OrderConfirmation, e statement.Entry) History {
	h = h.hears(e.LeafIndex, e.AcceptedAt.UTC())
	return h.carried(said.Order, said.Outcome, said.Supersedes, Word{JTI: e.JTI, By: e.By}, e)
}

// covered folds that a training is a covered one. Where a report came, it is as late as it was; where the definition moved, the
// reseller has time from here on.
func (h History) covered(said statement.TransactionCovered, leafIndex int64, at time.Time) History {
	if said.Ground == statement.CoveredAnew {
		h.Trainings = h.Trainings.asked(Debt{ID: said.Transaction, At: at, LeafIndex: leafIndex})
		return h.asks(leafIndex, at)
	}
	h.LateTrainings = after(h.LateTrainings, Late{Micros: said.ReportedAt.Sub(said.KnewAt).Microseconds(), At: at, LeafIndex: leafIndex})
	return h
}

// trained folds a report of a training that became covered when the definition moved.
func (h History) trained(said statement.AITraining, leafIndex int64, at time.Time) History {
	for _, debt := range h.Trainings.Open {
		if debt.ID == said.Transaction {
			// It stays evidence of the entry that asked for it: a finding that was opened before the report came is about that.
			h.LateTrainings = after(h.LateTrainings, Late{Micros: at.Sub(debt.At).Microseconds(), At: at, LeafIndex: debt.LeafIndex})
		}
	}
	h.Trainings = h.Trainings.settled(leafIndex, at, called(said.Transaction))
	return h
}

// reinstated takes a termination back. What was asked before it is not asked any more: whoever still wants it asks again.
func (h History) reinstated(leafIndex int64, at time.Time) History {
	if h.TerminatedAt.IsZero() {
		return h // there was nothing to take back
	}
	h.TerminatedAt = time.Time{}
	all := func(Debt) bool { return true }
	h.Inquiries = h.Inquiries.settled(leafIndex, at, all)
	h.CIPRequests = h.CIPRequests.settled(leafIndex, at, all)
	h.Orders = h.Orders.ended(leafIndex, at, all)
	return h.hears(leafIndex, at)
}
