package main

import (
	"fmt"
	"time"
)

// notified is what of a case's proof of notice the story looks at.
type notified struct {
	Notice   string     `json:"notice"`
	For      string     `json:"for"`
	ProvedAt *time.Time `json:"proved_at"`
	Channel  string     `json:"channel"`
	CallBy   time.Time  `json:"call_by"`
}

// proof is what the next step of a reseller's case waits for.
func (s *story) proof(p part) (notified, error) {
	if _, err := s.state(p); err != nil { // what was stated before is folded
		return notified{}, err
	}
	var open struct {
		Notice *notified `json:"notice"`
	}
	if err := s.officer.get(s.ctx, "/v1/resellers/"+p.id+"/case", &open); err != nil {
		return notified{}, err
	}
	if open.Notice == nil {
		return notified{}, fmt.Errorf("the next step of %s waits for no proof of notice", p.name)
	}
	return *open.Notice, nil
}

// tell lets an officer call a reseller of the last step of its case, or send a courier, and tells what came of it.
func (s *story) tell(program *Program, by *client, who string, p part, channel string, answered bool, why string) error {
	waits, err := s.proof(p)
	if err != nil {
		return err
	}
	now := program.clock.Now()
	err = by.post(s.ctx, "/v1/resellers/"+p.id+"/notices/record", map[string]any{"notice": waits.Notice, "channel": channel, "whom": "head of compliance",
		"at": now.UTC().Truncate(time.Second).Format(time.RFC3339), "unanswered": !answered, "reason": why}, &struct{}{})
	if err != nil {
		return err
	}
	s.day(now, "%s, by %s to %s: %s", who, channel, p.name, why)
	return nil
}

// unproved tells that a closing waits for proof, and that hiding gains nothing: two tries on two days count.
func (s *story) unproved(program *Program, silent, waking part) error {
	waits, err := s.proof(silent)
	if err != nil {
		return err
	}
	s.check(waits.ProvedAt == nil && waits.For == "close", "nothing proves that %s was told of its restriction: the closing waits for that, and calling is an officer's task by %s",
		silent.name, waits.CallBy.Format("2 Jan 2006"))
	if err := s.tell(program, s.people.ada, "Ada Obi", waking, "call", true, "The head of compliance read the order back."); err != nil {
		return err
	}
	if err := s.tell(program, s.people.ada, "Ada Obi", silent, "call", false, "It rang, and nobody answered."); err != nil {
		return err
	}
	if err := s.pass(program, 50); err != nil {
		return err
	}
	if err := s.tell(program, s.people.ben, "Ben Ruiz", silent, "courier", false, "The door stayed shut."); err != nil {
		return err
	}
	if waits, err = s.proof(silent); err != nil {
		return err
	}
	s.check(waits.ProvedAt != nil && waits.Channel == "unanswered", "who hides gains nothing: two tries on two days count as proof of notice")
	return nil
}
