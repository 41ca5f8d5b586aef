package customers

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/history"
)

var now = time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)

const reseller = envelope.Entity("https://provider.example/e/a")

func on(month time.Month, day int) statement.Date {
	return statement.Date{Year: 2026, Month: month, Day: day}
}

func verified(id string) history.Customer {
	return history.Customer{ID: id, Verification: history.Verification{Result: "verified", CheckedOn: on(11, 12), VerifiedOn: on(11, 12), Home: "BR", RiskTier: "low"}}
}

func TestStateAndAgeOfAVerificationAreWorded(t *testing.T) {
	for name, c := range map[string]struct {
		customer func(*history.Customer)
		verified string
		notes    []string
		tone     string
	}{
		"verified":                      {func(*history.Customer) {}, "Verified 12 days ago, on 12 Nov 2026", nil, "good"},
		"verified today":                {func(c *history.Customer) { c.Verification.VerifiedOn = on(11, 24) }, "Verified today, on 24 Nov 2026", nil, "good"},
		"verified where it is tomorrow": {func(c *history.Customer) { c.Verification.VerifiedOn = on(11, 25) }, "Verified today, on 25 Nov 2026", nil, "good"},
		"to be verified again": {func(c *history.Customer) { c.Verification.VerifiedOn, c.Verification.NextDue = on(11, 23), on(12, 1) }, "Verified 1 day ago, on 23 Nov 2026",
			[]string{"To be verified again by 1 Dec 2026."}, "good"},
		"failed after it was verified": {func(c *history.Customer) {
			c.Verification.Result, c.Verification.CheckedOn, c.Verification.Actions = "not-verified", on(11, 20), []string{"watched"}
		}, "Could not be verified, last tried 4 days ago, on 20 Nov 2026", []string{"It was verified 12 days ago, on 12 Nov 2026.", "What is done: watched."}, "pending"},
		"an account and nothing stated": {func(c *history.Customer) { c.Verification, c.Accounts, c.AccountsOpen = history.Verification{}, 2, 1 },
			"Nothing stated yet", nil, "warned"},
		"incomplete and suspicious": {func(c *history.Customer) { c.Verification.Missing, c.Reports = []string{"email", "telephone"}, 1 }, "Verified 12 days ago, on 12 Nov 2026",
			[]string{"Not said to be in hand: email, telephone.", "1 report of suspicious activity."}, "good"},
		"a U.S. person": {func(c *history.Customer) {
			c.Verification, c.Accounts, c.AccountsOpen = history.Verification{Result: "not-verified", CheckedOn: on(11, 20), USPerson: true}, 1, 1
		}, "Could not be verified, last tried 4 days ago, on 20 Nov 2026", []string{"Found to be a U.S. person, with all its owners: it need not be verified."}, "pending"},
	} {
		given := verified("c")
		c.customer(&given)
		got := rowOf(given, now)
		if got.Verified != c.verified || !reflect.DeepEqual(got.Notes, c.notes) || got.Tone != c.tone {
			t.Errorf("%s: %q %q %s", name, got.Verified, got.Notes, got.Tone)
		}
	}
}

func TestCountsSayHowManyOfHowMany(t *testing.T) {
	for want, got := range map[string]string{
		"no accounts":            ofAll(0, 0, "account", "accounts", "open"),
		"1 account open":         ofAll(1, 1, "account", "accounts", "open"),
		"0 of 1 account open":    ofAll(1, 0, "account", "accounts", "open"),
		"2 of 1,200 owners open": ofAll(1200, 2, "owner", "owners", "open"),
	} {
		if got != want {
			t.Errorf("%q, wanted %q", got, want)
		}
	}
}

func file() docket.File {
	return docket.File{Entity: reseller, History: history.History{Name: "A & B", Figures: history.Figures{
		Customers: 1204, CustomersVerified: 1200, CustomersNotVerified: 3, CustomersUnverified: 2, AccountsOpen: 1, Owners: 1,
		TrainingsPlanned: 1, SuspiciousReports: 2, AccountsNotOpened: 1, CustomersByCountry: map[string]int{"BR": 3, "CL": 1000},
	}}}
}

func TestTabsCountByTheFileAndLeadToTheirCustomers(t *testing.T) {
	v := fill(file(), asked{show: "verified", country: "CL"}, []history.Customer{verified("a"), verified("b"), verified("c")}, 2, true, now)
	here := "/resellers/" + reseller.ID().String() + "/customers"
	var told []string
	for _, tab := range v.Tabs {
		told = append(told, tab.Words+" "+tab.Count+strings.Repeat(" here", len(map[bool][]int{true: {1}}[tab.Here])))
	}
	if want := []string{"All 1,204", "Account open, not verified 2", "Verified 1,200 here", "Could not be verified 3", "Nothing stated 1"}; !reflect.DeepEqual(told, want) {
		t.Errorf("tabs %q", told)
	}
	if got := v.Tabs[1].Address; got != here+"?country=CL&show=unverified" {
		t.Errorf("the second tab leads to %s", got)
	}
	want := []tab{{"Chile", "1,000", here + "?show=verified", true}, {"Brazil", "3", here + "?country=BR&show=verified", false}}
	if !reflect.DeepEqual(v.Countries, want) {
		t.Errorf("countries %+v", v.Countries)
	}
	if v.Facts != "1 open account · 1 beneficial owner · AI trainings: 1 planned, 0 occurred · 2 reports of suspicious activity · 1 account of which it was never stated that it opened" {
		t.Errorf("facts %q", v.Facts)
	}
	after, ok := strings.CutPrefix(v.More, here+"?after=")
	after, _, _ = strings.Cut(after, "&")
	place, err := parseCursor(after)
	if !ok || err != nil || len(v.Rows) != 2 || *place != (docket.CustomerPlace{Customer: "b"}) {
		t.Errorf("%d rows, more at %s: %+v, %v", len(v.Rows), v.More, place, err)
	}
}

func TestAnAddressThatNoLinkHasIsRefused(t *testing.T) {
	for _, bad := range []asked{{show: "all"}, {country: "brazil"}, {country: "br"}, {id: strings.Repeat("x", 256)}} {
		if _, err := askedOf(bad.show, bad.country, bad.id); !errors.Is(err, problem.ErrRequest) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for _, bad := range []string{"x", "AAAA", "eHkgeg"} {
		if _, err := parseCursor(bad); !errors.Is(err, problem.ErrRequest) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	place := docket.CustomerPlace{Rank: 20260101, Customer: "c 5/ü"}
	if got, err := parseCursor(cursorOf(place)); err != nil || *got != place {
		t.Errorf("read back %+v, %v", got, err)
	}
}

func TestTheTemplateTakesFullAndEmptyViews(t *testing.T) {
	waiting := history.Customer{ID: "<script>", Accounts: 1, AccountsOpen: 1, UnverifiedSince: now}
	f := frame.Frame{Entity: "https://provider.example", Version: "1", Now: func() time.Time { return now }}
	for i, v := range []view{
		{}, fill(docket.File{Entity: reseller}, asked{}, nil, 2, true, now), fill(file(), asked{id: "c"}, nil, 2, true, now),
		fill(file(), asked{show: unverified}, []history.Customer{waiting, verified("b"), verified("c")}, 2, false, now),
	} {
		page, err := f.Render(frame.Page{Title: "Customers", Template: page, View: v}, "jane", "1 entry")
		if err != nil || strings.Contains(string(page), "<script>") {
			t.Errorf("view %d: %v", i, err)
		}
	}
}
