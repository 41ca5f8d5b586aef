package escalation

import (
	"testing"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// overdue is a silent reseller whose account was ordered closed on day 51 and whose order is overdue since day 54.
func overdue(t *testing.T) *life {
	t.Helper()
	l := newLife(t)
	l.policy.Rules.OrderOverdue.On = true
	l.policy.Case.Approvals.Terminate = policy.Approval{People: 2, Critical: 1, Silence: policy.SilenceHolds}
	l.enrol(start)
	l.run(start, on(54))
	l.settle(on(54.1))
	if len(l.c.Findings) != 2 || l.c.Findings[1].Rule != policy.OrderOverdue || l.c.Standing != Closing {
		t.Fatalf("%s", lines(l.told()))
	}
	return l
}

func TestAnOverdueOrderAsksForNoOtherPeopleThanItsCase(t *testing.T) {
	l := overdue(t)
	asked := Approvals(&l.policy, reseller, l.c, l.history, l.house, on(55))
	if len(asked) != 1 || asked[0].Step != StepTerminate || asked[0].People != 2 {
		t.Errorf("asked %+v, wanted the two people of a case that is serious", asked)
	}
}

// Neither its withdrawal nor its confirmation says that the case was right.
func TestACaseOfWhichEverythingElseWasWrongWasWrongWhateverBecameOfItsOrder(t *testing.T) {
	for name, confirmed := range map[string]bool{"never confirmed": false, "confirmed late": true} {
		t.Run(name, func(t *testing.T) {
			l := overdue(t)
			finding := l.c.Findings[0].ID
			if confirmed {
				l.take(reseller, on(54.5), "done", statement.OrderConfirmation{Order: l.notice(), Outcome: "done", On: statement.DateOf(on(54.5))})
				if l.settle(on(54.5)); len(l.c.Findings) != 1 || l.c.Findings[0].ID != finding {
					t.Fatalf("confirmed, and open is %+v", l.c.Findings)
				}
			}
			l.decide(on(56), "Eve", l.dispute(on(55), finding, "false-positive"), finding, "upheld")
			l.settle(on(56))
			if l.c.ID != "" || len(l.c.Orders) > 0 || len(l.c.Findings) > 0 || l.c.PastCount != 1 || !l.c.Past[0].Wrong {
				t.Errorf("%s: past %+v, open %+v, orders %+v", l.c.Standing, l.c.Past, l.c.Findings, l.c.Orders)
			}
		})
	}
}
