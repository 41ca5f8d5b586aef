package escalation

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// held is a reseller of whom customer a is unverified, judged at these times, by a policy that closes customers' accounts.
func held(t tester, people int, judged ...time.Time) *life {
	l := newLife(t)
	l.policy.Case.Close.Scope.Value = policy.CloseImplicated
	l.policy.Case.Approvals.Close = policy.Approval{People: people, Critical: people, Silence: policy.SilenceHolds}
	l.enrol(start)
	l.attest(start, "initial")
	l.account(start, "a", "opened")
	for _, at := range judged {
		l.settle(at)
	}
	return l
}

// names lets every finding that is open name these customers, each with accounts of its own.
func (l *life) names(accounts map[string]int) {
	h := Holdings{Named: map[string][]Holding{}}
	for _, f := range l.c.Behind() {
		for customer, n := range accounts {
			h.Named[f.ID] = append(h.Named[f.ID], Holding{customer, n})
		}
	}
	l.house.Holdings = h
}

// lists fills in the accounts that a closure names.
func (l *life) lists(n int) {
	l.house.Holdings.Accounts = nil
	for i := range n {
		l.house.Holdings.Accounts = append(l.house.Holdings.Accounts, statement.AccountNamed{Customer: "a", Account: fmt.Sprintf("%04d", i)})
	}
}

func closures(l *life) (all []statement.ClosureOrdered) {
	for _, e := range l.entries {
		if s, is := e.Statement.(statement.ClosureOrdered); is {
			all = append(all, s)
		}
	}
	return all
}

func TestWhatAClosureClosesFollowsFromThePolicyAndTheFindings(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*life)
		want   string
		orders int
	}{
		"the customers that the findings name": {func(l *life) { l.names(map[string]int{"a": 2}); l.lists(2) }, CustomerAccounts, 1},
		"more accounts than one order names":   {func(l *life) { l.names(map[string]int{"a": 401}); l.lists(401) }, CustomerAccounts, 3},
		"as many as one closure may name":      {func(l *life) { l.policy.Case.Close.Most.Value = 2; l.names(map[string]int{"a": 2}); l.lists(2) }, CustomerAccounts, 1},
		"more than one closure may name":       {func(l *life) { l.policy.Case.Close.Most.Value = 1; l.names(map[string]int{"a": 2}); l.lists(2) }, CloseAccount, 1},
		"a finding that names nobody":          {func(*life) {}, CloseAccount, 1},
		"a policy that closes the reseller's": {func(l *life) {
			l.policy.Case.Close.Scope.Value = policy.CloseReseller
			l.names(map[string]int{"a": 2})
			l.lists(2)
		}, CloseAccount, 1},
		"an earlier policy": {func(l *life) { l.policy.Case.Close = policy.Closing{}; l.names(map[string]int{"a": 2}) }, CloseAccount, 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := held(t, 0, on(30), on(44))
			c.change(l)
			l.settle(on(51))
			all := closures(l)
			if len(all) != c.orders || all[0].Scope != c.want || l.c.Orders[len(l.c.Orders)-1].Name != c.want || l.c.Standing != Closing {
				t.Fatalf("%d orders, the first of %s, in force %v", len(all), all[0].Scope, l.c.Orders)
			}
			named := 0
			for i, one := range all {
				if named += len(one.Accounts); c.want == CustomerAccounts && (one.Part != i+1 || one.Parts != c.orders || one.Total != len(l.house.Holdings.Accounts)) {
					t.Errorf("part %d of %d, %d in all", one.Part, one.Parts, one.Total)
				}
			}
			if c.want == CustomerAccounts && named != all[0].Total {
				t.Errorf("%d accounts are named of %d", named, all[0].Total)
			}
		})
	}
}

// The approval of one scope is none of the other, and comes back with it.
func TestWhoeverApprovedThatACustomersAccountIsClosedDidNotApproveThatTheResellersIs(t *testing.T) {
	l := held(t, 1, on(30), on(44))
	l.names(map[string]int{"a": 2})
	l.lists(2)
	asked := Approvals(&l.policy, reseller, l.c, l.history, l.house, on(45))
	customers := statement.ClosureOrdered{Case: l.c.ID, Scope: CustomerAccounts}
	if len(asked) != 1 || asked[0].ID != ID(reseller, customers) || !strings.Contains(asked[0].Does, "accounts of the customers") {
		t.Fatalf("asked %+v", asked)
	}
	if err := MayApprove(l.policy, reseller, l.c, officer("Mara"), asked[0].ID); err != nil {
		t.Fatal(err)
	}
	l.act(on(45), "Mara", ActionApproved, "approval", asked[0].ID, time.Time{})
	l.house.Holdings = Holdings{} // another finding joined that names nobody
	l.settle(on(51))
	if l.c.Standing != Restricted {
		t.Fatalf("the reseller's account was closed upon the approval of a customer's: %s", l.c.Standing)
	}
	if asked := Approvals(&l.policy, reseller, l.c, l.history, l.house, on(51)); len(asked) != 1 || !asked[0].Pending() || asked[0].ID == ID(reseller, customers) {
		t.Errorf("asked %+v", asked)
	}
	l.names(map[string]int{"a": 2})
	l.lists(2)
	l.settle(on(52))
	if l.c.Standing != Closing || closures(l)[0].Scope != CustomerAccounts {
		t.Errorf("%s: %+v", l.c.Standing, closures(l))
	}
}

// The guard counts what a closure names, exactly, and holds one that is too many until two people release it.
func TestTheGuardCountsTheAccountsThatAClosureNames(t *testing.T) {
	l := held(t, 0, on(30), on(44))
	l.policy.Guard.Accounts.Value = 400
	l.names(map[string]int{"a": 401})
	l.lists(401)
	l.settle(on(51))
	if l.c.Standing != Restricted {
		t.Fatalf("closed over the guard's number: %s", l.c.Standing)
	}
	l.names(map[string]int{"a": 400})
	l.lists(400)
	l.settle(on(51))
	if l.c.Standing != Closing {
		t.Errorf("as many as the guard lets through: %s", l.c.Standing)
	}
}

// What is decided and not listed yet is stated by nobody: the schema refuses it.
func TestAClosureWhoseAccountsNobodyListedIsKnownAsSuch(t *testing.T) {
	l := held(t, 0, on(30), on(44))
	l.names(map[string]int{"a": 2})
	found, _ := l.assess(l.policy, l.history, on(51))
	state, _, err := Decide(&l.policy, reseller, l.c, l.history, l.house, found, on(51))
	if err != nil || !ListsAccounts(state) {
		t.Fatalf("%+v, %v", state, err)
	}
	l.lists(2)
	state, _, err = Decide(&l.policy, reseller, l.c, l.history, l.house, found, on(51))
	if err != nil || ListsAccounts(state) {
		t.Errorf("%+v, %v", state, err)
	}
}

func TestAtATerminationASuccessorTakesVerifiedCustomersUnlessItCannot(t *testing.T) {
	const successor = envelope.Entity("https://successor.example")
	for name, c := range map[string]struct {
		change func(*life)
		want   []statement.Kind
		says   string
	}{
		"nobody is named": {func(*life) {}, []statement.Kind{"closure-ordered", "relationship-terminated"}, "Every account that is left is ordered closed."},
		"a successor":     {func(l *life) { l.successor(on(45), on(90), successor) }, []statement.Kind{"hand-over-ordered", "closure-ordered", "relationship-terminated"}, "takes the accounts of verified customers until 2026-04-01"},
		"one that was taken back": {func(l *life) {
			l.successor(on(45), on(90), successor)
			l.act(on(46), "Mara", ActionSuccessorDropped, "case", l.c.ID, time.Time{})
		}, []statement.Kind{"closure-ordered", "relationship-terminated"}, "Every account that is left"},
		"one whose time has passed": {func(l *life) { l.successor(on(45), on(58), successor) }, []statement.Kind{"closure-ordered", "relationship-terminated"}, "ended at"},
		"one that is closing itself": {func(l *life) {
			l.successor(on(45), on(90), successor)
			l.house.Holdings.SuccessorGone = true
		}, []statement.Kind{"closure-ordered", "relationship-terminated"}, "is closing or terminated itself"},
		"itself":            {func(l *life) { l.successor(on(45), on(90), reseller) }, []statement.Kind{"closure-ordered", "relationship-terminated"}, "Every account"},
		"an earlier policy": {func(l *life) { l.policy.Case.Close = policy.Closing{}; l.successor(on(45), on(90), successor) }, []statement.Kind{"relationship-terminated"}, "The limit of the case was"},
		"named for no case": {func(l *life) {
			l.act(on(45), "Mara", ActionSuccessorNamed, "case", "another", on(90), "successor", string(successor))
		}, []statement.Kind{"closure-ordered", "relationship-terminated"}, "Every account"},
	} {
		t.Run(name, func(t *testing.T) {
			l := silent(t, on(30), on(44))
			l.house.Holdings.HandOver = 2
			l.history.Figures.AccountsOpen = 3
			c.change(l)
			l.settle(on(51))
			state := l.settle(on(59))
			got := kinds(state)
			if got = got[:len(got)-1]; !reflect.DeepEqual(got, c.want) {
				t.Fatalf("stated %v, wanted %v", got, c.want)
			}
			ended := state[len(state)-2].(statement.RelationshipTerminated)
			handed := len(c.want) == 3
			if !strings.Contains(ended.Why, c.says) || (ended.HandedOver == 2) != handed {
				t.Errorf("handed over %d: %s", ended.HandedOver, ended.Why)
			}
			l.take(gateway, on(60), "reinstated", statement.RelationshipReinstated{Why: "It was wrong.", WhoseError: "gateway", By: officer("Mara"), Case: l.c.ID})
			l.settle(on(60))
			if len(l.c.Orders) > 0 || l.c.Successor != nil {
				t.Errorf("reinstated, and in force %v, successor %+v", l.c.Orders, l.c.Successor)
			}
		})
	}
}

// successor has an officer name who takes the customers.
func (l *life) successor(at, until time.Time, entity envelope.Entity) {
	l.act(at, "Mara", ActionSuccessorNamed, "case", l.c.ID, until, "successor", string(entity))
}

func TestWhoMayBeNamedAndUntilWhen(t *testing.T) {
	l := silent(t, on(30), on(44))
	may := func(successor envelope.Entity, until time.Time) error {
		return MayName(l.policy, reseller, l.c, l.house, successor, until, on(45))
	}
	if err := may("https://successor.example", on(61)); err != nil {
		t.Error(err)
	}
	if err := may("https://successor.example", on(60)); !errors.Is(err, ErrNotLater) {
		t.Errorf("until the limit: %v", err)
	}
	if err := may(reseller, on(61)); !errors.Is(err, ErrSuccessor) {
		t.Errorf("itself: %v", err)
	}
	if err := MayDrop(l.c); !errors.Is(err, ErrUnknown) {
		t.Errorf("nobody was named: %v", err)
	}
	l.settle(on(51))
	l.settle(on(59))
	if err := may("https://successor.example", on(99)); !errors.Is(err, ErrNoCase) || !strings.Contains(err.Error(), "Reinstate") {
		t.Errorf("after the end: %v", err)
	}
}

// Whatever entries come, in whatever order and however often: an order that was withdrawn stays so, and one that was confirmed stays so
// unless whoever confirmed it takes it back or it is withdrawn. Nobody else's word moves it.
func TestWhateverIsSaidOfAnOrderOnlyWhoMaySaysWhetherItIsDone(t *testing.T) {
	const successor, stranger = envelope.Entity("https://successor.example"), envelope.Entity("https://stranger.example")
	rapid.Check(t, func(t *rapid.T) {
		o, is := OrderOf(statement.Entry{LeafIndex: 7, AcceptedAt: start, About: reseller, By: gateway, JTI: "order",
			Statement: statement.HandOverOrdered{Case: "case", Order: HandOver, Successor: successor, Until: on(9)}}, time.Hour)
		if !is || !o.DueAt.Equal(on(9)) || o.State() != OrderOpen {
			t.Fatalf("%+v", o)
		}
		for i := range rapid.IntRange(1, 12).Draw(t, "entries") {
			outcome := rapid.SampledFrom([]string{"done", "partly", "cannot"}).Draw(t, "outcome")
			by := rapid.SampledFrom([]envelope.Entity{reseller, successor, stranger}).Draw(t, "by")
			supersedes := rapid.SampledFrom([]string{"", o.Confirmed.JTI, "another"}).Draw(t, "supersedes")
			e := statement.Entry{LeafIndex: int64(8 + i), AcceptedAt: on(float64(i)), JTI: fmt.Sprint("jti-", i)}
			before := o
			var mine bool
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				e.About, e.By, e.Statement = by, by, statement.OrderConfirmation{Order: "order", Outcome: outcome, Supersedes: supersedes}
				mine = by != stranger
				if rapid.Bool().Draw(t, "by a system") { // of the provider, which names the reseller; no system confirms what the successor does
					e.By, mine = "https://gateway.example/systems/billing", by == reseller
				}
			case 1:
				e.About, e.By = reseller, rapid.SampledFrom([]envelope.Entity{gateway, reseller}).Draw(t, "signed by")
				e.Statement = statement.OfficerAction{Officer: officer("Mara"), Action: "order.confirmed", On: statement.Target{Type: "order", ID: "order"},
					Details: []statement.Field{{Name: "outcome", Value: outcome}, {Name: "supersedes", Value: supersedes}}}
				mine = e.By == gateway
			case 2:
				e.About, e.By, e.Statement = reseller, gateway, statement.OrderWithdrawn{Case: "case", Order: HandOver}
				if o = o.With(e); o.State() != OrderWithdrawn {
					t.Fatalf("withdrawn, and %s", o.State())
				}
				continue
			default:
				e.About, e.By, e.Statement = by, gateway, statement.NoticeProved{Notice: "order", Channel: "set-acknowledged"}
				if o = o.With(e); o.State() != before.State() || by != reseller && o.Acknowledged != before.Acknowledged {
					t.Fatalf("proved about %s: %+v", by, o)
				}
				continue
			}
			o = o.With(e)
			switch {
			case e.By != reseller && e.By != gateway && e.By != successor && o.Acknowledged != before.Acknowledged:
				t.Fatalf("the reseller has it by another's word: %+v", e)
			case mine && e.By != gateway && o.Answer.By != e.By:
				t.Fatalf("said by %s, and shown as by %q", e.By, o.Answer.By)
			case !mine && o != before:
				t.Fatalf("moved by whose word does not count: %+v", e)
			case before.State() == OrderWithdrawn && o.State() != OrderWithdrawn:
				t.Fatalf("withdrawn, and then %s", o.State())
			case mine && outcome == "done" && o.Confirmed.At.IsZero():
				t.Fatalf("done, and not confirmed: %+v", o)
			case !before.Confirmed.At.IsZero() && o.Confirmed.At.IsZero() && (supersedes != before.Confirmed.JTI || outcome == "done"):
				t.Fatalf("not confirmed any more by %+v", e)
			}
			if o.With(e) != o && supersedes != before.Confirmed.JTI {
				t.Fatalf("the same again moves it")
			}
		}
	})
}

// A restriction forbids: it is in force until it is withdrawn, and never overdue.
func TestOnlyAnOrderToActIsOverdue(t *testing.T) {
	for _, c := range []struct {
		said    statement.Statement
		overdue bool
	}{
		{statement.RestrictionOrdered{Order: NoNewAccounts}, false},
		{statement.ClosureOrdered{Scope: CloseAccount}, true},
		{statement.ClosureOrdered{Scope: RemainingAccounts}, true},
	} {
		o, is := OrderOf(statement.Entry{About: reseller, By: gateway, AcceptedAt: start, Statement: c.said}, 3*day)
		if !is || o.Overdue(on(2.9)) || o.Overdue(on(3)) != c.overdue {
			t.Errorf("%+v: %+v", c.said, o)
		}
	}
	if _, is := OrderOf(statement.Entry{About: reseller, By: reseller, Statement: statement.RestrictionOrdered{}}, 0); is {
		t.Error("a reseller orders itself")
	}
}
