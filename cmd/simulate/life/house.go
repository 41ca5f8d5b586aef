package life

import (
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// house is what happens to the gateway as a whole and is stated about it: outages, pauses, and the guard that two people release.
type house struct {
	together bool // all resellers enrol at once, so that they fall short at once
	paused   bool
	stated   int
	policies []policy.Policy // that were in force
}

// arrives enrols the next reseller.
func (p *player) arrives() error {
	r := p.coming[0]
	p.coming = p.coming[1:]
	p.resellers = append(p.resellers, r)
	return p.say(r.enrol())
}

// draw draws a policy: for several resellers rather one whose guard so few can reach. Those that fall together can be closed on one day, if
// nobody must approve it; the others reach the guard on findings.
func (p *player) draw() policy.Policy {
	if p.duties != nil {
		return p.all.DrawDuties(p.duties.r)
	}
	reaches := func(drawn policy.Policy) bool {
		few := drawn.Guard.Findings.Count < 4
		if p.house.together {
			return !few && drawn.Case.Approvals.Close.People == 0
		}
		return few
	}
	if was := p.house.policies; len(was) > 1 && p.r.IntN(2) == 0 {
		return was[len(was)-2] // the one before is put in force again
	}
	drawn := p.all.Draw(p.r)
	for range 8 {
		if len(p.resellers)+len(p.coming) == 1 || reaches(drawn) {
			break
		}
		drawn = p.all.Draw(p.r)
	}
	p.house.policies = append(p.house.policies, drawn)
	return drawn
}

// record is what is put on record about the gateway.
func (p *player) record(s statement.Statement) error {
	p.house.stated++
	return p.say(Draft{By: Gateway, About: Gateway, JTI: fmt.Sprintf("house-%d", p.house.stated), Statement: s})
}

// outage puts on record, now and then, that nothing was taken in: from when the gateway went down on until now, by its own clock. Some are
// told twice, by two nodes that do not agree about when it began.
func (p *player) outage(from time.Time) error {
	if p.r.IntN(3) == 0 {
		return nil
	}
	said := statement.OutageRecorded{From: from.Truncate(time.Second), To: p.clock().Truncate(time.Second)}
	for told := p.r.IntN(5) / 4; told >= 0 && said.From.Before(said.To); told-- {
		if err := p.record(said); err != nil {
			return err
		}
		said.From = said.From.Add(time.Duration(p.r.IntN(3600)) * time.Second)
	}
	return nil
}

// governs is what officers do about the gateway: they pause what cannot be taken back, resume it, and release the guard. That takes two,
// and the ledger may hold what one did alone.
func (p *player) governs() error {
	did := statement.OfficerAction{Officer: officers[p.r.IntN(len(officers))], Reason: "Weighed.", On: statement.Target{Type: "gateway", ID: string(Gateway)}}
	switch {
	case p.house.paused && p.r.IntN(2) == 0:
		did.Action, p.house.paused = "automation.resumed", false
	case p.r.IntN(3) == 0:
		did.Action, p.house.paused = "automation.paused", true
	default:
		another := officers[p.r.IntN(len(officers))]
		did.Action, did.ProposedBy = "guard.released", &another
		did.EndsAt = p.clock().Add(time.Hour + time.Duration(p.r.Int64N(int64(5*day)))).Truncate(time.Second)
		did.Details = []statement.Field{{Name: "guard", Value: []string{"closures", "terminations", "accounts", "findings"}[p.r.IntN(4)]}}
	}
	return p.record(did)
}
