package statement

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What the gateway finds in facts that no file of one reseller holds: special measures, which are about everybody, and the policy's
// definition of a covered training. It states what it found about each reseller, so that what follows is a fold of the ledger.

// ScreeningChanged states whom a special measure in force prohibits from having an account, by what was screened: customers of the
// reseller that have an open account, for what they are themselves or for an owner, or the reseller itself. It replaces what was
// stated before; nobody, if nobody is any more (15 CFR 7.307, proposed).
type ScreeningChanged struct {
	Number    int       `json:"number"`    // counts this reseller's statements of this kind from 1: which one it is
	Customers int       `json:"customers"` // how many are prohibited
	Itself    bool      `json:"itself"`    // whether the reseller is
	Since     time.Time `json:"since,omitzero"`
	Evidence  []int64   `json:"evidence,omitzero"` // leaf indexes: of measures, and of what says so of the first of them
}

// The grounds of a TransactionCovered.
const (
	CoveredAsReported = "reported"         // by its report: how late that came is known at once
	CoveredAnew       = "definition-moved" // it was reported in time for a definition that did not cover it: the reseller reports it again
)

// TransactionCovered states that a transaction which the reseller reported is a covered one by the policy's definition (15 CFR 7.301
// and 7.308, proposed: past transactions are judged again when the definition moves).
type TransactionCovered struct {
	Transaction string    `json:"transaction"` // the reseller's id of it
	Policy      string    `json:"policy"`      // such as us-iaas-2024.4
	Definition  string    `json:"definition"`  // in words
	Ground      string    `json:"ground"`
	Report      int64     `json:"report"` // leaf index of the first report
	KnewAt      time.Time `json:"knew_at"`
	ReportedAt  time.Time `json:"reported_at"`
	ReportBy    time.Time `json:"report_by,omitzero"` // by when it must be reported again, exactly for definition-moved
	// StartedOn is when the training began or begins, as its reports say; zero if they do not. The provider's own report has a second
	// clock from there.
	StartedOn Date `json:"started_on,omitzero"`
}

func (ScreeningChanged) Kind() Kind   { return KindScreeningChanged }
func (TransactionCovered) Kind() Kind { return KindTransactionCovered }

// As in gateway.go: the fields and not the methods.
type (
	screeningChanged   ScreeningChanged
	transactionCovered TransactionCovered
)

func (s ScreeningChanged) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, screeningChanged(s), wholeSeconds)
}

func (s TransactionCovered) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, transactionCovered(s), wholeSeconds)
}

func (s ScreeningChanged) check() error {
	switch found := s.Customers > 0 || s.Itself; {
	case found && (s.Since.IsZero() || len(s.Evidence) == 0):
		return fault(s.Kind(), "since and evidence, as somebody is prohibited", "nothing", "Say since when, and what says so.", "since")
	case !found && (!s.Since.IsZero() || len(s.Evidence) > 0):
		return fault(s.Kind(), "nothing, as nobody is prohibited", "a time or evidence", "Leave since and evidence out.", "since")
	}
	return nil
}
