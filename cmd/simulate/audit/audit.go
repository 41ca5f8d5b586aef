// Package audit reads a ledger and says whether what the gateway decided in it is what standing.md asks for. It is written from
// standing.md and the policy files alone, with arithmetic of its own, and shares no code with what decides: it imports nothing of
// resellers/, and a test holds it to that.
//
// It shows of each entity: no step early, none missed while somebody watched, none twice, every floor kept, no limit passed silently,
// every finding opened that should have been and no other, nothing done about what was cured, the standing always following.
//
// What it cannot see: what was sent to whom. And of when somebody watched it believes what it is told.
package audit

import (
	"fmt"
	"time"
)

// Entry is one entry of the ledger.
type Entry struct {
	Leaf       int64
	AcceptedAt time.Time
	About      string // the entity
	By         string // the issuer
	Customer   string // the issuer's own id of its customer; "" if none is meant
	JTI        string
	Kind       string
	JSON       []byte // the event
}

// Watch is a stretch of time in which a gateway was up and the ledger had this many entries: nothing was appended in it. Its times are
// those of that gateway's clock. Where a clock was set, one watch ends and another begins.
type Watch struct {
	Size     int64
	From, To time.Time
}

// Violation is one thing that must not stand in a ledger.
type Violation struct {
	Entity string
	Leaf   int64 // the entry at which it shows; of what is missing the last one before
	What   string
}

func (v Violation) String() string {
	return fmt.Sprintf("entry %d about %s: %s", v.Leaf, v.Entity, v.What)
}

// Promptness is how soon whatever is due must be stated while a gateway watches: its judging interval, with what a commit may take.
const Promptness = 2 * time.Minute

// Auditor audits one ledger, given in order.
type Auditor struct {
	// Steady says that no clock was set: then what is decided must be committed promptly.
	Steady bool

	gateway  string
	shelf    *Shelf
	inForce  *numbers // of the latest policy-activated
	before   []was    // the policies that were in force before
	put      []put    // every policy that was put in force, in order
	outages  []span   // in which nothing could be handed in; none touches another
	guard    guard
	paused   bool // an officer lets irreversible steps wait
	entities map[string]*dossier
	order    []*dossier
	found    []Violation
}

// New begins the audit of the ledger of a gateway. Policies that were read once are on the shelf, which may be nil.
func New(gateway string, shelf *Shelf) *Auditor {
	if shelf == nil {
		shelf = NewShelf()
	}
	return &Auditor{gateway: gateway, shelf: shelf, entities: map[string]*dossier{}}
}

// Check audits a whole ledger at once, with the watches in the order in which they were kept.
func (a *Auditor) Check(entries []Entry, watches []Watch) []Violation {
	for len(entries) > 0 || len(watches) > 0 {
		if len(watches) > 0 && (len(entries) == 0 || watches[0].Size <= entries[0].Leaf) {
			a.Watched(watches[0])
			watches = watches[1:]
			continue
		}
		a.Read(entries[0])
		entries = entries[1:]
	}
	a.End()
	return a.found
}

// Found is what was found so far: of each entity the first violation, for what comes after it follows from it.
func (a *Auditor) Found() []Violation { return a.found }

// Read takes the next entry.
func (a *Auditor) Read(e Entry) {
	if e.About == a.gateway {
		a.readOwn(e)
		return
	}
	d := a.entities[e.About]
	if d == nil {
		d = &dossier{auditor: a, entity: e.About, standing: "pending", open: map[string]*finding{}}
		d.facts.customers = map[string]*customer{}
		a.entities[e.About] = d
		a.order = append(a.order, d)
	}
	d.read(e)
	switch e.Kind {
	case "entity-enrolled", "relationship-terminated", "relationship-reinstated":
		a.counts(e.AcceptedAt)
	}
}

// Watched takes the next watch: it is about the entries that were read so far.
func (a *Auditor) Watched(w Watch) {
	for _, d := range a.order {
		d.watched(w)
	}
}

// End says that there is no more.
func (a *Auditor) End() {
	for _, d := range a.order {
		d.settle()
	}
}

// readOwn reads what is about the gateway itself.
func (a *Auditor) readOwn(e Entry) {
	err := a.own(e)
	if err != nil {
		a.found = append(a.found, Violation{e.About, e.Leaf, fmt.Sprintf("a %s about the gateway: %v", e.Kind, err)})
	}
}

func (a *Auditor) own(e Entry) error {
	switch e.Kind {
	case "policy-activated":
		return a.activated(e)
	case "outage-recorded":
		var said struct {
			From time.Time `json:"from"`
			To   time.Time `json:"to"`
		}
		if err := unmarshal(e.JSON, &said); err != nil {
			return err
		}
		a.settleAll()
		a.outage(span{said.From, said.To})
	case "officer-action":
		var said action
		if err := unmarshal(e.JSON, &said); err != nil {
			return err
		}
		a.settleAll()
		if said.On.Type != "gateway" {
			return nil
		}
		switch said.Action {
		case "guard.released":
			a.guard.release(said, e.AcceptedAt)
		case "automation.paused":
			a.paused = true
		case "automation.resumed":
			a.paused = false
		}
	}
	return nil
}

// settleAll judges what was decided before something about the gateway by what held before.
func (a *Auditor) settleAll() {
	for _, d := range a.order {
		d.settle()
	}
}

func (a *Auditor) activated(e Entry) error {
	var said struct {
		Policy   string `json:"policy"`
		Document string `json:"document"`
	}
	if err := unmarshal(e.JSON, &said); err != nil {
		return err
	}
	read, err := a.shelf.read(said.Policy, said.Document)
	if err != nil {
		return err
	}
	a.settleAll()
	if a.inForce != nil {
		a.before = append(a.before, was{a.inForce, e.AcceptedAt})
	}
	a.inForce = read
	a.put = append(a.put, put{read.id, e.AcceptedAt, e.Leaf})
	for at, day := range a.guard.days { // the numbers are others now; of a reseller that left a moment ago nobody counts any more
		day.closed, day.ended = false, false
		a.fills(at, a.least(e.AcceptedAt))
	}
	return nil
}

// known returns a policy that is, or ever was, in force; nil if it is neither.
func (a *Auditor) known(id string) *numbers {
	for _, earlier := range a.before {
		if earlier.policy.id == id {
			return earlier.policy
		}
	}
	if a.inForce != nil && a.inForce.id == id {
		return a.inForce
	}
	return nil
}

// was is a policy that was in force until then.
type was struct {
	policy *numbers
	until  time.Time
}

// wasInForce returns a policy if it is in force, or was at that time: what was decided before a policy is replaced may be committed
// after it.
func (a *Auditor) wasInForce(id string, now time.Time) *numbers {
	if a.inForce != nil && a.inForce.id == id {
		return a.inForce
	}
	for _, earlier := range a.before {
		if earlier.policy.id == id && !now.After(earlier.until) {
			return earlier.policy
		}
	}
	return nil
}

// dossier is what is known of one entity.
type dossier struct {
	auditor *Auditor
	entity  string
	broken  bool  // a violation was found; the rest follows from it
	last    int64 // the entry read last
	lastAt  time.Time

	facts facts
	group *group // the decisions of the commit that is being read

	standing  string
	changedAt time.Time // when that was stated
	changes   int
	open      map[string]*finding
	dismissed []*finding // found wrong by an appeal
	file      file       // the case that is open
	orders    []order
	past      []past
	cases     int // that were opened, ever
}

func (d *dossier) fail(leaf int64, format string, args ...any) {
	if d.broken {
		return
	}
	d.broken = true
	d.auditor.found = append(d.auditor.found, Violation{d.entity, leaf, fmt.Sprintf(format, args...)})
}

func (d *dossier) read(e Entry) {
	if d.broken {
		return
	}
	if decides(e) {
		d.decided(e)
	} else {
		d.settle()
		err := d.heeds(e)
		if err == nil {
			err = d.facts.take(e, d.auditor)
		}
		if err == nil {
			err = d.acted(e)
		}
		if err == nil {
			err = d.proves(e)
		}
		if err != nil {
			d.fail(e.Leaf, "a %s that cannot be read: %v", e.Kind, err)
		}
	}
	d.last, d.lastAt = e.Leaf, e.AcceptedAt
}

// policy is what the entity is judged by: the version that its case is pinned to, else the one in force.
func (d *dossier) policy() *numbers {
	if d.file.id != "" {
		return d.file.policy
	}
	return d.auditor.inForce
}

// watched checks that nothing was due, and stayed unsaid, while somebody watched.
func (d *dossier) watched(w Watch) {
	d.settle()
	if d.broken || d.auditor.inForce == nil {
		return
	}
	// A clock that was set back sees the newest entry in its future. What was late when that entry came, and waits for the morning, waits
	// for it still.
	due, what := d.due(later(w.From, d.lastAt))
	if what == "" {
		return
	}
	if due.Before(w.From) {
		due = w.From
	}
	if late := due.Add(Promptness); w.To.After(late) && d.missed(w, late) {
		d.fail(d.last, "missed: %s. It was due at %s, somebody watched until %s, and nothing was stated", what, moment(due), moment(w.To))
	}
}

// missed says that also a node that looked only at the last moment at which it is prompt has stated nothing. What cannot be taken back and
// fell due seconds before the provider's people went home waits by then for the morning, and is due again with it.
func (d *dossier) missed(w Watch, late time.Time) bool {
	due, what := d.due(late)
	return what != "" && (!due.After(late) || w.To.Sub(due) > Promptness)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
