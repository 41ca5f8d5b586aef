package escalation

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Prospect is how a reseller stands, what it owes, and what comes if nothing is done: one object, which API, pages and
// mails show (standing.md, "Standing").
type Prospect struct {
	Standing      Standing      `json:"standing"` // as last stated
	Why           string        `json:"why"`
	CurrentlyDue  []Due         `json:"currently_due"`  // to be done by a date that is still ahead, or with none
	PastDue       []Due         `json:"past_due"`       // the date has passed; until the termination it still ends the case
	EventuallyDue []Due         `json:"eventually_due"` // will be due
	PendingReview []Reviewed    `json:"pending_review"` // what it answered and an officer decides
	Errors        []Rejected    `json:"errors"`         // what it answered in vain, the newest first: something else is wanted
	Approvals     []Approval    `json:"approvals"`      // the steps that people are asked about
	Restrictions  []Restriction `json:"restrictions"`   // in force
	NextStep      Step          `json:"next_step"`
	LimitAt       time.Time     `json:"limit_at,omitzero"`
	// Exempt is by what the reseller is exempt from the rules of its program now, which stands beside the standing. Zero if it is not.
	Exempt history.Exemption `json:"exempt,omitzero"`
	// Superior is who stands right above; another one must be found where it leaves.
	Superior history.Superior `json:"superior,omitzero"`
	// GivenBack are the gateway's own outages by which the next step of the case was moved.
	GivenBack []Span `json:"given_back,omitzero"`
	// LimitPassed says that the case passed its limit, or will if nothing is done.
	LimitPassed bool `json:"limit_passed"`
	// Future is every step, in order, if nothing is done.
	Future []Step `json:"if_nothing_happens"`
}

// Due is something that the reseller owes.
type Due struct {
	What    string    `json:"what"` // what to hand in
	Rule    string    `json:"rule"`
	Why     string    `json:"why"` // the shortfall, in words
	By      time.Time `json:"by,omitzero"`
	Finding string    `json:"finding,omitzero"` // the open finding; none if it is not open yet
}

// Reviewed is an answer of the reseller's that waits for an officer.
type Reviewed struct {
	Review   `json:"answer"`
	DecideBy time.Time `json:"decide_by,omitzero"` // of a dispute: then it goes to the next officer, and so on
}

// Rejected is an answer of the reseller's that was decided against it.
type Rejected struct {
	Answer  string    `json:"answer"` // jti of the remediation
	Kind    string    `json:"kind"`
	Finding string    `json:"finding"`
	Why     string    `json:"why"`
	At      time.Time `json:"at"`
}

// Restriction is an order in force.
type Restriction struct {
	Order string    `json:"order"`
	Words string    `json:"words"`
	Since time.Time `json:"since"`
}

// horizon bounds the steps of an outlook. A reseller that does nothing has at most nine.
const horizon = 32

// answers fills in what the reseller answered and waits, and what was decided against it.
func (s *situation) answers(prospect *Prospect) {
	for _, r := range s.c.Reviews {
		reviewed := Reviewed{Review: r}
		if r.Kind == AnswerDispute {
			reviewed.DecideBy = s.policy.Case.Appeal.From(r.At)
		}
		prospect.PendingReview = append(prospect.PendingReview, reviewed)
	}
	for _, d := range slices.Backward(s.c.Decisions) {
		if !d.Upheld {
			prospect.Errors = append(prospect.Errors, Rejected{Answer: d.ID, Kind: d.Kind, Finding: d.Finding, Why: d.Why, At: d.Decided})
		}
	}
}

// Outlook returns how the reseller stands and its whole future if nothing is done. It asks Decide what happens, step by
// step, so the future it shows is the one that comes. Its errors are those of Decide.
func Outlook(p policy.Policy, about envelope.Entity, c Case, h history.History, house House, now time.Time) (Prospect, error) {
	future, next, err := forward(p, about, c, h, house, now)
	if err != nil {
		return Prospect{}, err
	}
	s := situation{policy: &p, about: about, c: c, history: h, house: house, now: wholeSecond(now)}
	prospect := Prospect{
		Standing: c.Standing, Why: Why(p, c), NextStep: next, LimitAt: c.LimitAt, LimitPassed: s.limitPassed(future), Future: future,
	}
	if h.Superior.Leaves() {
		prospect.Superior = h.Superior
	}
	if h.Exempt.In(now) {
		prospect.Exempt = h.Exempt
	}
	if len(future) > 0 {
		prospect.NextStep = future[0]
	}
	prospect.GivenBack = s.outagesOf(prospect.NextStep)
	prospect.Why += givenBackWords(prospect.GivenBack)
	s.owed(&prospect)
	s.answers(&prospect)
	prospect.Approvals = Approvals(&p, about, c, h, house, now)
	for _, order := range c.Orders {
		prospect.Restrictions = append(prospect.Restrictions,
			Restriction{Order: order.Name, Words: orderWords[order.Name], Since: order.Since})
	}
	return prospect, nil
}

var orderWords = map[string]string{
	NoNewAccounts:     "no new accounts may be opened",
	CloseAccount:      "the reseller's account is to be closed",
	CustomerAccounts:  "the accounts of the customers that the findings name are to be closed",
	RemainingAccounts: "every account that is left is to be closed",
	HandOver:          "the accounts of verified customers are to be handed over to the successor",
}

// forward decides, folds what was decided, moves on to the next time at which the answer turns, and so on. What waits for somebody does
// not come by itself: it is shown behind what does, with what it waits for.
func forward(p policy.Policy, about envelope.Entity, c Case, h history.History, house House, now time.Time) (future []Step, next Step, err error) {
	expected, last := Step{}, Step{}
	for i := range horizon {
		found, turns := findings.Assess(&p, &h, now)
		state, following, err := Decide(&p, about, c, h, house, found, now)
		if err != nil {
			return nil, Step{}, err
		}
		var passed []Step
		before := c.ID
		for _, said := range state {
			entry := statement.Entry{LeafIndex: h.Next, AcceptedAt: now, About: about, Statement: said}
			h, c = h.With(entry), c.With(entry)
			switch said := said.(type) {
			case statement.StandingChanged:
				future = append(future, taken(expected, said, now, c.LimitAt))
			case statement.LimitPassed:
				passed = append(passed, Step{What: limitPasses, At: wholeSecond(now), Unless: expected.Unless, Waits: expected.Waits, LimitPassed: true})
			}
		}
		future = append(future, passed...)
		if i == 0 {
			next = following
		}
		// Told as it is told first: that it comes after the limit is true only of who still waits then, and the limit has a line of its own.
		if expected = following; following.Waits != last.Waits || !following.At.Equal(last.At) {
			last = following
		}
		if before != "" && c.ID != before {
			continue // what falls short still is decided in the same second
		}
		if now = Wake(following, turns); now.IsZero() {
			break
		}
	}
	if last.Waits != "" {
		future = append(future, last)
		slices.SortStableFunc(future, func(a, b Step) int { return a.At.Compare(b.At) })
	}
	return future, next, nil
}

const limitPasses = "the limit of the case passes"

// taken is the step that led to a change of standing: the one that was announced for this time, or else, where a step
// is due that nobody has stated yet, the change itself.
func taken(expected Step, changed statement.StandingChanged, at, limit time.Time) Step {
	if expected.At.Equal(at) {
		return expected
	}
	step := Step{What: changed.After + ": " + changed.Why, At: wholeSecond(at)}
	step.LimitPassed = !limit.IsZero() && step.At.After(limit)
	return step
}

// limitPassed says whether the case passed its limit or will. It looks at the future too where no case is open: one that
// is due but not stated yet may come too late already.
func (s *situation) limitPassed(future []Step) bool {
	late := !s.c.LimitAt.IsZero() && s.c.TerminatedAt.After(s.c.LimitAt)
	return late || slices.ContainsFunc(future, func(step Step) bool { return step.LimitPassed })
}

// owed fills in what is due: what open findings ask for, and what will be one.
func (s *situation) owed(prospect *Prospect) {
	for _, f := range s.c.Findings {
		due := Due{What: f.Cure, Rule: f.Rule, Why: shortfalls(s.policy, []Open{f}), Finding: f.ID}
		if f.Case == "" {
			prospect.CurrentlyDue = append(prospect.CurrentlyDue, due)
			continue
		}
		due.By = s.c.CureBy
		if s.c.Standing == Warned && len(s.moves()) > 0 {
			due.By = s.cureEnded() // with what an extension, a hold or an outage moved
		}
		if at := s.policy.Case.CureFloor.From(f.OpenedAt); at.After(due.By) {
			due.By = at
		}
		if s.now.Before(due.By) {
			prospect.CurrentlyDue = append(prospect.CurrentlyDue, due)
		} else {
			prospect.PastDue = append(prospect.PastDue, due)
		}
	}
	_, attested := s.history.Latest()
	for _, f := range findings.Ahead(s.policy, &s.history, s.now) {
		due := Due{What: f.Cures, Rule: f.Rule, Why: f.Words, By: f.Since}
		if attested || s.history.Exempt.In(s.now) {
			prospect.EventuallyDue = append(prospect.EventuallyDue, due)
		} else {
			prospect.CurrentlyDue = append(prospect.CurrentlyDue, due) // the first attestation is owed from enrolment on
		}
	}
}
