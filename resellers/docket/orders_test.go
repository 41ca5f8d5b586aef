package docket

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// implicating is the automatic policy by which customers' accounts are closed alone.
func implicating(t *testing.T, most int) policy.Policy {
	t.Helper()
	file := automatic(t).Document()
	for from, to := range map[string]string{
		"      value: reseller\n": "      value: implicated\n", "      value: 10000\n": fmt.Sprintf("      value: %d\n", most),
	} {
		if strings.Count(file, from) != 1 {
			t.Fatalf("the shipped policy holds %q %d times", from, strings.Count(file, from))
		}
		file = strings.Replace(file, from, to, 1)
	}
	p, err := policy.Parse([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// enrolUnder states that an entity came in, or came in again, below another.
func (w *world) enrolUnder(entity, superior envelope.Entity, tier int) {
	w.t.Helper()
	keys, err := envelope.NewKeys(keySet(seeded(w.t, 'r')))
	if err != nil {
		w.t.Fatal(err)
	}
	w.stated++
	w.append(w.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: w.now, JTI: fmt.Sprint("enrolled-", w.stated),
		EventURI: statement.KindEntityEnrolled.URI(), Subject: envelope.Subject{Format: "uri", URI: string(entity)},
		Event: statement.EntityEnrolled{Entity: entity, Name: "Below", Country: "DE", Superior: superior, Contact: "compliance@example.com", Tier: tier,
			Invitation: fmt.Sprintf("0190f0a0-0000-7000-8000-%012d", w.stated), FederationKeys: keys.Marshal(), Keys: keys.Marshal(), Configuration: "a.b.c"}}))
}

// open opens many accounts of a customer in one commit.
func (w *world) open(entity envelope.Entity, customer string, accounts int) {
	w.t.Helper()
	var sets []envelope.Verified
	for i := range accounts {
		w.stated++
		said := statement.AccountStatus{Account: fmt.Sprintf("many-%03d", i), Status: "opened", On: w.today(), Products: []string{"storage"}, Plan: "paid"}
		set, err := seeded(w.t, 'r').Sign(envelope.Draft{Issuer: entity, Audience: self, IssuedAt: w.now, JTI: fmt.Sprint("customers-", w.stated),
			EventURI: said.Kind().URI(), Event: said, Subject: envelope.Subject{Format: "opaque", ID: customer}})
		if err != nil {
			w.t.Fatal(err)
		}
		sets = append(sets, set)
	}
	if _, err := w.ledger.Append(w.t.Context(), sets...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sweep(d *Docket, on int) {
	w.t.Helper()
	w.now = epoch.AddDate(0, 0, on)
	if _, err := d.Sweep(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// about are the statements of a kind about an entity, with their jtis.
func about[S statement.Statement](w *world, entity envelope.Entity) (said []S, jtis []string) {
	w.t.Helper()
	entries, err := w.ledger.About(w.t.Context(), entity.ID(), 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if s, is := e.Statement.(S); is {
			said, jtis = append(said, s), append(jtis, e.JTI)
		}
	}
	return said, jtis
}

// states tells how the orders of a list stand, the newest first.
func (w *world) states(d *Docket, wanted OrderFilter) string {
	w.t.Helper()
	orders, err := d.Orders(w.t.Context(), wanted, -1, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var told []string
	for _, o := range orders {
		line := fmt.Sprintf("%s %s", o.Name, o.State())
		if o.Overdue(w.now) {
			line += " overdue"
		}
		if by := o.Confirmed; !by.At.IsZero() {
			line += fmt.Sprintf(" by %s%s", by.By, by.Officer.ID)
		}
		told = append(told, line)
	}
	return strings.Join(told, "; ")
}

// rebuilt checks that folding everything again gives the same tables, and that nothing more is stated.
func (w *world) rebuilt(d *Docket) {
	w.t.Helper()
	w.sweep(d, int(w.now.Sub(epoch)/day))
	size, before := len(said(w.t, w)), tables(w.t, w)
	if err := d.Rebuild(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.sweep(d, int(w.now.Sub(epoch)/day))
	if after := tables(w.t, w); after != before {
		w.t.Errorf("rebuilt:\n%s\nwanted:\n%s", after, before)
	}
	if more := len(said(w.t, w)); more != size {
		w.t.Errorf("%d entries after the rebuild, wanted %d", more, size)
	}
}

// A reseller of whom only customers fall short: their accounts are ordered closed, all of them, in as few orders as they fit into, and the
// guard counts them and no others. Each order is confirmed by itself, by the reseller or the provider's own people, and withdrawn by the cure.
func TestAClosureOfImplicatedCustomersNamesTheirOpenAccountsAndNoOthers(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.policy = implicating(t, 500)
		d := w.mustDocket()
		w.enrol(silent)
		w.attest(silent)
		w.open(silent, "c-many", 199)
		for _, account := range []string{"a-1", "a-2", "a-3"} {
			w.account(silent, "c-1", account, "opened")
		}
		w.verify(silent, "c-2", "BR", "low")
		w.account(silent, "c-2", "a-1", "opened")
		for _, on := range []int{0, 30, 44} {
			w.sweep(d, on)
		}
		w.account(silent, "c-1", "a-2", "closed")
		w.account(silent, "c-late", "a-1", "opened") // unverified too, and not for too long
		w.sweep(d, 51)
		closures, jtis := about[statement.ClosureOrdered](w, silent)
		if len(closures) != 2 || closures[0].Part != 1 || closures[1].Part != 2 || closures[0].Parts != 2 || closures[0].Total != 201 || closures[0].Scope != escalation.CustomerAccounts {
			t.Fatalf("%d orders: %.300v", len(closures), closures)
		}
		var named []string
		for _, c := range closures {
			for _, a := range c.Accounts {
				named = append(named, a.Customer+"/"+a.Account)
			}
		}
		if !slices.IsSorted(named) || len(named) != 201 || named[0] != "c-1/a-1" || named[1] != "c-1/a-3" || named[200] != "c-many/many-198" || len(closures[1].Accounts) != 1 {
			t.Errorf("%d accounts: %v", len(named), named)
		}
		house, err := d.House(t.Context())
		if err != nil || house.Counts.Closures != 1 || house.Counts.Accounts != 201 {
			t.Errorf("the guard counts %+v, %v; wanted one closure of 201 accounts", house.Counts, err)
		}
		if file, _ := d.Open(t.Context(), silent.ID()); !strings.Contains(escalation.Why(w.policy, file.Case), "The accounts of the customers that the findings name are ordered closed") {
			t.Errorf("why: %q", escalation.Why(w.policy, file.Case))
		}

		w.state(silent, "", statement.OrderConfirmation{Order: jtis[0], Outcome: "done", On: w.today()})
		w.state(silent, "", statement.OrderConfirmation{Order: jtis[1], Outcome: "cannot", On: w.today(), Reason: "A court said so."})
		w.state(late, "", statement.OrderConfirmation{Order: jtis[1], Outcome: "done", On: w.today()}) // not its order
		w.sweep(d, 51)
		if got, want := w.states(d, OrderFilter{Name: escalation.CustomerAccounts}), "customer-accounts open; customer-accounts confirmed by "+string(silent); got != want {
			t.Errorf("%s, wanted %s", got, want)
		}
		w.sweep(d, 54)
		if got, want := w.states(d, OrderFilter{State: OrdersOverdue}), "customer-accounts open overdue"; got != want {
			t.Errorf("overdue: %s, wanted %s", got, want)
		}
		w.act(silent, "Mara", history.ActionOrderConfirmed, "order", jtis[1], func(s *statement.OfficerAction) {
			s.Details = []statement.Field{{Name: "outcome", Value: "done"}, {Name: "on", Value: "2026-04-24"}}
		})
		w.sweep(d, 54)
		w.rebuilt(d)
		want := "customer-accounts confirmed by mara; customer-accounts confirmed by " + string(silent) + "; no-new-accounts open"
		if got := w.states(d, OrderFilter{}); got != want {
			t.Errorf("%s, wanted %s", got, want)
		}

		w.verify(silent, "c-1", "BR", "low")
		w.verify(silent, "c-many", "BR", "low")
		w.sweep(d, 55)
		if got := w.states(d, OrderFilter{State: escalation.OrderWithdrawn}); strings.Count(got, "withdrawn") != 3 {
			t.Errorf("after the cure: %s", got)
		}
		w.rebuilt(d)
	})
}

// Whoever confirmed an order corrects it: then the list shows it open, and the facts say that it is owed; and an officer corrects no
// reseller's word.
func TestAConfirmationThatIsCorrectedReopensTheOrderInTheListAndForTheFacts(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.policy = automatic(t)
		d := w.mustDocket()
		w.enrol(silent)
		for _, on := range []int{0, 30, 44, 51} {
			w.sweep(d, on)
		}
		_, jtis := about[statement.ClosureOrdered](w, silent)
		stands := func(on int, state string, owed bool) {
			t.Helper()
			w.sweep(d, on)
			order, err := d.Order(t.Context(), jtis[0])
			if err != nil || order.State() != state {
				t.Errorf("day %d: the list says %s, %v; wanted %s", on, order.State(), err, state)
			}
			file, err := d.Open(t.Context(), silent.ID())
			if err != nil || (len(file.History.Orders.Open) == 1) != owed {
				t.Errorf("day %d: the facts owe %+v, %v; wanted it owed: %t", on, file.History.Orders.Open, err, owed)
			}
			found := slices.ContainsFunc(file.Case.Findings, func(f escalation.Open) bool { return f.Rule == policy.OrderOverdue })
			if overdue := owed && on > 54; found != overdue {
				t.Errorf("day %d: found overdue: %t, wanted %t: %+v", on, found, overdue, file.Case.Findings)
			}
		}
		says := func(outcome, supersedes string) string {
			said := statement.OrderConfirmation{Order: jtis[0], Outcome: outcome, On: w.today(), Supersedes: supersedes}
			if outcome != "done" {
				said.Reason = "One account is left."
			}
			w.state(silent, "", said)
			return fmt.Sprint("customers-", w.stated)
		}
		stands(51, escalation.OrderOpen, true)
		done := says("done", "")
		stands(52, escalation.OrderConfirmed, false)
		w.act(silent, "Mara", history.ActionOrderConfirmed, "order", jtis[0], func(s *statement.OfficerAction) {
			s.Details = []statement.Field{{Name: "outcome", Value: "cannot"}, {Name: "on", Value: "2026-04-24"}, {Name: "supersedes", Value: done}}
		})
		stands(55, escalation.OrderConfirmed, false)
		says("partly", done)
		stands(56, escalation.OrderOpen, true)
		w.rebuilt(d)
		again := says("done", "")
		stands(57, escalation.OrderConfirmed, false)
		says("cannot", again)
		stands(58, escalation.OrderOpen, true)
		w.rebuilt(d)
	})
}

// More accounts than one closure may name, or a finding that names nobody, and the reseller's own account is meant.
func TestWhereNotEveryFindingNamesCustomersTheResellersOwnAccountIsOrderedClosed(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.policy = implicating(t, 2)
		d := w.mustDocket()
		w.enrol(silent) // and never attests
		w.account(silent, "c-1", "a-1", "opened")
		w.enrol(late)
		w.attest(late)
		w.open(late, "c-1", 3)
		for _, on := range []int{0, 30, 44, 51, 52} { // one closure a day, by the guard
			w.sweep(d, on)
		}
		for _, of := range []envelope.Entity{silent, late} {
			closures, _ := about[statement.ClosureOrdered](w, of)
			if len(closures) != 1 || closures[0].Scope != escalation.CloseAccount || closures[0].Accounts != nil {
				t.Errorf("%s: %+v", of, closures)
			}
		}
	})
}

// succession is a story of a hand-over: one reseller falls, its verified customers go to another, and whoever stands below is told.
var succession = []scene{
	{0, func(w *world) {
		w.enrol(silent)
		w.enrol(late)
		w.enrolUnder(below, silent, 2)
		for _, one := range []envelope.Entity{late, below} {
			w.now = w.now.Add(time.Second)
			w.attest(one)
		}
		for _, customer := range []string{"c-1", "c-2"} {
			w.verify(silent, customer, "BR", "low")
			w.account(silent, customer, "a-1", "opened")
		}
	}},
	{30 * day, nil},
	{44 * day, func(w *world) {
		w.account(silent, "c-3", "a-1", "opened") // nobody verified it
		w.act(silent, "Mara", escalation.ActionSuccessorNamed, "case", w.caseOf(silent), func(s *statement.OfficerAction) {
			s.EndsAt, s.Details = epoch.Add(90*day), []statement.Field{{Name: "successor", Value: string(late)}}
		})
	}},
	{51 * day, nil},
	{59 * day, nil},
	{90 * day, nil},
}

const below = envelope.Entity("https://provider.example/e/below")

// Whatever a process dies of, the customers are handed over once, and those below are told once of each turn.
func TestAtATerminationVerifiedCustomersGoToTheSuccessorAndEveryOtherAccountIsOrderedClosed(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.policy = automatic(t)
		play(t, w, succession, &killer{after: -1})
		d := w.mustDocket()
		handed, jtis := about[statement.HandOverOrdered](w, silent)
		ended, _ := about[statement.RelationshipTerminated](w, silent)
		if len(handed) != 1 || handed[0].Successor != late || handed[0].Accounts != 2 || len(ended) != 1 || ended[0].HandedOver != 2 {
			t.Fatalf("handed over %+v, ended %+v", handed, ended)
		}
		if !strings.Contains(ended[0].Why, string(late)+" takes the accounts of verified customers until") {
			t.Errorf("why: %s", ended[0].Why)
		}
		var counted guardRow
		if err := w.db.Where("kind = ?", escalation.GuardTerminations).Take(&counted).Error; err != nil || counted.Accounts != 1 {
			t.Errorf("the guard counts %d accounts, %v; wanted the one that nobody verified", counted.Accounts, err)
		}
		if got, want := w.states(d, OrderFilter{State: OrdersOverdue, Name: escalation.HandOver}), "hand-over open overdue"; got != want {
			t.Errorf("on the day by which it is done: %q, wanted %q", got, want)
		}
		w.state(late, "", statement.OrderConfirmation{Order: jtis[0], Outcome: "done", On: w.today()})
		w.sweep(d, 90)
		successor := late.ID()
		if got, want := w.states(d, OrderFilter{Successor: &successor}), "hand-over confirmed by "+string(late); got != want {
			t.Errorf("%s, wanted %s", got, want)
		}

		told, _ := about[statement.SuperiorChanged](w, below)
		if len(told) != 2 || told[0].Status != statement.SuperiorClosing || told[1].Status != statement.SuperiorTerminated ||
			!told[0].FindBy.Equal(epoch.Add(81*day)) || !told[1].FindBy.Equal(told[0].FindBy) {
			t.Errorf("told: %+v", told)
		}
		w.enrolUnder(below, late, 2)
		w.sweep(d, 90)
		file, err := d.Open(t.Context(), below.ID())
		if err != nil || file.History.Superior.Leaves() || file.History.Superior.Entity != late || file.History.AttestationCount != 1 {
			t.Errorf("enrolled again: %+v, %v", file.History.Superior, err)
		}
		if under, err := d.Below(t.Context(), late.ID(), nil, 10); err != nil || len(under) != 1 || under[0].Entity != below {
			t.Errorf("below: %+v, %v", under, err)
		}
		w.rebuilt(d)
	})
}

func TestAHandOverSurvivesBeingKilled(t *testing.T) {
	var steps int
	var want []string
	for after := -1; after < steps || after < 0; after += 37 {
		url := migrationstest.URL(t, "sqlite")
		w := newWorld(t, migrationstest.Open(t, url))
		w.policy = automatic(t)
		k := &killer{after: after}
		play(t, w, succession, k)
		got := said(t, w)
		if after < 0 {
			want, steps = got, k.steps
			continue
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("killed after %d steps:\n%s\nwanted:\n%s", after, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// A superior that is cured stays, and those below are told that too.
func TestWhoeverStandsBelowIsToldThatTheSuperiorStays(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.policy = automatic(t)
		d := w.mustDocket()
		w.enrol(silent)
		w.enrolUnder(below, silent, 2)
		w.attest(below)
		for _, on := range []int{0, 30, 44, 51, 52} {
			w.sweep(d, on)
		}
		w.now = w.now.Add(time.Minute)
		w.attest(silent)
		w.sweep(d, 53)
		told, _ := about[statement.SuperiorChanged](w, below)
		if len(told) != 2 || told[0].Status != statement.SuperiorClosing || told[1].Status != statement.SuperiorStays || told[1].Number != 2 {
			t.Errorf("told: %+v", told)
		}
		file, err := d.Open(t.Context(), below.ID())
		if err != nil || file.History.Superior.Leaves() {
			t.Errorf("%+v, %v", file.History.Superior, err)
		}
	})
}
