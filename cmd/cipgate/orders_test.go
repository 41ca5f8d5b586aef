package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/standing"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// implicated writes the automatic policy by which the accounts of the customers are closed that the findings name.
func implicated(t *testing.T) func(*Config) {
	t.Helper()
	file := automaticPolicy(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	next := strings.Replace(string(text), "      value: reseller\n", "      value: implicated\n", 1)
	if next == string(text) {
		t.Fatal("the shipped policy does not say which accounts are closed")
	}
	file = filepath.Join(t.TempDir(), "implicated.yaml")
	if err := os.WriteFile(file, []byte(next), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(c *Config) { c.Sandbox, c.Policy = true, file }
}

// says pushes a statement about one of a reseller's customers.
func (g *gateway) says(r *reseller, kind, customer string, event map[string]any) {
	g.t.Helper()
	token, err := r.sign(g.t.Context(), statement.Kind(kind), event, customer)
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := r.send(g.t.Context(), token); err != nil {
		g.t.Fatal(err)
	}
}

// A reseller falls over one unverified customer: that customer's accounts are ordered closed, the provider's billing says that it is done,
// the termination hands the others over to a successor, which confirms, and whoever stands below is told, moves, and keeps what it was.
func TestOrdersAreFollowedUntilSomebodyConfirmsThem(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		const day = 24 * time.Hour
		g := startGateway(t, database, implicated(t))
		pass := func(much time.Duration) {
			t.Helper()
			if err := g.Advance(t.Context(), much); err != nil {
				t.Fatal(err)
			}
		}
		falls, other := g.enrol("Falling Ltd"), g.enrol("Other Ltd")
		under := g.enrolBelow(string(falls.about.Entity), "Under Ltd")
		for _, r := range []*reseller{falls, other, under.reseller} {
			if _, err := r.push(t.Context(), "cip-attestation", attestation()); err != nil {
				t.Fatal(err)
			}
		}
		today := g.Now().UTC().Format(time.DateOnly)
		opened := func(account string) map[string]any {
			return map[string]any{"account": account, "status": "opened", "on": today, "products": []string{"storage"}, "plan": "paid"}
		}
		g.says(falls, "customer-verification", "customer-1", map[string]any{"party": "customer", "form": "individual", "result": "verified", "checked_on": today,
			"reasonable_belief": true, "risk_tier": "low", "method": "documentary", "countries": map[string]any{"home": "BR"},
			"collected": []string{"name", "address", "payment", "email", "telephone", "ip-addresses"}})
		g.says(falls, "account-status", "customer-1", opened("account-1"))
		g.says(falls, "account-status", "customer-2", opened("account-2"))
		mara, billing, ida := g.as("Mara Lind", "officer"), g.as("Billing", "officer"), g.as("Ida Berg", "viewer")
		reseller, successor := string(falls.about.Entity), string(other.about.Entity)

		pass(45 * day)
		var open caseShown
		mara.reads(&open, "case", "show", reseller)
		late := open.LimitAt.Add(60 * day).Format(time.RFC3339)
		mara.says(exitRefused, "ends after that", "case", "successor", reseller, "--to", successor, "--until", open.LimitAt.Format(time.RFC3339), "--reason", "Agreed.")
		mara.says(exitRefused, "not enrolled here", "case", "successor", reseller, "--to", "https://nobody.example", "--until", late, "--reason", "Agreed.")
		mara.says(exitRefused, "stands below it", "case", "successor", reseller, "--to", string(under.about.Entity), "--until", late, "--reason", "Agreed.")
		mara.says(exitRefused, "got the reseller itself", "case", "successor", reseller, "--to", reseller, "--until", late, "--reason", "Agreed.")
		ida.says(exitRefused, "officer or approver or administrator", "case", "successor", reseller, "--to", successor, "--until", late, "--reason", "Agreed.")
		mara.says(exitDone, "handed over to it", "case", "successor", reseller, "--to", successor, "--until", late, "--reason", "Agreed.")
		mara.says(exitDone, successor, "case", "show", reseller)

		pass(7 * day)
		var orders struct {
			Items []orderShown `json:"items"`
		}
		list := func(args ...string) []orderShown {
			t.Helper()
			orders.Items = nil
			ida.reads(&orders, append([]string{"orders"}, args...)...)
			return orders.Items
		}
		closure := list("--order", "customer-accounts")
		if len(closure) != 1 || closure[0].Total != 1 || closure[0].State != "ordered" || closure[0].Reseller != reseller {
			t.Fatalf("%+v", closure)
		}
		ida.says(exitDone, "customer customer-2  account account-2", "orders", "show", closure[0].ID)
		ida.says(exitRefused, "officer or approver or administrator", "orders", "confirm", closure[0].ID, "--reason", "Done.")
		billing.says(exitRefused, "no order of this id", "orders", "confirm", "another", "--reason", "Done.")
		billing.says(exitRefused, "outcome", "orders", "confirm", closure[0].ID, "--outcome", "perhaps", "--reason", "Done.")
		billing.says(exitRefused, "not later than", "orders", "confirm", closure[0].ID, "--on", "2099-01-01", "--reason", "Done.")
		pass(4 * day)
		if late := list("--state", "overdue", "--order", "customer-accounts"); len(late) != 1 || late[0].Overdue == nil {
			t.Errorf("overdue: %+v", late)
		}
		billing.says(exitDone, "counts as carried out", "orders", "confirm", closure[0].ID, "--reason", "Closed in billing, ticket 4711.")
		billing.says(exitRefused, "already", "orders", "confirm", closure[0].ID, "--reason", "Again.")
		mara.says(exitRefused, "Who said so corrects it", "orders", "confirm", closure[0].ID, "--outcome", "cannot", "--reason", "It was not.")
		if done := list("--state", "confirmed"); len(done) != 1 || done[0].ConfirmedBy != "Billing" || done[0].State != "confirmed" {
			t.Errorf("confirmed: %+v", done)
		}

		pass(5 * day)
		handed := list("--order", "hand-over")
		if len(handed) != 1 || handed[0].Successor != successor || handed[0].Accounts != 1 || len(list("--order", "remaining-accounts")) != 1 {
			t.Fatalf("%+v", handed)
		}
		if _, err := other.push(t.Context(), "order-confirmation", map[string]any{"order": handed[0].ID, "outcome": "done", "on": g.Now().UTC().Format(time.DateOnly)}); err != nil {
			t.Fatal(err)
		}
		g.settled()
		if done := list("--state", "confirmed", "--order", "hand-over"); len(done) != 1 || done[0].ConfirmedBy != successor {
			t.Errorf("%+v", done)
		}

		// Whoever stands below.
		s := &subscriber{reseller: under.reseller, api: newClient(g.base, "")}
		if err := s.signIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		reads := func() (mine standing.Standing) {
			t.Helper()
			a, err := s.api.send(t.Context(), http.MethodGet, "/v1/me/standing", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(a.body, &mine); err != nil {
				t.Fatal(err)
			}
			return mine
		}
		if mine := reads(); mine.Superior.Entity != falls.about.Entity || mine.Superior.Status != "terminated" || mine.Superior.FindBy.IsZero() || mine.Superior.ToDo == "" {
			t.Errorf("it is told: %+v", mine.Superior)
		}
		id, err := resellerID(reseller)
		if err != nil {
			t.Fatal(err)
		}
		var below struct {
			Items []struct {
				Entity   string `json:"entity"`
				Superior struct {
					Status string `json:"status"`
				} `json:"superior"`
			} `json:"items"`
		}
		if g.get("/v1/resellers/"+id+"/subordinates", &below); len(below.Items) != 1 || below.Items[0].Superior.Status != "terminated" {
			t.Errorf("below: %+v", below)
		}
		var moves invited
		mara.reads(&moves, "invite", "move", string(under.about.Entity), "--superior", successor, "--reason", "Its superior was terminated.")
		if _, err := join(t.Context(), t.TempDir(), moves.URL); err == nil || !strings.Contains(err.Error(), "the keys with which you are enrolled") {
			t.Errorf("with other keys: %v", err)
		}
		moved, err := join(t.Context(), under.home, moves.URL)
		if err != nil || moved.about.Superior != other.about.Entity || moved.about.Entity != under.about.Entity {
			t.Fatalf("%+v, %v", moved, err)
		}
		g.settled()
		if mine := reads(); mine.Superior.Status != "" || mine.Standing != "good" {
			t.Errorf("moved: %+v", mine)
		}
	})
}
