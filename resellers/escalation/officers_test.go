package escalation

import (
	"fmt"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// officer returns an officer by name.
func officer(name string) statement.Officer {
	return statement.Officer{ID: strings.ToLower(name), Name: name}
}

// act states what an officer did about the reseller, as the desk does.
func (l *life) act(at time.Time, by, action, on, id string, ends time.Time, details ...string) {
	said := statement.OfficerAction{Officer: officer(by), Action: action, On: statement.Target{Type: on, ID: id}, Reason: "a reason", EndsAt: ends}
	for i := 0; i < len(details); i += 2 {
		if details[i] == "proposed" {
			proposer := officer(details[i+1])
			said.ProposedBy = &proposer
			continue
		}
		said.Details = append(said.Details, statement.Field{Name: details[i], Value: details[i+1]})
	}
	l.take(gateway, at, fmt.Sprint("action ", len(l.entries)), said)
}

// approval is the id under which people are asked about a step of the open case.
func (l *life) approval(step string) string { return ID(reseller, move{step: step}.statement(l.c)) }

func (l *life) approve(at time.Time, by, step string) {
	l.act(at, by, ActionApproved, "approval", l.approval(step), time.Time{})
}

func (l *life) refuse(at time.Time, by, step string) {
	l.act(at, by, ActionRefused, "approval", l.approval(step), time.Time{})
}

// hold places a hold and returns its id.
func (l *life) hold(at time.Time, by string, kind HoldKind, ends time.Time) string {
	id := fmt.Sprint("action ", len(l.entries))
	l.act(at, by, ActionHeld, "case", l.c.ID, ends, "kind", string(kind), "authority", "District Court")
	return id
}

// dispute has the reseller dispute an open finding, and returns the id of that.
func (l *life) dispute(at time.Time, finding, ground string) string {
	return l.answer(at, statement.Remediation{RemediationKind: AnswerDispute, Text: "It is wrong.", Finding: finding, Ground: ground})
}

func (l *life) answer(at time.Time, s statement.Remediation) string {
	id := fmt.Sprint("answer ", len(l.entries))
	l.take(reseller, at, id, s)
	return id
}

func (l *life) decide(at time.Time, by, remediation, finding, decision string) {
	l.take(gateway, at, fmt.Sprint("decision ", len(l.entries)),
		statement.AppealDecided{Remediation: remediation, Finding: finding, Decision: decision, By: officer(by), Why: "a reason"})
}

func (l *life) outage(from, to time.Time) {
	l.house = l.house.With(statement.Entry{AcceptedAt: to, By: gateway, About: gateway, Statement: statement.OutageRecorded{From: from, To: to}})
}

// asking is a reseller under the shipped policy, which asks people, judged at these times. No step waits for proof of notice.
func asking(t tester, judged ...time.Time) *life {
	l := newLife(t)
	l.policy = ladderAlone()
	l.policy.Case.Proof = policy.Proof{}
	l.enrol(start)
	for _, at := range judged {
		l.settle(at)
	}
	return l
}

func (l *life) stands(want Standing, next time.Time) {
	l.t.Helper()
	if l.c.Standing != want || !l.next.At.Equal(next) {
		l.t.Fatalf("%s, next %+v; wanted %s, next at %v\n%s", l.c.Standing, l.next, want, next, lines(l.told()))
	}
}
