package statement

import (
	"github.com/go-json-experiment/json/jsontext"
)

// OrderConfirmation says that an order was carried out, or why it cannot be.
type OrderConfirmation struct {
	Order      string   `json:"order"`             // jti of the order
	Outcome    string   `json:"outcome"`           // done, partly, cannot
	On         Date     `json:"on"`                // the day it was carried out, or found impossible
	Accounts   []string `json:"accounts,omitzero"` // opaque ids of the accounts that were closed
	Reason     string   `json:"reason,omitzero"`   // empty only where it was done
	Supersedes string   `json:"supersedes,omitzero"`
}

// Kind returns KindOrderConfirmation.
func (OrderConfirmation) Kind() Kind { return KindOrderConfirmation }

var confirmationMembers = members{required: 3, names: []string{"order", "outcome", "on", "accounts", "reason", "supersedes"}}

// UnmarshalJSONFrom reads a confirmation and refuses what its schema refuses.
func (o *OrderConfirmation) UnmarshalJSONFrom(from *jsontext.Decoder) error { return next(from, o) }

func (o *OrderConfirmation) read(from *scan) error {
	err := confirmationMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &o.Order, 255, isID)
		case 1:
			return text(from, &o.Outcome, 20, isOutcome)
		case 2:
			return day(from, &o.On)
		case 3:
			return texts(from, &o.Accounts, 500, 255, isID)
		case 4:
			return text(from, &o.Reason, 2000, isText)
		default:
			return text(from, &o.Supersedes, 255, isID)
		}
	})
	if err != nil {
		return err
	}
	if o.Outcome != "done" && o.Reason == "" || o.Outcome == "cannot" && o.Accounts != nil {
		return errForm
	}
	return nil
}

var isOutcome = oneOf("done", "partly", "cannot")
