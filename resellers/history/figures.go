package history

import (
	"maps"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// Figures count what one reseller stated, so that no page and no rule has to count rows. Those of customers, owners, accounts
// and trainings are always what counting its Records would give; only WithRecords moves them. Nothing that was stated after
// a termination is in them.
type Figures struct {
	Statements   int       `json:"statements,omitzero"`     // submissions of every kind
	LastStatedAt time.Time `json:"last_stated_at,omitzero"` // when the newest of them was accepted, UTC
	// LastStatedLeaf is the leaf index of the newest of them.
	LastStatedLeaf int64 `json:"last_stated_leaf,omitzero"`

	// Customers counts those that any submission named. Of them some are verified, some could not be, and of the others
	// nothing was stated yet.
	Customers            int `json:"customers,omitzero"`
	CustomersVerified    int `json:"customers_verified,omitzero"`
	CustomersNotVerified int `json:"customers_not_verified,omitzero"`
	CustomersUS          int `json:"customers_us,omitzero"` // with all their owners found to be U.S. persons: nobody has to verify them
	// CustomersUnverified counts those that have an open account and are not verified though they should be, whether nothing
	// was stated or verifying failed; UnverifiedAccounts counts their open accounts (15 CFR 7.304, proposed, asks for it).
	CustomersUnverified int `json:"customers_unverified,omitzero"`
	UnverifiedAccounts  int `json:"unverified_accounts,omitzero"`
	CustomersIncomplete int `json:"customers_incomplete,omitzero"` // verified, without an element that 7.302 asks for

	Owners         int `json:"owners,omitzero"` // beneficial owners, each as often as it owns a customer
	OwnersVerified int `json:"owners_verified,omitzero"`
	OwnersUS       int `json:"owners_us,omitzero"`

	Accounts        int `json:"accounts,omitzero"`
	AccountsOpen    int `json:"accounts_open,omitzero"`    // not closed
	AccountsLimited int `json:"accounts_limited,omitzero"` // of the open ones
	// AccountsNotOpened counts those of which it was never stated that they opened, such as one that closed before its
	// reseller had said anything of it.
	AccountsNotOpened int `json:"accounts_not_opened,omitzero"`

	TrainingsPlanned  int `json:"trainings_planned,omitzero"`
	TrainingsOccurred int `json:"trainings_occurred,omitzero"`

	SuspiciousReports int `json:"suspicious_reports,omitzero"` // without corrections

	// CustomersByCountry counts customers by the country that they belong to, ISO 3166-1 alpha-2, and ForeignOwnersByCountry
	// owners that were not found to be U.S. persons. Who named no country is not in them. At most 676 countries can be named.
	CustomersByCountry     map[string]int `json:"customers_by_country,omitzero"`
	ForeignOwnersByCountry map[string]int `json:"foreign_owners_by_country,omitzero"`
}

// CustomersUnstated counts customers of which no verification was stated, whether they have an account or not.
func (f Figures) CustomersUnstated() int {
	return f.Customers - f.CustomersVerified - f.CustomersNotVerified
}

// stated counts a submission that was accepted, which needs no records.
func (f Figures) stated(e statement.Entry) Figures {
	f.Statements++
	f.LastStatedAt, f.LastStatedLeaf = e.AcceptedAt.UTC(), e.LeafIndex
	if said, is := e.Statement.(statement.SuspiciousActivity); is && said.Supersedes == "" {
		f.SuspiciousReports++
	}
	return f
}

// moved counts what changed about the records of one entry.
func (f Figures) moved(before, after Records) Figures {
	f = f.counted(before, -1).counted(after, +1)
	f.CustomersByCountry = recounted(f.CustomersByCountry, before.Customer.Verification.Home, after.Customer.Verification.Home)
	f.ForeignOwnersByCountry = recounted(f.ForeignOwnersByCountry, foreignHome(before.Owner), foreignHome(after.Owner))
	return f
}

func foreignHome(o Owner) string {
	if o.Verification.USPerson {
		return ""
	}
	return o.Verification.Home
}

// counted adds what records count for, n times.
func (f Figures) counted(r Records, n int) Figures {
	if c := r.Customer; c.ID != "" {
		f.Customers += n
		f.CustomersVerified += n * one(c.Verification.Verified())
		f.CustomersNotVerified += n * one(c.Verification.Result == NotVerified)
		f.CustomersUS += n * one(c.US())
		f.CustomersUnverified += n * one(c.Unverified())
		f.UnverifiedAccounts += n * c.AccountsOpen * one(c.Unverified())
		f.CustomersIncomplete += n * one(c.Incomplete())
	}
	if o := r.Owner; o.ID != "" {
		f.Owners += n
		f.OwnersVerified += n * one(o.Verification.Verified())
		f.OwnersUS += n * one(o.Verification.USPerson)
	}
	if a := r.Account; a.ID != "" {
		f.Accounts += n
		f.AccountsOpen += n * one(a.Open())
		f.AccountsLimited += n * one(a.Status == Limited)
		f.AccountsNotOpened += n * one(a.OpenedOn == statement.Date{})
	}
	f.TrainingsPlanned += n * one(r.Training.State == Planned)
	f.TrainingsOccurred += n * one(r.Training.State == Occurred)
	return f
}

func one(holds bool) int {
	if holds {
		return 1
	}
	return 0
}

// recounted moves one from a country to another, "" being none. Histories are values: the one we came from keeps its own
// map. A country of nobody is not in it, nor is there a map of nobody.
func recounted(counts map[string]int, from, to string) map[string]int {
	if from == to {
		return counts
	}
	counts = maps.Clone(counts)
	if counts == nil {
		counts = map[string]int{}
	}
	if to != "" {
		counts[to]++
	}
	if from != "" {
		if counts[from]--; counts[from] == 0 {
			delete(counts, from)
		}
	}
	if len(counts) == 0 {
		return nil
	}
	return counts
}
