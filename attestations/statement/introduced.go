package statement

import (
	"github.com/cipgate/cipgate/attestations/envelope"
)

// Customer is one customer as a submission names it: the id means something to the entity alone.
type Customer struct {
	Of envelope.Entity
	ID string
}

// Introduces says whether a statement makes its customer known upstream: one that says who it is, or what became of an account of it.
// A report of suspicious activity or of a training names a customer too, and says neither.
func Introduces(k Kind) bool { return k == KindCustomerVerification || k == KindAccountStatus }

// Presumes says whether a statement makes sense of a known customer alone: one that an account closed. Whoever closes the account of
// somebody that was never stated has either kept a customer from the provider, or written another id than before.
func Presumes(s Statement) bool {
	account, ok := s.(AccountStatus)
	return ok && account.Status == "closed"
}

// NotIntroduced refuses what presumes a customer of whom its entity has stated nothing before. The schema cannot know: the form is
// right. The customer's id is not repeated.
func NotIntroduced() error {
	return &envelope.Fault{
		Reason:  envelope.ErrMalformed,
		Pointer: "/claims/sub_id/id",
		Wanted:  "a customer of whom you have stated something before an account of it closes: a " + string(KindCustomerVerification) + ", or an " + string(KindAccountStatus),
		Got:     "an id of which nothing stands in the ledger",
		Fix: "State the customer with " + string(KindCustomerVerification) + ", or that the account was opened with " + string(KindAccountStatus) +
			", wait until that is accepted, then send this again; in a stream it may be an earlier line. If you have stated the customer, compare the id with the one you used then, letter by letter.",
	}
}

// NotIntroducedSource says where that is asked for.
const NotIntroducedSource = "ours, not in the rule; /docs/decisions/closing-the-unknown"
