// Package obligations decides what the provider owes an authority by when: which entry of the ledger opens a duty, when that is due by
// the policy that was in force then, and what ends it. An officer records that it was fulfilled, with the reference of what was handed
// in; or two officers waive it.
//
// It is pure and folds single obligations; which of them are kept, listed and shown is the docket's. It hands nothing in and reminds
// nobody.
package obligations

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Obligation is one duty of the provider's.
type Obligation struct {
	ID        string          `json:"id"` // the same on every node and in every replay
	Kind      string          `json:"kind"`
	About     envelope.Entity `json:"about"`            // the reseller, or the gateway
	Subject   string          `json:"subject,omitzero"` // the case, the transaction, or the number of the certification
	What      string          `json:"what"`             // to do
	Source    string          `json:"source"`           // where the duty stands
	Policy    string          `json:"policy"`           // by which it is due
	OpenedAt  time.Time       `json:"opened_at"`
	Leaf      int64           `json:"leaf"`       // of the entry that opened it
	CountFrom time.Time       `json:"count_from"` // from when its time counts: before OpenedAt where somebody knew before
	DueAt     time.Time       `json:"due_at"`
	RemindAt  []time.Time     `json:"remind_at,omitzero"`
	Request   string          `json:"request,omitzero"` // the authority's reference, of what it asked for
	Closed    Closed          `json:"closed,omitzero"`
}

// Closed is how an obligation ended. The zero Closed is that of one that is open.
type Closed struct {
	How        How                `json:"how"`
	At         time.Time          `json:"at"` // when it was recorded
	Leaf       int64              `json:"leaf"`
	By         statement.Officer  `json:"by"`
	ProposedBy *statement.Officer `json:"proposed_by,omitzero"` // of a waiver
	Reference  string             `json:"reference,omitzero"`   // of what was handed in
	Reason     string             `json:"reason"`
}

// How says how an obligation ended.
type How string

// How an obligation ends.
const (
	Fulfilled How = "fulfilled"
	Waived    How = "waived"
)

// State is how an obligation stands at a time.
type State string

// The states. Overdue is open, and its date has passed.
const (
	Open    State = "open"
	Overdue State = "overdue"
)

// State is how the obligation stands: Open, Overdue, or how it ended.
func (o Obligation) State(now time.Time) State {
	switch {
	case o.Closed.How != "":
		return State(o.Closed.How)
	case now.After(o.DueAt):
		return Overdue
	}
	return Open
}

// Late says that it was fulfilled after it was due.
func (o Obligation) Late() bool { return o.Closed.How == Fulfilled && o.Closed.At.After(o.DueAt) }

// Reminded is the last time at or before now at which it is brought to mind; zero if none has come yet.
func (o Obligation) Reminded(now time.Time) (last time.Time) {
	for _, at := range o.RemindAt {
		if !at.After(now) {
			last = at
		}
	}
	return last
}

// On is how an officer's action names an obligation.
const On = "obligation"

// What officers record of obligations, as officer-action names it.
const (
	ActionRecorded  = "obligation.recorded"  // an authority asked for something
	ActionFulfilled = "obligation.fulfilled" // with the reference of what was handed in
	ActionWaived    = "obligation.waived"    // by two
)

// The names of details.
const (
	DetailKind      = "kind"
	DetailRequest   = "request"
	DetailReceived  = "received_at"
	DetailReference = "reference"
)

// Recordable are the kinds that officers record: what an authority asked for.
func Recordable() []string { return []string{policy.DepartmentRequest, policy.FollowUp} }

// identity names an obligation by what it is about and cannot be twice.
func identity(about envelope.Entity, kind, subject string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:cipgate:obligation:"+string(about)+"\x00"+kind+"\x00"+subject)).String() // no part holds a NUL
}

// dated is the obligation with its dates: due this long after from.
func (o Obligation) dated(p *policy.Policy, duty policy.Duty, from time.Time) Obligation {
	o.CountFrom, o.Policy, o.Source = second(from), p.ID(), duty.Source
	if o.What == "" {
		o.What = duty.What
	}
	o.DueAt = second(duty.Within.From(from))
	return o.reminding(p)
}

// reminding sets when it is brought to mind: by the policy's reminders, those that lie behind its opening.
func (o Obligation) reminding(p *policy.Policy) Obligation {
	o.RemindAt = nil
	for _, before := range p.Obligations.Reminders.Value {
		if at := o.DueAt.Add(-time.Duration(before)); at.After(o.OpenedAt) {
			o.RemindAt = append(o.RemindAt, at)
		}
	}
	return o
}

// Ends says which obligation an entry ends, if it ends any.
func Ends(e statement.Entry) (id string, ends bool) {
	s, is := e.Statement.(statement.OfficerAction)
	if !is || s.On.Type != On || s.Action != ActionFulfilled && s.Action != ActionWaived {
		return "", false
	}
	return s.On.ID, true
}

// With folds an officer's action about the obligation. What should not have got into the ledger, such as a waiver by one, changes
// nothing; the first that ends it stands.
func (o Obligation) With(e statement.Entry) Obligation {
	s, is := e.Statement.(statement.OfficerAction)
	if id, ends := Ends(e); !is || !ends || id != o.ID || e.About != o.About || o.Closed.How != "" {
		return o
	}
	closed := Closed{At: second(e.AcceptedAt), Leaf: e.LeafIndex, By: s.Officer, Reason: s.Reason}
	switch {
	case s.Action == ActionFulfilled && detail(s, DetailReference) != "":
		closed.How, closed.Reference = Fulfilled, detail(s, DetailReference)
	case s.Action == ActionWaived && s.ProposedBy != nil && s.ProposedBy.ID != s.Officer.ID:
		closed.How, closed.ProposedBy = Waived, s.ProposedBy
	default:
		return o
	}
	o.Closed = closed
	return o
}

func detail(s statement.OfficerAction, name string) string {
	if i := slices.IndexFunc(s.Details, func(f statement.Field) bool { return f.Name == name }); i >= 0 {
		return s.Details[i].Value
	}
	return ""
}

func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
