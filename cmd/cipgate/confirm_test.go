package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/registry"
)

// asksContact makes the link that an officer gives a reseller's contact.
func (g *gateway) asksContact(r *reseller) string {
	g.t.Helper()
	var asked struct {
		URL string `json:"url"`
	}
	if err := newClient(g.base, g.token).post(g.t.Context(), "/v1/resellers/"+r.about.Entity.ID().String()+"/contact/ask", struct{}{}, &asked); err != nil {
		g.t.Fatal(err)
	}
	path, ok := strings.CutPrefix(asked.URL, g.base)
	if !ok {
		g.t.Fatalf("the link leads to %s", asked.URL)
	}
	return path
}

// A contact opens its link in a browser without script, sees who asks what, and confirms with a button. That the page was opened
// alone confirms nothing: mail servers open links too.
func TestAContactConfirmsInABrowserThatItIsReached(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, isSandbox)
		r := g.enrol("Nimbus & <b>Söhne</b> GmbH")
		browser := http.Header{"Accept": {"text/html,application/xhtml+xml,*/*;q=0.8"}}
		form := func(token string) []byte { return []byte(url.Values{"token": {token}}.Encode()) }
		confirmed := func() (n int) {
			for _, entry := range entriesOf(t, newClient(g.base, g.token)) {
				if entry.Kind == string(statement.KindOfficerAction) && entry.About == string(r.about.Entity) {
					n++
				}
			}
			return n
		}
		path := g.asksContact(r)
		token := strings.TrimPrefix(path, "/confirm/")
		for range 2 {
			response, text := g.do(http.MethodGet, path, browser, nil)
			if response.StatusCode != http.StatusOK || strings.Contains(text, "<script") || strings.Contains(text, "<b>") ||
				!strings.Contains(response.Header.Get("Content-Security-Policy"), "default-src 'self'") || response.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("the page: %d %v %s", response.StatusCode, response.Header, text)
			}
			for _, says := range []string{"Are you the contact of Nimbus &amp; &lt;b&gt;Söhne&lt;/b&gt; GmbH?", "compliance@example.com", string(r.about.Entity), "Link expires", `<form method="post" action="/confirm"`, `value="` + token + `"`} {
				if !strings.Contains(text, says) {
					t.Errorf("the page does not say %q: %s", says, text)
				}
			}
			keepPage(t, "confirm.html", text)
		}
		if n := confirmed(); n != 0 {
			t.Errorf("opening the page confirmed it %d times", n)
		}
		for range 2 {
			response, text := g.do(http.MethodPost, "/confirm", browser, form(" "+token+"\n"))
			if response.StatusCode != http.StatusOK || strings.Contains(text, "<script") || !strings.Contains(text, "Thank you") || !strings.Contains(text, "compliance@example.com") {
				t.Errorf("confirmed: %d %s", response.StatusCode, text)
			}
			keepPage(t, "confirmed.html", text)
		}
		if n := confirmed(); n != 1 {
			t.Errorf("the button twice confirmed it %d times", n)
		}
		if response, text := g.do(http.MethodGet, "/confirm", browser, nil); response.StatusCode != http.StatusOK || !strings.Contains(text, `name="token" required`) {
			t.Errorf("without a token: %d %s", response.StatusCode, text)
		}
		g.secondConfirms(r, browser)
		expired := g.asksContact(r)
		if err := g.Advance(t.Context(), registry.ConfirmationLife); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			method, path string
			body         []byte
			status       int
			says         string
		}{
			{http.MethodGet, "/confirm/wrong", nil, http.StatusUnauthorized, "no such link was given out"},
			{http.MethodPost, "/confirm", form("wrong"), http.StatusUnauthorized, "no such link was given out"},
			{http.MethodPost, "/confirm", []byte("%zz"), http.StatusBadRequest, "application/x-www-form-urlencoded"},
			{http.MethodGet, expired, nil, http.StatusUnauthorized, "this link expired at " + g.clock.Now().UTC().Format("2006-01-02")},
			{http.MethodPost, "/confirm", form(strings.TrimPrefix(expired, "/confirm/")), http.StatusUnauthorized, "this link expired at "},
		} {
			response, text := g.do(c.method, c.path, browser, c.body)
			if response.StatusCode != c.status || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") || !strings.Contains(strings.ToLower(text), strings.ToLower(c.says)) {
				t.Errorf("%s %s: %d %s", c.method, c.path, response.StatusCode, text)
			}
		}
	})
}

// secondConfirms demands that the second contact reads words of its own.
func (g *gateway) secondConfirms(r *reseller, browser http.Header) {
	g.t.Helper()
	var asked struct {
		Token string `json:"token"`
	}
	body := map[string]string{"contact": "legal@example.org"}
	if err := newClient(g.base, g.token).post(g.t.Context(), "/v1/resellers/"+r.about.Entity.ID().String()+"/second-contact", body, &asked); err != nil {
		g.t.Fatal(err)
	}
	_, opened := g.do(http.MethodGet, "/confirm/"+asked.Token, browser, nil)
	_, done := g.do(http.MethodPost, "/confirm", browser, []byte(url.Values{"token": {asked.Token}}.Encode()))
	keepPage(g.t, "confirm-second.html", opened)
	keepPage(g.t, "confirmed-second.html", done)
	for text, says := range map[string][]string{
		opened: {"Are you the second contact of", "legal@example.org", "not answered there in time comes to this address too", "not the second contact"},
		done:   {"also reached through you", "legal@example.org", "and nothing else"},
	} {
		for _, words := range append(says, "contact") {
			if !strings.Contains(text, words) || strings.Contains(text, "compliance@example.com") || strings.Contains(text, "reminders") {
				g.t.Errorf("the second contact does not read %q, or what the first one does: %s", words, text)
			}
		}
	}
}

// keepPage writes a page to the folder that CIPGATE_KEEP_PAGES names, to be looked at.
func keepPage(t *testing.T, name, text string) {
	t.Helper()
	if folder := os.Getenv("CIPGATE_KEEP_PAGES"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A policy may let each enrolment wait for an officer, whatever the invitation says; whoever joins is told.
func TestByPolicyEachEnrolmentWaitsForAnOfficer(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, func(c *Config) { c.Policy = policyFile(t, "value: as-invited", "value: approved") })
		made := g.invite("Waiting Cloud GmbH")
		if _, text := g.do(http.MethodGet, "/enrolments", http.Header{"Authorization": {"Bearer " + made.Token}}, nil); !strings.Contains(text, `"approval":true`) {
			t.Errorf("the invitation says %s", text)
		}
		home := t.TempDir()
		if code, text := says(t, "join", made.URL, "--home", home); code != exitDone || !strings.Contains(text, "approve") {
			t.Errorf("join: %d %s", code, text)
		}
		r, err := openReseller(home)
		if err != nil {
			t.Fatal(err)
		}
		g.pushIsRefused(r, "invalid_issuer", "awaits approval")
		api := newClient(g.base, g.token)
		if err := api.post(t.Context(), "/v1/enrolments/"+r.about.Entity.ID().String()+"/approve", map[string]string{"reason": "Checked against the register."}, &struct{}{}); err != nil {
			t.Fatal(err)
		}
		token := newForge(t, r, time.Now()).signed()
		if response, text := g.do(http.MethodPost, "/events", asSET, []byte(token)); response.StatusCode != http.StatusAccepted {
			t.Errorf("after it was approved: %d %s", response.StatusCode, text)
		}
	})
}
