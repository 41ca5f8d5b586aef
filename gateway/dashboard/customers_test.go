package dashboard_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// tell has a reseller state something of its customers.
func (w *world) tell(entity envelope.Entity, customer string, said ...statement.Statement) {
	w.t.Helper()
	for _, one := range said {
		w.told++
		set, err := seeded(w.t, 'r').Sign(envelope.Draft{Issuer: entity, Audience: self, IssuedAt: w.now, JTI: fmt.Sprint("told-", w.told),
			EventURI: one.Kind().URI(), Event: one, Subject: envelope.Subject{Format: "opaque", ID: customer}})
		w.must(err)
		_, err = w.ledger.Append(w.t.Context(), set)
		w.must(err)
	}
	w.must(w.docket.CatchUp(w.t.Context()))
}

func (w *world) verified(country string) statement.CustomerVerification {
	return statement.CustomerVerification{Party: "customer", Form: "individual", Result: "verified", CheckedOn: statement.DateOf(w.now), ReasonableBelief: true,
		RiskTier: "high", Method: "documentary", Countries: &statement.Countries{Home: country}, Identity: &statement.Identity{Name: "Maria Souza"}}
}

func (w *world) opened(account string) statement.AccountStatus {
	return statement.AccountStatus{Account: account, Status: "opened", On: statement.DateOf(w.now), Products: []string{"storage"}, Plan: "paid"}
}

func TestCustomersAreShownByTheStateAndAgeOfTheirVerification(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		const hostile = `"><script>alert(1)</script> {{.}}/../`
		w := newWorld(t, db, false)
		entity := w.enrol("Aurora GmbH")[0]
		path := pageOf(entity) + "/customers"
		w.open(path).shows(t, "Aurora GmbH", "Customers", "All 0", "has stated nothing of any customer yet")
		w.tell(entity, "c-1", w.verified("BR"), w.opened("a-1"))
		w.tell(entity, "c-2", w.opened("a-1"))
		w.tell(entity, hostile, w.verified("CL"))
		w.now = w.now.AddDate(0, 0, 12)
		w.open(pageOf(entity)).shows(t, "3 customers")
		all := w.open(path)
		all.shows(t, "2 open accounts · 0 beneficial owners", "All 3", "Account open, not verified 1", "Verified 2", "Brazil 1", hostile, "Chile",
			"c-1", "high", "Verified 12 days ago, on 1 Mar 2026", "1 account open", "c-2", "Nothing stated yet with an open account since 12 days ago")
		inert(t, path, all)
		if strings.Contains(all.html, "Maria Souza") {
			t.Error("the page names a person")
		}
		// Each link leads to as many customers as it says.
		rows := regexp.MustCompile(`<th scope="row">`)
		links := regexp.MustCompile(`<a href="([^"]+)"[^>]*>[^<]+<span class="count">(\d+)</span>`).FindAllStringSubmatch(all.html, -1)
		if len(links) != 7 {
			t.Errorf("%d links, wanted five states and two countries", len(links))
		}
		for _, link := range links {
			got := w.open(strings.ReplaceAll(link[1], "&amp;", "&"))
			if n := len(rows.FindAllString(got.html, -1)); fmt.Sprint(n) != link[2] || got.status != http.StatusOK {
				t.Errorf("%s says %s and shows %d", link[1], link[2], n)
			}
		}
		if got := w.open(path + "?q=" + url.QueryEscape(hostile)); len(rows.FindAllString(got.html, -1)) != 1 {
			t.Errorf("looking for an id: %s", got.text())
		}
		w.open(path+"?q=c").shows(t, "stated nothing of a customer with this id")
		for bad, status := range map[string]int{path + "?show=everything": 400, path + "?after=x": 400, "/resellers/" + self.ID().String() + "/customers": 404} {
			if got := w.open(bad); got.status != status {
				t.Errorf("%s: %d, wanted %d", bad, got.status, status)
			}
		}
		if got := w.ask(path); got.status != http.StatusSeeOther {
			t.Errorf("without signing in: %d", got.status)
		}
	})
}

func TestALongListOfCustomersIsReadPageByPage(t *testing.T) {
	w := newWorld(t, migrationstest.Open(t, migrationstest.URL(t, "sqlite")), false)
	entity := w.enrol("Busy Inc")[0]
	for i := range 51 {
		w.tell(entity, fmt.Sprintf("c-%02d", i), w.opened("a"))
	}
	first := w.open(pageOf(entity) + "/customers?show=unverified")
	next := regexp.MustCompile(`<a href="([^"]+)" rel="next">`).FindStringSubmatch(first.html)
	if next == nil {
		t.Fatal("the first page leads to no other")
	}
	second := w.open(strings.ReplaceAll(next[1], "&amp;", "&"))
	second.shows(t, "c-50", "First page")
	if strings.Contains(second.html, "c-49") || strings.Contains(second.html, `rel="next"`) {
		t.Errorf("the last page: %s", second.text())
	}
}
