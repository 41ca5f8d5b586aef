package escalation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
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

// Who says that an order was carried out, and then that it was not wholly, owes it since it was given, however often that is said.
func TestAConfirmationThatIsTakenBackLeavesTheOrderOverdueSinceItWas(t *testing.T) {
	l := newLife(t)
	l.policy.Rules.OrderOverdue.On = true
	l.enrol(start)
	l.run(start, on(51))
	order := l.notice()
	says := func(at time.Time, jti, outcome, supersedes string) []statement.Kind {
		l.take(reseller, at, jti, statement.OrderConfirmation{Order: order, Outcome: outcome, On: statement.DateOf(at), Supersedes: supersedes})
		return kinds(l.settle(at))
	}
	says(on(52), "done", "done", "")
	l.run(on(52), on(55))
	if len(l.c.Findings) != 1 {
		t.Fatalf("%s", lines(l.told()))
	}
	var found []Open
	for i, at := range []float64{55, 57} {
		done, partly := fmt.Sprint("done ", i), fmt.Sprint("partly ", i)
		if i == 0 {
			done = "done"
		} else if got := says(on(at-1), done, "done", ""); !slices.Equal(got, []statement.Kind{"finding-cured"}) {
			t.Errorf("done again: stated %v", got)
		}
		if got := says(on(at), partly, "partly", done); !slices.Equal(got, []statement.Kind{"finding-opened"}) {
			t.Fatalf("not wholly: stated %v: %+v", got, l.c.Findings)
		}
		found = append(found, l.c.Findings[1])
	}
	for _, f := range found {
		if f.Rule != "order.overdue" || !f.Since.Equal(on(54).Add(time.Second)) || f.Case != l.c.ID {
			t.Errorf("found %+v, wanted what is overdue since three days after the order", f)
		}
	}
	if found[0].ID == found[1].ID {
		t.Errorf("two findings of one id, %s", found[0].ID)
	}
}

// The list of orders (Ordered) and the facts (history.Debts) hear the same words, and must take the same orders for done.
func TestTheOrderAndTheFactsAgreeOnEveryWord(t *testing.T) {
	system := envelope.SystemOf(gateway, "billing")
	reached := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		l.enrol(start)
		at := start
		orders, words := map[string]Ordered{}, []string{"none"}
		take := func(by envelope.Entity, jti string, s statement.Statement) {
			at = at.Add(time.Hour)
			l.take(by, at, jti, s)
			e := l.entries[len(l.entries)-1]
			for id, o := range orders {
				orders[id] = o.With(e)
			}
			if o, is := OrderOf(e, 3*day); is {
				orders[o.JTI] = o
			}
		}
		names := []string{"o-1", "o-2"}
		for _, name := range names {
			take(gateway, name, statement.ClosureOrdered{Case: "c", Scope: name})
		}
		for i := range rapid.IntRange(1, 12).Draw(t, "words") {
			jti, name := fmt.Sprint("word ", i), rapid.SampledFrom(names).Draw(t, "order")
			outcome := rapid.SampledFrom([]string{"done", "done", "partly", "cannot"}).Draw(t, "outcome")
			supersedes := ""
			if rapid.IntRange(0, 2).Draw(t, "corrects") > 0 {
				supersedes = rapid.SampledFrom(words[max(0, len(words)-3):]).Draw(t, "which")
			}
			switch by := rapid.SampledFrom([]string{"reseller", "reseller", "system", "Ada", "Ben", "withdrawn"}).Draw(t, "by"); by {
			case "reseller":
				take(reseller, jti, statement.OrderConfirmation{Order: name, Outcome: outcome, Supersedes: supersedes})
			case "system":
				take(system, jti, statement.OrderConfirmation{Order: name, Outcome: outcome, Supersedes: supersedes})
			case "withdrawn":
				if rapid.IntRange(0, 3).Draw(t, "really") == 0 {
					take(gateway, jti, statement.OrderWithdrawn{Case: "c", Order: name})
				}
			default:
				take(gateway, jti, statement.OfficerAction{Officer: officer(by), Action: history.ActionOrderConfirmed, On: statement.Target{Type: "order", ID: name},
					Details: []statement.Field{{Name: "outcome", Value: outcome}, {Name: "supersedes", Value: supersedes}}})
			}
			words = append(words, jti)
			for id, o := range orders {
				open := slices.ContainsFunc(l.history.Orders.Open, func(d history.Debt) bool { return d.ID == id })
				if open != (o.State() == OrderOpen) {
					t.Fatalf("%s is %s in the list, and owed by the facts: %t\n%+v\n%+v", id, o.State(), open, o, l.history.Orders)
				}
				if open && o.Answer.Outcome == history.OutcomeDone {
					t.Fatalf("%s was answered last by done, and is owed: %+v", id, o)
				}
				reached[o.State()]++
				if open && o.Answer.Outcome != "" && supersedes != "" {
					reached["corrected"]++
				}
			}
			if !slices.IsSortedFunc(l.history.Orders.Open, func(a, b history.Debt) int { return int(a.LeafIndex - b.LeafIndex) }) {
				t.Fatalf("the oldest is not first: %+v", l.history.Orders.Open)
			}
			through(l.t, l.history)
		}
	})
	for _, what := range []string{OrderOpen, OrderConfirmed, OrderWithdrawn, "corrected"} {
		if reached[what] == 0 {
			t.Errorf("no order came to be %s: the words that are drawn miss it", what)
		}
	}
}
