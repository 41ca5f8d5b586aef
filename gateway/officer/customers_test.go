package officer_test

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

const (
	self     = envelope.Entity("https://provider.example")
	reseller = envelope.Entity("https://provider.example/e/aurora")
)

// desk is /v1 over a real ledger and docket, without a network.
type desk struct {
	t      *testing.T
	ledger *ledger.Ledger
	docket *docket.Docket
	signer envelope.Signer
	app    *fiber.App
	reader string // the token of somebody who may read
	said   int
}

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func newDesk(t *testing.T, db *gorm.DB) *desk {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	clock := func() time.Time { return now }
	const origin = "provider.example/log"
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	logKey, err := proof.NewLogSigner(origin, key)
	must(err)
	d := &desk{t: t}
	d.signer, err = envelope.NewSigner(key)
	must(err)
	d.ledger, err = ledger.Open(t.Context(), ledger.Config{DB: db, Signer: logKey, Origin: origin, Bodies: ledgertest.Bodies(t), Now: clock})
	must(err)
	t.Cleanup(func() {
		if err := d.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	d.docket, err = docket.New(t.Context(), db, d.ledger, d.signer, self, policy.Default(), clock)
	must(err)
	quiet := slog.New(slog.DiscardHandler)
	d.app = fiber.New(fiber.Config{Immutable: true, ErrorHandler: problem.Details(quiet)})
	known := auth.New(db, clock, true)
	reader, err := known.Add(t.Context(), statement.Officer{ID: "test", Name: "Test"}, auth.Officer{Name: "Ida Reader", Role: auth.Viewer})
	must(err)
	d.reader, _, err = known.CreateToken(t.Context(), reader.Stated(), reader.ID, "reader", 0)
	must(err)
	d.app.Use("/v1", known.API())
	officer.API{Docket: d.docket, Ledger: d.ledger, Cases: d.docket, Now: clock, Entity: self, Version: "1", Log: quiet}.Mount(d.app)
	return d
}

// state has the reseller state something about a customer.
func (d *desk) state(customer string, kind statement.Kind, event map[string]any) {
	d.t.Helper()
	text, err := json.Marshal(event)
	if err != nil {
		d.t.Fatal(err)
	}
	d.said++
	set, err := d.signer.Sign(envelope.Draft{Issuer: reseller, Audience: self, IssuedAt: now, JTI: fmt.Sprint("said-", d.said), EventURI: kind.URI(),
		Event: jsontext.Value(text), Subject: envelope.Subject{Format: "opaque", ID: customer}})
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.ledger.Append(d.t.Context(), set); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) verify(customer, country, risk string) {
	d.t.Helper()
	d.state(customer, statement.KindCustomerVerification, map[string]any{
		"party": "customer", "form": "individual", "result": "verified", "checked_on": "2026-02-10", "reasonable_belief": true, "risk_tier": risk,
		"method": "documentary", "countries": map[string]any{"home": country}, "identity": map[string]any{"name": "Maria Souza"},
	})
}

func (d *desk) train(customer, transaction string) {
	d.t.Helper()
	d.state(customer, statement.KindAITraining, map[string]any{"transaction": transaction, "state": "planned",
		"knowledge": []any{map[string]any{"actor": "reseller", "knew_at": "2026-02-10T09:00:00Z"}}})
}

func (d *desk) open(customer, account string) {
	d.t.Helper()
	d.state(customer, statement.KindAccountStatus, map[string]any{"account": account, "status": "opened", "on": "2026-02-11",
		"products": []string{"storage"}, "plan": "trial"})
}

func (d *desk) ask(path string, answer any) int {
	d.t.Helper()
	request := httptest.NewRequestWithContext(d.t.Context(), http.MethodGet, path, nil)
	request.Header.Set("Authorization", "Bearer "+d.reader)
	got, err := d.app.Test(request, -1)
	if err != nil {
		d.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if strings.Contains(string(text), "Maria Souza") {
		d.t.Errorf("%s names a person: %s", path, text)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		d.t.Fatalf("%s: %v in %s", path, err, text)
	}
	return got.StatusCode
}

type items struct {
	Items []map[string]any `json:"items"`
	Next  string           `json:"next"`
}

func (i items) ids(member string) string {
	var all []string
	for _, item := range i.Items {
		all = append(all, fmt.Sprint(item[member]))
	}
	return strings.Join(all, " ")
}

func about(path string) string { return "/v1/resellers/" + reseller.ID().String() + path }

func told(t *testing.T, db *gorm.DB) *desk {
	t.Helper()
	d := newDesk(t, db)
	d.verify("c-1", "BR", "low")
	d.verify("c/2 %ü", "CL", "high")
	d.open("c/2 %ü", "a-1")
	d.open("c-3", "a-1")
	d.open("c-4", "a-1")
	d.train("c-1", "t-1")
	d.train("c-3", "t-2")
	if err := d.docket.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCustomersAreListedByWhatIsAskedFor(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		d := told(t, db)
		for query, want := range map[string]string{
			"":                             "c-1 c-3 c-4 c/2 %ü",
			"?state=verified":              "c-1 c/2 %ü",
			"?state=verified&country=CL":   "c/2 %ü",
			"?state=unverified":            "c-3 c-4",
			"?state=unstated":              "c-3 c-4",
			"?risk_tier=high":              "c/2 %ü",
			"?q=" + url.QueryEscape("c-3"): "c-3",
			"?q=c":                         "",
		} {
			var got items
			if status := d.ask(about("/customers"+query), &got); status != http.StatusOK || got.ids("id") != want || got.Next != "" {
				t.Errorf("%s: %d, %q and %q; wanted %q", query, status, got.ids("id"), got.Next, want)
			}
			var paged []string
			for after := ""; ; {
				var page items
				path := about("/customers" + query)
				if path += map[bool]string{true: "&", false: "?"}[query != ""] + "limit=1&after="; d.ask(path+after, &page) != http.StatusOK {
					t.Fatalf("%s%s is refused", path, after)
				}
				if len(page.Items) == 0 {
					break
				}
				paged, after = append(paged, page.ids("id")), page.Next
			}
			if got := strings.Join(paged, " "); got != want {
				t.Errorf("%s page by page: %q, wanted %q", query, got, want)
			}
		}
		var refused map[string]any
		for _, bad := range []string{"?state=all", "?country=brazil", "?after=x", "?after=" + url.QueryEscape("eHg"), "?limit=0"} {
			if status := d.ask(about("/customers"+bad), &refused); status < 400 || status >= 500 {
				t.Errorf("%s: %d", bad, status)
			}
		}
	})
}

func TestACustomerIsShownWithAllThatIsItsOwn(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		d := told(t, db)
		d.state("c/2 %ü", statement.KindCustomerVerification, map[string]any{"party": "owner", "form": "individual", "result": "not-verified",
			"checked_on": "2026-02-10", "reasonable_belief": false, "risk_tier": "high", "actions": []string{"watched"}, "owner": map[string]any{"id": "o-1", "basis": "control"}})
		if err := d.docket.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got struct {
			ID           string           `json:"id"`
			AccountsOpen int              `json:"accounts_open"`
			OwnerCount   int              `json:"owner_count"`
			Verification map[string]any   `json:"verification"`
			Owners       []map[string]any `json:"owners"`
			Accounts     []map[string]any `json:"accounts"`
			Trainings    []map[string]any `json:"training_runs"`
			Entries      []map[string]any `json:"entries"`
		}
		if status := d.ask(about("/customers/"+url.PathEscape("c/2 %ü")), &got); status != http.StatusOK {
			t.Fatalf("%d: %+v", status, got)
		}
		if got.ID != "c/2 %ü" || got.AccountsOpen != 1 || got.OwnerCount != 1 || got.Verification["state"] != "verified" || got.Verification["verified_on"] != "2026-02-10" {
			t.Errorf("got %+v", got)
		}
		if len(got.Owners) != 1 || got.Owners[0]["id"] != "o-1" || len(got.Accounts) != 1 || got.Accounts[0]["status"] != "open" || len(got.Trainings) != 0 || len(got.Entries) != 3 {
			t.Errorf("got %+v", got)
		}
		var refused map[string]any
		if status := d.ask(about("/customers/c-9"), &refused); status != http.StatusNotFound || refused["title"] != "No such customer" {
			t.Errorf("a customer of whom nothing was stated: %d %v", status, refused)
		}
		if status := d.ask("/v1/resellers/"+self.ID().String()+"/customers", &refused); status != http.StatusNotFound {
			t.Errorf("customers of nobody: %d", status)
		}
	})
}

func TestTrainingsCountriesAndFiguresAreTold(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		d := told(t, db)
		var first, second, countries items
		if d.ask(about("/training-runs?limit=1"), &first); first.ids("transaction") != "t-2" || first.Next == "" {
			t.Errorf("the newest training: %+v", first)
		}
		if d.ask(about("/training-runs?limit=1&after="+first.Next), &second); second.ids("transaction") != "t-1" {
			t.Errorf("the one before: %+v", second)
		}
		if d.ask("/v1/customers/countries", &countries); countries.ids("country") != "BR CL" || countries.ids("customers") != "1 1" {
			t.Errorf("countries: %+v", countries)
		}
		var figures map[string]any
		if status := d.ask(about("/figures"), &figures); status != http.StatusOK || fmt.Sprint(figures["customers"], figures["customers_unstated"], figures["customers_unverified"], figures["accounts_open"]) != "4 2 2 3" {
			t.Errorf("figures: %d %+v", status, figures)
		}
	})
}
