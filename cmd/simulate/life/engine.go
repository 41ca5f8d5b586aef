// Package life plays random lives of resellers to a gateway: what they state, what officers do, and what happens to the gateway itself:
// it is killed between two steps, stands still in the middle of one, is down for hours, has two nodes, and clocks that are set.
//
// A life follows from its seed and from nothing else, apart from what the gateway answers: played to two gateways that decide alike it
// is the same life.
package life

import (
	"errors"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/cmd/simulate/audit"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Gateway is the entity of the gateway.
const Gateway = envelope.Entity("https://provider.example")

// Draft is what somebody states.
type Draft struct {
	By, About envelope.Entity
	Customer  string // of whoever states it; "" if none is meant
	JTI       string
	Statement statement.Statement
}

// Fault is what happens to a node in a sweep, at one of the moments in which it states something.
type Fault struct {
	What What
	At   int // at which of them, counted from 0; a sweep that states less often ends as it should
}

// What can happen to a node.
type What int

// The faults.
const (
	None        What = iota
	KilledFirst      // killed before it is stated
	KilledAfter      // killed when it is stated, before it has heard so
	Stands           // it stands still before it is stated, and goes on with that in some other time (Engine.Resume), or never
)

// ErrStuck says that a gateway decides the same again and again, and that it is never taken: its reseller's case does not move any more.
var ErrStuck = errors.New("it decides the same again and again, and the ledger never takes it")

// Engine is a gateway: its ledger and its docket.
type Engine interface {
	// State appends what somebody states.
	State(now time.Time, said Draft) error
	// Activate starts the nodes with a policy, which states that it is in force.
	Activate(now time.Time, p policy.Policy) error
	// Sweep folds and settles all that is due, at a node's time. Hit says that the fault came, and then it is not done.
	Sweep(now time.Time, fault Fault) (hit bool, err error)
	// Resume lets the node that stands still go on; it says whether what it stated was taken.
	Resume(now time.Time) (taken bool, err error)
	// Wakes is when something must be settled next: zero if never, and long ago if at once.
	Wakes() (time.Time, error)
	// Entries returns the ledger from a leaf index on.
	Entries(from int64) ([]audit.Entry, error)
}
