package escalation

import (
	"slices"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// A restriction forbids and is owed by nobody; a closing is, and is critical three days later. It is no reason of its own: once what the
// case is about is cured, the order is withdrawn and nothing is owed.
func TestAnOverdueOrderJoinsTheCaseAndGoesWithItsOrder(t *testing.T) {
	l := newLife(t)
	l.policy.Rules.OrderOverdue.On = true
	l.enrol(start)
	l.run(start, on(53.9))
	if len(l.c.Findings) != 1 || l.c.Standing != Closing {
		t.Fatalf("%s", lines(l.told()))
	}
	l.run(on(53.9), on(54).Add(time.Second))
	l.settle(on(54).Add(time.Second)) // the order was accepted a moment behind its second
	if n := len(l.c.Findings); n != 2 || l.c.Findings[1].Rule != "order.overdue" || l.c.Findings[1].Severity != severityCritical || l.c.Findings[1].Case != l.c.ID {
		t.Fatalf("%s", lines(l.told()))
	}
	l.attest(on(55), "initial")
	got := kinds(l.settle(on(55)))
	want := []statement.Kind{"finding-cured", "order-withdrawn", "order-withdrawn", "finding-cured", "standing-changed"}
	if !slices.Equal(got, want) || l.c.ID != "" || l.c.Standing != Good || len(l.c.Orders) > 0 {
		t.Errorf("stated %v, and it is %s", got, l.c.Standing)
	}
	l.run(on(55), on(300))
	if l.c.Standing != Good {
		t.Errorf("%s", lines(l.told()))
	}
}

func TestAnOrderThatWasConfirmedIsNotOverdue(t *testing.T) {
	l := newLife(t)
	l.policy.Rules.OrderOverdue.On = true
	l.enrol(start)
	l.run(start, on(51))
	l.take(reseller, on(52), "confirmation", statement.OrderConfirmation{Order: l.notice(), Outcome: "done", On: statement.DateOf(on(52))})
	l.run(on(52), on(58.9))
	if len(l.c.Findings) != 1 || l.c.Standing != Closing {
		t.Errorf("%s", lines(l.told()))
	}
}
