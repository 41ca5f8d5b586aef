package backtest

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// A shadow runs beside the policy in force from one entry on: what would follow had it been put in force there? Up to that entry the
// past is the one that happened, decisions and all, so cases that were open keep the policy that opened them and nothing differs yet.
// From there on the ledger's decisions are left out and the shadow's own come in.
//
// What people do about a case counts in the shadow too, as long as the case runs there as it runs live. From where the two part, each
// approval is taken as given when it is asked for: nobody was asked.

// shadow is where a replay parts from what happened.
type shadow struct {
	from int64 // leaf index of the first entry that is judged by the shadow
	at   time.Time
	live escalation.Case // the case as it really is
}

// Beside begins the past of a reseller, and what would have followed had the policy in force of the shelf been put in force at an
// entry: its leaf index, and when it was accepted.
func Beside(shelf policy.Shelf, houses Houses, entity envelope.Entity, from int64, at time.Time) *Replay {
	houses = houses.putInForce(shelf.InForce().ID(), from, at)
	return &Replay{shelf: shelf, houses: houses, entity: entity, records: newRecords(), shadow: &shadow{from: from, at: at}}
}

// putInForce are the houses had a policy been put in force before an entry, where it was not already, and none after it.
func (h Houses) putInForce(policy string, from int64, at time.Time) Houses {
	put := func(house escalation.House) escalation.House {
		house.InForce = slices.DeleteFunc(slices.Clone(house.InForce), func(one escalation.InForce) bool { return one.LeafIndex >= from })
		if n := len(house.InForce); n > 0 && house.InForce[n-1].Policy == policy {
			return house
		}
		return house.PutInForce(policy, at, from-1)
	}
	n := slices.IndexFunc(h, func(known Known) bool { return known.At.After(at) })
	if n < 0 {
		n = len(h)
	}
	all := append(slices.Clone(h[:n]), Known{At: at, House: put(h.at(at))})
	for _, known := range h[n:] {
		all = append(all, Known{At: known.At, House: put(known.House)})
	}
	return all
}

// reaches folds what happened before the shadow began, as it happened. It says whether the entry is one behind that.
func (r *Replay) reaches(e statement.Entry) bool {
	s := r.shadow
	if e.LeafIndex >= s.from {
		if r.turns.IsZero() && r.judged.IsZero() {
			r.turns = s.at
		}
		return true
	}
	s.live = s.live.With(e)
	r.fold(e)
	r.ended = !r.history.TerminatedAt.IsZero()
	return false
}

// parts is how far two times of a case may lie apart and be the same: a gateway that was down took its steps when it came back.
const parts = sameMoment

// asksPeople says whether what people really do decides about the approvals of the case: it runs in the shadow as it runs live. Where
// the shadow took a step that is not taken live yet, it waits for an hour to see whether it will be.
func (r *Replay) asksPeople(p policy.Policy, now time.Time) bool {
	s := r.shadow
	if s == nil || s.live.ID != r.c.ID {
		return false
	}
	live, err := r.shelf.For(s.live.Policy)
	if err != nil || live.Case.Approvals != p.Case.Approvals {
		return false
	}
	waits := false
	for _, pair := range [][2]time.Time{
		{r.c.WarnedAt, s.live.WarnedAt}, {r.c.CureBy, s.live.CureBy}, {r.c.RestrictedAt, s.live.RestrictedAt}, {r.c.ClosesAt, s.live.ClosesAt},
		{r.c.ClosingAt, s.live.ClosingAt}, {r.c.TerminatesAt, s.live.TerminatesAt},
	} {
		switch ours, theirs := pair[0], pair[1]; {
		case ours.IsZero() && theirs.IsZero():
		case theirs.IsZero():
			waits = true
		case ours.IsZero() || ours.Sub(theirs).Abs() > parts:
			return false
		}
	}
	if !waits {
		return true
	}
	began := latest(r.c.WarnedAt, r.c.RestrictedAt, r.c.ClosingAt)
	if now.Sub(began) >= parts {
		return false
	}
	if again := began.Add(parts); r.turns.IsZero() || again.Before(r.turns) {
		r.turns = again
	}
	return true
}

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
