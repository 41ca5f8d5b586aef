package statement

import (
	"github.com/go-json-experiment/json/jsontext"
)

// AccountStatus is what became of one account of the customer in sub_id. Trials and free accounts count (15 CFR 7.301,
// proposed); how long records are kept counts from closed and last-accessed (7.302).
type AccountStatus struct {
	Account    string   `json:"account"` // opaque, the entity's own
	Status     string   `json:"status"`  // opened, limited, restored, closed, last-accessed
	On         Date     `json:"on"`
	Products   []string `json:"products,omitzero"` // processing, accelerated-processing, storage, network, managed, other
	Plan       string   `json:"plan,omitzero"`     // trial, free, paid
	Reason     string   `json:"reason,omitzero"`   // why it was limited or closed
	Order      string   `json:"order,omitzero"`    // exactly where Reason is order
	Supersedes string   `json:"supersedes,omitzero"`
}

// Kind returns KindAccountStatus.
func (AccountStatus) Kind() Kind { return KindAccountStatus }

var accountMembers = members{required: 3, names: []string{"account", "status", "on", "products", "plan", "reason", "order", "supersedes"}}

// UnmarshalJSONFrom reads an account's status and refuses what its schema refuses.
func (a *AccountStatus) UnmarshalJSONFrom(from *jsontext.Decoder) error { return next(from, a) }

func (a *AccountStatus) read(from *scan) error {
	err := accountMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &a.Account, 255, isID)
		case 1:
			return text(from, &a.Status, 20, isAccountStatus)
		case 2:
			return day(from, &a.On)
		case 3:
			return texts(from, &a.Products, 6, 30, isProduct)
		case 4:
			return text(from, &a.Plan, 20, isPlan)
		case 5:
			return text(from, &a.Reason, 30, isAccountReason)
		case 6:
			return text(from, &a.Order, 255, isID)
		default:
			return text(from, &a.Supersedes, 255, isID)
		}
	})
	if err != nil {
		return err
	}
	if a.Status == "opened" && (a.Products == nil || a.Plan == "") ||
		(a.Status == "limited" || a.Status == "closed") != (a.Reason != "") ||
		(a.Reason == "order") != (a.Order != "") {
		return errForm
	}
	return nil
}

var (
	isAccountStatus = oneOf("opened", "limited", "restored", "closed", "last-accessed")
	isProduct       = oneOf("processing", "accelerated-processing", "storage", "network", "managed", "other")
	isPlan          = oneOf("trial", "free", "paid")
	isAccountReason = oneOf("not-verified", "order", "special-measure", "suspicious-activity", "customer-request", "payment", "inactivity", "other")
)
