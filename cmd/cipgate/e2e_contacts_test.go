package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// storedIn are the tables of the store in which these words stand as they are, in any column.
func (g *gateway) storedIn(words string) (tables []string) {
	g.t.Helper()
	list := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
	if g.db.Name() == "postgres" {
		list = "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname"
	}
	var names []string
	if err := g.db.Raw(list).Scan(&names).Error; err != nil || len(names) < 20 {
		g.t.Fatalf("%d tables, %v", len(names), err)
	}
	for _, name := range names {
		rows := []map[string]any{}
		if err := g.db.Table(name).Find(&rows).Error; err != nil {
			g.t.Fatal(err)
		}
		for _, row := range rows {
			if slices.ContainsFunc(slices.Collect(valuesOf(row)), func(value []byte) bool { return bytes.Contains(value, []byte(words)) }) {
				tables = append(tables, name)
				break
			}
		}
	}
	return tables
}

// valuesOf are the values of a row, as text.
func valuesOf(row map[string]any) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for _, value := range row {
			text, is := value.([]byte)
			if !is {
				text = fmt.Append(nil, value)
			}
			if !yield(text) {
				return
			}
		}
	}
}

// offline stops the gateway, runs commands on its store that open it themselves, and starts it again.
func (g *gateway) offline(t *testing.T, commands ...[]string) (again *gateway, printed []string) {
	t.Helper()
	g.stop()
	c := g.config
	flags := []string{"--data", c.Data, "--listen", c.Listen, "--public-url", c.PublicURL, "--policy", c.Policy, "--smtp-url", c.SMTP, "--mail-from", c.MailFrom}
	if c.Database != "" {
		flags = append(flags, "--database", c.Database)
	}
	if c.Sandbox {
		flags = append(flags, "--sandbox")
	}
	for _, command := range commands {
		code, text := says(t, append(command, flags...)...)
		if code != exitDone {
			t.Fatalf("cipgate %s: %d %s", strings.Join(command, " "), code, text)
		}
		printed = append(printed, text)
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		t.Fatal(err)
	}
	return serveGateway(t, c, listener), printed
}

// The second contact's whole life by the command line and over /v1, and what a contact typed over a link, erased on request: one gateway
// for both, which is rebuilt at the end and says the same.
func TestASecondContactAndWhatAContactTypedAreForgottenOnRequest(t *testing.T) {
	t.Parallel()
	const (
		first  = "compliance@example.com"
		lex    = "lex@reseller.example"
		ida    = "ida@reseller.example"
		secret = "Joe Doe handed it in on paper"
	)
	migrationstest.EachURL(t, func(t *testing.T, store string) {
		box := startMailbox(t)
		short := policyFile(t, "floor:\n    value: 730d", "floor:\n    value: 2d")
		g := startGateway(t, store, func(c *Config) {
			c.Sandbox, c.SMTP, c.MailFrom, c.Policy = true, box.url, "cip@provider.example", short
		})
		r := g.enrolFor("Example Cloud GmbH", first, "")
		entity, path := string(r.about.Entity), "/v1/resellers/"+r.about.Entity.ID().String()
		root, viewer := deskOf{g, g.token}, g.as("Vera Lang", "viewer")
		api := newClient(g.base, g.token)
		list := func(want ...string) {
			t.Helper()
			var told struct {
				Items []contactTold `json:"items"`
			}
			g.get(path+"/contacts", &told)
			var got []string
			for _, one := range told.Items {
				got = append(got, fmt.Sprintf("%s %s %t", one.Order, one.Contact, one.ConfirmedAt != nil))
			}
			if !slices.Equal(got, want) {
				t.Errorf("the contacts are %q, want %q", got, want)
			}
		}
		only := first + " false"
		list("first " + only)

		// Named by the command line: not before it is right, and mailed nothing before it confirmed.
		root.says(exitRefused, "one e-mail address", "contacts", "second", entity, "Lex <"+lex+">")
		root.says(exitRefused, "another address than the first contact's", "contacts", "second", entity, strings.ToUpper(first))
		root.says(exitRefused, "no second contact", "contacts", "take-off", entity, "--reason", "x")
		viewer.says(exitRefused, "officer", "contacts", "second", entity, lex)
		viewer.says(exitRefused, "officer", "contacts", "take-off", entity, "--reason", "x")
		var toLex confirmationTold
		root.reads(&toLex, "contacts", "second", entity, lex)
		list("first "+only, "second "+lex+" false")
		g.follows(toLex.URL)
		list("first "+only, "second "+lex+" true")
		if in := g.storedIn(lex); !slices.Contains(in, "registry_second_contacts") {
			t.Fatalf("the search of the store finds %s in %v", lex, in)
		}
		root.says(exitDone, "second  "+lex+"  confirmed", "contacts", "list", entity)

		// Replaced over /v1: the one before is forgotten, and its link serves no more.
		var toIda confirmationTold
		if err := api.post(t.Context(), path+"/second-contact", map[string]string{"contact": ida}, &toIda); err != nil || toIda.Contact != ida {
			t.Fatalf("%+v, %v", toIda, err)
		}
		list("first "+only, "second "+ida+" false")
		if in := g.storedIn(lex); len(in) > 0 {
			t.Errorf("whom another one replaced still stands in %v", in)
		}
		if response, text := g.do(http.MethodGet, strings.TrimPrefix(toLex.URL, g.base), http.Header{"Accept": {"text/html"}}, nil); response.StatusCode == http.StatusOK {
			t.Errorf("the link of whom another one replaced: %d %s", response.StatusCode, text)
		}
		g.follows(toIda.URL)
		list("first "+only, "second "+ida+" true")

		// Taken off, and named again: it must confirm again.
		if err := api.post(t.Context(), path+"/second-contact/take-off", map[string]string{"reason": " "}, &struct{}{}); err == nil || !strings.Contains(err.Error(), "why it is taken off") {
			t.Errorf("without a reason: %v", err)
		}
		root.says(exitDone, "The second contact is forgotten.", "contacts", "take-off", entity, "--reason", "She left the company.")
		list("first " + only)
		if in := g.storedIn(ida); len(in) > 0 {
			t.Errorf("who was taken off still stands in %v", in)
		}
		root.reads(&toIda, "contacts", "second", entity, ida)
		list("first "+only, "second "+ida+" false")
		root.reads(&toLex, "contacts", "ask", entity)
		g.follows(toLex.URL)
		g.follows(toIda.URL)
		confirmed := []string{"first " + first + " true", "second " + ida + " true"}
		list(confirmed...)

		// The first contact answers a question over its link, and asks that its words be erased.
		root.says(exitDone, "Asked as inquiry", "case", "inquire", entity, "--question", "Where is the written program?")
		g.passes(g.clock.Now().Add(time.Hour))
		b, link, page := box.opens(box.until(first, "A question is to be answered."))
		notice := noticeForm.FindStringSubmatch(page)
		inquiry := strings.SplitN(strings.SplitN(page, `value="inquiry:`, 2)[1], `"`, 2)[0]
		answer := url.Values{"notice": {notice[1]}, "what": {"inquiry:" + inquiry}, "kind": {"explanation"}, "text": {secret}}
		at, status, page := b.ask(link+"/state", answer)
		if status != http.StatusOK || !strings.Contains(page, "Your answer is on record.") {
			t.Fatalf("answering: %d: %s", status, page)
		}
		digest := at[strings.LastIndex(at, "=")+1:]
		g.settled()
		history := func(g *gateway) string {
			t.Helper()
			response, text := g.do(http.MethodGet, path+"/history?limit=1000", http.Header{"Authorization": {"Bearer " + g.token}}, nil)
			if response.StatusCode != http.StatusOK {
				t.Fatalf("%d %s", response.StatusCode, text)
			}
			return text
		}
		if !strings.Contains(history(g), secret) {
			t.Fatal("the history does not tell what was answered")
		}
		proofs := g.told(r, statement.KindInformationRequested).proofsOf()
		if want := []string{"link-opened first", "mail-answered first"}; !slices.Equal(proofs, want) {
			t.Errorf("the question is proved by %q, want %q", proofs, want)
		}
		erase := map[string]string{"answer": digest, "legal_basis": "He asked by letter."}
		erased := func() error {
			var done struct {
				Statements int `json:"statements"`
			}
			err := api.post(t.Context(), path+"/erasures", erase, &done)
			if err == nil && done.Statements != 1 {
				t.Errorf("erased %+v", done)
			}
			return err
		}
		if err := erased(); err == nil || !strings.Contains(err.Error(), "are kept until") {
			t.Errorf("at once: %v", err)
		}
		g.passes(g.clock.Now().Add(48*time.Hour + time.Minute))
		if err := erased(); err != nil {
			t.Fatal(err)
		}
		g.settled()
		forgotten := func(g *gateway) {
			t.Helper()
			if in := g.storedIn("Joe Doe"); len(in) > 0 {
				t.Errorf("what was erased still stands in %v", in)
			}
			if text := history(g); strings.Contains(text, "Joe Doe") || !strings.Contains(text, digest) {
				t.Errorf("the history tells %s", text)
			}
			if text := g.page("/resellers/" + r.about.Entity.ID().String()); strings.Contains(text, "Joe Doe") {
				t.Errorf("the page tells %s", text)
			}
			if got := g.told(r, statement.KindInformationRequested).proofsOf(); !slices.Equal(got, proofs) {
				t.Errorf("the question is proved by %q, before by %q", got, proofs)
			}
			if response, text := g.do(http.MethodGet, "/receipts/"+digest, nil, nil); response.StatusCode != http.StatusOK {
				t.Errorf("the receipt of what was erased: %d %s", response.StatusCode, text)
			}
		}
		forgotten(g)
		if _, status, page := b.ask(link+"/notices", nil); status != http.StatusOK || strings.Contains(page, "Joe Doe") {
			t.Errorf("over the link: %d %s", status, page)
		}

		before := history(g)
		again, printed := g.offline(t, []string{"rebuild"}, []string{"ledger", "check"})
		g = again
		list(confirmed...)
		forgotten(g)
		if after := history(g); after != before {
			t.Errorf("before the rebuild\n%s\nafter it\n%s", before, after)
		}
		if !strings.Contains(printed[1], "The ledger holds") {
			t.Error(printed[1])
		}
	})
}
