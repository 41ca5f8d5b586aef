package escalation

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Proof of notice (standing.md): a step that cannot be taken back waits until it is proved that the reseller was told of the step
// before. What the rule gives is 30 days and no word of proof, so whoever hides gains nothing: tries of an officer count though nobody
// answered, and where the policy says so the wait ends inside the limit. How that was decided: gateway/docs/decisions/proof-of-notice.md.

// Told is the step of the open case that was taken last, and what proves that the reseller was told of it.
type Told struct {
	Step    string    `json:"step"` // StepWarn, StepRestrict, StepClose, StepTerminate
	At      time.Time `json:"at"`   // when it was stated
	Notices []string  `json:"notices,omitzero"`
	Proved  Proved    `json:"proved,omitzero"`
	Tries   []Try     `json:"tries,omitzero"` // to tell it by a call or a courier that nobody answered, the first nine on different days
	// Untold is the step before this one if nobody was proved to have been told of it when this one was taken, after InVain tries.
	Untold string `json:"untold,omitzero"`
	InVain int    `json:"in_vain,omitzero"`
}

// Proved is what proved first that a reseller was told of a step.
type Proved struct {
	Channel string    `json:"channel"` // as notice-proved and notice.recorded name it, or ByConfirmation
	At      time.Time `json:"at"`      // when it was told, never later than the ledger took it
}

// Try is that an officer called, or sent a courier, and nobody answered.
type Try struct {
	Channel string    `json:"channel"`
	At      time.Time `json:"at"`
}

// standingOf is where each step leads.
var standingOf = map[string]Standing{StepWarn: Warned, StepRestrict: Restricted, StepClose: Closing, StepTerminate: Terminated}

const (
	// ByConfirmation is the channel of a notice that its own order's confirmation proves.
	ByConfirmation = "order-confirmation"
	// ActionNotified records that an officer told a reseller of a statement, or tried to.
	ActionNotified = "notice.recorded"
	// Unanswered is the value of the detail "answered" of a try that reached nobody.
	Unanswered = "no"

	triesKept = 9
)

// tells begins the notice of a step that was taken. Which jti it has, With knows.
func (c Case) tells(step string, at time.Time) Case {
	next := Told{Step: step, At: at.UTC()}
	if !c.Told.At.IsZero() && c.Told.Proved.At.IsZero() {
		next.Untold, next.InVain = c.Told.Step, len(c.Told.Tries)
	}
	c.Told = next
	return c
}

// notices folds what proves, or names, the notice of the step that was taken last.
func (c Case) notices(e statement.Entry) Case {
	switch s := e.Statement.(type) {
	case statement.WarningIssued, statement.RestrictionOrdered, statement.ClosureOrdered, statement.RelationshipTerminated:
		if len(c.Told.Notices) == 0 && !c.Told.At.IsZero() {
			c.Told.Notices = []string{e.JTI}
		}
	case statement.StandingChanged: // stated with the step, and says the same in words
		if len(c.Told.Notices) == 1 && s.After == standingOf[c.Told.Step].String() {
			c.Told.Notices = append(slices.Clip(c.Told.Notices), e.JTI)
		}
	case statement.NoticeProved:
		return c.proved(s.Notice, s.Channel, s.ProvedAt, e.AcceptedAt)
	case statement.OfficerAction:
		if s.Action == ActionNotified {
			return c.notified(s, e.AcceptedAt)
		}
	}
	return c
}

func (c Case) proved(notice, channel string, at, accepted time.Time) Case {
	if c.Told.Proved.At.IsZero() && slices.Contains(c.Told.Notices, notice) {
		c.Told.Proved = Proved{Channel: channel, At: c.Told.when(at, accepted)}
	}
	return c
}

// when is a time that somebody gave, held between the step and the entry that tells it.
func (t Told) when(at, accepted time.Time) time.Time {
	return latter(t.At, former(wholeSecond(at), wholeSecond(accepted)))
}

func (c Case) notified(s statement.OfficerAction, accepted time.Time) Case {
	at, err := time.Parse(time.RFC3339, detail(s, "at"))
	if err != nil {
		at = accepted
	}
	channel := detail(s, "channel")
	if detail(s, "answered") != Unanswered {
		return c.proved(s.On.ID, channel, at, accepted)
	}
	try := Try{Channel: channel, At: c.Told.when(at, accepted)}
	another := func(t Try) bool { return t.day().Equal(try.day()) }
	if len(c.Told.Tries) < triesKept && slices.Contains(c.Told.Notices, s.On.ID) && !slices.ContainsFunc(c.Told.Tries, another) {
		c.Told.Tries = append(slices.Clip(c.Told.Tries), try)
		slices.SortFunc(c.Told.Tries, func(a, b Try) int { return a.At.Compare(b.At) })
	}
	return c
}

func (t Try) day() time.Time { return t.At.Truncate(24 * time.Hour) }

// confirmed folds that the reseller confirmed an order: whoever answers it was told of it.
func (c Case) confirmed(s statement.OrderConfirmation, accepted time.Time) Case {
	return c.proved(s.Order, ByConfirmation, accepted, accepted)
}

// provedAt is when the notice of the last step counts as proved by a policy: zero if it does not. Tries that nobody answered count
// once there are enough of them, and not before the day from which officers call.
func (t Told) provedAt(p policy.Proof) time.Time {
	if n := p.Unanswered.Value; t.Proved.At.IsZero() && n > 0 && len(t.Tries) >= n {
		return latter(t.Tries[n-1].At, p.Phone.From(t.At))
	}
	return t.Proved.At
}

// asksProof says whether a move waits for proof of the step before. A closure at once waits for none: the warning before it is ours,
// and closing and reporting do not wait for it (regulation.md, 7.303).
func (s *situation) asksProof(m move) bool {
	return !s.c.Told.At.IsZero() && s.policy.Case.Proof.AsksFor(m.step) && (m.step != StepClose || !s.c.urgent())
}

// proofEnds is until when a move waits for proof at most, where the policy lets it go on: the last moment inside the limit. A step whose
// limit had passed when the one before was stated waits until every channel was tried.
func (s *situation) proofEnds(m move) time.Time {
	end, told := m.latest, s.c.Told.At
	if m.step == StepTerminate {
		end = s.policy.Case.Proof.Margin.Before(s.limit())
	}
	if !told.Before(end) {
		return s.policy.Case.Proof.Superior.From(told)
	}
	return end
}

// afterProof moves a step behind the proof of the one before, by the policy's floor: whoever is told late has a moment to act, but not
// past the limit. What is proved after the wait has ended moves nothing.
func (s *situation) afterProof(m move, at time.Time) time.Time {
	if !s.asksProof(m) {
		return at
	}
	proof := &s.policy.Case.Proof
	proved, end := s.c.Told.provedAt(*proof), s.proofEnds(m)
	switch floor := s.policy.Case.StepFloor.From(proved); {
	case proved.IsZero():
		return at
	case proved.Before(end):
		return latter(at, former(floor, end))
	case proof.AtLimit.Value == policy.GoesOn:
		return latter(at, end)
	case proved.Before(s.limit()):
		return latter(at, proved)
	default:
		return latter(at, floor)
	}
}

// unproved is what a move waits for that is due at that time: the proof of the step before.
func (s *situation) unproved(m move, at time.Time) wait {
	if !s.asksProof(m) {
		return wait{}
	}
	proof := &s.policy.Case.Proof
	if proved := s.c.Told.provedAt(*proof); !proved.IsZero() && !proved.After(latter(at, s.now)) {
		return wait{}
	}
	why := unprovedWords(s.c.Told)
	if proof.AtLimit.Value != policy.GoesOn {
		return wait{why: why}
	}
	end := s.proofEnds(m)
	if !at.Before(end) {
		return wait{}
	}
	return wait{why: why, until: end}
}

// Notice is how far it is proved that a reseller was told of the step before one that waits for it.
type Notice struct {
	For    string          `json:"for"`    // the step that waits
	Of     string          `json:"of"`     // the step that must be told
	Notice string          `json:"notice"` // the jti of its statement
	Told   time.Time       `json:"stated_at"`
	About  envelope.Entity `json:"-"`
	Proved Proved          `json:"proved,omitzero"` // zero while it is not
	Tries  []Try           `json:"tries,omitzero"`
	Needed int             `json:"tries_needed"` // so many tries that nobody answered count as proof; 0 if none do

	SecondContactAt time.Time `json:"second_contact_at"`
	CallAt          time.Time `json:"call_at"`          // from when it is an officer's task to call, or to send a courier
	CallBy          time.Time `json:"call_by"`          // by when, so that the step is taken at its time
	SuperiorAt      time.Time `json:"superior_at"`      // when the superior is told
	EndsAt          time.Time `json:"ends_at,omitzero"` // when the step is taken all the same; zero if it waits for as long as it takes
	Words           string    `json:"words"`            // what is so, and what to do
}

// Missing says that nothing proves it yet.
func (n Notice) Missing() bool { return n.Proved.At.IsZero() }

// Task says whether an officer must call now.
func (n Notice) Task(now time.Time) bool { return n.Missing() && !now.Before(n.CallAt) }

// Turns is when, nothing being said, the call becomes an officer's task: zero if it is one, or need not be any more.
func (n Notice) Turns(now time.Time) time.Time {
	if n.Missing() && now.Before(n.CallAt) {
		return n.CallAt
	}
	return time.Time{}
}

// NoticeOf returns what is proved of the step before the one that the open case comes to; false if that one waits for no proof.
func NoticeOf(p *policy.Policy, about envelope.Entity, c Case, h history.History, house House, now time.Time) (Notice, bool) {
	if c.Told.At.IsZero() || len(p.Case.Proof.Steps.Value) == 0 {
		return Notice{}, false
	}
	s := &situation{policy: p, about: about, c: c, history: h, house: house, now: wholeSecond(now)}
	for _, m := range s.moves() {
		if s.asksProof(m) {
			return s.notice(m), true
		}
	}
	return Notice{}, false
}

func (s *situation) notice(m move) Notice {
	proof, told := &s.policy.Case.Proof, s.c.Told
	at := s.at(m)
	n := Notice{For: m.step, Of: told.Step, Told: told.At, About: s.about, Proved: told.Proved, Tries: told.Tries, Needed: proof.Unanswered.Value,
		SecondContactAt: proof.SecondContact.From(told.At), SuperiorAt: proof.Superior.From(told.At), CallBy: at,
		// Where the steps follow each other faster than that, the call comes one step floor before the step.
		CallAt: latter(told.At, former(proof.Phone.From(told.At), s.policy.Case.StepFloor.Before(at)))}
	if len(told.Notices) > 0 {
		n.Notice = told.Notices[0]
	}
	if proved := told.provedAt(*proof); n.Missing() && !proved.IsZero() && !proved.After(s.now) {
		n.Proved = Proved{Channel: ByTries, At: proved}
	}
	if proof.AtLimit.Value == policy.GoesOn {
		n.EndsAt = latter(at, s.proofEnds(m))
	}
	n.Words = noticeWords(n, s.now)
	return n
}

// ByTries is the channel of a notice that nobody answered, often enough.
const ByTries = "unanswered"
