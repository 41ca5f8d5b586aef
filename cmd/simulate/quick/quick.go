// Package quick is the gateway without a store: the real deciders (history, findings, escalation) on a model of the ledger and of the
// docket, for millions of years.
//
// What is modelled, and how:
//   - The ledger is a list. It keeps the rules of AppendAfter: all of a call or nothing; refused if anything newer about the entity
//     stands (ErrMoved); the same issuer and jti again is a duplicate if it says the same and a twin, which spoils its call, if not; one
//     accepted_at for a commit, in microseconds, never before that of an earlier entry. Every statement is written as JSON and read
//     back, as the docket reads it.
//   - The docket is a map of files, and the rows by which the guard counts, that all nodes share, as they share a database. A fold, and
//     putting a file away, happen or do not.
//   - What the docket states beside the deciders is not modelled: which trainings are covered, and who falls under a special measure.
//     Lives have neither.
//   - There are no signatures, no schemas and no tree.
//
// The package real plays the same lives to the real ledger and docket, and must come to the same entries.
package quick

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/cmd/simulate/audit"
	"github.com/cipgate/cipgate/cmd/simulate/life"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Engine is one gateway. It is used by one goroutine.
type Engine struct {
	entries []statement.Entry
	written []audit.Entry
	keys    map[string]int            // what stands under issuer and jti
	newest  map[envelope.Entity]int64 // the last entry about an entity
	shelf   map[string]*policy.Policy // by which anybody was ever judged
	mixed   map[string]*policy.Policy // see policyOf
	inForce *policy.Policy
	files   []*file
	folded  int // the docket's cursor
	house   escalation.House
	changed int // how often the house changed
	stood   *request

	guarded   map[string]*counted // by jti
	resellers int                 // whose relationship was not terminated
	tripped   bool                // the guard on findings
}

// file is a docket's file with the records of its reseller.
type file struct {
	entity    envelope.Entity
	history   history.History
	c         escalation.Case
	customers map[string]history.Customer
	parts     map[string]history.Records // by customer and part: the owner, account or training in it
	due       bool
	wake      time.Time // zero if never
	judged    judged
}

// judged is what follows from a file at a moment: the same for as long as nothing is appended.
type judged struct {
	now     time.Time
	entries int // in the ledger
	house   int // of which change
	counts  escalation.Counts
	drafts  []life.Draft
	wake    time.Time
}

// request is a call of AppendAfter.
type request struct {
	about  envelope.Entity
	seen   int64
	drafts []life.Draft
}

// New returns a gateway whose ledger is empty.
func New() *Engine {
	return &Engine{keys: map[string]int{}, newest: map[envelope.Entity]int64{}, shelf: map[string]*policy.Policy{}, mixed: map[string]*policy.Policy{},
		guarded: map[string]*counted{}}
}

// State appends what somebody states.
func (e *Engine) State(now time.Time, said life.Draft) error {
	_, err := e.append(now, nil, []life.Draft{said})
	return err
}

// append is the ledger's. It is false if the guard refused, or a twin.
func (e *Engine) append(now time.Time, guard *request, drafts []life.Draft) (taken bool, err error) {
	if guard != nil {
		if newest, any := e.newest[guard.about]; any && newest > guard.seen {
			return false, nil
		}
	}
	at := now.UTC().Truncate(time.Microsecond)
	if n := len(e.entries); n > 0 && at.Before(e.entries[n-1].AcceptedAt) {
		at = e.entries[n-1].AcceptedAt
	}
	var entries []statement.Entry
	var written []audit.Entry
	for _, d := range drafts {
		text, err := json.Marshal(d.Statement)
		if err != nil {
			return false, fmt.Errorf("write a %s: %w", d.Statement.Kind(), err)
		}
		if stands, known := e.keys[string(d.By)+" "+d.JTI]; known {
			if bytes.Equal(e.written[stands].JSON, text) {
				continue
			}
			return false, nil
		}
		said, err := read(d.Statement.Kind(), text)
		if err != nil {
			return false, fmt.Errorf("read a %s back: %w: %s", d.Statement.Kind(), err, text)
		}
		leaf := int64(len(e.entries) + len(entries))
		entries = append(entries, statement.Entry{LeafIndex: leaf, AcceptedAt: at, About: d.About, By: d.By, Customer: d.Customer, JTI: d.JTI, Statement: said})
		written = append(written, audit.Entry{Leaf: leaf, AcceptedAt: at, About: string(d.About), By: string(d.By), Customer: d.Customer, JTI: d.JTI,
			Kind: string(d.Statement.Kind()), JSON: text})
	}
	for _, entry := range entries {
		e.keys[string(entry.By)+" "+entry.JTI] = int(entry.LeafIndex)
		e.newest[entry.About] = entry.LeafIndex
	}
	e.entries, e.written = append(e.entries, entries...), append(e.written, written...)
	return true, nil
}

// Activate starts the nodes with a policy.
func (e *Engine) Activate(now time.Time, p policy.Policy) error {
	replaces := ""
	if e.inForce != nil {
		replaces = e.inForce.ID()
	}
	if replaces == p.ID() {
		return nil
	}
	e.inForce = &p
	e.shelf[p.ID()] = &p
	return e.State(now, life.Activation(p, replaces, now))
}

// mostDecisions is how many decisions one sweep takes at most.
const mostDecisions = 100

// Sweep is the docket's.
func (e *Engine) Sweep(now time.Time, fault life.Fault) (hit bool, err error) {
	stated := 0
	for {
		if err := e.catchUp(now); err != nil {
			return false, err
		}
		due := e.due(now)
		if len(due) == 0 {
			return false, nil
		}
		for _, f := range due {
			err := e.judge(f, e.houseFor(f.entity, now), now)
			if err == nil {
				err = e.reserve(f, now)
			}
			if err != nil {
				return false, fmt.Errorf("settle %s: %w", f.entity, err)
			}
			drafts := f.judged.drafts
			if len(drafts) == 0 {
				e.putAway(f, f.judged.wake, now)
				continue
			}
			r := &request{about: f.entity, seen: f.history.Seen(), drafts: drafts}
			hit := fault.What != life.None && stated == fault.At
			stated++
			switch {
			case hit && fault.What == life.KilledFirst:
				return true, nil
			case hit && fault.What == life.Stands:
				e.stood = r
				return true, nil
			}
			taken, err := e.append(now, r, drafts)
			if err != nil {
				return false, err
			}
			if !taken && stated > mostDecisions {
				return false, fmt.Errorf("%s, of which a %s is decided: %w", f.entity, drafts[0].Statement.Kind(), life.ErrStuck)
			}
			if hit {
				return true, nil
			}
		}
		if stated > 10*mostDecisions {
			return false, fmt.Errorf("after %d decisions more are due: %w", stated, life.ErrStuck)
		}
	}
}

// Resume lets the node that stands still go on.
func (e *Engine) Resume(now time.Time) (taken bool, err error) {
	r := e.stood
	if e.stood = nil; r == nil {
		return false, nil
	}
	return e.append(now, r, r.drafts)
}

// due are the files that are due, longest first.
func (e *Engine) due(now time.Time) []*file {
	var due []*file
	for _, f := range e.files {
		if f.due || !f.wake.IsZero() && f.wake.UnixMicro() <= now.UnixMicro() {
			due = append(due, f)
		}
	}
	slices.SortFunc(due, func(a, b *file) int {
		if a.due != b.due {
			if a.due {
				return -1
			}
			return 1
		}
		if c := a.wake.Compare(b.wake); c != 0 && !a.due {
			return c
		}
		left, right := a.entity.ID(), b.entity.ID()
		return bytes.Compare(left[:], right[:])
	})
	return due
}

func (e *Engine) judge(f *file, house escalation.House, now time.Time) error {
	if j := &f.judged; j.entries == len(e.entries) && j.house == e.changed && j.now.Equal(now) && j.counts == house.Counts {
		return nil
	}
	p := e.policyOf(f)
	if p == nil {
		return fmt.Errorf("a case is pinned to policy %s, which was never in force", f.c.Policy)
	}
	house.Holdings = e.holdings(p, f)
	open, turns := findings.Assess(p, &f.history, now)
	state, next, err := escalation.Decide(p, f.entity, f.c, f.history, house, open, now)
	if err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	j := judged{now: now, entries: len(e.entries), house: e.changed, counts: house.Counts, wake: escalation.Wake(next, turns)}
	for _, s := range state {
		j.drafts = append(j.drafts, life.Draft{By: life.Gateway, About: f.entity, JTI: escalation.ID(f.entity, s), Statement: s})
	}
	if len(state) == 0 { // the docket wakes a file also when people are asked, or must call, which states nothing
		turns := func(at time.Time) {
			if !at.IsZero() && (j.wake.IsZero() || at.Before(j.wake)) {
				j.wake = at
			}
		}
		for _, a := range escalation.Approvals(p, f.entity, f.c, f.history, house, now) {
			turns(a.Turns(now))
		}
		if notice, waits := escalation.NoticeOf(p, f.entity, f.c, f.history, house, now); waits {
			turns(notice.Turns(now))
		}
	}
	f.judged = j
	return nil
}

// longAgo is when something is due that is due at once.
var longAgo = time.Unix(0, 0).UTC()

// Wakes is when something must be settled next.
func (e *Engine) Wakes() (next time.Time, err error) {
	if e.folded < len(e.entries) {
		return longAgo, nil
	}
	for _, f := range e.files {
		switch {
		case f.due:
			return longAgo, nil
		case !f.wake.IsZero() && (next.IsZero() || f.wake.Before(next)):
			next = f.wake
		}
	}
	return next, nil
}

// Entries returns the ledger from a leaf index on.
func (e *Engine) Entries(from int64) ([]audit.Entry, error) {
	return e.written[min(from, int64(len(e.written))):], nil
}
