package reseller

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/waiting"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/resellers/screening"
)

// view is what the page shows.
type view struct {
	Here        string // its own address, under which it refreshes itself
	ID          string
	Name        string
	Entity      envelope.Entity
	Country     string
	Enrolled    frame.Moment
	Customers   string // how many, on their page
	Standing    frame.Badge
	Next        frame.Step
	Limit       frame.Moment // zero without a case
	Exempt      exemption    // beside the standing
	LimitPassed bool         // or will be if nothing happens
	GivenBack   []given      // outages of the gateway by which the next step was moved
	Ended       frame.Moment // when the relationship was terminated, zero if it stands
	Policy      string       // the one the case is pinned to
	Findings    []finding
	Done        string // what was recorded before the page was shown
	Told        told
	Notice      waiting.Call // what the next step waits for; none if it waits for no proof
	Obligations []waiting.Obligation
	Orders      []waiting.Order
	MoreOrders  bool
	Succession  succession
	Above       above  // where another superior must be found
	Below       string // how many stand right below, empty if nobody does
	Approvals   []waiting.Approval
	Reviews     []waiting.Review
	Holds       []hold
	MayHold     bool     // a case is open, and who asks may let its steps wait
	Newest      bool     // the page that ends now, not one of older entries
	Future      []future // the furthest first
	Now         frame.Moment
	Past        []past // the newest first
	Older       string // address of the page of older entries, empty if there are none
}

// exemption is by what the reseller is exempt now from the rules of its program; it has no end if it is not.
type exemption struct {
	Until      frame.Moment
	Conditions string
	Reference  string
}

// given is a time that was given back.
type given struct{ From, To frame.Moment }

type finding struct {
	Words    string
	Severity string
	Cure     string
	By       frame.Moment
	Since    frame.Moment
	Rule     string
	Source   string
	Evidence []int64
}

// hold is a time in which the steps of the case wait.
type hold struct {
	ID       string
	Kind     string
	Words    string // who placed it, and why
	Ends     frame.Moment
	Proposed string // who proposed to lift it, empty if nobody did
	Propose  bool   // who asks may propose to lift it
	Lift     bool   // who asks may lift it
}

// future is a step that comes if nothing happens, with why.
type future struct {
	frame.Step
	When   string // by which row of the escalation's table
	Source string // where that row comes from
}

// why says what an entry follows from.
type why struct {
	Rule     string
	When     string // by which row of the escalation's table it was stated
	Source   string // of the rule or the row
	Evidence []int64
	Policy   string // which version of the policy decided
	Next     string // what it leads to
}

type past struct {
	officer.Telling
	Why       why
	At        frame.Moment
	LeafIndex int64
	Receipt   string
	Tone      string
}

// fill makes the view. entries are oldest first.
func fill(p policy.Policy, self envelope.Entity, file docket.File, ahead escalation.Prospect, entries []statement.Entry, now time.Time) view {
	id := file.ID().String()
	v := view{
		ID: id, Name: file.History.Name, Entity: file.Entity, Country: screening.Country(file.History.Country),
		Enrolled:  frame.MomentOf(file.History.EnrolledAt, now),
		Customers: frame.Count(int64(file.History.Figures.Customers), "customer", "customers"),
		Standing:  frame.BadgeOf(ahead.Standing), Next: frame.StepOf(ahead.NextStep, now),
		Limit: frame.MomentOf(ahead.LimitAt, now), LimitPassed: ahead.LimitPassed, Ended: frame.MomentOf(file.Case.TerminatedAt, now), Policy: file.Case.Policy,
		Now:    frame.MomentOf(now, now),
		Exempt: exemption{Until: frame.MomentOf(ahead.Exempt.Until, now), Conditions: ahead.Exempt.Conditions, Reference: ahead.Exempt.Reference},
	}
	if ahead.LimitAt.IsZero() {
		v.Next = frame.DueOf(ahead.NextStep, now)
	}
	if v.Name == "" {
		v.Name = string(file.Entity)
	}
	for _, out := range ahead.GivenBack {
		v.GivenBack = append(v.GivenBack, given{frame.MomentOf(out.From, now), frame.MomentOf(out.To, now)})
	}
	due := map[string]time.Time{}
	for _, d := range slices.Concat(ahead.PastDue, ahead.CurrentlyDue) {
		due[d.Finding] = d.By
	}
	for _, open := range file.Case.Findings {
		v.Findings = append(v.Findings, findingOf(p, open, due[open.ID], now))
	}
	for _, s := range slices.Backward(ahead.Future) {
		v.Future = append(v.Future, futureOf(p, s, now))
	}
	for _, entry := range slices.Backward(entries) {
		v.Past = append(v.Past, past{Telling: officer.Tell(entry, self), Why: whyOf(p, entry.Statement), At: frame.MomentOf(entry.AcceptedAt, now),
			LeafIndex: entry.LeafIndex, Receipt: "/receipts/" + entry.Digest.String(), Tone: tone(entry.Statement)})
	}
	return v
}

func findingOf(p policy.Policy, open escalation.Open, by, now time.Time) finding {
	f := finding{
		Words: "What the rule " + open.Rule + " asks for is missing.", Severity: open.Severity, Cure: officer.Sentence(open.Cure),
		By: frame.MomentOf(by, now), Since: frame.MomentOf(open.Since, now), Rule: open.Rule, Evidence: open.Evidence,
	}
	if rule, known := p.Rule(open.Rule); known {
		f.Words, f.Source = officer.Sentence(rule.Finding), rule.Source
	}
	return f
}

// tone is the colour of an entry's mark: the standing it led to or away from.
func tone(s statement.Statement) string {
	switch said := s.(type) {
	case statement.StandingChanged:
		if after, err := escalation.ParseStanding(said.After); err == nil {
			return frame.BadgeOf(after).Tone
		}
	case statement.CIPAttestation, statement.FindingCured, statement.OrderWithdrawn:
		return frame.BadgeOf(escalation.Good).Tone
	case statement.FindingOpened, statement.WarningIssued:
		return frame.BadgeOf(escalation.Warned).Tone
	case statement.RestrictionOrdered:
		return frame.BadgeOf(escalation.Restricted).Tone
	case statement.ClosureOrdered:
		return frame.BadgeOf(escalation.Closing).Tone
	case statement.HandOverOrdered:
		return frame.BadgeOf(escalation.Closing).Tone
	case statement.SuperiorChanged:
		if said.Status == statement.SuperiorStays {
			return frame.BadgeOf(escalation.Good).Tone
		}
		return frame.BadgeOf(escalation.Warned).Tone
	case statement.RelationshipTerminated:
		return frame.BadgeOf(escalation.Terminated).Tone
	}
	return frame.BadgeOf(escalation.Pending).Tone
}
