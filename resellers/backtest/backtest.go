// Package backtest replays the past of one reseller under another policy: whom would it have warned, restricted, closed and
// terminated, and when? It asks the deciders that run live, with the facts of the ledger and without the ledger's decisions.
//
// What a replay cannot know, it takes so that it shows the policy at its sharpest, and says so in the docs:
//
//   - The reseller does what it did. Under a stricter policy it might have hurried.
//   - Each approval is given at the moment in which it is asked for, and nothing else that officers did about a case is repeated:
//     holds, extensions and appeals belonged to cases that the other policy may never have opened. Evidence that they recorded is a fact.
//   - After it was terminated in the ledger, what it stated was refused, so its silence tells nothing: the replay ends there, unless
//     the termination was taken back.
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

// Line is one thing that would have been stated, or was.
type Line struct {
	At   time.Time `json:"at"`
	What string    `json:"what"` // the standing that it led to, or the kind of what was stated
	Rule string    `json:"rule,omitzero"`
	Why  string    `json:"why,omitzero"`
}

// Replay is the past of one reseller under a policy. Make one with New, give it the reseller's entries in their order, and end it
// with Until. It may be used once.
type Replay struct {
	policy  policy.Policy
	house   escalation.House
	entity  envelope.Entity
	history history.History
	c       escalation.Case
	records records
	turns   time.Time // when the answer turns, nothing new being said; zero if never
	next    int64     // leaf index of the next entry, counted anew: the ledger's decisions are left out and others come in
	lines   []Line
	ended   bool
}

// New begins the past of a reseller under p, with what the gateway knows about itself, such as its outages.
func New(p policy.Policy, house escalation.House, entity envelope.Entity) *Replay {
	return &Replay{policy: p, house: house, entity: entity, records: newRecords()}
}

// Take folds the next entry about the reseller, after all that the policy would have stated before it. Errors are those of
// escalation.Decide.
func (r *Replay) Take(e statement.Entry) error {
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
		return nil
	default:
		if !isFact(e, said) {
			return nil
		}
	}
	r.fold(e)
	return r.judge(e.AcceptedAt)
}

// Until goes on to a time without anything new being said, and returns all that the policy would have stated. A reseller whose
// relationship was terminated ends with that.
func (r *Replay) Until(until time.Time) ([]Line, error) {
	if !r.ended {
		if err := r.runTo(until, true); err != nil {
			return nil, err
		}
	}
	return r.lines, nil
}

// Standing is how the reseller stands at the end of what was replayed.
func (r *Replay) Standing() escalation.Standing { return r.c.Standing }

// isFact says whether an entry would have been made whatever the policy.
func isFact(e statement.Entry, said statement.Statement) bool {
	if e.By == e.About {
		return true
	}
	if acted, is := said.(statement.OfficerAction); is {
		return acted.Action == escalation.ActionEvidence
	}
	return !decisions[said.Kind()]
}

// decisions are what the gateway states because of a policy: another policy states its own.
var decisions = map[statement.Kind]bool{
	statement.KindFindingOpened: true, statement.KindFindingCured: true, statement.KindStandingChanged: true,
	statement.KindWarningIssued: true, statement.KindRestrictionOrdered: true, statement.KindClosureOrdered: true,
	statement.KindOrderWithdrawn: true, statement.KindLimitPassed: true, statement.KindAppealDecided: true,
}

// turnsAtMost bounds the steps between two entries: each takes the case further or ends it.
const turnsAtMost = 1000

// runTo takes every step that falls due before a time, or at it if that is included.
func (r *Replay) runTo(to time.Time, included bool) error {
	for range turnsAtMost {
		if r.turns.IsZero() || r.turns.After(to) || (!included && r.turns.Equal(to)) {
			return nil
		}
		at := r.turns
		if err := r.judge(at); err != nil {
			return err
		}
		if !r.turns.IsZero() && !r.turns.After(at) {
			return fmt.Errorf("backtest: %s: the answer turns at %s again and again", r.entity, at)
		}
	}
	return fmt.Errorf("backtest: %s: more than %d steps between two entries", r.entity, turnsAtMost)
}

// judge asks the deciders as of now, and folds what they state and the approvals that they wait for.
func (r *Replay) judge(now time.Time) error {
	for {
		found, turns := findings.Assess(r.policy, r.history, now)
		states, next, err := escalation.Decide(r.policy, r.entity, r.c, r.history, r.house, found, now)
		if err != nil {
			return err
		}
		for _, said := range states {
			r.tell(said, now)
			r.fold(statement.Entry{AcceptedAt: now, About: r.entity, By: gateway, Statement: said})
		}
		r.turns = escalation.Wake(next, turns)
		if !r.approve(now) {
			return nil
		}
	}
}

// gateway is whoever decides here. It only has to be another one than the reseller.
const gateway envelope.Entity = "https://backtest.invalid"

// approve gives every approval that is asked for now, by as many people as it takes. It says whether it gave any.
func (r *Replay) approve(now time.Time) bool {
	given := false
	for _, a := range escalation.Approvals(r.policy, r.entity, r.c, r.history, r.house, now) {
		if now.Before(a.AskedAt) {
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
	return given
}

func (r *Replay) fold(e statement.Entry) {
	e.LeafIndex = r.next
	r.next++
	r.c = r.c.With(e)
	r.history = r.records.with(r.history, e)
}

// tell writes down what an officer would compare.
func (r *Replay) tell(said statement.Statement, at time.Time) {
	switch said := said.(type) {
	case statement.FindingOpened:
		r.lines = append(r.lines, Line{At: at, What: FindingOpened, Rule: said.Rule})
	case statement.StandingChanged:
		r.lines = append(r.lines, Line{At: at, What: said.After, Why: said.Why})
	}
}

// FindingOpened is What of a line that is about a finding; of all others it is the standing.
const FindingOpened = "finding-opened"

// Was is what the ledger says happened, in the same words: to compare a replay with.
func Was(e statement.Entry) (Line, bool) {
	if e.By == e.About {
		return Line{}, false
	}
	switch said := e.Statement.(type) {
	case statement.FindingOpened:
		return Line{At: e.AcceptedAt, What: FindingOpened, Rule: said.Rule}, true
	case statement.StandingChanged:
		return Line{At: e.AcceptedAt, What: said.After, Why: said.Why}, true
	}
	return Line{}, false
}
