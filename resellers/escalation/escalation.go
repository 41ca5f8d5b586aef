// Package escalation decides what must be stated next about one reseller: whom the provider warns, restricts, closes
// and terminates, and when. It is pure: policy, facts and time go in; statements, and the time at which the answer
// turns, come out. It reads nothing, signs nothing, sends nothing.
//
//	(no case) --serious finding--> warned --not cured--> restricted --> closing --> terminated
//	    ^                             |'----- critical, at once -----^    |
//	    '---- every finding behind it cured, orders withdrawn -------------'
//
// People stand beside it: the policy says which steps they approve (approval.go) and what their silence means; they hold,
// extend, decide disputes and take a termination back (people.go, and may.go says who may). What moves a step moves its
// time (times.go), so what Outlook shows if nothing happens is what comes, and their silence is nothing happening.
//
// The truth is the ledger. A Case is the fold of what the gateway stated about the reseller, as a history.History is
// the fold of the facts; both may be dropped and folded again. Decide compares the two with the policy and the time
// and returns what is missing. It folds its own statements with the same function as Case.With, so after they are in
// the ledger it has nothing left to say.
//
//   - Decided twice, by two nodes or after a kill: both say the same under the same jti (ID); the ledger takes the first,
//     and the other one folds it and has nothing to say.
//   - Nobody decided while everything was down: each overdue step is taken on return, once, one after another, and never
//     sooner after the step before than the policy's floors. If the limit passes, for this or any other reason, that is stated
//     once, and the statements, the next step and the outlook say so.
//   - A clock that is behind: nothing is taken back. A step has been taken when it is in the ledger, and a finding is
//     cured only by an entry that cures it.
//   - A case keeps the policy that opened it. Deciding it by another one is refused (ErrPolicy).
//
// The dates between steps are in policy/schedule.go. The steps are the rows of the table in decide.go.
package escalation

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrPolicy says that the case is pinned to another policy than the one given (policy.Shelf finds the right one).
	ErrPolicy = errors.New("the case is pinned to another policy")
	// ErrFile says that case and history are not about the same entity or were not folded up to the same entry. Deciding
	// from them could terminate somebody whose cure one of them had seen.
	ErrFile = errors.New("case and history do not belong together")
	// errNoTime is a fault of the caller's. The times of a case say how far it has come, so no step may have none.
	errNoTime = errors.New("no time was given")
)

// Standing is how a reseller stands with the provider. The zero Standing is Pending, in which every reseller starts.
type Standing uint8

// The standings, from standing.md. They are ordered: from Warned on, each is worse than the one before.
const (
	Pending    Standing = iota // nothing was attested yet
	Good                       // nothing falls short
	Watch                      // something minor falls short
	Warned                     // a case is open; from here on the standing is the stage of the case
	Restricted                 // no new accounts
	Closing                    // the account is ordered closed
	Terminated                 // the relationship ended
)

var standings = [...]string{"pending", "good", "watch", "warned", "restricted", "closing", "terminated"}

func (s Standing) String() string {
	if int(s) < len(standings) {
		return standings[s]
	}
	return fmt.Sprintf("standing %d", uint8(s))
}

// ParseStanding reads what String wrote.
func ParseStanding(s string) (Standing, error) {
	for i, name := range standings {
		if s == name {
			return Standing(i), nil
		}
	}
	return Pending, fmt.Errorf("escalation: no standing is called %q", s)
}

// MarshalText writes the standing by its name.
func (s Standing) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Standing) UnmarshalText(text []byte) error {
	read, err := ParseStanding(string(text))
	if err != nil {
		return err
	}
	*s = read
	return nil
}

// Step is what happens next if nothing is done.
type Step struct {
	What   string    `json:"what"`            // in words: "restricted: no new accounts"
	At     time.Time `json:"at,omitzero"`     // zero: nothing is scheduled
	Unless string    `json:"unless,omitzero"` // what prevents it, in words
	// Waits says what the step waits for beside its time, such as somebody's approval. As long as it does, it is not taken at At.
	Waits string `json:"waits_for,omitzero"`
	// LimitPassed says that the step comes after the limit of its case; What says it too.
	LimitPassed bool `json:"limit_passed,omitzero"`

	wake time.Time // when what Decide answers turns
}

// Wake returns when the reseller must be judged again, nothing new being said about it: when the case moves, or when the
// next finding opens, whichever comes first. Zero is never. Deciding before it has no effect.
func Wake(next Step, turns time.Time) time.Time {
	wake := next.wake
	if wake.IsZero() && next.Waits == "" {
		wake = next.At
	}
	if wake.IsZero() || (!turns.IsZero() && turns.Before(wake)) {
		return turns
	}
	return wake
}

// wholeSecond drops the part of a second: statements carry none, and what was decided must read back as it was.
func wholeSecond(now time.Time) time.Time { return now.UTC().Truncate(time.Second) }
