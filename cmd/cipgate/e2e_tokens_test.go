package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/mail"
	"github.com/cipgate/cipgate/sync/notices"
)

// polls takes what waits for the system and acknowledges it: the events, each as the last part of its type and, of the stream's own, what
// it says.
func (s *houseSystem) polls() (told []string) {
	s.t.Helper()
	path := "/ssf/poll/" + s.stream
	var polled struct {
		Sets     map[string]string `json:"sets"`
		Sequence map[string]int64  `json:"sequence"`
	}
	if err := json.Unmarshal([]byte(s.asks(http.MethodPost, path, asJSON, `{"returnImmediately":true}`, http.StatusOK)), &polled); err != nil {
		s.t.Fatal(err)
	}
	first, acks := int64(0), []string{}
	for _, number := range polled.Sequence {
		if first == 0 || number < first {
			first = number
		}
	}
	told = make([]string, len(polled.Sets))
	for jti, token := range polled.Sets {
		parsed, err := envelope.Parse([]byte(token))
		if err != nil {
			s.t.Fatal(err)
		}
		claims, err := parsed.Claims()
		if err != nil {
			s.t.Fatal(err)
		}
		place := polled.Sequence[jti] - first
		if place >= int64(len(told)) || told[place] != "" {
			s.t.Fatalf("the notices are numbered %v", polled.Sequence)
		}
		told[place] = strings.TrimSuffix(strings.TrimPrefix(claims.EventURI, "urn:cipgate:event:"), ":v1")
		if claims.EventURI == delivery.StreamUpdatedURI {
			told[place] = string(claims.Event)
		}
		acks = append(acks, jti)
	}
	answer, err := json.Marshal(map[string]any{"ack": acks, "maxEvents": 0, "returnImmediately": true})
	if err != nil {
		s.t.Fatal(err)
	}
	s.asks(http.MethodPost, path, asJSON, string(answer), http.StatusOK)
	return told
}

// A system of the provider is told for as long as its API token lasts: officers are mailed before it ends and each day after it has, what
// is stated meanwhile is kept, and comes in order by the same token once an administrator extended it, by command, over /v1 or on the page.
func TestASystemIsToldForAsLongAsItsTokenLastsAndOfficersAreMailedBefore(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	migrationstest.EachURL(t, func(t *testing.T, store string) {
		box := startMailbox(t)
		g := startGateway(t, store, func(c *Config) { c.Sandbox, c.SMTP, c.MailFrom = true, box.url, "cip@provider.example" })
		root, ida := deskOf{g, g.token}, g.as("Ida Berg", "officer")
		billing, quiet := g.houseSystem("billing", "officer", 'b'), g.houseSystem("quiet", "officer", 'q')
		billing.subscribes()
		began := g.wall.Now()
		// passes lets both clocks go on to so many days after the begin: a sandbox's moved clock alone lets no token expire.
		passes := func(days float64) {
			t.Helper()
			to := began.Add(time.Duration(days * float64(day)))
			g.passes(g.clock.Now().Add(to.Sub(g.wall.Now()) - time.Hour))
			g.wall.forwardTo(to)
			g.passes(g.clock.Now().Add(time.Hour)) // what waits for the hour is mailed too
		}
		mailed := func() (times int) {
			t.Helper()
			told, err := g.delivery.Notices(t.Context(), notices.OfOfficer("ida@provider.example"), 0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range told {
				if one.Kind == mail.MatterToken {
					times++
				}
			}
			return times
		}
		mails := func(want int) {
			t.Helper()
			if got := mailed(); got != want {
				t.Errorf("an officer was mailed about a token %d times, want %d", got, want)
			}
		}
		stands := func(status, heldBy, words string) {
			t.Helper()
			var listed struct {
				Items []streamShown `json:"items"`
			}
			root.reads(&listed, "streams")
			if len(listed.Items) != 1 || listed.Items[0].Status != status || listed.Items[0].HeldBy != heldBy {
				t.Errorf("the stream is %+v, want %s, held by %q", listed.Items, status, heldBy)
			}
			root.says(exitDone, words, "streams")
		}
		const soon = "The API token of one of your own systems expires soon, or has expired"

		passes(15)
		mails(0)
		passes(17)
		mails(1)
		if told := box.until("ida@provider.example", soon); !strings.Contains(told.text, "Read it here:\n"+g.base+"/outbox\n") || !strings.HasPrefix(told.subject, "SANDBOX: ") || strings.Contains(told.text, "billing") {
			t.Errorf("mailed %+v", told)
		}
		if page := g.page("/outbox"); !strings.Contains(page, "The token of billing expires soon: then it is told nothing more.") || strings.Contains(page, "token of quiet") {
			t.Errorf("the page says %s", page)
		}
		passes(26)
		mails(1)
		passes(28)
		mails(2)
		box.until("ida@provider.example", soon)
		stands("enabled", "", "enabled, polled")
		ida.says(exitRefused, "administrator", "token", "extend", "billing", "--reason", "It is needed.")

		// It expires. Its system is let in no more, and what is stated is kept.
		r := g.enrol("Silent Cloud GmbH")
		g.settled()
		if told := billing.polls(); len(told) == 0 {
			t.Error("the system was told nothing before its token ended")
		}
		passes(30.5)
		mails(3)
		box.until("ida@provider.example", soon)
		billing.asks(http.MethodPost, "/ssf/poll/"+billing.stream, asJSON, `{"returnImmediately":true}`, http.StatusUnauthorized)
		stands("paused", "expired-token", "paused since its API token has expired (cipgate token extend)")
		root.says(exitRefused, "cipgate token extend", "streams", "enable", billing.stream, "--reason", "x")
		passes(31.5)
		mails(4)
		if page := g.page("/outbox"); !strings.Contains(page, "The token of billing has expired: it is told nothing, and everything is kept for it.") ||
			!strings.Contains(page, "paused: its API token has expired") {
			t.Errorf("the page says %s", page)
		}
		passes(59) // the reseller is warned 30 days after it was enrolled
		g.statedAt(r, statement.KindWarningIssued)

		// By the command line, with the same token and in order.
		root.says(exitRefused, "names them", "token", "extend", "nobody's", "--reason", "x")
		root.says(exitDone, "The token billing of ", "token", "extend", "billing", "--days", "20", "--reason", "It was forgotten.")
		g.settled()
		stands("enabled", "", "enabled, polled")
		told := billing.polls()
		if len(told) < 4 || told[0] != `{"status":"paused","reason":"`+notices.ToldLapsed+`"}` || !slices.Contains(told, `{"status":"enabled"}`) ||
			!strings.Contains(strings.Join(told, " "), "finding-opened warning-issued") {
			t.Errorf("the system was told %q", told)
		}
		// Over /v1: later than it ends, never sooner.
		var extended tokenShown
		api := newClient(g.base, g.token)
		if err := api.post(t.Context(), "/v1/tokens/extend", map[string]any{"label": "billing", "expires_in": 86400, "reason": "Sooner."}, &extended); err == nil || !strings.Contains(err.Error(), "cipgate token revoke") {
			t.Errorf("sooner: %+v, %v", extended, err)
		}
		if err := api.post(t.Context(), "/v1/tokens/extend", map[string]any{"label": "billing", "expires_in": 30 * 86400, "reason": "Until the audit."}, &extended); err != nil || extended.ExpiresAt == nil ||
			extended.ExpiresAt.Sub(g.wall.Now()).Round(time.Hour) != 30*day {
			t.Errorf("%+v, %v", extended, err)
		}
		before := mailed()
		passes(70)
		mails(before) // nobody is mailed about what was extended
		// By the page's button, which administrators alone have.
		passes(80)
		mails(before + 1)
		button := `action="/outbox/tokens"`
		if page := g.page("/outbox"); !strings.Contains(page, button) || !strings.Contains(page, `name="system" value="billing"`) {
			t.Errorf("no button on %s", page)
		}
		vera := g.as("Vera Lang", "officer")
		if _, page := g.do(http.MethodGet, "/outbox", http.Header{"Authorization": {"Bearer " + vera.token}, "Accept": {"text/html"}}, nil); strings.Contains(page, button) || !strings.Contains(page, "An administrator extends it.") {
			t.Errorf("an officer sees %s", page)
		}
		press := func(token, days string) (int, string) {
			t.Helper()
			form := url.Values{"system": {"billing"}, "days": {days}, "reason": {"The yearly look."}}
			response, text := g.do(http.MethodPost, "/outbox/tokens", http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"text/html"}}, []byte(form.Encode()))
			return response.StatusCode, text
		}
		if status, text := press(vera.token, "365"); status != http.StatusForbidden {
			t.Errorf("an officer's button: %d %s", status, text)
		}
		if status, text := press(g.token, "401"); status != http.StatusBadRequest || !strings.Contains(text, "1 to 400") {
			t.Errorf("for longer than a token may last: %d %s", status, text)
		}
		if status, text := press(g.token, "365"); status != http.StatusSeeOther {
			t.Errorf("the button: %d %s", status, text)
		}
		if page := g.page("/outbox?done=extend-token"); strings.Contains(page, button) || !strings.Contains(page, "The token is extended.") {
			t.Errorf("after it the page says %s", page)
		}
		g.settled()
		// One that was ended stays so, and its stream disabled.
		root.says(exitDone, "is refused from now on", "token", "revoke", "billing", "--reason", "Billing moves.")
		g.settled()
		root.says(exitRefused, "stays so", "token", "extend", "billing", "--reason", "x")
		stands("disabled", "officer", "disabled by an officer")
		billing.asks(http.MethodPost, "/ssf/poll/"+billing.stream, asJSON, `{"returnImmediately":true}`, http.StatusUnauthorized)
		quiet.asks(http.MethodGet, "/ssf/streams", asJSON, "", http.StatusUnauthorized) // its own expired long ago, and nobody was mailed about it

		entries, err := g.ledger.Entries(t.Context(), 0, 1000, statement.KindOfficerAction)
		if err != nil {
			t.Fatal(err)
		}
		var did []string
		for _, entry := range entries {
			if said := entry.Statement.(statement.OfficerAction); said.Action == "token.extended" {
				did = append(did, said.Officer.Name+": "+said.Reason)
			}
		}
		if strings.Join(did, " ") != "admin: It was forgotten. admin: Until the audit. admin: The yearly look." {
			t.Errorf("the ledger says %q", did)
		}
	})
}
