package statement

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// MostAccounts is how many accounts one closure-ordered names. A longer list is several orders, each confirmed by itself.
const MostAccounts = 200

// AccountNamed is one account of a customer, by the reseller's own opaque ids.
type AccountNamed struct {
	Customer string `json:"customer"`
	Account  string `json:"account"`
}

// HandOverOrdered orders, with a termination, the accounts of verified customers handed over to a successor.
type HandOverOrdered struct {
	Basis     `json:"basis"`
	Case      string          `json:"case"`
	Order     string          `json:"order"` // hand-over
	Findings  []string        `json:"findings"`
	Successor envelope.Entity `json:"successor"` // an enrolled reseller, or the gateway: the provider itself
	Customers string          `json:"customers"` // verified
	Accounts  int             `json:"accounts"`  // open with them when it was ordered, as far as they were stated
	Until     time.Time       `json:"until"`
	Why       string          `json:"why"`
}

// The states of a superior, as SuperiorChanged names them.
const (
	SuperiorClosing    = "closing"
	SuperiorTerminated = "terminated"
	SuperiorStays      = "stays"
)

// SuperiorChanged tells a reseller that the entity above it is closing or terminated, and by when to find another superior; or that this
// is over. It replaces what was stated before.
type SuperiorChanged struct {
	Basis    `json:"basis"`
	Number   int             `json:"number"` // counts this reseller's statements of this kind from 1: which one it is
	Superior envelope.Entity `json:"superior"`
	Status   string          `json:"status"`
	FindBy   time.Time       `json:"find_by,omitzero"` // zero where the superior stays
	Why      string          `json:"why"`
}

// Kind returns KindHandOverOrdered.
func (HandOverOrdered) Kind() Kind { return KindHandOverOrdered }

// Kind returns KindSuperiorChanged.
func (SuperiorChanged) Kind() Kind { return KindSuperiorChanged }

// As in gateway.go: the fields and not the methods.
type (
	handOverOrdered HandOverOrdered
	superiorChanged SuperiorChanged
)

// MarshalJSONTo writes its times as the schema asks for them.
func (s HandOverOrdered) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, handOverOrdered(s), wholeSeconds)
}

// MarshalJSONTo writes its times as the schema asks for them.
func (s SuperiorChanged) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, superiorChanged(s), wholeSeconds)
}

// check holds the parts of one closure against each other.
func (s ClosureOrdered) check() error {
	switch {
	case s.Part > s.Parts:
		return fault(s.Kind(), "a number that is not above parts", "a higher one", "Count the parts from 1.", "part")
	case len(s.Accounts) > s.Total:
		return fault(s.Kind(), "at least as many as accounts names", "fewer", "Count the accounts of all parts.", "total")
	}
	named := map[AccountNamed]bool{}
	for _, one := range s.Accounts {
		if named[one] {
			return fault(s.Kind(), "each account once", "one of them twice", "Name each account once.", "accounts")
		}
		named[one] = true
	}
	return nil
}
