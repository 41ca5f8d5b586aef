package escalation

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/statement"
)

// agrees checks that the facts and the case took the same decisions for settled.
func (l *life) agrees() {
	l.t.Helper()
	if fmt.Sprint(l.history.Hearing) != fmt.Sprint(l.c.Hearing) {
		l.t.Fatalf("the history heard %+v\nthe case heard    %+v", l.history.Hearing, l.c.Hearing)
	}
	upheld := map[string]bool{}
	for _, s := range l.history.Settled {
		upheld[s.Finding] = s.Upheld
	}
	for _, f := range l.c.Findings {
		if is := !f.UpheldAt.IsZero(); is != upheld[f.ID] {
			l.t.Fatalf("%s: upheld for the case %t, for the facts %t", f.ID, is, upheld[f.ID])
		}
	}
}

func TestADecisionAfterTheTerminationIsNoneForTheFactsEither(t *testing.T) {
	l := newLife(t)
	l.enrol(start)
	l.run(start, on(35))
	finding := l.c.Findings[0].ID
	before := l.dispute(on(36), finding, "false-positive")
	l.run(on(36), on(60))
	if l.c.Standing != Terminated {
		t.Fatalf("%s", l.c.Standing)
	}
	if err := l.c.MayDecide(officer("Eve"), before); !errors.Is(err, ErrNoReview) || !errors.Is(err, ErrUnknown) {
		t.Errorf("may decide after the termination: %v", err)
	}
	after := l.dispute(on(61), finding, "false-positive")
	for _, id := range []string{before, after} {
		l.decide(on(62), "Eve", id, finding, "upheld")
	}
	if _, settled := l.history.Settlement(finding); settled {
		t.Error("settled for the facts")
	}
	l.agrees()
	l.take(gateway, on(70), "reinstated", statement.RelationshipReinstated{Why: "ours", WhoseError: "provider", By: officer("Ada")})
	l.settle(on(70))
	if err := l.c.MayDecide(officer("Eve"), before); err != nil {
		t.Errorf("what waited waits again: %v", err)
	}
	if err := l.c.MayDecide(officer("Eve"), after); !errors.Is(err, ErrNoReview) {
		t.Errorf("what was said while it was terminated is no answer: %v", err)
	}
	l.decide(on(71), "Eve", before, finding, "upheld")
	if _, settled := l.history.Settlement(finding); !settled {
		t.Error("not settled for the facts")
	}
	l.agrees()
}

func TestADecisionOfWhoMayNotOrOfNoAnswerIsNoneForTheFactsEither(t *testing.T) {
	l := asking(t, on(30), on(44)) // restricted
	l.approve(on(45), "Ada", StepClose)
	finding := l.c.Findings[0].ID
	dispute := l.dispute(on(45), finding, "false-positive")
	l.decide(on(46), "Ada", dispute, finding, "upheld") // she approved the closure
	l.decide(on(46), "Ben", "no such answer", finding, "upheld")
	l.act(on(46), "Ben", ActionAccepted, "remediation", "no such answer", time.Time{}, "finding", finding)
	if _, settled := l.history.Settlement(finding); settled || len(l.c.Reviews) != 1 {
		t.Errorf("settled %t, waiting %+v", settled, l.c.Reviews)
	}
	l.agrees()
	l.decide(on(47), "Ben", dispute, finding, "upheld")
	l.agrees()
	if state := l.settle(on(47)); l.c.Standing != Pending {
		t.Errorf("stated %v: %+v", kinds(state), l.c)
	}
}

func TestWhatIsAcceptedBehindAnUpheldDisputeIsUpheldForTheFactsStill(t *testing.T) {
	l := silent(t, on(30), on(44))
	finding := l.c.Findings[0].ID
	cure := l.answer(on(45), statement.Remediation{RemediationKind: AnswerCure, Text: "t", Finding: finding})
	dispute := l.dispute(on(45), finding, "false-positive")
	l.decide(on(46), "Ben", dispute, finding, "upheld")
	l.act(on(46), "Cleo", ActionAccepted, "remediation", cure, time.Time{}, "finding", finding) // nobody has stated the cure yet
	l.agrees()
	l.settle(on(46))
	l.run(on(46), on(76).Add(-time.Second))
	if l.c.Standing != Pending || !l.wake.Equal(on(76)) {
		t.Errorf("%s, wakes at %v: %+v", l.c.Standing, l.wake, l.c.Findings)
	}
	l.settle(on(76)) // as long after it was settled as the policy gives
	if l.c.Standing != Warned || len(l.c.Findings) != 1 || l.c.Findings[0].ID == finding {
		t.Errorf("%s: %+v", l.c.Standing, l.c.Findings)
	}
}

func TestADisputeIsHeardHoweverOftenSomethingElseWasAnswered(t *testing.T) {
	l := silent(t, on(30), on(44)) // restricted, and closed on day 51
	finding := l.c.Findings[0].ID
	for range 40 {
		l.answer(on(45), statement.Remediation{RemediationKind: AnswerCure, Text: "t", Finding: finding})
	}
	dispute := l.dispute(on(45), finding, "false-positive")
	if n := len(l.c.Reviews); n != 32 || l.c.Reviews[n-1].ID != dispute || l.c.MayDecide(officer("Ada"), dispute) != nil {
		t.Errorf("%d wait, the last one is %+v", n, l.c.Reviews[n-1])
	}
	l.run(on(45), on(52))
	if l.c.Standing != Restricted {
		t.Errorf("%s, though a dispute is undecided", l.c.Standing)
	}
	l.decide(on(52), "Ada", dispute, finding, "upheld")
	l.agrees()
	if l.settle(on(52)); l.c.Standing != Pending || len(l.c.Reviews) > 0 {
		t.Errorf("%s, %d answers wait", l.c.Standing, len(l.c.Reviews))
	}
}

func TestFactsAndCaseAgreeOnEveryDecisionOfEverybody(t *testing.T) {
	officers := []string{"Ada", "Ben", "Cleo"}
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		l.policy = ladderAlone()
		l.enrol(start)
		at := start
		var answers [][2]string
		for range rapid.IntRange(1, 40).Draw(t, "moves") {
			at = at.Add(rapid.SampledFrom([]time.Duration{time.Second, day, 10 * day}).Draw(t, "later"))
			by := rapid.SampledFrom(officers).Draw(t, "by")
			switch move := rapid.IntRange(0, 7).Draw(t, "move"); {
			case move == 0:
				l.act(at, by, ActionEvidence, "reseller", string(reseller), time.Time{}, "evidence", fmt.Sprint(len(l.entries)), "severity", "critical")
			case move == 1:
				l.approve(at, by, rapid.SampledFrom([]string{StepRestrict, StepClose, StepTerminate}).Draw(t, "step"))
			case move == 2 && l.c.Standing == Terminated:
				l.take(gateway, at, fmt.Sprint("reinstated ", len(l.entries)), statement.RelationshipReinstated{Why: "ours", WhoseError: "provider", By: officer(by)})
			case move <= 4 && len(l.c.Findings) > 0:
				f := l.c.Findings[rapid.IntRange(0, len(l.c.Findings)-1).Draw(t, "finding")].ID
				kind := rapid.SampledFrom([]string{AnswerCure, AnswerDispute}).Draw(t, "kind")
				id := l.answer(at, statement.Remediation{RemediationKind: kind, Text: "t", Finding: f,
					Ground: rapid.SampledFrom([]string{"false-positive", "wrong-severity"}).Draw(t, "ground")})
				answers = append(answers, [2]string{id, f})
			case move <= 6 && len(answers) > 0:
				a := answers[rapid.IntRange(0, len(answers)-1).Draw(t, "answer")]
				if rapid.Bool().Draw(t, "appeal") {
					l.decide(at, by, a[0], a[1], rapid.SampledFrom([]string{"upheld", "rejected"}).Draw(t, "decision"))
				} else {
					l.act(at, by, ActionAccepted, "remediation", a[0], time.Time{}, "finding", a[1])
				}
			}
			l.agrees()
			l.settle(at)
			l.agrees()
		}
	})
}

func TestAnApprovalOfAStepThatIsNotKnownYetDoesNotCount(t *testing.T) {
	l := asking(t, on(30))
	l.approve(on(31), "Ada", StepClose) // warned, and nothing is critical: the restriction comes first
	if len(l.c.Grants) > 0 {
		t.Errorf("counted: %+v", l.c.Grants)
	}
	l.run(on(31), on(60))
	if l.c.Standing != Restricted || l.next.Waits == "" {
		t.Errorf("%s, next %+v", l.c.Standing, l.next)
	}
	l.approve(on(60), "Ada", StepClose)
	l.settle(on(60))
	if l.c.Standing != Closing {
		t.Errorf("%s, next %+v", l.c.Standing, l.next)
	}
}

func TestAnApprovalOfAClosureAtOnceIsNoneOfTheClosureThatComesInItsTurn(t *testing.T) {
	l := asking(t, on(30))
	l.act(on(31), "Cleo", ActionEvidence, "reseller", string(reseller), time.Time{}, "evidence", "e", "severity", "critical")
	l.act(on(31), "Dan", ActionPaused, "gateway", "g", time.Time{}) // about the reseller it means nothing
	l.house.Paused = &Pause{Since: on(31)}
	l.settle(on(31))
	evidence := l.c.Findings[1].ID
	l.approve(on(32), "Ada", StepClose)
	if len(l.c.Grants) != 1 || !l.c.Grants[0].Urgent {
		t.Fatalf("%+v", l.c.Grants)
	}
	dispute := l.dispute(on(33), evidence, "false-positive")
	l.decide(on(34), "Ben", dispute, evidence, "upheld")
	l.settle(on(34))
	l.house.Paused = nil
	l.run(on(34), on(60))
	if l.c.Standing != Restricted || l.next.Waits == "" {
		t.Fatalf("%s, next %+v, %+v", l.c.Standing, l.next, l.c.Grants)
	}
	if err := MayApprove(l.policy, reseller, l.c, officer("Ada"), l.approval(StepClose)); err != nil {
		t.Errorf("the one who approved the other closure: %v", err)
	}
	l.approve(on(60), "Ada", StepClose)
	l.settle(on(60))
	if l.c.Standing != Closing {
		t.Errorf("%s, next %+v", l.c.Standing, l.next)
	}
}
