package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/mail"
)

// enrolFor lets a reseller join that has this contact and stands below this superior, empty for the provider.
func (g *gateway) enrolFor(name, contact, superior string) *reseller {
	g.t.Helper()
	var made invited
	wanted := map[string]string{"name": name, "country": "DE", "contact": contact}
	if superior != "" {
		wanted["superior"] = superior
	}
	if err := newClient(g.base, g.token).post(g.t.Context(), "/v1/invitations", wanted, &made); err != nil {
		g.t.Fatal(err)
	}
	r, err := join(g.t.Context(), g.t.TempDir(), made.URL)
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

// follows lets whoever was given a confirmation's link press its button.
func (g *gateway) follows(link string) {
	g.t.Helper()
	token := link[strings.LastIndex(link, "/")+1:]
	response, text := g.do(http.MethodPost, "/confirm", http.Header{"Accept": {"text/html"}}, []byte(url.Values{"token": {token}}.Encode()))
	if response.StatusCode != http.StatusOK || !strings.Contains(text, "Thank you") {
		g.t.Fatalf("confirming: %d %s", response.StatusCode, text)
	}
}

// until takes mails until one to this address says so. Each that it passes over must be to none of those who are not to be told yet.
func (m *mailbox) until(to, says string, notYet ...string) letter {
	m.t.Helper()
	for {
		came := m.next()
		if came.to == to && strings.Contains(came.text, says) {
			return came
		}
		for _, words := range notYet {
			if came.to == words || strings.Contains(came.text, words) {
				m.t.Fatalf("before the mail to %s that says %q came %+v", to, says, came)
			}
		}
	}
}

// opens lets whoever was mailed follow the link, with the code that is mailed then, and returns the browser, the link and the notices.
func (m *mailbox) opens(told letter) (b browser, link, page string) {
	m.t.Helper()
	if link = linkInMail.FindString(told.text); link == "" {
		m.t.Fatalf("no link in %s", told.text)
	}
	b = newBrowser(m.t)
	if _, status, page := b.ask(link+"/code", url.Values{}); status != http.StatusOK {
		m.t.Fatalf("asking for the code: %d: %s", status, page)
	}
	code := codeInMail.FindStringSubmatch(m.until(told.to, "Your code: ").text)
	at, status, page := b.ask(link+"/open", url.Values{"code": {code[1]}})
	if at != link+"/notices" || status != http.StatusOK {
		m.t.Fatalf("with the code: %d at %s: %s", status, at, page)
	}
	return b, link, page
}

// acknowledges presses the button of an opened link.
func (b browser) acknowledges(link string) {
	b.t.Helper()
	if _, status, page := b.ask(link+"/acknowledge", url.Values{}); status != http.StatusOK || !strings.Contains(page, "You acknowledged all of this.") {
		b.t.Fatalf("acknowledging: %d: %s", status, page)
	}
}

// toldByAll is what officers see of a notice and of each of its channels.
type toldByAll struct {
	Kind  string `json:"kind"`
	JTI   string `json:"jti"`
	State string `json:"state"`
	Mails []struct {
		Contact string `json:"contact"`
		Second  bool   `json:"second"`
		State   string `json:"state"`
	} `json:"mails"`
	Proofs []struct {
		Channel string `json:"channel"`
		Contact string `json:"contact"`
	} `json:"proofs"`
	Later []struct {
		Channel   string     `json:"channel"`
		State     string     `json:"state"`
		DueAt     *time.Time `json:"due_at"`
		SettledAt *time.Time `json:"settled_at"`
		Why       string     `json:"why"`
		Superior  string     `json:"superior"`
		Ways      []struct {
			Contact string `json:"contact"`
			State   string `json:"state"`
		} `json:"ways"`
	} `json:"later"`
}

// channelsOf are the later channels with what became of them.
func (n toldByAll) channelsOf() (all []string) {
	for _, one := range n.Later {
		all = append(all, strings.TrimSuffix(one.Channel+" "+one.State+": "+one.Why, ": "))
	}
	return all
}

// proofsOf are what proves the notice, by whom: the first contact or the second one.
func (n toldByAll) proofsOf() (all []string) {
	by := map[string]string{}
	for _, one := range n.Mails {
		by[one.Contact] = map[bool]string{false: " first", true: " second"}[one.Second]
	}
	for _, one := range n.Proofs {
		all = append(all, one.Channel+by[one.Contact])
	}
	return all
}

// told is the newest notice of a kind to a reseller.
func (g *gateway) told(r *reseller, kind statement.Kind) toldByAll {
	g.t.Helper()
	var list struct {
		Items []toldByAll `json:"items"`
	}
	g.get("/v1/resellers/"+r.about.Entity.ID().String()+"/notices?limit=100", &list)
	for _, one := range slices.Backward(list.Items) {
		if one.Kind == string(kind) {
			return one
		}
	}
	g.t.Fatalf("%s was told of no %s", r.about.Entity, kind)
	return toldByAll{}
}

// statedAt is when the newest statement of a kind about a reseller was stated.
func (g *gateway) statedAt(r *reseller, kind statement.Kind) time.Time {
	g.t.Helper()
	entries, err := g.ledger.Entries(g.t.Context(), 0, 1000, kind)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, entry := range slices.Backward(entries) {
		if entry.About == r.about.Entity {
			return entry.AcceptedAt.Truncate(time.Second) // as cases count
		}
	}
	g.t.Fatalf("no %s about %s", kind, r.about.Entity)
	return time.Time{}
}

// passes moves the clock to a time.
func (g *gateway) passes(to time.Time) {
	g.t.Helper()
	if err := g.Advance(g.t.Context(), to.Sub(g.clock.Now())); err != nil {
		g.t.Fatal(err)
	}
}

// A reseller of a reseller answers nothing. Its warning goes to its second contact, to officers who are to call, and to the entity above
// it, each at the policy's time and by a real mail with a link that serves; what they do about it stands on the case.
func TestWhatAResellersResellerDoesNotAnswerGoesUpChannelByChannel(t *testing.T) {
	t.Parallel()
	const (
		day    = 24 * time.Hour
		first  = "compliance@lower.example"
		second = "legal@lower.example"
		upper  = "compliance@upper.example"
		mara   = "mara@provider.example"
	)
	migrationstest.EachURL(t, func(t *testing.T, store string) {
		box := startMailbox(t)
		g := startGateway(t, store, func(c *Config) {
			c.Sandbox, c.SMTP, c.MailFrom = true, box.url, "cip@provider.example"
		})
		root, officer := deskOf{g, g.token}, g.as("Mara Lind", "officer")
		superior := g.enrolFor("Upper Cloud GmbH", upper, "")
		if _, err := superior.push(t.Context(), statement.KindCIPAttestation, attestation()); err != nil {
			t.Fatal(err)
		}
		r := g.enrolFor("Lower Cloud GmbH", first, string(superior.about.Entity))
		entity := string(r.about.Entity)
		for _, ask := range [][]string{{"ask", string(superior.about.Entity)}, {"ask", entity}, {"second", entity, second}} {
			var asked confirmationTold
			root.reads(&asked, append([]string{"contacts"}, ask...)...)
			g.follows(asked.URL)
		}
		call, _ := mail.Line(mail.MatterPhone)
		above, _ := mail.Line(string(statement.KindSuperiorTold))

		g.passes(g.clock.Now().Add(31 * day)) // warned on day 30
		g.passes(g.clock.Now().Add(time.Hour))
		warnedAt := g.statedAt(r, statement.KindWarningIssued)
		toFirst := box.until(first, "A warning was issued.", second, call, above)
		if got, want := g.told(r, statement.KindWarningIssued).channelsOf(), []string{"second-contact due", "phone due", "superior due"}; !slices.Equal(got, want) {
			t.Fatalf("at first %q, want %q", got, want)
		}
		g.passes(warnedAt.Add(3*day + time.Minute))
		toSecond := box.until(second, "A warning was issued.", call, above)
		g.passes(warnedAt.Add(5*day + time.Minute))
		box.until(mara, call, above)
		g.passes(warnedAt.Add(7*day + time.Minute))
		toSuperior := box.until(upper, above, second)

		warned := g.told(r, statement.KindWarningIssued)
		if got, want := warned.channelsOf(), []string{"second-contact taken", "phone taken", "superior taken"}; !slices.Equal(got, want) || len(warned.Proofs) > 0 {
			t.Fatalf("after a week %q, want %q; proved by %q", got, want, warned.proofsOf())
		}
		for i, days := range []int{3, 5, 7} {
			one, due := warned.Later[i], warnedAt.AddDate(0, 0, days)
			if !one.DueAt.Equal(due) || one.SettledAt.Before(due) || i < 2 && one.SettledAt.After(*warned.Later[i+1].DueAt) {
				t.Errorf("%s: due at %s, taken at %s, want %s", one.Channel, one.DueAt, one.SettledAt, due)
			}
		}
		for told, names := range map[letter]string{toSecond: "you are the second contact of\n" + entity, toSuperior: "you are the confirmed contact of\n" + string(superior.about.Entity)} {
			if !strings.Contains(told.text, names) || strings.Contains(told.text, first) {
				t.Errorf("%s is mailed %s", told.to, told.text)
			}
		}
		if strings.Contains(toSuperior.text, "Lower") {
			t.Errorf("the mail names whom it is about: %s", toSuperior.text)
		}

		// The superior reads how its reseller stands, and nothing of what it rests on. That proves nothing of the reseller.
		b, link, page := box.opens(toSuperior)
		if !strings.Contains(page, entity) || strings.Contains(page, "cip.missing") || strings.Contains(page, "Answer it") {
			t.Errorf("the superior reads %s", page)
		}
		b.acknowledges(link)
		g.settled()
		warned = g.told(r, statement.KindWarningIssued)
		last := warned.Later[2]
		if len(warned.Proofs) > 0 || last.Superior != string(superior.about.Entity) || !slices.ContainsFunc(last.Ways, func(way struct {
			Contact string `json:"contact"`
			State   string `json:"state"`
		}) bool {
			return way.Contact != "" && way.State == "acknowledged"
		}) {
			t.Errorf("once the superior has it: %+v", warned)
		}

		// The second contact acknowledges it, the first one answers it after that.
		b, link, page = box.opens(toSecond)
		if !strings.Contains(page, "Answer it") {
			t.Errorf("the second contact reads %s", page)
		}
		b.acknowledges(link)
		b, link, page = box.opens(toFirst)
		notice, what := noticeForm.FindStringSubmatch(page), whatInForm.FindStringSubmatch(page)
		if notice == nil || what == nil {
			t.Fatalf("the first contact can answer nothing: %s", page)
		}
		answer := url.Values{"notice": {notice[1]}, "what": {what[1]}, "kind": {"explanation"}, "text": {"It is being signed."}}
		if _, status, page := b.ask(link+"/state", answer); status != http.StatusOK || !strings.Contains(page, "Your answer is on record.") {
			t.Errorf("the first contact answers: %d: %s", status, page)
		}
		g.settled()
		warned = g.told(r, statement.KindWarningIssued)
		if got, want := warned.proofsOf(), []string{"link-opened second", "mail-answered second"}; !slices.Equal(got, want) {
			t.Errorf("the warning is proved by %q, want %q", got, want)
		}
		if page := g.page("/resellers/" + r.about.Entity.ID().String() + "/notices"); !strings.Contains(page, "A contact acknowledged or answered it over the link") {
			t.Error(page)
		}

		// The restriction, for whose proof the closing waits: an officer calls, and the superior need not be told.
		g.passes(warnedAt.Add(14*day + time.Hour))
		restrictedAt := g.statedAt(r, statement.KindRestrictionOrdered)
		g.passes(restrictedAt.Add(3*day + time.Minute))
		box.until(second, "New accounts are to be stopped", call, above)
		officer.says(exitDone, "Nobody need be called.", "case", "calls")
		g.passes(restrictedAt.Add(5*day + time.Minute))
		box.until(mara, call, above)
		officer.says(exitDone, "Lower Cloud GmbH", "case", "calls")
		order := g.told(r, statement.KindRestrictionOrdered)
		officer.says(exitDone, "It is proof of notice.", "case", "told", entity, "--notice", order.JTI, "--whom", "head of compliance", "--at", g.clock.Now().Format(time.RFC3339), "--reason", "They answered the telephone.")
		g.passes(restrictedAt.Add(7*day + time.Minute))
		order = g.told(r, statement.KindRestrictionOrdered)
		if got, want := order.channelsOf(), []string{"second-contact taken", "phone taken", "superior spared: the notice was proved"}; !slices.Equal(got, want) {
			t.Errorf("of the restriction %q, want %q", got, want)
		}
		var open struct {
			Notice struct {
				Of       string     `json:"of"`
				ProvedAt *time.Time `json:"proved_at"`
				Channel  string     `json:"channel"`
			} `json:"notice"`
		}
		g.get("/v1/resellers/"+r.about.Entity.ID().String()+"/case", &open)
		if open.Notice.Of != "restrict" || open.Notice.ProvedAt == nil || open.Notice.Channel != "call" {
			t.Errorf("on the case: %+v", open.Notice)
		}
	})
}
