package archive

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Term is how long something is kept.
type Term struct {
	Open  bool      // a customer's account is open: nothing ends
	Floor time.Time // not erased before
	Until time.Time // erased on schedule from here on
}

// customerTerm is how long what was stated of one customer is kept: from the later of the day its last account was closed
// and the day it was last accessed (15 CFR 7.302, proposed). Of a customer of which no account was stated, and of one whose
// days lie ahead, it counts from the newest statement.
func customerTerm(p policy.Records, entries []statement.Entry) Term {
	type account struct {
		closed bool
		last   time.Time // the later of closed and last accessed
	}
	accounts := map[string]*account{}
	var latest time.Time // when the newest statement was accepted
	for _, e := range entries {
		if e.AcceptedAt.After(latest) {
			latest = e.AcceptedAt
		}
		said, is := e.Statement.(statement.AccountStatus)
		if !is {
			continue
		}
		a := accounts[said.Account]
		if a == nil {
			a = &account{}
			accounts[said.Account] = a
		}
		if said.Status != "last-accessed" {
			a.closed = said.Status == "closed"
		}
		// The day ends at midnight, UTC; what is stated to lie ahead counts no later than it was stated.
		day := time.Date(said.On.Year, said.On.Month, said.On.Day+1, 0, 0, 0, 0, time.UTC)
		if day.After(e.AcceptedAt) {
			day = e.AcceptedAt
		}
		if day.After(a.last) {
			a.last = day
		}
	}
	term := Term{}
	var from time.Time
	for _, a := range accounts {
		term.Open = term.Open || !a.closed
		if a.last.After(from) {
			from = a.last
		}
	}
	if len(accounts) == 0 {
		from = latest
	}
	return term.from(p, from)
}

// programTerm is how long an attestation and the document that it names are kept: from when a newer one took its place, or
// the relationship ended, whatever came first. The newest of a reseller that is still one has no end.
func programTerm(p policy.Records, replaced, terminated time.Time) Term {
	ends := slices.DeleteFunc([]time.Time{replaced, terminated}, time.Time.IsZero)
	if len(ends) == 0 {
		return Term{Open: true}
	}
	return Term{}.from(p, slices.MinFunc(ends, time.Time.Compare))
}

// answerTerm is how long an answer in a case is kept where somebody asks for its erasure: from when it was stated. Nobody asking, it stays
// as long as what else the reseller stated of itself.
func answerTerm(p policy.Records, stated time.Time) Term { return Term{}.from(p, stated) }

func (t Term) from(p policy.Records, start time.Time) Term {
	t.Floor, t.Until = p.Floor.From(start), p.Ceiling.From(start)
	return t
}
