// Package backtest replays the past of one reseller under another policy: whom would it have warned, restricted, closed and
// terminated, and when? It asks the deciders that run live, with the facts of the ledger and without the ledger's decisions.
//
// New replays a past from its beginning. What such a replay cannot know, it takes so that it shows the policy at its sharpest, and
// says so in the docs:
//
//   - The reseller does what it did. Under a stricter policy it might have hurried.
//   - Each approval is given at the moment in which it is asked for, and nothing else that officers did about a case is repeated:
//     holds, extensions and appeals belonged to cases that the other policy may never have opened. Evidence that they recorded is a fact.
//   - The guard holds nothing back: a replay is about one reseller, and the guard counts all.
//   - After it was terminated in the ledger, what it stated was refused, so its silence tells nothing: the replay ends there, unless
//     the termination was taken back.
//
// Beside replays what would have followed had the other policy been put in force at one entry: see shadow.go.
//
// It reads nothing and states nothing.
package backtest

import (
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Stated is one thing that would have been stated, or was.
type Stated struct {
	At   time.Time `json:"at"`
	What string    `json:"what"` // the standing that it led to, or the kind of what was stated
	Rule string    `json:"rule,omitzero"`
	Why  string    `json:"why,omitzero"`
}

// Replay is the past of one reseller under a policy. Make one with New, give it the reseller's entries in their order, and end it
// with Until. It may be used once.
type Replay struct {
	shelf   policy.Shelf
	houses  Houses
	entity  envelope.Entity
	history history.History
	c       escalation.Case
	records records
	turns   time.Time // when the answer turns, nothing new being said; zero if never
	judged  time.Time // when it was judged last
	next    int64     // leaf index of the next entry, counted anew: the ledger's decisions are left out and others come in
	lines   []Stated
	ended   bool
	shadow  *shadow // nil where the past is replayed from its beginning
}

// New begins the past of a reseller under p, with what the gateway knew about itself, such as its outages.
func New(p policy.Policy, houses Houses, entity envelope.Entity) *Replay {
	shelf, _ := policy.NewShelf(p) // of one policy, so none stands under its ID twice
	return &Replay{shelf: shelf, houses: houses, entity: entity, records: newRecords()}
}

// Houses are what the gateway knew about itself, each with when it began to: the earliest first.
type Houses []Known

// Known is a house from a time on.
type Known struct {
	At    time.Time
	House escalation.House
}

// HousesOf folds the entries about the gateway, in the order of the ledger.
func HousesOf(entries []statement.Entry) Houses {
	var all Houses
	house := escalation.House{}
	for _, e := range entries {
		if after := house.With(e); !after.Same(house) {
			house = after
			all = append(all, Known{At: e.AcceptedAt, House: house})
		}
	}
	return all
}

// at is the house as it was known then.
func (h Houses) at(now time.Time) escalation.House {
	for i := len(h) - 1; i >= 0; i-- {
		if !h[i].At.After(now) {
			return h[i].House
		}
	}
	return escalation.House{}
}

// after is when it changes next; zero if it does not.
func (h Houses) after(t time.Time) time.Time {
	for _, known := range h {
		if known.At.After(t) {
			return known.At
		}
	}
	return time.Time{}
}

// Take folds the next entry about the reseller, after all that the policy would have stated before it. Errors are those of
// escalation.Decide.
func (r *Replay) Take(e statement.Entry) error {
	if r.shadow != nil && !r.reaches(e) {
		return nil
	}
	if r.shadow != nil {
		// What was stated then was not known before it, so the steps until then are taken without it.
		defer func() { r.shadow.live = r.shadow.live.With(e) }()
	}
	if r.ended && e.Statement.Kind() != statement.KindRelationshipReinstated {
		return nil
	}
	// A fact that came in the moment in which a step fell due came first. The termination itself is such a step.
	if err := r.runTo(e.AcceptedAt, e.Statement.Kind() == statement.KindRelationshipTerminated); err != nil {
		return err
	}
	switch said := e.Statement.(type) {
	case statement.RelationshipTerminated:
		r.ended = true // what comes after it was refused or not even sent
		return nil
	case statement.RelationshipReinstated:
		r.ended = false
		if r.shadow == nil {
			return nil
		}
	default:
		if !r.isFact(e, said) {
			return nil
		}
	}
	r.fold(e)
	return r.judge(e.AcceptedAt)
}

// Until goes on to a time without anything new being said, and returns all that the policy would have stated. A reseller whose
// relationship was terminated ends with that.
func (r *Replay) Until(until time.Time) ([]Stated, error) {
	if r.shadow != nil && r.turns.IsZero() && r.judged.IsZero() {
		r.turns = r.shadow.at // nothing was said since it began
	}
	if !r.ended {
		if err := r.runTo(until, true); err != nil {
			return nil, err
		}
	}
	return r.lines, nil
}

// Standing is how the reseller stands at the end of what was replayed.
func (r *Replay) Standing() escalation.Standing { return r.c.Standing }

// Turns is when the answer turns next, nothing new being said; zero if never, or if what comes then is not known.
func (r *Replay) Turns() time.Time {
	if r.ended {
		return time.Time{}
	}
	return r.turns
}

// isFact says whether an entry would have been made whatever the policy.
func (r *Replay) isFact(e statement.Entry, said statement.Statement) bool {
	if e.By == e.About {
		return true
	}
	if r.shadow != nil && byPeople(said) {
		return true // about a case that the shadow does not have it changes nothing
	}
	if acted, is := said.(statement.OfficerAction); is {
		return acted.Action == escalation.ActionEvidence
	}
	return !decisions[said.Kind()]
}

// byPeople says whether officers decided it.
func byPeople(said statement.Statement) bool {
	return said.Kind() == statement.KindOfficerAction || said.Kind() == statement.KindAppealDecided
}

// decisions are what the gateway states because of a policy: another policy states its own.
var decisions = map[statement.Kind]bool{
	statement.KindFindingOpened: true, statement.KindFindingCured: true, statement.KindStandingChanged: true,
	statement.KindWarningIssued: true, statement.KindRestrictionOrdered: true, statement.KindClosureOrdered: true, statement.KindHandOverOrdered: true,
	statement.KindOrderWithdrawn: true, statement.KindLimitPassed: true, statement.KindAppealDecided: true,
}

// turnsAtMost bounds the steps between two entries: each takes the case further or ends it.
const turnsAtMost = 1000

// runTo takes every step that falls due before a time, or at it if that is included.
func (r *Replay) runTo(to time.Time, included bool) error {
	for range turnsAtMost + len(r.houses) {
		at := r.turns
		if known := r.houses.after(r.judged); !r.judged.IsZero() && !known.IsZero() && (at.IsZero() || known.Before(at)) {
			at = known // what bears on every case has every case judged
		}
		if at.IsZero() || at.After(to) || (!included && at.Equal(to)) {
			return nil
		}
		if err := r.judge(at); err != nil {
			return err
		}
		if !r.turns.IsZero() && !r.turns.After(at) {
			return fmt.Errorf("backtest: %s: the answer turns at %s again and again", r.entity, at)
		}
	}
	return fmt.Errorf("backtest: %s: more than %d steps between two entries", r.entity, turnsAtMost)
}

// policy is the one that the case is pinned to, or the one that is tried.
func (r *Replay) policy() (policy.Policy, error) {
	p, err := r.shelf.For(r.c.Policy)
	p.Guard = policy.Guard{}
	return p, err
}

// judge asks the deciders as of now, and folds what they state and the approvals that they wait for.
func (r *Replay) judge(now time.Time) error {
	r.judged = now
	house := r.houses.at(now)
	if r.shadow == nil {
		house.InForce = nil // it is tried as if it had been in force all along
	}
	for {
		p, err := r.policy()
		if err != nil {
			return err
		}
		found, turns := findings.Assess(&p, &r.history, now)
		states, next, err := escalation.Decide(&p, r.entity, r.c, r.history, house, found, now)
		if err != nil {
			return err
		}
		for _, said := range states {
			r.tell(said, now)
			// Under the jti that it has in the ledger if the past went the same way: what proved a notice there proves it here.
			r.fold(statement.Entry{AcceptedAt: now, About: r.entity, By: gateway, JTI: escalation.ID(r.entity, said), Statement: said})
		}
		r.turns = escalation.Wake(next, turns)
		// A case that ended with what was just stated may be followed by the next, which is judged by the policy that is tried.
		if p.ID() != r.pinned() || r.approve(p, house, now) {
			continue
		}
		return nil
	}
}

// pinned is by which policy it will be judged next.
func (r *Replay) pinned() string {
	if r.c.Policy != "" {
		return r.c.Policy
	}
	return r.shelf.InForce().ID()
}

// gateway is whoever decides here. It only has to be another one than the reseller.
const gateway envelope.Entity = "https://backtest.invalid"

// approve gives every approval that is asked for now, by as many people as it takes. It says whether it gave any.
func (r *Replay) approve(p policy.Policy, house escalation.House, now time.Time) bool {
	if r.c.ID == "" {
		return false // without a case nobody is asked, and nothing waits for proof
	}
	given := false
	for _, a := range escalation.Approvals(&p, r.entity, r.c, r.history, house, now) {
		if r.asksPeople(p, now) {
			continue
		}
		if now.Before(a.AskedAt) {
			if a.Pending() {
				r.turnsBy(a.AskedAt)
			}
			continue
		}
		for n := len(a.Given); n < a.People; n++ {
			who := fmt.Sprintf("backtest-%d", n+1)
			r.fold(statement.Entry{AcceptedAt: now, About: r.entity, By: gateway, Statement: statement.OfficerAction{
				Officer: statement.Officer{ID: who, Name: who}, Action: escalation.ActionApproved,
				On: statement.Target{Type: "approval", ID: a.ID}, Reason: "A backtest gives each approval when it is asked for.",
			}})
			given = true
		}
	}
	return r.prove(p, house, now) || given
}

// prove takes it for proved that the reseller was told of the last step, when an officer would be asked to call: like an approval, which
// is given when it is asked for.
func (r *Replay) prove(p policy.Policy, house escalation.House, now time.Time) bool {
	notice, waits := escalation.NoticeOf(&p, r.entity, r.c, r.history, house, now)
	switch {
	case !waits || !notice.Missing() || r.asksPeople(p, now):
		return false
	case now.Before(notice.CallAt):
		r.turnsBy(notice.CallAt)
		return false
	}
	r.fold(statement.Entry{AcceptedAt: now, About: r.entity, By: gateway,
		Statement: statement.NoticeProved{Notice: notice.Notice, Channel: statement.ChannelCall, AddressedAt: notice.Told, ProvedAt: now}})
	return true
}

// turnsBy has the reseller judged at that time at the latest.
func (r *Replay) turnsBy(at time.Time) {
	if r.turns.IsZero() || at.Before(r.turns) {
		r.turns = at
	}
}

func (r *Replay) fold(e statement.Entry) {
	if e.LeafIndex < r.next || r.shadow == nil {
		e.LeafIndex = r.next
	}
	r.next = e.LeafIndex + 1
	r.c = r.c.With(e)
	r.history = r.records.with(r.history, e)
}

// tell writes down what an officer would compare.
func (r *Replay) tell(said statement.Statement, at time.Time) {
	switch said := said.(type) {
	case statement.FindingOpened:
		r.lines = append(r.lines, Stated{At: at, What: FindingOpened, Rule: said.Rule})
	case statement.StandingChanged:
		r.lines = append(r.lines, Stated{At: at, What: said.After, Why: said.Why})
	}
}

// FindingOpened is What of a line that is about a finding; of all others it is the standing.
const FindingOpened = "finding-opened"

// Was is what the ledger says happened, in the same words: to compare a replay with.
func Was(e statement.Entry) (Stated, bool) {
	if e.By == e.About {
		return Stated{}, false
	}
	switch said := e.Statement.(type) {
	case statement.FindingOpened:
		return Stated{At: e.AcceptedAt, What: FindingOpened, Rule: said.Rule}, true
	case statement.StandingChanged:
		return Stated{At: e.AcceptedAt, What: said.After, Why: said.Why}, true
	}
	return Stated{}, false
}
