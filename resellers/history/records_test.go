package history

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/statement"
)

// book keeps the records of one reseller as a shell does, in JSON.
type book struct {
	history   History
	customers map[string]string
	owners    map[[2]string]string
	accounts  map[[2]string]string
	trainings map[string]string
}

func newBook() *book {
	return &book{customers: map[string]string{}, owners: map[[2]string]string{}, accounts: map[[2]string]string{}, trainings: map[string]string{}}
}

func (b *book) take(t fatal, e statement.Entry) {
	names := NamesIn(e)
	owner, account := [2]string{names.Customer, names.Owner}, [2]string{names.Customer, names.Account}
	var after Records
	b.history, after = b.history.WithRecords(Records{
		Customer: load[Customer](t, b.customers[names.Customer]), Owner: load[Owner](t, b.owners[owner]),
		Account: load[Account](t, b.accounts[account]), Training: load[Training](t, b.trainings[names.Training]),
	}, e)
	b.history = load[History](t, save(t, b.history))
	if after.Customer.ID != "" {
		b.customers[names.Customer] = save(t, after.Customer)
	}
	if after.Owner.ID != "" {
		b.owners[owner] = save(t, after.Owner)
	}
	if after.Account.ID != "" {
		b.accounts[account] = save(t, after.Account)
	}
	if after.Training.Transaction != "" {
		b.trainings[names.Training] = save(t, after.Training)
	}
}

type fatal interface{ Fatal(args ...any) }

func load[R any](t fatal, text string) (r R) {
	if text == "" {
		return r
	}
	if err := json.Unmarshal([]byte(text), &r, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	return r
}

func save[R any](t fatal, r R) string {
	text, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// recount counts the rows, which nobody else has to.
func (b *book) recount(t fatal) Figures {
	f := Figures{CustomersByCountry: map[string]int{}, ForeignOwnersByCountry: map[string]int{}}
	for id, text := range b.customers {
		c := load[Customer](t, text)
		f.Customers++
		owners, usOwners, open := 0, 0, 0
		for key, text := range b.owners {
			if key[0] != id {
				continue
			}
			o := load[Owner](t, text)
			owners++
			f.Owners++
			if o.Verification.Result == "verified" {
				f.OwnersVerified++
			}
			if o.Verification.USPerson {
				usOwners++
				f.OwnersUS++
			} else if home := o.Verification.Home; home != "" {
				f.ForeignOwnersByCountry[home]++
			}
		}
		for key, text := range b.accounts {
			if key[0] != id {
				continue
			}
			a := load[Account](t, text)
			f.Accounts++
			if a.Status != "closed" {
				open++
				f.AccountsOpen++
			}
			if a.Status == "limited" {
				f.AccountsLimited++
			}
			if a.OpenedOn == (statement.Date{}) {
				f.AccountsNotOpened++
			}
		}
		us := c.Verification.USPerson && owners == usOwners
		if us {
			f.CustomersUS++
		}
		switch c.Verification.Result {
		case "verified":
			f.CustomersVerified++
			if open > 0 && !us && len(c.Verification.Missing) > 0 {
				f.CustomersIncomplete++
			}
		case "not-verified":
			f.CustomersNotVerified++
		}
		if unverified := open > 0 && c.Verification.Result != "verified" && !us; unverified {
			f.CustomersUnverified++
			f.UnverifiedAccounts += open
			if c.UnverifiedSince.IsZero() {
				t.Fatal("unverified since never: ", id)
			}
		} else if !c.UnverifiedSince.IsZero() {
			t.Fatal("not unverified, since ", c.UnverifiedSince)
		}
		if home := c.Verification.Home; home != "" {
			f.CustomersByCountry[home]++
		}
	}
	for _, text := range b.trainings {
		switch load[Training](t, text).State {
		case "planned":
			f.TrainingsPlanned++
		case "occurred":
			f.TrainingsOccurred++
		}
	}
	if len(f.CustomersByCountry) == 0 {
		f.CustomersByCountry = nil
	}
	if len(f.ForeignOwnersByCountry) == 0 {
		f.ForeignOwnersByCountry = nil
	}
	return f
}

func drawDay(t *rapid.T, name string) statement.Date {
	return statement.Date{Year: 2026, Month: 1, Day: rapid.IntRange(1, 9).Draw(t, name)}
}

func drawVerification(t *rapid.T) statement.CustomerVerification {
	v := statement.CustomerVerification{
		Party: "customer", Form: rapid.SampledFrom([]string{"individual", "entity"}).Draw(t, "form"),
		Result:    rapid.SampledFrom([]string{"verified", "reverified", "not-verified"}).Draw(t, "result"),
		CheckedOn: drawDay(t, "checked"), RiskTier: rapid.SampledFrom([]string{"low", "high"}).Draw(t, "risk"),
	}
	if rapid.Bool().Draw(t, "owner") {
		v.Party, v.Owner = "owner", &statement.Owner{ID: rapid.SampledFrom([]string{"o1", "o2"}).Draw(t, "owner id"), Basis: "control"}
	}
	if rapid.Bool().Draw(t, "us") {
		v.USPerson = &statement.USPerson{Found: true, ReasonableBelief: true, Basis: "in-us", Method: "both"}
	}
	if v.Result != "not-verified" || rapid.Bool().Draw(t, "country") {
		v.Countries = &statement.Countries{Home: rapid.SampledFrom([]string{"BR", "PT", "US"}).Draw(t, "home")}
	}
	if rapid.Bool().Draw(t, "all collected") {
		v.Collected = slices.Concat(ofEverybody, ofEntities)
	}
	return v
}

// drawEntry is what a reseller, or seldom the gateway, states next.
func drawEntry(t *rapid.T, leafIndex int64) statement.Entry {
	supersedes := ""
	if leafIndex > 0 && rapid.IntRange(0, 4).Draw(t, "correction") == 0 {
		supersedes = fmt.Sprint(rapid.Int64Range(0, leafIndex-1).Draw(t, "corrects"))
	}
	e := at(leafIndex, reseller, nil)
	e.JTI, e.Customer = fmt.Sprint(leafIndex), rapid.SampledFrom([]string{"c1", "c2", "c3"}).Draw(t, "customer")
	switch rapid.IntRange(0, 20).Draw(t, "kind") {
	case 0:
		e.Customer, e.By, e.Statement = "", gateway, statement.RelationshipTerminated{}
	case 1, 2:
		if rapid.Bool().Draw(t, "nobody") {
			e.Customer = ""
		}
		e.Statement = statement.SuspiciousActivity{Certainty: "suspected", Supersedes: supersedes}
	case 3, 4:
		e.Statement = statement.AITraining{Transaction: rapid.SampledFrom([]string{"t1", "t2"}).Draw(t, "transaction"),
			State:     rapid.SampledFrom([]string{"planned", "occurred"}).Draw(t, "state"),
			Knowledge: []statement.Knowledge{{Actor: "reseller", KnewAt: start.Add(-time.Hour)}}, Supersedes: supersedes}
	case 5, 6, 7, 8, 9, 10:
		v := drawVerification(t)
		v.Supersedes = supersedes
		e.Statement = v
	default:
		e.Statement = statement.AccountStatus{Account: rapid.SampledFrom([]string{"a1", "a2"}).Draw(t, "account"), On: drawDay(t, "on"),
			Status:     rapid.SampledFrom([]string{"opened", "limited", "restored", "closed", "last-accessed"}).Draw(t, "status"),
			Supersedes: supersedes}
	}
	return e
}

func TestFiguresAreWhatCountingWouldGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBook()
		for leafIndex := range rapid.Int64Range(0, 40).Draw(t, "entries") {
			e := drawEntry(t, leafIndex)
			b.take(t, e)
			again := *b
			again.take(t, e) // an entry that was folded before changes nothing
			counted := b.recount(t)
			got := b.history.Figures
			counted.Statements, counted.LastStatedAt, counted.SuspiciousReports = got.Statements, got.LastStatedAt, got.SuspiciousReports
			counted.LastStatedLeaf = got.LastStatedLeaf
			if !reflect.DeepEqual(got, counted) || !reflect.DeepEqual(again.history, b.history) {
				t.Fatalf("after %+v\n figures %+v\n counted %+v", e, got, counted)
			}
		}
	})
}

func TestWhatIsStatedOfCustomersAfterATerminationChangesNothing(t *testing.T) {
	b := newBook()
	b.take(t, verified(0, "c1", "2026-01-05"))
	b.take(t, at(1, gateway, statement.RelationshipTerminated{}))
	customers, figures := fmt.Sprint(b.customers), b.history.Figures
	b.take(t, account(2, "c1", "opened", "2026-01-06"))
	b.take(t, verified(3, "c2", "2026-01-06"))
	if fmt.Sprint(b.customers) != customers || len(b.accounts) != 0 || !reflect.DeepEqual(b.history.Figures, figures) {
		t.Errorf("customers %v, accounts %v, figures %+v", b.customers, b.accounts, b.history.Figures)
	}
	if b.history.AfterTermination != 2 || b.history.Seen() != 3 {
		t.Errorf("%d after the termination, seen %d", b.history.AfterTermination, b.history.Seen())
	}
}

func on(t string) statement.Date {
	day, err := statement.ParseDate(t)
	if err != nil {
		panic(err)
	}
	return day
}

func of(customer string, e statement.Entry) statement.Entry {
	e.Customer, e.JTI = customer, fmt.Sprint(e.LeafIndex)
	return e
}

func verified(leafIndex int64, customer, day string) statement.Entry {
	return of(customer, at(leafIndex, reseller, statement.CustomerVerification{Party: "customer", Form: "individual", Result: "verified",
		CheckedOn: on(day), ReasonableBelief: true, RiskTier: "low", Method: "both", Countries: &statement.Countries{Home: "BR"}}))
}

func failed(leafIndex int64, customer, day string) statement.Entry {
	return of(customer, at(leafIndex, reseller, statement.CustomerVerification{Party: "customer", Form: "individual", Result: "not-verified",
		CheckedOn: on(day), RiskTier: "low", Actions: []string{"watched"}}))
}

func account(leafIndex int64, customer, status, day string) statement.Entry {
	return of(customer, at(leafIndex, reseller, statement.AccountStatus{Account: "a", Status: status, On: on(day)}))
}

// corrects makes an entry a correction of the one with this leaf index.
func corrects(earlier int64, e statement.Entry) statement.Entry {
	switch said := e.Statement.(type) {
	case statement.CustomerVerification:
		said.Supersedes = fmt.Sprint(earlier)
		e.Statement = said
	case statement.AccountStatus:
		said.Supersedes = fmt.Sprint(earlier)
		e.Statement = said
	}
	return e
}

func TestTheNewestStatementOfTheLatestDayCounts(t *testing.T) {
	for name, c := range map[string]struct {
		said            []statement.Entry
		result, account string
		verifiedOn      string
		unverified      bool
		since           int64 // hours
		notOpened       int
	}{
		"opened, then verified": {said: []statement.Entry{account(0, "c", "opened", "2026-01-01"), verified(1, "c", "2026-01-02")},
			result: "verified", account: "open", verifiedOn: "2026-01-02"},
		"opened and never verified": {said: []statement.Entry{account(0, "c", "opened", "2026-01-01"), failed(1, "c", "2026-01-02")},
			result: "not-verified", account: "open", unverified: true},
		"the time runs from when it was first so": {said: []statement.Entry{verified(0, "c", "2026-01-01"), account(1, "c", "opened", "2026-01-01"), failed(2, "c", "2026-01-02"), failed(3, "c", "2026-01-03"), account(4, "c", "limited", "2026-01-03")},
			result: "not-verified", account: "limited", verifiedOn: "2026-01-01", unverified: true, since: 2},
		"closing ends it": {said: []statement.Entry{account(0, "c", "opened", "2026-01-01"), account(1, "c", "closed", "2026-01-02")},
			account: "closed"},
		"what comes late does not open it again": {said: []statement.Entry{account(0, "c", "closed", "2026-01-02"), account(1, "c", "opened", "2026-01-01")},
			account: "closed"},
		"an account that nobody opened": {said: []statement.Entry{account(0, "c", "closed", "2026-01-02")},
			account: "closed", notOpened: 1},
		"one that was only accessed is open": {said: []statement.Entry{account(0, "c", "last-accessed", "2026-01-02")},
			account: "open", notOpened: 1, unverified: true},
		"a late failure does not undo a verification": {said: []statement.Entry{verified(0, "c", "2026-01-05"), failed(1, "c", "2026-01-02")},
			result: "verified", verifiedOn: "2026-01-05"},
		"a correction counts whatever its day": {said: []statement.Entry{verified(0, "c", "2026-01-05"), corrects(0, failed(1, "c", "2026-01-02"))},
			result: "not-verified"},
		"a closing that was a mistake": {said: []statement.Entry{account(0, "c", "opened", "2026-01-01"), account(1, "c", "closed", "2026-01-05"), corrects(1, account(2, "c", "restored", "2026-01-03"))},
			account: "open", unverified: true, since: 1}, // an hour had run before it
		"closed and opened again": {said: []statement.Entry{account(2, "c", "opened", "2026-01-01"), account(5, "c", "closed", "2026-01-02"), account(9, "c", "opened", "2026-01-03")},
			account: "open", unverified: true, since: 6}, // three had
		"and once more": {said: []statement.Entry{account(2, "c", "opened", "2026-01-01"), account(5, "c", "closed", "2026-01-02"), account(9, "c", "opened", "2026-01-03"),
			account(10, "c", "closed", "2026-01-04"), account(20, "c", "opened", "2026-01-05")},
			account: "open", unverified: true, since: 16},
		"verified in between": {said: []statement.Entry{account(2, "c", "opened", "2026-01-01"), account(5, "c", "closed", "2026-01-02"), verified(6, "c", "2026-01-02"),
			account(9, "c", "opened", "2026-01-03"), failed(11, "c", "2026-01-04")},
			result: "not-verified", verifiedOn: "2026-01-02", account: "open", unverified: true, since: 11},
	} {
		b := newBook()
		for _, e := range c.said {
			b.take(t, e)
		}
		got := load[Customer](t, b.customers["c"])
		since := start.Add(time.Duration(c.since) * time.Hour)
		if got.Verification.Result != c.result || got.Unverified() != c.unverified || c.unverified != got.UnverifiedSince.Equal(since) {
			t.Errorf("%s: %+v", name, got)
		}
		if verifiedOn := got.Verification.VerifiedOn; c.verifiedOn != "" && verifiedOn != on(c.verifiedOn) || c.verifiedOn == "" && verifiedOn != (statement.Date{}) {
			t.Errorf("%s: verified on %s", name, verifiedOn)
		}
		if a := load[Account](t, b.accounts[[2]string{"c", "a"}]); a.Status != c.account || b.history.Figures.AccountsNotOpened != c.notOpened {
			t.Errorf("%s: %+v, %d not opened", name, a, b.history.Figures.AccountsNotOpened)
		}
		if got.EntryCount != len(c.said) {
			t.Errorf("%s: %d entries name it", name, got.EntryCount)
		}
	}
}

func TestACustomerIsForeignUntilItAndAllItsOwnersAreShownToBeUSPersons(t *testing.T) {
	us := func(leafIndex int64, owner string) statement.Entry {
		e := failed(leafIndex, "c", "2026-01-02")
		said := e.Statement.(statement.CustomerVerification)
		said.USPerson = &statement.USPerson{Found: true, ReasonableBelief: true, Basis: "in-us", Method: "both"}
		if owner != "" {
			said.Party, said.Owner = "owner", &statement.Owner{ID: owner, Basis: "both", SharePercent: 40}
		}
		e.Statement = said
		return e
	}
	foreign := us(4, "second")
	said := foreign.Statement.(statement.CustomerVerification)
	said.USPerson = nil
	foreign.Statement = said
	b := newBook()
	for i, step := range []struct {
		said       statement.Entry
		unverified int
	}{
		{account(0, "c", "opened", "2026-01-01"), 1}, {us(1, ""), 0}, {us(2, "first"), 0}, {foreign, 1}, {us(5, "second"), 0},
	} {
		b.take(t, step.said)
		if got := b.history.Figures; got.CustomersUnverified != step.unverified || got.UnverifiedAccounts != step.unverified {
			t.Errorf("step %d: %+v", i, got)
		}
	}
	if owner := load[Owner](t, b.owners[[2]string{"c", "second"}]); owner.SharePercent != 40 || !owner.Verification.USPerson {
		t.Errorf("the second owner: %+v", owner)
	}
}

func TestTheEarliestKnowledgeOfATrainingGovernsAndAnOccurrenceIsNoPlanAgain(t *testing.T) {
	report := func(leafIndex int64, state string, knew time.Time, supersedes string) statement.Entry {
		return of("c", at(leafIndex, reseller, statement.AITraining{Transaction: "t", State: state, Supersedes: supersedes,
			Knowledge: []statement.Knowledge{{Actor: "superior", KnewAt: knew.Add(time.Hour)}, {Actor: "reseller", KnewAt: knew}}}))
	}
	b := newBook()
	b.take(t, report(1, "planned", start, ""))
	b.take(t, report(2, "occurred", start.Add(-48*time.Hour), ""))
	b.take(t, report(3, "planned", start, ""))
	got := load[Training](t, b.trainings["t"])
	if got.State != "occurred" || !got.KnewAt.Equal(start.Add(-48*time.Hour)) || got.KnewBy != "reseller" || got.FirstLeaf != 1 || got.LeafIndex != 2 || got.Reports != 3 {
		t.Errorf("got %+v", got)
	}
	b.take(t, report(4, "planned", start, "2"))
	got = load[Training](t, b.trainings["t"])
	if got.State != "planned" || !got.KnewAt.Equal(start.Add(-48*time.Hour)) || b.history.Figures.TrainingsPlanned != 1 || b.history.Figures.TrainingsOccurred != 0 {
		t.Errorf("after the correction: %+v", got)
	}
}

func TestACustomerHoldsTheNewestEntriesThatNameIt(t *testing.T) {
	b := newBook()
	for leafIndex := range int64(100) {
		b.take(t, account(leafIndex, "c", "last-accessed", "2026-01-02"))
	}
	got := load[Customer](t, b.customers["c"])
	if len(got.Entries) != keptEntries || got.Entries[0] != 100-keptEntries || got.Entries[keptEntries-1] != 99 || got.EntryCount != 100 || !got.FirstAt.Equal(start) {
		t.Errorf("got %+v", got)
	}
}

func TestNoPersonalValueGetsIntoARecord(t *testing.T) {
	e := verified(0, "c", "2026-01-02")
	said := e.Statement.(statement.CustomerVerification)
	said.Identity = &statement.Identity{Name: "Maria Souza", Aliases: []string{"Masou"}, Address: "Rua Um 1", Country: "CL"}
	e.Statement = said
	b := newBook()
	b.take(t, e)
	clean := newBook()
	clean.take(t, verified(0, "c", "2026-01-02"))
	if b.customers["c"] != clean.customers["c"] || !reflect.DeepEqual(b.history, clean.history) {
		t.Errorf("got %s", b.customers["c"])
	}
}
