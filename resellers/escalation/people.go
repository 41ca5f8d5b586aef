package escalation

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// People are what officers did about the open case, and what its reseller answered. It is part of the Case and ends with it, but for
// what is still open of findings that are behind no case.
type People struct {
	Grants   []Grant   `json:"grants,omitzero"`
	Refusals []Refusal `json:"refusals,omitzero"`
	Holds    []Hold    `json:"holds,omitzero"` // in the order in which they were placed
	// Extension is the last one that was granted. It counts in the stage in which it was.
	Extension Extension `json:"extension,omitzero"`
	// LimitExtensions are the times at which two people moved the limit of the case.
	LimitExtensions []LimitExtension `json:"limit_extensions,omitzero"`
	Reviews         []Review         `json:"reviews,omitzero"`   // what the reseller answered and nobody has decided yet
	Decisions       []Decision       `json:"decisions,omitzero"` // of what it answered, the latest 32
	// Successor is who takes the verified customers if the relationship ends; nil if every account is ordered closed then.
	Successor *Successor `json:"successor,omitzero"`
}

// Grant is that an officer approved a step.
type Grant struct {
	Approval string            `json:"approval"`
	By       statement.Officer `json:"by"`
	At       time.Time         `json:"at"`
	Urgent   bool              `json:"urgent,omitzero"` // of a closure at once
	// Lapsed says that it counts for the step no more, since it was given for another reason to take it or under another policy. Whoever
	// gave it still decides no dispute in the case.
	Lapsed bool `json:"lapsed,omitzero"`
}

// Refusal is that an officer refused a step. It stands until another officer approves it.
type Refusal struct {
	Approval string            `json:"approval"`
	By       statement.Officer `json:"by"`
	At       time.Time         `json:"at"`
	Reason   string            `json:"reason"`
	Urgent   bool              `json:"urgent,omitzero"` // of a closure at once
}

// Hold is a time in which the steps of the case wait.
type Hold struct {
	ID             string             `json:"id"` // jti of the hold.placed
	Kind           HoldKind           `json:"kind"`
	Authority      string             `json:"authority,omitzero"` // of a stay
	Reason         string             `json:"reason"`
	By             statement.Officer  `json:"by"`
	PlacedAt       time.Time          `json:"placed_at"`
	EndsAt         time.Time          `json:"ends_at"`
	LiftProposedBy *statement.Officer `json:"lift_proposed_by,omitzero"`
	LiftedAt       time.Time          `json:"lifted_at,omitzero"` // zero if it was not lifted
}

// End is when the hold ends or ended.
func (h Hold) End() time.Time {
	if !h.LiftedAt.IsZero() && h.LiftedAt.Before(h.EndsAt) {
		return h.LiftedAt
	}
	return h.EndsAt
}

// In says whether the hold is in force at that time.
func (h Hold) In(at time.Time) bool { return !at.Before(h.PlacedAt) && at.Before(h.End()) }

// Extension is that an officer moved the next step of a stage.
type Extension struct {
	Stage Standing          `json:"stage,omitzero"`
	To    time.Time         `json:"to,omitzero"`
	By    statement.Officer `json:"by,omitzero"`
}

// LimitExtension is that two people moved the limit of the case.
type LimitExtension struct {
	At         time.Time         `json:"at"`
	From       time.Time         `json:"from"` // the limit before
	To         time.Time         `json:"to"`
	By         statement.Officer `json:"by"`
	ProposedBy statement.Officer `json:"proposed_by"`
	Reason     string            `json:"reason"`
}

// Review is an answer of the reseller's to a finding that waits for an officer.
type Review struct {
	ID      string    `json:"id"`   // jti of the remediation
	Kind    string    `json:"kind"` // cure, dispute, extension-request, explanation
	Finding string    `json:"finding"`
	Ground  string    `json:"ground,omitzero"`
	Until   string    `json:"until,omitzero"` // the day asked for
	At      time.Time `json:"at"`
}

// Decision is what an officer decided of an answer.
type Decision struct {
	Review  `json:"review"`
	Upheld  bool              `json:"upheld"` // the reseller was right, or got what it asked for
	By      statement.Officer `json:"by"`
	Why     string            `json:"why"`
	Decided time.Time         `json:"decided"`
}

// The kinds of an answer, as remediation names them.
const (
	AnswerCure      = "cure"
	AnswerDispute   = "dispute"
	AnswerExtension = "extension-request"
)

// What is kept of each, so that a case stays small whatever is sent.
const (
	grantsKept     = 64
	holdsKept      = 64
	decisionsKept  = 32
	recordedKept   = 64
	dismissedKept  = 64
	extensionsKept = 16
)

// kept adds to a list of which only the latest count; lists are values.
func kept[T any](all []T, one T, most int) []T {
	all = append(slices.Clone(all), one)
	if len(all) > most {
		all = all[len(all)-most:]
	}
	return all
}

// Recorded is evidence that an officer recorded.
type Recorded struct {
	ID   string            `json:"id"`
	Leaf int64             `json:"leaf"`
	By   statement.Officer `json:"by"`
}

// acted folds what an officer did.
func (c Case) acted(s statement.OfficerAction, e statement.Entry) Case {
	at := wholeSecond(e.AcceptedAt)
	switch s.Action {
	case ActionApproved:
		return c.granted(s, e.About, at)
	case ActionRefused:
		return c.refused(s, e.About, at)
	case ActionHeld:
		if c.isOpen(s.On.ID) && s.EndsAt.After(at) && isHold(HoldKind(detail(s, "kind"))) {
			c.Holds = kept(c.Holds, Hold{ID: e.JTI, Kind: HoldKind(detail(s, "kind")), Authority: detail(s, "authority"),
				Reason: s.Reason, By: s.Officer, PlacedAt: at, EndsAt: wholeSecond(s.EndsAt)}, holdsKept)
		}
	case ActionLiftProposed, ActionLifted:
		return c.lifted(s, at)
	case ActionExtended:
		if stage, _ := c.Stage(); c.isOpen(s.On.ID) && !s.EndsAt.IsZero() {
			c.Extension = Extension{Stage: stage, To: wholeSecond(s.EndsAt), By: s.Officer}
		}
	case ActionSuccessorNamed, ActionSuccessorDropped:
		return c.succeeded(s, e.About, at)
	case ActionEvidence:
		c.Recorded = kept(c.Recorded, Recorded{ID: detail(s, "evidence"), Leaf: e.LeafIndex, By: s.Officer}, recordedKept)
	case ActionLimitExtended:
		to := wholeSecond(s.EndsAt)
		if c.isOpen(s.On.ID) && !c.LimitAt.IsZero() && to.After(c.LimitAt) && s.ProposedBy != nil && s.ProposedBy.ID != s.Officer.ID {
			c.LimitExtensions = kept(c.LimitExtensions, LimitExtension{At: at, From: c.LimitAt, To: to, By: s.Officer,
				ProposedBy: *s.ProposedBy, Reason: s.Reason}, extensionsKept)
			c.LimitAt = to
		}
	case ActionPolicyMoved:
		if moved := detail(s, "policy"); c.isOpen(s.On.ID) && moved != "" {
			// What was approved by other numbers is approved by these anew.
			if c.Policy != moved {
				c = c.lapsed(func(bool) bool { return true })
			}
			c.Policy = moved
		}
	}
	return c
}

func isHold(kind HoldKind) bool {
	return kind == HoldOfficer || kind == HoldCustomerHarm || kind == HoldStay
}

// granted folds an approval. Of what MayApprove refuses nothing counts: a step that is not known yet or no more, the same person twice,
// and who refused or proposed it.
func (c Case) granted(s statement.OfficerAction, about envelope.Entity, at time.Time) Case {
	id := s.On.ID
	step, known := c.step(about, id)
	if s.On.Type != "approval" || !known || c.mayApprove(s.Officer, id) != nil {
		return c
	}
	c.Refusals = without(c.Refusals, func(r Refusal) bool { return r.Approval == id })
	c.Grants = kept(c.Grants, Grant{Approval: id, By: s.Officer, At: at, Urgent: step == StepClose && c.urgent()}, grantsKept)
	return c
}

func (c Case) refused(s statement.OfficerAction, about envelope.Entity, at time.Time) Case {
	id := s.On.ID
	step, known := c.step(about, id)
	if s.On.Type != "approval" || !known || c.hasRefused(id, s.Officer) {
		return c
	}
	c.Grants = without(c.Grants, func(g Grant) bool { return g.Approval == id && g.By.ID == s.Officer.ID })
	c.Refusals = kept(c.Refusals, Refusal{Approval: id, By: s.Officer, At: at, Reason: s.Reason, Urgent: step == StepClose && c.urgent()}, grantsKept)
	return c
}

// step is the step that an approval is about, among those that the case can take from where it stands.
func (c Case) step(about envelope.Entity, approval string) (step string, known bool) {
	for _, step := range c.steps() {
		if (move{step: step}).approvedBy(about, c, approval) {
			return step, true
		}
	}
	return "", false
}

// steps are those that the case can take from where it stands, as moves has them.
func (c Case) steps() []string {
	behind := c.Behind()
	if len(behind) == 0 {
		return nil
	}
	switch stage, _ := c.Stage(); stage {
	case Pending:
		return []string{StepWarn}
	case Warned:
		if c.urgent() {
			return []string{StepClose, StepRestrict}
		}
		return []string{StepRestrict}
	case Restricted:
		return []string{StepClose}
	case Closing:
		return []string{StepTerminate}
	}
	return nil
}

// urgent says that the closure at once is known: a finding behind the case asks for it.
func (c Case) urgent() bool { return slices.ContainsFunc(c.Behind(), Open.urgent) }

// calmed is the case after something that may have ended what asked for a closure at once. What was said of that is not said of the
// ordinary closure that may come later, though it would have the same id.
func (c Case) calmed() Case {
	if c.urgent() {
		return c
	}
	return c.lapsed(func(urgent bool) bool { return urgent })
}

// lapsed is the case in which what people said of these steps counts for them no more.
func (c Case) lapsed(which func(urgent bool) bool) Case {
	if slices.ContainsFunc(c.Grants, func(g Grant) bool { return !g.Lapsed && which(g.Urgent) }) {
		c.Grants = slices.Clone(c.Grants)
		for i := range c.Grants {
			c.Grants[i].Lapsed = c.Grants[i].Lapsed || which(c.Grants[i].Urgent)
		}
	}
	if len(c.Refusals) > 0 {
		c.Refusals = without(c.Refusals, func(r Refusal) bool { return which(r.Urgent) })
	}
	return c
}

func (c Case) hasGranted(approval string, by statement.Officer) bool {
	return slices.ContainsFunc(c.Grants, func(g Grant) bool { return g.Approval == approval && !g.Lapsed && g.By.ID == by.ID })
}

func (c Case) hasRefused(approval string, by statement.Officer) bool {
	return slices.ContainsFunc(c.Refusals, func(r Refusal) bool { return r.Approval == approval && r.By.ID == by.ID })
}

// lifted folds that a hold was lifted, or proposed to be. A stay is lifted by another person than the one that proposed it.
func (c Case) lifted(s statement.OfficerAction, at time.Time) Case {
	i := slices.IndexFunc(c.Holds, func(h Hold) bool { return h.ID == s.On.ID })
	if i < 0 || !c.Holds[i].In(at) {
		return c
	}
	c.Holds = slices.Clone(c.Holds)
	h := &c.Holds[i]
	switch {
	case s.Action == ActionLiftProposed:
		by := s.Officer
		h.LiftProposedBy = &by
	case h.Kind != HoldStay || h.LiftProposedBy != nil && h.LiftProposedBy.ID != s.Officer.ID:
		h.LiftedAt = at
	}
	return c
}

// answered folds what the reseller said about an open finding, as the hearing took it.
func (c Case) answered(s statement.Remediation, e statement.Entry) Case {
	waits := func(id string) bool { return c.Hearing.Waits(id) }
	c.Reviews = without(c.Reviews, func(r Review) bool { return !waits(r.ID) })
	if !waits(e.JTI) || slices.ContainsFunc(c.Reviews, func(r Review) bool { return r.ID == e.JTI }) {
		return c
	}
	r := Review{ID: e.JTI, Kind: s.RemediationKind, Finding: s.Finding, Ground: s.Ground, At: wholeSecond(e.AcceptedAt)}
	if s.Until != (statement.Date{}) {
		r.Until = s.Until.String()
	}
	c.Reviews = append(slices.Clone(c.Reviews), r)
	return c
}

// ruled folds what an officer decided of an answer, as the hearing judged it. If a dispute was right the finding goes, or its severity
// where that alone was disputed.
func (c Case) ruled(r history.Ruling, e statement.Entry) Case {
	at := wholeSecond(e.AcceptedAt)
	for _, review := range c.Reviews {
		if review.ID == r.Answer.ID {
			c.Decisions = kept(c.Decisions, Decision{Review: review, Upheld: r.Upheld, By: r.By, Why: whyOf(e.Statement), Decided: at}, decisionsKept)
		}
	}
	c.Reviews = without(c.Reviews, func(review Review) bool { return review.ID == r.Answer.ID })
	if !r.Ends && r.Severity == "" {
		return c
	}
	c.Findings = slices.Clone(c.Findings)
	for i := range c.Findings {
		f := &c.Findings[i]
		if f.ID != r.Answer.Finding {
			continue
		}
		if r.Ends {
			f.UpheldLeaf, f.UpheldAt = e.LeafIndex, e.AcceptedAt.UTC()
		} else if f.Severity = r.Severity; f.Severity == severityMinor {
			f.Case = ""
		}
	}
	return c.calmed().ended(at, e.LeafIndex)
}

func whyOf(s statement.Statement) string {
	switch s := s.(type) {
	case statement.AppealDecided:
		return s.Why
	case statement.OfficerAction:
		return s.Reason
	}
	return ""
}

const (
	severityMinor    = string(policy.Minor)
	severityCritical = string(policy.Critical)
)

// reinstated folds that a termination was taken back. What is still open of it begins anew, as a case of its own whose clock starts
// here: it was the termination that was wrong, not the facts.
func (c Case) reinstated(s statement.RelationshipReinstated, e statement.Entry) Case {
	if c.TerminatedAt.IsZero() {
		return c
	}
	at := wholeSecond(e.AcceptedAt)
	past := c.past(at, e.LeafIndex)
	past.WhoseError, past.Wrong = s.WhoseError, s.WhoseError != "reseller"
	next := c.closed(past)
	next.Orders = c.Orders // they are withdrawn by name
	next.Findings = slices.Clone(c.Findings)
	for i := range next.Findings {
		if next.Findings[i].Case != "" {
			next.Findings[i].Case = e.JTI
			next.ID, next.Policy, next.Since, next.OpenedAt, next.Reinstated = e.JTI, c.Policy, at, at, true
		}
	}
	return next
}
