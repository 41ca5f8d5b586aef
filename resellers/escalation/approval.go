package escalation

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Approval is a step that people are asked about. It follows from the case and is stored nowhere as truth.
type Approval struct {
	ID    string          `json:"approval"` // the jti that the step's statement will have
	Case  string          `json:"case"`
	Step  string          `json:"step"` // as the table names it
	Does  string          `json:"does"` // in words
	About envelope.Entity `json:"entity"`

	People  int                 `json:"people"` // how many must approve, all of them different
	Given   []Grant             `json:"given,omitzero"`
	Refused *Refusal            `json:"refused,omitzero"` // nil if nobody did
	Barred  []statement.Officer `json:"barred,omitzero"`  // who may not approve, since they recorded the evidence

	AskedAt         time.Time      `json:"asked_at"`         // from when it is put before people
	DeputyAt        time.Time      `json:"deputy_at"`        // from when it is the deputy's too
	AdministratorAt time.Time      `json:"administrator_at"` // and the administrator's
	StepAt          time.Time      `json:"step_at"`          // when the step falls due
	LimitAt         time.Time      `json:"limit_at"`
	Silence         policy.Silence `json:"silence"` // what happens at StepAt if nobody says anything

	Unproved string `json:"unproved,omitzero"` // what proof of notice the step waits for beside; empty if for none
}

// Pending says that the approval still waits for somebody.
func (a Approval) Pending() bool { return a.Refused != nil || len(a.Given) < a.People }

// Turns is when, nothing being said, whose it is turns next after now: zero if it does not.
func (a Approval) Turns(now time.Time) time.Time {
	for _, at := range []time.Time{a.AskedAt, a.DeputyAt, a.AdministratorAt} {
		if now.Before(at) && a.Pending() {
			return at
		}
	}
	return time.Time{}
}

// Whose says whom a pending approval is put before at that time: nobody yet, "approver", "deputy" or "administrator". Everybody with the
// role may approve it at any time.
func (a Approval) Whose(now time.Time) string {
	switch {
	case now.Before(a.AskedAt):
		return ""
	case now.Before(a.DeputyAt):
		return "approver"
	case now.Before(a.AdministratorAt):
		return "deputy"
	}
	return "administrator"
}

// Approvals returns what people are or will be asked about the open case, the step that falls due first first. Also those that have all
// they need, until the step is taken.
func Approvals(p *policy.Policy, about envelope.Entity, c Case, h history.History, house House, now time.Time) []Approval {
	s := &situation{policy: p, about: about, c: c, history: h, house: house, now: wholeSecond(now)}
	var all []Approval
	for _, m := range s.moves() {
		n, rule := s.people(m)
		if n == 0 {
			continue
		}
		at, id := s.at(m), ID(about, m.statement(c))
		asked := latter(s.began(), p.Case.ApprovalLead.Before(at))
		if since := s.urgentSince(c.Behind()); m.step == StepClose && m.base.Equal(since) {
			asked = latter(asked, since) // a closure at once is known when its finding is opened
		}
		a := Approval{ID: id, Case: c.ID, Step: m.step, Does: m.does, About: about, People: n, AskedAt: asked, StepAt: at, LimitAt: s.limit(),
			DeputyAt: p.Case.ApprovalDeputyAfter.From(asked), Silence: rule.Silence}
		a.AdministratorAt = p.Case.ApprovalDeputyAfter.From(a.DeputyAt)
		a.Given, a.Refused = s.given(id)
		a.Unproved = s.unproved(m, at).why
		for _, r := range c.Recorded {
			if c.proposed(r.By) && !slices.Contains(a.Barred, r.By) {
				a.Barred = append(a.Barred, r.By)
			}
		}
		all = append(all, a)
	}
	slices.SortStableFunc(all, func(a, b Approval) int { return a.StepAt.Compare(b.StepAt) })
	return all
}
