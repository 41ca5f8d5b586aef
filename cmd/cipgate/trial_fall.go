package main

import (
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/mail"
)

// attestAndPass lets a reseller attest, and goes on to a day of the story.
func (s *story) attestAndPass(program *Program, p part, day int) error {
	if _, err := s.attest(p, program); err != nil {
		return err
	}
	return s.pass(program, day)
}

// expectAll checks several resellers' standings.
func (s *story) expectAll(standing string, all ...part) error {
	for _, p := range all {
		if err := s.expect(p, standing); err != nil {
			return err
		}
	}
	return nil
}

// fall tells how resellers that say nothing are warned, restricted and closed; how a stay holds one of them; and how the guard
// closes no two on one day.
func (s *story) fall(program *Program, late, silent, stayed, waking part) error {
	s.chapter("Those who say nothing")
	s.line("The clock moves. The gateway warns and restricts by itself, and signs each decision into its ledger.")
	if err := s.pass(program, 29); err != nil {
		return err
	}
	if err := s.expect(silent, "pending"); err != nil {
		return err
	}
	if err := s.pass(program, 31, late, silent); err != nil {
		return err
	}
	if err := s.expectAll("warned", late, silent, stayed, waking); err != nil {
		return err
	}
	if err := s.unread(program, silent); err != nil {
		return err
	}
	s.chapter("No new accounts")
	if err := s.pass(program, 45, late, silent); err != nil {
		return err
	}
	if err := s.expect(silent, "restricted"); err != nil {
		return err
	}
	if err := s.ordered(program, late); err != nil {
		return err
	}
	if _, err := s.attest(late, program); err != nil {
		return err
	}
	if err := s.expect(late, "good"); err != nil {
		return err
	}
	lift, err := s.stay(program, stayed)
	if err != nil {
		return err
	}

	s.chapter("The account is closed, if somebody approves and the reseller is proved to know; and the guard")
	if err := s.pass(program, 49); err != nil {
		return err
	}
	for _, p := range []part{silent, waking} {
		if err := s.approve(program, s.people.ada, "Ada Obi", p); err != nil {
			return err
		}
	}
	if err := s.unproved(program, silent, waking); err != nil {
		return err
	}
	s.line("Both fall due in the same minute. The policy closes no more than 5 %% of the resellers on one day, and one at least: with six resellers, one.")
	due, err := s.state(waking)
	if err != nil {
		return err
	}
	if err := s.passTo(program, due.NextStep.At.Add(time.Hour), silent, waking); err != nil {
		return err
	}
	if err := s.oneOf(silent, waking, "closing", "restricted"); err != nil {
		return err
	}
	tripped, _ := mail.Line(mail.MatterGuard)
	if _, err := s.box.take(s.ctx, adasMail, tripped); err != nil {
		return err
	}
	s.day(program.clock.Now(), "Those who may release the guard are mailed at once: %q Nobody does.", tripped)
	if err := s.pass(program, 53, silent, waking); err != nil {
		return err
	}
	if err := s.expectAll("closing", silent, waking); err != nil {
		return err
	}
	return lift()
}

// oneOf checks that of two resellers one stands at the first standing and the other at the second.
func (s *story) oneOf(a, b part, one, other string) error {
	first, err := s.state(a)
	if err != nil {
		return err
	}
	second, err := s.state(b)
	if err != nil {
		return err
	}
	if second.Standing == one {
		a, b, first, second = b, a, second, first
	}
	s.check(first.Standing == one && second.Standing == other, "the guard tripped: %s is %s, %s still %s; %s on %s",
		a.name, first.Standing, b.name, second.Standing, second.NextStep.What, second.NextStep.At.Format("2 Jan 2006"))
	return nil
}

// stay places a court's stay on a case, and returns what lifts it later.
func (s *story) stay(program *Program, p part) (lift func() error, err error) {
	s.chapter("A stay")
	before, err := s.state(p)
	if err != nil {
		return nil, err
	}
	var placed struct {
		JTI string `json:"jti"`
	}
	err = s.people.ben.post(s.ctx, "/v1/resellers/"+p.id+"/case/holds", map[string]string{"kind": "stay", "authority": "Bakirkoy 4th Commercial Court",
		"ends_at": s.start.Add(70 * 24 * time.Hour).Format(time.RFC3339), "reason": "Order 2027/118: nothing is done to the account until the hearing."}, &placed)
	if err != nil {
		return nil, err
	}
	s.day(program.clock.Now(), "A court stays what is done to %s. Ben Ruiz records it; from here on no step is taken.", p.name)
	due := before.NextStep.At
	return func() error {
		s.chapter("The stay is lifted")
		held, err := s.state(p)
		if err != nil {
			return err
		}
		s.check(held.Standing == "restricted", "%s would have been closed on %s, and still stands at %s", p.name, due.Format("2 Jan 2006"), held.Standing)
		path := "/v1/resellers/" + p.id + "/case/holds/" + placed.JTI
		if err := s.people.ada.post(s.ctx, path+"/propose-lift", reason("The court has decided."), &struct{}{}); err != nil {
			return err
		}
		err = s.people.ada.post(s.ctx, path+"/lift", reason("The court has decided."), &struct{}{})
		s.check(err != nil, "Ada Obi proposes to lift it, and may not lift it alone: %s", brief(err))
		if err := s.people.ben.post(s.ctx, path+"/lift", reason("The court has decided."), &struct{}{}); err != nil {
			return err
		}
		now := program.clock.Now()
		s.day(now, "Ben Ruiz lifts it. The unused time comes back, 72 hours at least: no step follows at once.")
		lifted, err := s.state(p)
		if err != nil {
			return err
		}
		s.check(!lifted.NextStep.At.Before(now.Add(72*time.Hour-time.Minute)), "next: %s on %s", lifted.NextStep.What, lifted.NextStep.At.Format("2 Jan 2006"))
		if _, err := s.attest(p, program); err != nil {
			return err
		}
		return s.expect(p, "good")
	}, nil
}

// ending tells a termination whose second approval times out and is given in the end, and a reseller that cures at the last moment.
func (s *story) ending(program *Program, silent, waking part) error {
	s.chapter("The end of a relationship takes two people")
	if err := s.pass(program, 56); err != nil {
		return err
	}
	if _, err := s.attest(waking, program); err != nil {
		return err
	}
	s.line("%s wakes up in time: every order of its case is withdrawn.", waking.name)
	if err := s.expect(waking, "good"); err != nil {
		return err
	}
	closing, err := s.box.take(s.ctx, silentFirst, "Accounts are to be closed: an order.")
	if err != nil {
		return err
	}
	if err := s.acknowledges(closing); err != nil {
		return err
	}
	s.day(program.clock.Now(), "Somebody at %s opens the link in the mail %q, asks for the code that comes in a mail of its own, reads, and confirms having read. Nothing else.", silent.name, closing.subject)
	if err := s.proofOf(silent, statement.KindClosureOrdered); err != nil {
		return err
	}
	if err := s.approve(program, s.people.ada, "Ada Obi", silent); err != nil {
		return err
	}
	waits, err := s.approval(silent)
	if err != nil {
		return err
	}
	s.line("The second approval does not come. After 48 hours it is put before the deputy too, and then before the administrator.")
	if err := s.passTo(program, waits.StepAt.Add(time.Hour), silent); err != nil {
		return err
	}
	late, err := s.approval(silent)
	if err != nil {
		return err
	}
	got, err := s.state(silent)
	if err != nil {
		return err
	}
	s.check(got.Standing == "closing" && len(late.Given) == 1 && late.Whose != "approver",
		"the approval timed out: due %s, %d of %d given, now before the %s. Nobody's silence ends a relationship: %s still stands at %s; its limit is %s",
		late.StepAt.Format("2 Jan 15:04"), len(late.Given), late.Needed, late.Whose, silent.name, got.Standing, got.LimitAt.Format("2 Jan 15:04"))
	if err := s.approve(program, s.people.cleo, "Cleo Sand", silent); err != nil {
		return err
	}
	if err := s.expect(silent, "terminated"); err != nil {
		return err
	}
	ended, err := s.state(silent)
	if err != nil {
		return err
	}
	s.check(program.clock.Now().Before(ended.LimitAt), "within the limit: %s", fmt.Sprintf("%s left", ended.LimitAt.Sub(program.clock.Now()).Round(time.Hour)))
	return s.refused(silent, program)
}
