package history

import (
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// ActionOrderConfirmed is an officer's action, or that of one of the provider's own systems: an order was carried out, or cannot be. Its
// details are "outcome", as order-confirmation names it, and "on", the day.
const ActionOrderConfirmed = "order.confirmed"

// OutcomeDone is the outcome of an order that was carried out whole.
const OutcomeDone = "done"

// carriedOut folds what the provider's own people and systems say of an order. It proves nothing of what the reseller was told.
func (h History) carriedOut(said statement.OfficerAction, leafIndex int64, at time.Time) History {
	return h.carried(said.On.ID, detail(said, "outcome"), leafIndex, at)
}

// settledBySystem folds the same where one of the provider's own systems signed it: what is stated about the reseller by another is no
// statement of its own.
func (h History) settledBySystem(said statement.OrderConfirmation, leafIndex int64, at time.Time) History {
	return h.carried(said.Order, said.Outcome, leafIndex, at)
}

func (h History) carried(order, outcome string, leafIndex int64, at time.Time) History {
	if outcome == OutcomeDone {
		h.Orders = h.Orders.settled(leafIndex, at, called(order))
	} else {
		h.Orders = h.Orders.answered(order, outcome, at)
	}
	return h
}
