package docket

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/history"
)

// state has a reseller state something of a customer.
func (w *world) state(entity envelope.Entity, customer string, said statement.Statement) {
	w.t.Helper()
	w.stated++
	draft := envelope.Draft{Issuer: entity, Audience: self, IssuedAt: w.now, JTI: fmt.Sprint("customers-", w.stated), EventURI: said.Kind().URI(), Event: said}
	if customer != "" {
		draft.Subject = envelope.Subject{Format: "opaque", ID: customer}
	}
	w.append(seeded(w.t, 'r').Sign(draft))
}

func (w *world) today() statement.Date { return statement.DateOf(w.now) }

func (w *world) verify(entity envelope.Entity, customer, country, risk string) {
	w.t.Helper()
	w.state(entity, customer, statement.CustomerVerification{Party: "customer", Form: "individual", Result: "verified", CheckedOn: w.today(),
		ReasonableBelief: true, RiskTier: risk, Method: "documentary", Countries: &statement.Countries{Home: country}})
}

func (w *world) fail(entity envelope.Entity, customer string) {
	w.t.Helper()
	w.state(entity, customer, statement.CustomerVerification{Party: "customer", Form: "entity", Result: "not-verified", CheckedOn: w.today(),
		RiskTier: "high", Actions: []string{"limited-use"}})
}

func (w *world) own(entity envelope.Entity, customer, owner, country string) {
	w.t.Helper()
	w.state(entity, customer, statement.CustomerVerification{Party: "owner", Form: "individual", Result: "verified", CheckedOn: w.today(),
		ReasonableBelief: true, RiskTier: "low", Method: "both", Countries: &statement.Countries{Home: country},
		Owner: &statement.Owner{ID: owner, Basis: "ownership", SharePercent: 30}})
}

func (w *world) account(entity envelope.Entity, customer, account, status string) {
	w.t.Helper()
	said := statement.AccountStatus{Account: account, Status: status, On: w.today()}
	switch status {
	case "opened":
		said.Products, said.Plan = []string{"storage"}, "trial"
	case "closed", "limited":
		said.Reason = "customer-request"
	}
	w.state(entity, customer, said)
}

func (w *world) train(entity envelope.Entity, customer, transaction, state string) {
	w.t.Helper()
	said := statement.AITraining{Transaction: transaction, State: state,
		Knowledge: []statement.Knowledge{{Actor: "reseller", KnewAt: w.now.Truncate(time.Second)}}}
	if state == "occurred" {
		said.StartedOn = w.today()
	}
	w.state(entity, customer, said)
}

// trade is a story of two resellers' customers, told in pages of one entry and of many.
var trade = []scene{
	{100 * day, func(w *world) { w.enrol(busy); w.attest(busy) }},
	{101 * day, func(w *world) { w.account(busy, "c-1", "a-1", "opened") }},
	{102 * day, func(w *world) {
		w.verify(busy, "c-1", "BR", "low")
		w.own(busy, "c-1", "o-1", "PT")
		w.own(busy, "c-1", "o-2", "BR")
		w.account(busy, "c-1", "a-2", "opened")
		w.account(busy, "c-1", "a-2", "closed")
		w.fail(busy, "c-2")
		w.account(busy, "c-2", "a-1", "opened")
		w.account(busy, "c-3", "a-1", "opened")
		w.train(busy, "c-3", "t-1", "planned")
	}},
	{103 * day, func(w *world) {
		w.own(busy, "c-1", "o-2", "PT") // moved
		w.train(busy, "c-3", "t-1", "occurred")
		w.train(busy, "c-1", "t-2", "planned")
		w.account(busy, "c-4", "a-9", "closed") // nobody opened it
		w.account(busy, "c-1", "a-1", "limited")
		w.verify(busy, "c 5/ü", "BR", "high")
	}},
	{104 * day, func(w *world) {
		w.enrol(other)
		w.verify(other, "c-1", "BR", "low") // another reseller's customer of the same id
		w.verify(busy, "c-3", "CL", "high")
		w.state(busy, "c-2", statement.SuspiciousActivity{Certainty: "actual", DiscoveredAt: w.now.Truncate(time.Second),
			Categories: []string{"integrity"}, Description: "Scans.", Audience: "provider"})
	}},
}

const (
	busy  = envelope.Entity("https://provider.example/e/busy")
	other = envelope.Entity("https://provider.example/e/other")
)

func ids(customers []history.Customer) string {
	var list []string
	for _, c := range customers {
		list = append(list, c.ID)
	}
	return strings.Join(list, " ")
}

func TestCustomersAreReadAsTheyWereStated(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		play(t, w, trade, &killer{after: -1})
		d := w.mustDocket()
		for _, c := range []struct {
			of     envelope.Entity
			filter CustomerFilter
			want   string
		}{
			{busy, CustomerFilter{}, "c 5/ü c-1 c-2 c-3 c-4"},
			{other, CustomerFilter{}, "c-1"},
			{late, CustomerFilter{}, ""},
			{busy, CustomerFilter{ID: "c 5/ü"}, "c 5/ü"},
			{busy, CustomerFilter{ID: "c"}, ""},
			{busy, CustomerFilter{State: StateVerified}, "c 5/ü c-1 c-3"},
			{busy, CustomerFilter{State: StateVerified, Country: "BR"}, "c 5/ü c-1"},
			{busy, CustomerFilter{State: StateNotVerified}, "c-2"},
			{busy, CustomerFilter{State: StateUnstated}, "c-4"},
			{busy, CustomerFilter{RiskTier: "high"}, "c 5/ü c-3"},
			{busy, CustomerFilter{Unverified: true}, "c-2"},
		} {
			got, err := d.Customers(t.Context(), c.of.ID(), c.filter, nil, 10)
			if err != nil || ids(got) != c.want {
				t.Errorf("%+v: %q, %v; wanted %q", c.filter, ids(got), err, c.want)
			}
		}
		one, err := d.Customer(t.Context(), busy.ID(), "c-1")
		if err != nil || one.Accounts != 2 || one.AccountsOpen != 1 || one.Owners != 2 || one.OwnersVerified != 2 || one.EntryCount != 9 {
			t.Errorf("c-1: %+v, %v", one, err)
		}
		if _, err := d.Customer(t.Context(), busy.ID(), "c-9"); !errors.Is(err, ErrNoCustomer) {
			t.Errorf("a customer of whom nothing was stated: %v", err)
		}
		owners, err := d.Owners(t.Context(), busy.ID(), "c-1", 10)
		if err != nil || len(owners) != 2 || owners[1].ID != "o-2" || owners[1].Verification.Home != "PT" || owners[1].SharePercent != 30 {
			t.Errorf("owners: %+v, %v", owners, err)
		}
		accounts, err := d.Accounts(t.Context(), busy.ID(), "c-1", 10)
		if err != nil || len(accounts) != 2 || accounts[0].Status != "limited" || accounts[1].Status != "closed" || accounts[1].Plan != "trial" {
			t.Errorf("accounts: %+v, %v", accounts, err)
		}
		trainings, err := d.Trainings(t.Context(), busy.ID(), "", math.MaxInt64, 10)
		if err != nil || len(trainings) != 2 || trainings[0].Transaction != "t-2" || trainings[1].State != "occurred" || trainings[1].Customer != "c-3" {
			t.Errorf("trainings: %+v, %v", trainings, err)
		}
		if rest, err := d.Trainings(t.Context(), busy.ID(), "", trainings[0].FirstLeaf, 10); err != nil || !reflect.DeepEqual(rest, trainings[1:]) {
			t.Errorf("the trainings before: %+v, %v", rest, err)
		}
		if of, err := d.Trainings(t.Context(), busy.ID(), "c-1", math.MaxInt64, 10); err != nil || !reflect.DeepEqual(of, trainings[:1]) {
			t.Errorf("the trainings of one customer: %+v, %v", of, err)
		}
		countries, err := d.Countries(t.Context())
		if want := []Country{{"BR", 3, 0}, {"CL", 1, 0}, {"PT", 0, 2}}; err != nil || !slices.Equal(countries, want) {
			t.Errorf("countries: %+v, %v", countries, err)
		}
	})
}

func TestTheFileCountsSoThatNobodyHasTo(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		play(t, w, trade, &killer{after: -1})
		file, err := w.mustDocket().Open(t.Context(), busy.ID())
		if err != nil {
			t.Fatal(err)
		}
		got := file.History.Figures
		want := history.Figures{
			Statements: 19, LastStatedAt: epoch.Add(104 * day), LastStatedLeaf: got.LastStatedLeaf,
			Customers: 5, CustomersVerified: 3, CustomersNotVerified: 1, CustomersUnverified: 1, UnverifiedAccounts: 1, CustomersIncomplete: 2,
			Owners: 2, OwnersVerified: 2, Accounts: 5, AccountsOpen: 3, AccountsLimited: 1, AccountsNotOpened: 1,
			TrainingsPlanned: 1, TrainingsOccurred: 1, SuspiciousReports: 1,
			CustomersByCountry: map[string]int{"BR": 2, "CL": 1}, ForeignOwnersByCountry: map[string]int{"PT": 2},
		}
		if !reflect.DeepEqual(got, want) || got.CustomersUnstated() != 1 {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestEveryListOfCustomersIsReadPageByPage(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.enrol(busy)
		for i := range 7 {
			w.now = w.now.Add(day)
			w.verify(busy, fmt.Sprint("v-", 7-i), "BR", "low")
			w.account(busy, fmt.Sprint("u-", 7-i), "a", "opened")
		}
		d := w.mustDocket()
		if err := d.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			filter CustomerFilter
			want   string
		}{
			{CustomerFilter{}, "u-1 u-2 u-3 u-4 u-5 u-6 u-7 v-1 v-2 v-3 v-4 v-5 v-6 v-7"},
			{CustomerFilter{Country: "BR"}, "v-1 v-2 v-3 v-4 v-5 v-6 v-7"},
			{CustomerFilter{RiskTier: "low"}, "v-7 v-6 v-5 v-4 v-3 v-2 v-1"},
			{CustomerFilter{Unverified: true}, "u-7 u-6 u-5 u-4 u-3 u-2 u-1"},
		} {
			var all []history.Customer
			for after := (*CustomerPlace)(nil); ; {
				page, err := d.Customers(t.Context(), busy.ID(), c.filter, after, 3)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				all = append(all, page...)
				place := c.filter.PlaceOf(page[len(page)-1])
				after = &place
			}
			if got := ids(all); got != c.want {
				t.Errorf("%+v: %q, wanted %q", c.filter, got, c.want)
			}
		}
	})
}

func TestCustomersAreFoldedTheSameInOnePageOrMany(t *testing.T) {
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		w := newWorld(t, migrationstest.Open(t, url))
		play(t, w, trade, &killer{after: -1})
		inMany := tables(t, w)
		if err := w.mustDocket().Rebuild(t.Context()); err != nil { // one page, since there are fewer than a thousand entries
			t.Fatal(err)
		}
		if inOne := tables(t, w); inOne != inMany {
			t.Errorf("in one page %s\nin many %s", inOne, inMany)
		}
	})
}

func TestKilledWhileCustomersAreFoldedNoneIsCountedTwice(t *testing.T) {
	killedAtEachStep(t, trade, 40, 1)
}

func TestTwoProcessesFoldEachCustomerOnce(t *testing.T) {
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		w := newWorld(t, migrationstest.Open(t, url))
		w.enrol(busy)
		for i := range 40 {
			w.account(busy, fmt.Sprint("c-", i%5), fmt.Sprint("a-", i%7), []string{"opened", "closed"}[i%2])
		}
		var dockets []*Docket
		for range 2 {
			d, err := w.docket(migrationstest.Open(t, url), w.ledger)
			if err != nil {
				t.Fatal(err)
			}
			dockets = append(dockets, d)
		}
		swept := make(chan error, len(dockets))
		for _, d := range dockets {
			go func() { swept <- d.CatchUp(t.Context()) }()
		}
		if err := errors.Join(<-swept, <-swept); err != nil {
			t.Fatal(err)
		}
		before := tables(t, w)
		if err := dockets[0].Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := tables(t, w); after != before {
			t.Errorf("folded by two %s\nby one %s", before, after)
		}
	})
}

// A decision that is taken in its turn, and a preview, rest on customers that the docket has not folded yet.
func TestASheetFoldsWhatTheDocketHasNot(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		play(t, w, trade, &killer{after: -1})
		d := w.mustDocket()
		w.account(busy, "c-2", "a-1", "closed")
		w.verify(busy, "c-7", "CL", "low")
		s, err := d.upToDate(t.Context(), busy)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		file, err := d.Open(t.Context(), busy.ID())
		if err != nil || !reflect.DeepEqual(s.files[busy].History, file.History) || file.History.Figures.CustomersUnverified != 0 {
			t.Errorf("in memory %+v\nin the docket %+v, %v", s.files[busy].History, file.History, err)
		}
		// The docket has gone on: what such a sheet would read is of a later moment than its file.
		w.account(busy, "c-3", "a-1", "closed")
		if err := d.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		stale := d.sheetOf(&file)
		entries, err := w.ledger.About(t.Context(), busy.ID(), file.Seen()+1, 10)
		if err != nil || len(entries) == 0 {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		if err := stale.fold(t.Context(), entries); !errors.Is(err, errOvertaken) {
			t.Errorf("folding on top of a file that is behind its customers: %v", err)
		}
	})
}
