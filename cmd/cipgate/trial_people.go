package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// officers of the story, each with a token of their own: who acts comes from the token, never from what is sent.
type officers struct{ ada, ben, cleo *client }

// hire gives three people accounts.
func (s *story) hire(program *Program) error {
	for _, person := range []struct {
		name, role string
		is         **client
	}{{"Ada Obi", "approver", &s.people.ada}, {"Ben Ruiz", "approver", &s.people.ben}, {"Cleo Sand", "administrator", &s.people.cleo}} {
		address := strings.ReplaceAll(strings.ToLower(person.name), " ", ".") + "@provider.example"
		err := s.officer.post(s.ctx, "/v1/officers", map[string]string{"name": person.name, "role": person.role, "mail": address}, &struct{}{})
		if err != nil {
			return err
		}
		var made struct {
			Token string `json:"token"`
		}
		err = s.officer.post(s.ctx, "/v1/tokens", map[string]string{"officer": person.name, "label": "trial of " + person.name}, &made)
		if err != nil {
			return err
		}
		*person.is = newClient(s.gateway, made.Token)
	}
	s.day(program.clock.Now(), "Ada Obi and Ben Ruiz may approve for the provider, Cleo Sand administers. Closing an account takes one of them, ending a relationship two.")
	return nil
}

// reason is what most acts take.
func reason(why string) map[string]string { return map[string]string{"reason": why} }

// dispute lets evidence be recorded against a reseller that is wrong, and the reseller say so.
func (s *story) dispute(program *Program, accused part) error {
	s.chapter("A dispute that is upheld")
	if err := s.attestAndPass(program, accused, 5); err != nil {
		return err
	}
	now := program.clock.Now()
	err := s.people.ada.post(s.ctx, "/v1/evidence", map[string]string{"reseller": accused.id, "ground": "cip-failure", "severity": "serious",
		"description": "An abuse report names an address range of this reseller.", "received_at": now.Format(time.RFC3339)}, &struct{}{})
	if err != nil {
		return err
	}
	s.day(now, "Ada Obi records evidence of a failure against %s. Its account is to be closed, if one person approves. Not she: nobody approves what follows from their own evidence.", accused.name)
	got, err := s.state(accused)
	if err != nil {
		return err
	}
	s.check(got.Standing == "warned" && len(got.Findings) == 1, "%s stands at %s; %s", accused.name, strings.ToUpper(got.Standing), got.NextStep.What)
	approval, err := s.approval(accused)
	if err != nil {
		return err
	}
	err = s.people.ada.post(s.ctx, "/v1/approvals/"+approval.ID+"/approve", reason("I found it."), &struct{}{})
	s.check(err != nil, "Ada approves it herself: refused: %s", brief(err))

	_, err = accused.push(s.ctx, statement.Remediation{}.Kind(), map[string]string{"kind": "dispute", "finding": got.Findings[0].ID, "ground": "false-positive",
		"text": "The address range was returned to the registry a year ago; the record is attached to ticket 118."})
	if err != nil {
		return err
	}
	s.day(now, "%s disputes the finding: a signed statement like any other. Until it is decided, nothing that cannot be undone is done.", accused.name)
	item, err := s.review(accused)
	if err != nil {
		return err
	}
	if err := s.people.ben.post(s.ctx, "/v1/resellers/"+accused.id+"/appeals/"+item+"/uphold", reason("The registry confirms it."), &struct{}{}); err != nil {
		return err
	}
	s.day(now, "Ben Ruiz, who did not record it, decides for the reseller.")
	return s.expect(accused, "good")
}

// asked is an approval, as far as the story looks.
type asked struct {
	ID              string    `json:"id"`
	ResellerID      string    `json:"reseller_id"`
	Step            string    `json:"step"`
	Needed          int       `json:"needed"`
	Given           []any     `json:"given"`
	Whose           string    `json:"whose"`
	StepAt          time.Time `json:"step_at"`
	AdministratorAt time.Time `json:"administrator_at"`
}

// approval finds what waits for people about a reseller, asked already or not.
func (s *story) approval(p part) (asked, error) {
	if _, err := s.state(p); err != nil { // what was stated before is folded
		return asked{}, err
	}
	var open struct {
		Approvals []asked `json:"approvals"`
	}
	if err := s.officer.get(s.ctx, "/v1/resellers/"+p.id+"/case", &open); err != nil {
		return asked{}, err
	}
	if len(open.Approvals) == 0 {
		return asked{}, fmt.Errorf("nothing about %s waits for an approval", p.name)
	}
	return open.Approvals[0], nil
}

// review finds what a reseller answered and nobody has decided.
func (s *story) review(p part) (string, error) {
	if _, err := s.state(p); err != nil {
		return "", err
	}
	var all struct {
		Items []struct {
			ID         string `json:"id"`
			ResellerID string `json:"reseller_id"`
		} `json:"items"`
	}
	if err := s.officer.get(s.ctx, "/v1/reviews", &all); err != nil {
		return "", err
	}
	for _, one := range all.Items {
		if one.ResellerID == p.id {
			return one.ID, nil
		}
	}
	return "", errors.New("what " + p.name + " answered is not there to decide")
}

// approve lets an officer approve the step that waits.
func (s *story) approve(program *Program, by *client, who string, p part) error {
	waits, err := s.approval(p)
	if err != nil {
		return err
	}
	if err := by.post(s.ctx, "/v1/approvals/"+waits.ID+"/approve", reason("Checked: no answer, and three notices went out."), &struct{}{}); err != nil {
		return err
	}
	s.day(program.clock.Now(), "%s approves the step %q for %s: %d of %d.", who, waits.Step, p.name, len(waits.Given)+1, waits.Needed)
	return nil
}
