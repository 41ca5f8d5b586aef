package main

import (
	"context"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/mail"
	"github.com/cipgate/cipgate/sync/notices"
)

// calledAtOnce bounds how many matters one look finds: those that fall due first.
const calledAtOnce = 200

// callOfficers mails officers about steps that wait for their approval, again when they become the deputy's and the administrator's;
// about what stands on the watchdog's list: cases that do not move, or have no next step, and resellers that were to be called and were
// not; about what is owed to an authority and is due soon, or overdue; about a system of the provider whose token expires; and, those who may release it, about the guard when it holds
// something back. Each is told once to each officer, however often it is called; what is late, and what the guard holds, once each day until
// it is settled.
func (p *Program) callOfficers(ctx context.Context) error {
	if p.delivery.Mail == nil {
		return nil
	}
	now := p.clock.Now()
	asked, err := p.docket.Asked(ctx, nil, calledAtOnce)
	if err != nil {
		return err
	}
	var matters []delivery.Matter
	for _, one := range asked {
		for _, a := range one.Approvals {
			key := a.ID + " " + a.Whose(now)
			if now.After(a.StepAt) { // the step waits
				key += " " + dateOf(now)
			}
			matters = append(matters, delivery.Matter{Key: key, Kind: mail.MatterApproval, About: one.File.Entity})
		}
	}
	watch, err := p.docket.Watch(ctx)
	if err != nil {
		return err
	}
	for _, stopped := range append(watch.Late, watch.Lost...) {
		matters = append(matters, delivery.Matter{Key: "late " + string(stopped.Entity) + " " + dateOf(now), Kind: mail.MatterLate, About: stopped.Entity})
	}
	for _, uncalled := range watch.Duties.Uncalled {
		matters = append(matters, delivery.Matter{Key: "uncalled " + string(uncalled.About) + " " + dateOf(now), Kind: mail.MatterPhone, About: uncalled.About})
	}
	owed, err := p.docket.Obligations(ctx, docket.Wanted{State: obligations.Open}, nil, calledAtOnce)
	if err != nil {
		return err
	}
	for _, o := range owed {
		if why := reminds(o, now); why != "" {
			matters = append(matters, delivery.Matter{Key: "owed " + o.ID + " " + why, Kind: mail.MatterOwed, About: o.About})
		}
	}
	wall := p.wall.Now()
	expiring, err := p.delivery.Expiring(ctx, wall.Add(notices.TokenNotice))
	if err != nil {
		return err
	}
	for _, one := range expiring {
		matters = append(matters, tokenMatter(one, p.config.entity(), wall))
	}
	tripped, err := p.docket.Tripped(ctx)
	if err != nil {
		return err
	}
	for _, one := range tripped {
		matters = append(matters, guardMatter(one, p.config.entity(), now))
	}
	return p.delivery.Call(ctx, matters...)
}

// tokenMatter is that the token of a system expires soon; or that it has expired, anew each day until it is extended or ended. Tokens expire
// by the clock on the wall, also in a sandbox.
func tokenMatter(of delivery.Expiring, gateway envelope.Entity, now time.Time) delivery.Matter {
	key := "token " + of.System + " " + of.At.Format(time.RFC3339)
	switch {
	case !now.Before(of.At):
		key += " " + dateOf(now)
	case of.At.Sub(now) <= notices.TokenLast:
		key += " last"
	}
	return delivery.Matter{Key: key, Kind: mail.MatterToken, About: gateway}
}

// guardMatter is what those are mailed who may release the guard: when it holds something back, and anew each day while nobody has released
// it and it still does.
func guardMatter(held docket.Tripped, gateway envelope.Entity, now time.Time) delivery.Matter {
	return delivery.Matter{Key: "guard " + string(held.Guard) + " " + held.Since.Format(time.RFC3339) + " " + dateOf(now), Kind: mail.MatterGuard,
		About: gateway, Releasers: true}
}

// reminds names why officers are mailed about an obligation: the last of its reminders, or that it is overdue, anew each day; empty if
// nothing has come yet.
func reminds(o obligations.Obligation, now time.Time) string {
	if o.State(now) == obligations.Overdue {
		return "overdue " + dateOf(now)
	}
	if last := o.Reminded(now); !last.IsZero() {
		return last.Format(time.RFC3339)
	}
	return ""
}

// dateOf names a day, UTC, so that what is still so is told once in it.
func dateOf(now time.Time) string { return now.UTC().Format(time.DateOnly) }

// noticed is what delivery reads of the cases and of the chain.
type noticed struct{ *Program }

// Told is the step of a reseller's case that was taken last, and by which policy it is proved.
func (n noticed) Told(ctx context.Context, about envelope.Entity) (escalation.Told, policy.Proof, int64, error) {
	file, err := n.docket.Open(ctx, about.ID())
	if err != nil {
		return escalation.Told{}, policy.Proof{}, 0, err
	}
	rules, err := n.docket.PolicyOf(file)
	if err != nil {
		return escalation.Told{}, policy.Proof{}, 0, err
	}
	return file.Case.Told, rules.Case.Proof, file.Case.Seen(), nil
}

// Superior is the entity above a reseller; empty if that is the provider.
func (n noticed) Superior(ctx context.Context, of envelope.Entity) (envelope.Entity, error) {
	superior, err := n.registry.Superior(ctx, of)
	if err != nil || superior == n.config.entity() {
		return "", err
	}
	return superior, nil
}
