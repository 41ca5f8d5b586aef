package escalation

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/findings"
)

// What is ordered closed: the reseller's own account, or the accounts of the customers that the findings behind the case name. With a
// termination every account that is left, but for those that a successor takes (handover.go).

// The scopes of a closure, as closure-ordered names them and order-withdrawn takes them back.
const (
	CloseAccount      = "reseller-account"
	CustomerAccounts  = "customer-accounts"
	RemainingAccounts = "remaining-accounts"
)

// Holdings are the accounts of a reseller's customers, as far as a step of its case is about them. No Case holds them: there may be a
// million. Like the guard's numbers they are read by whoever decides, at that moment. The zero Holdings is that of a reseller of whose
// customers nothing is known.
type Holdings struct {
	// Named are the customers that each finding names, by the name that findings.Assess gave it. One that names nobody, or more than the
	// policy lets one closure name, is not in it.
	Named map[string][]Holding
	// Accounts are the open accounts of all of them, ordered by customer and account. Nil where nobody has listed them yet: then a closure of
	// theirs is decided and cannot be stated.
	Accounts []statement.AccountNamed
	// HandOver is how many open accounts have customers that are verified and fall under no special measure.
	HandOver int
	// SuccessorGone says that the successor that was named is closing or terminated itself.
	SuccessorGone bool
}

// Holding is how many accounts a customer has open.
type Holding struct {
	Customer string
	Open     int
}

// implicated is how many accounts the customers have open that the findings behind the case name: 0 if one of the findings names
// nobody, or they are more than the policy lets one closure name, so that the reseller's own account is meant.
func (s *situation) implicated() (accounts int) {
	closing := s.policy.Case.Close
	if !closing.Implicated() || len(s.house.Holdings.Named) == 0 {
		return 0
	}
	counted := map[string]bool{}
	for _, f := range s.c.Behind() {
		named := s.house.Holdings.Named[findings.Named(f.ID)]
		if len(named) == 0 {
			return 0
		}
		for _, one := range named {
			if !counted[one.Customer] {
				counted[one.Customer] = true
				accounts += one.Open
			}
		}
	}
	if accounts > closing.Most.Value {
		return 0
	}
	return accounts
}

// closes is what a closure is about now, and what it does in words.
func (s *situation) closes() (scope, does string) {
	if s.implicated() > 0 {
		return CustomerAccounts, willCloseCustomers
	}
	return CloseAccount, willClose
}

// accountsOf is how many customers' accounts a move closes, as the guard counts them.
func (s *situation) accountsOf(m move) int {
	switch {
	case m.step == StepClose && m.scope == CustomerAccounts:
		return s.implicated()
	case m.step == StepTerminate && s.successor() != nil:
		return max(0, s.history.Figures.AccountsOpen-s.house.Holdings.HandOver)
	}
	return s.history.Figures.AccountsOpen
}

// parts are the orders of one closure of customers' accounts, each of which names as many as one can. Where nobody listed them yet it is
// one that names none, which the schema refuses.
func parts(order statement.ClosureOrdered, accounts []statement.AccountNamed, total int) []statement.Statement {
	order.Part, order.Parts, order.Total = 1, 1, total
	if len(accounts) == 0 {
		return []statement.Statement{order}
	}
	order.Total, order.Parts = len(accounts), (len(accounts)+statement.MostAccounts-1)/statement.MostAccounts
	var all []statement.Statement
	for some := range slices.Chunk(accounts, statement.MostAccounts) {
		order.Accounts = some
		all = append(all, order)
		order.Part++
	}
	return all
}

// closedWords says what is, or will be, ordered closed: what was, where it was.
func (s *situation) closedWords() string {
	scope, _ := s.closes()
	for _, o := range s.c.Orders {
		if o.Name == CustomerAccounts || o.Name == CloseAccount {
			scope = o.Name
		}
	}
	if scope == CustomerAccounts {
		return "the accounts of the customers that the findings name are"
	}
	return "the reseller's account is"
}

// ordered adds an order that goes with a termination.
func (c Case) ordered(name, of string, at time.Time) Case {
	if c.isOpen(of) && !slices.ContainsFunc(c.Orders, func(o Order) bool { return o.Name == name && o.Case == of }) {
		c.Orders = append(slices.Clone(c.Orders), Order{Name: name, Since: at.UTC(), Case: of})
	}
	return c
}

// ListsAccounts says that what was decided closes customers' accounts that nobody has listed yet: whoever decides lists them, and decides again.
func ListsAccounts(state []statement.Statement) bool {
	return slices.ContainsFunc(state, func(said statement.Statement) bool {
		closure, is := said.(statement.ClosureOrdered)
		return is && closure.Scope == CustomerAccounts && len(closure.Accounts) == 0
	})
}
