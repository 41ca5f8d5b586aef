package escalation

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
)

// Case is all that the gateway stated about one reseller, folded: its standing, open findings, orders in force, and the
// case that is open, if one is. The zero Case is that of a reseller about which nothing was stated.
type Case struct {
	Standing Standing `json:"standing"` // as last stated
	Changes  int      `json:"changes,omitzero"`
	Findings []Open   `json:"findings,omitzero"` // in the order in which they were opened
	Orders   []Order  `json:"orders,omitzero"`   // in force

	// The case that is open; ID is empty if none is. Its times are those at which the steps were decided.
	ID           string    `json:"id,omitzero"`     // jti of the finding-opened that opened it
	Policy       string    `json:"policy,omitzero"` // the version it is pinned to
	Since        time.Time `json:"since,omitzero"`  // when the facts made its first finding true
	OpenedAt     time.Time `json:"opened_at,omitzero"`
	WarnedAt     time.Time `json:"warned_at,omitzero"`
	CureBy       time.Time `json:"cure_by,omitzero"`
	RestrictedAt time.Time `json:"restricted_at,omitzero"`
	ClosesAt     time.Time `json:"closes_at,omitzero"`
	ClosingAt    time.Time `json:"closing_at,omitzero"`
	TerminatesAt time.Time `json:"terminates_at,omitzero"`
	TerminatedAt time.Time `json:"terminated_at,omitzero"`
	LimitAt      time.Time `json:"limit_at,omitzero"`
	// Reinstated says that the case goes on with what was open when a termination was taken back; ID is the jti of that.
	Reinstated bool `json:"reinstated,omitzero"`
	// Faced says that a finding behind the case was cured by facts: it was not wrong to open it.
	Faced bool `json:"faced,omitzero"`
	// PassedLimit is the limit of which was stated that it passed.
	PassedLimit time.Time `json:"passed_limit,omitzero"`

	// Told is the step that was taken last, and what proves that the reseller was told of it.
	Told Told `json:"told,omitzero"`

	People `json:"people,omitzero"`
	// Hearing says who may decide what the reseller answered, and what of that counts. The history folds the same.
	Hearing   history.Hearing `json:"hearing,omitzero"`
	Recorded  []Recorded      `json:"recorded,omitzero"`  // evidence that officers recorded, the latest 64
	Dismissed []Open          `json:"dismissed,omitzero"` // findings that an appeal found wrong, the latest 64: they are not opened again

	Opened int     `json:"opened,omitzero"` // how many findings were ever opened
	Ended  []Ended `json:"ended,omitzero"`  // of each rule, how far its findings reach that are open no more

	Past      []Past `json:"past,omitzero"` // of the cases that ended those that count still, the latest last
	PastCount int    `json:"past_count,omitzero"`

	// Next is the lowest leaf index that an entry not yet folded can have, as in history.History.
	Next int64 `json:"next"`
}

// Open is an open finding.
type Open struct {
	ID       string    `json:"id"`
	Rule     string    `json:"rule"`
	Severity string    `json:"severity"`
	Since    time.Time `json:"since"`
	OpenedAt time.Time `json:"opened_at"`
	Evidence []int64   `json:"evidence"`
	Cure     string    `json:"cure"`
	Case     string    `json:"case,omitzero"` // the case it is behind; none if it is minor
	Leaf     int64     `json:"leaf"`          // where it was stated

	// An appeal was upheld there: it is cured by that, whatever the facts say.
	UpheldLeaf int64     `json:"upheld_leaf,omitzero"`
	UpheldAt   time.Time `json:"upheld_at,omitzero"`
}

// Order is an order in force.
type Order struct {
	Name  string    `json:"name"` // NoNewAccounts, the scope of a closure, or HandOver
	Since time.Time `json:"since"`
	Case  string    `json:"case,omitzero"` // by which it was given
}

// NoNewAccounts is the order of a restriction, as order-withdrawn names it. The others are the scopes of a closure and HandOver.
const NoNewAccounts = "no-new-accounts"

// Seen is the leaf index of the last entry that was folded, or -1.
func (c Case) Seen() int64 { return c.Next - 1 }

// Stage is how far the open case has come: Warned, Restricted, Closing or Terminated. ok is false if there is none.
func (c Case) Stage() (stage Standing, ok bool) {
	switch {
	case !c.TerminatedAt.IsZero():
		return Terminated, true
	case !c.ClosingAt.IsZero():
		return Closing, true
	case !c.RestrictedAt.IsZero():
		return Restricted, true
	case !c.WarnedAt.IsZero():
		return Warned, true
	}
	return Pending, false
}

// Behind returns the open findings behind the open case. They are the case's own: nobody writes to them.
func (c Case) Behind() []Open { return behind(c.ID, c.Findings) }

// behind returns those of a case. Most often they are all, and then nothing is copied: each decision asks for them again and again.
func behind(id string, open []Open) []Open {
	if id == "" {
		return nil
	}
	n := slices.IndexFunc(open, func(f Open) bool { return f.Case != id })
	if n < 0 {
		return slices.Clip(open)
	}
	all := slices.Clip(open[:n])
	for i := range open[n:] {
		if f := &open[n+i]; f.Case == id {
			all = append(all, *f)
		}
	}
	return all
}

// With returns the case with one more entry. Entries come in the order of the ledger; one that was folded before changes
// nothing, and neither does what does not fit, such as a step of a case that is not open: the fold is total.
func (c Case) With(e statement.Entry) Case {
	if e.LeafIndex < c.Next {
		return c
	}
	// What an entity says about itself is no decision of the gateway, whatever kind it claims to be.
	var ruling *history.Ruling
	c.Hearing, ruling = c.Hearing.With(e)
	if e.By != e.About {
		c = c.said(e).notices(e)
	} else if s, ok := e.Statement.(statement.OrderConfirmation); ok {
		c = c.confirmed(s, e.AcceptedAt)
	}
	if ruling != nil {
		c = c.ruled(*ruling, e)
	}
	if s, ok := statement.RemediationOf(e); ok && c.TerminatedAt.IsZero() {
		c = c.answered(s, e)
	}
	c.Next = e.LeafIndex + 1
	return c
}

// said folds what the gateway stated: its officers' actions, and its decisions.
func (c Case) said(e statement.Entry) Case {
	switch s := e.Statement.(type) {
	case statement.RelationshipReinstated:
		return c.reinstated(s, e)
	case statement.OfficerAction:
		if c.TerminatedAt.IsZero() {
			return c.acted(s, e)
		}
		return c
	case statement.AppealDecided:
		return c // the hearing judges it
	}
	return c.after(e.Statement, e.LeafIndex)
}

// after is the one transition function: With folds with it, and Decide assumes with it. leaf only says where a finding
// was stated, and nothing is decided from it.
func (c Case) after(s statement.Statement, leaf int64) Case {
	c.Hearing = c.Hearing.After(s)
	if !c.TerminatedAt.IsZero() {
		if s, ok := s.(statement.StandingChanged); ok {
			return c.stood(s)
		}
		return c // terminated is final here
	}
	switch s := s.(type) {
	case statement.FindingOpened:
		return c.opened(s, leaf)
	case statement.FindingCured:
		return c.cured(s)
	case statement.WarningIssued:
		if c.isOpen(s.Case) && c.WarnedAt.IsZero() {
			c.WarnedAt, c.CureBy, c.LimitAt = s.Basis.Now.UTC(), s.CureBy.UTC(), s.LimitAt.UTC()
			c = c.tells(StepWarn, s.Basis.Now)
		}
	case statement.RestrictionOrdered:
		if c.isOpen(s.Case) && !c.WarnedAt.IsZero() && c.RestrictedAt.IsZero() && c.ClosingAt.IsZero() {
			c.RestrictedAt, c.ClosesAt = s.Basis.Now.UTC(), s.NextAt.UTC()
			c.Orders = append(slices.Clone(c.Orders), Order{Name: s.Order, Since: c.RestrictedAt, Case: s.Case})
			c = c.tells(StepRestrict, s.Basis.Now)
		}
	case statement.HandOverOrdered:
		c = c.ordered(s.Order, s.Case, s.Basis.Now)
	case statement.ClosureOrdered:
		return c.closes(s)
	case statement.OrderWithdrawn:
		c.Orders = without(c.Orders, func(o Order) bool { return o.Name == s.Order && (o.Case == s.Case || o.Case == "") })
		if c.isOpen(s.Case) {
			return c.ended(s.Basis.Now, s.Basis.Seen)
		}
	case statement.LimitPassed:
		if c.isOpen(s.Case) {
			c.PassedLimit = s.LimitAt.UTC()
		}
	case statement.RelationshipTerminated:
		// Whatever led to it: what the ledger says is ended, is ended.
		c.TerminatedAt = s.Basis.Now.UTC()
		c = c.tells(StepTerminate, s.Basis.Now)
	case statement.StandingChanged:
		return c.stood(s)
	}
	return c
}

// closes takes an order to close accounts: of the step, or of what remains when the relationship ends. From warned too, where the
// finding is critical.
func (c Case) closes(s statement.ClosureOrdered) Case {
	if s.Scope == RemainingAccounts {
		return c.ordered(s.Scope, s.Case, s.Basis.Now)
	}
	if !c.isOpen(s.Case) || c.WarnedAt.IsZero() || !c.ClosingAt.IsZero() {
		return c
	}
	c.ClosingAt, c.TerminatesAt = s.Basis.Now.UTC(), s.TerminatesAt.UTC()
	c.Orders = append(slices.Clone(c.Orders), Order{Name: s.Scope, Since: c.ClosingAt, Case: s.Case})
	return c.tells(StepClose, s.Basis.Now)
}

func (c Case) isOpen(id string) bool { return id != "" && id == c.ID }

// opened adds a finding. One that names a case while none is open opens it.
func (c Case) opened(s statement.FindingOpened, leaf int64) Case {
	for _, f := range c.Findings {
		if f.ID == s.Finding {
			return c
		}
	}
	c.Findings = append(slices.Clone(c.Findings), Open{
		ID: s.Finding, Rule: s.Rule, Severity: s.Severity, Since: s.Since.UTC(), OpenedAt: s.Opened.UTC(),
		Evidence: slices.Clone(s.Evidence), Cure: s.Cure, Case: s.Case, Leaf: leaf,
	})
	c.Opened++
	if s.Case != "" && c.ID == "" {
		c.ID, c.Policy, c.Since, c.OpenedAt = s.Case, s.Basis.Policy, s.Since.UTC(), s.Opened.UTC()
	}
	return c
}

func (c Case) cured(s statement.FindingCured) Case {
	for _, f := range c.Findings {
		if f.ID != s.Finding {
			continue
		}
		if c = c.over(f); f.UpheldAt.IsZero() {
			c.Faced = c.Faced || f.Case != "" && f.isReason()
		} else {
			c.Dismissed = kept(c.Dismissed, f, dismissedKept)
		}
	}
	c.Findings = without(c.Findings, func(f Open) bool { return f.ID == s.Finding })
	c.Reviews = without(c.Reviews, func(r Review) bool { return r.Finding == s.Finding })
	return c.calmed().ended(s.Basis.Now, s.Basis.Seen)
}

// without returns a copy, since cases are values; nil if nothing is left, so that a case reads back from JSON as it was.
func without[T any](all []T, gone func(T) bool) []T {
	left := slices.DeleteFunc(slices.Clone(all), gone)
	if len(left) == 0 {
		return nil
	}
	return left
}

func (c Case) stood(s statement.StandingChanged) Case {
	if after, err := ParseStanding(s.After); err == nil {
		c.Standing, c.Changes = after, s.Number
	}
	return c
}

// ended ends the open case once nothing behind it is open and no order of it is in force. seen is the last entry that its policy judged.
func (c Case) ended(at time.Time, seen int64) Case {
	if c.ID == "" || len(c.Behind()) > 0 || slices.ContainsFunc(c.Orders, func(o Order) bool { return o.Case == c.ID }) {
		return c
	}
	return c.closed(c.past(at, seen))
}

// closed is the case without the one that was open, which is past.
func (c Case) closed(past Past) Case {
	next := Case{
		Standing: c.Standing, Changes: c.Changes, Findings: c.Findings, Next: c.Next, Orders: c.Orders,
		Hearing: c.Hearing, Recorded: c.Recorded, Dismissed: c.Dismissed, Opened: c.Opened, Ended: c.Ended, Past: remembered(c.Past, past), PastCount: c.PastCount + 1,
	}
	next.Reviews, next.Decisions = c.Reviews, c.Decisions
	return next
}

// stands says which standing follows from the case, apart from what was stated.
func (c Case) stands(attested bool) Standing {
	if stage, ok := c.Stage(); ok {
		return stage
	}
	switch {
	case len(c.Findings) > 0:
		return Watch
	case attested:
		return Good
	}
	return Pending
}
