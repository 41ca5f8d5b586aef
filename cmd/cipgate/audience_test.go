package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/standing"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/delivery"
)

// matter is what is on record about one reseller: evidence that it may be shown, evidence and a report that it may not.
type matter struct {
	g      *gateway
	r      *reseller
	by     deskOf // who recorded the evidence
	shown  statement.Entry
	hidden []statement.Entry
}

// secrets are what of the hidden entries may stand in no byte that reaches whom they are not for: what was seen, how it is called, who
// recorded it, and by what the entry is found. By its leaf index nothing is: that is how long the public log is.
func (m matter) secrets() []string {
	all := []string{"They deleted the logs.", "Scans from customer-77.", "customer-77", "Mara Lind"}
	for _, e := range m.hidden {
		all = append(all, e.JTI, e.Digest.String())
		if said, is := e.Statement.(statement.OfficerAction); is {
			for _, d := range said.Details {
				if d.Name == "evidence" {
					all = append(all, d.Value)
				}
			}
		}
	}
	return all
}

// begin has a reseller report something late and an officer record evidence against it, some for everybody and some not.
func (g *gateway) begin(name string, mara deskOf) matter {
	g.t.Helper()
	m := matter{g: g, r: g.enrol(name), by: mara}
	g.confirmContact(m.r.about.Entity) // who is confirmed later is not mailed what came before
	if _, err := m.r.push(g.t.Context(), statement.KindCIPAttestation, attestation()); err != nil {
		g.t.Fatal(err)
	}
	if err := g.Advance(g.t.Context(), time.Hour); err != nil {
		g.t.Fatal(err)
	}
	f := newForge(g.t, m.r, g.clock.Now())
	received := g.clock.Now().UTC().Format(time.RFC3339)
	seen := g.clock.Now().Add(-10 * 24 * time.Hour).UTC().Format("2006-01-02T15:04:05Z")
	id := m.r.about.Entity.ID().String()
	record := func(audience, description string) {
		g.t.Helper()
		if err := newClient(g.base, mara.token).post(g.t.Context(), "/v1/evidence", map[string]string{"reseller": id, "ground": "increased-risk", "severity": "serious",
			"description": description, "received_at": received, "audience": audience}, new(any)); err != nil {
			g.t.Fatal(err)
		}
		g.settled()
	}
	record("reseller", "No program was ever shown to us.") // first, so that the warning rests on it
	if status, text := g.pushes(f.customer("customer-77", statement.KindSuspiciousActivity, `{"certainty":"actual","discovered_at":"`+seen+`","observed_from":"`+seen+
		`","categories":["integrity"],"description":"Scans from customer-77.","audience":"need-to-know"}`)); status != http.StatusAccepted {
		g.t.Fatalf("%d %s", status, text)
	}
	record("need-to-know", "They deleted the logs.")
	entries, err := g.ledger.About(g.t.Context(), m.r.about.Entity.ID(), 0, 1000)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, e := range entries {
		switch said := e.Statement.(type) {
		case statement.SuspiciousActivity:
			m.hidden = append(m.hidden, e)
		case statement.OfficerAction:
			if said.Reason == "They deleted the logs." || strings.Contains(fmt.Sprint(said), "They deleted the logs.") {
				m.hidden = append(m.hidden, e)
			} else {
				m.shown = e
			}
		}
	}
	if len(m.hidden) != 2 || m.shown.JTI == "" {
		g.t.Fatalf("on record: %d hidden, %q shown", len(m.hidden), m.shown.JTI)
	}
	return m
}

// plain is a text with the payload of each token in it put behind it.
func plain(text string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("\" \n\r,", r) }) {
		if parts := strings.Split(word, "."); len(parts) == 3 {
			if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
				text += "\n" + string(payload)
			}
		}
	}
	return text
}

// evidenceIn are the leaf indexes that the findings in a list of claims name.
func evidenceIn(t *testing.T, claims []envelope.Claims) (named []int64) {
	t.Helper()
	for _, one := range claims {
		var said struct {
			Evidence jsontext.Value `json:"evidence"`
		}
		if err := json.Unmarshal(one.Event, &said); err != nil {
			t.Fatal(err)
		}
		if one.EventURI == statement.KindWarningIssued.URI() {
			for _, e := range warned(t, one).Evidence {
				named = append(named, e.Entry)
			}
			continue
		}
		var leaves []int64
		if err := json.Unmarshal(said.Evidence, &leaves); said.Evidence != nil && err != nil {
			t.Fatal(err)
		}
		named = append(named, leaves...)
	}
	return named
}

func warned(t *testing.T, claims envelope.Claims) (said statement.WarningIssued) {
	t.Helper()
	if err := json.Unmarshal(claims.Event, &said); err != nil {
		t.Fatal(err)
	}
	return said
}

// warningTells checks that whoever is told of the warning is told what it rests on as far as it is for them, with what each is, and that
// nothing says that there is more.
func (m matter) warningTells(who string, told []envelope.Claims) {
	m.g.t.Helper()
	i := slices.IndexFunc(told, func(c envelope.Claims) bool { return c.EventURI == statement.KindWarningIssued.URI() })
	if i < 0 {
		m.g.t.Errorf("%s is told of no warning", who)
		return
	}
	said := warned(m.g.t, told[i])
	j := slices.IndexFunc(said.Evidence, func(e statement.Evidence) bool { return e.Entry == m.shown.LeafIndex })
	if j < 0 || said.Evidence[j].Kind != "officer-action" || said.Evidence[j].Digest != m.shown.Digest.String() || said.Evidence[j].ReceivedAt.IsZero() || said.Evidence[j].JTI != "" {
		m.g.t.Errorf("%s is told that the warning rests on %+v, wanted entry %d among it", who, said.Evidence, m.shown.LeafIndex)
	}
}

// asSubject is what the reseller reads with its own access token.
func (m matter) asSubject(path, accept string) string {
	m.g.t.Helper()
	s := &subscriber{reseller: m.r, api: newClient(m.g.base, "")}
	if err := s.signIn(m.g.t.Context()); err != nil {
		m.g.t.Fatal(err)
	}
	s.api.accept = accept
	a, err := s.api.send(m.g.t.Context(), http.MethodGet, path, "", nil)
	if err != nil {
		m.g.t.Fatal(err)
	}
	return string(a.body)
}

func (m matter) polled() []envelope.Claims {
	m.g.t.Helper()
	s, err := m.r.subscribe(m.g.t.Context())
	if err != nil {
		m.g.t.Fatal(err)
	}
	got, more, faults, err := s.poll(m.g.t.Context(), said{AtOnce: true})
	if err != nil || more || len(faults) > 0 {
		m.g.t.Fatalf("%t %v %v", more, faults, err)
	}
	var all []envelope.Claims
	for i, one := range got {
		if one.Sequence != int64(i)+1 {
			m.g.t.Errorf("notice %d has the number %d", i, one.Sequence)
		}
		all = append(all, one.claims)
	}
	return all
}

// system makes a stream of the provider's own systems and returns what it is told from then on, one poll.
func (g *gateway) system() func() (claims []envelope.Claims, raw string) {
	g.t.Helper()
	header := http.Header{"Authorization": {"Bearer " + g.token}, "Content-Type": {"application/json"}}
	response, text := g.do(http.MethodPost, "/ssf/streams", header, []byte(`{"delivery":{"method":"`+delivery.MethodPoll+`"}}`))
	var made struct {
		ID string `json:"stream_id"`
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil || response.StatusCode != http.StatusCreated {
		g.t.Fatalf("%d %s", response.StatusCode, text)
	}
	return func() (all []envelope.Claims, raw string) {
		_, text := g.do(http.MethodPost, "/ssf/poll/"+made.ID, header, []byte(`{"returnImmediately":true}`))
		var polled struct {
			Sets     map[string]string `json:"sets"`
			Sequence map[string]int64  `json:"sequence"`
			More     bool              `json:"moreAvailable"`
		}
		if err := json.Unmarshal([]byte(text), &polled); err != nil || polled.More {
			g.t.Fatalf("%v: %s", err, text)
		}
		var numbers []int64
		for jti, token := range polled.Sets {
			parsed, err := envelope.Parse([]byte(token))
			if err != nil {
				g.t.Fatal(err)
			}
			claims, err := parsed.Claims()
			if err != nil {
				g.t.Fatal(err)
			}
			all, numbers = append(all, claims), append(numbers, polled.Sequence[jti])
		}
		slices.Sort(numbers)
		for i, n := range numbers {
			if n != int64(i)+1 {
				g.t.Errorf("the system's notice %d has the number %d", i, n)
			}
		}
		return all, plain(text)
	}
}

// What is for those who need to know it is in no byte of any road to whom it is about, nor of what a viewer or a system of the provider
// reads; and each road tells what it may, so that the silence means something.
func TestEvidenceReachesNobodyWhomItIsNotForOverAnyRoad(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, store string) {
		box := startMailbox(t)
		g := startGateway(t, store, func(c *Config) { c.Sandbox, c.SMTP, c.MailFrom = true, box.url, "cip@provider.example" })
		mara, ida := g.as("Mara Lind", "officer"), g.as("Ida Berg", "viewer")
		system := g.system()
		m := g.begin("Example Cloud GmbH", mara)
		pushed := g.enrol("Beispiel Wolke AG")
		in := newInbox(t, g, pushed.about.Entity)
		s := &subscriber{reseller: pushed, api: newClient(g.base, "")}
		if err := s.ask(t.Context(), http.MethodPost, "/ssf/streams", map[string]any{"delivery": map[string]string{"method": "urn:ietf:rfc:8935", "endpoint_url": in.URL}}, new(any)); err != nil {
			t.Fatal(err)
		}
		id := m.r.about.Entity.ID().String()

		var feed struct {
			URL string `json:"url"`
		}
		if err := newClient(g.base, g.token).post(t.Context(), "/v1/calendars", map[string]string{"reseller": id}, &feed); err != nil {
			t.Fatal(err)
		}
		bearer := func(d deskOf) http.Header {
			return http.Header{"Authorization": {"Bearer " + d.token}, "Accept": {"application/json, text/html"}}
		}
		read := func(d deskOf, path string) string {
			response, text := g.do(http.MethodGet, path, bearer(d), nil)
			if response.StatusCode != http.StatusOK {
				t.Errorf("%s: %d %s", path, response.StatusCode, text)
			}
			return text
		}
		again := newForge(t, m.r, g.clock.Now()).fresh()
		if err := g.Advance(t.Context(), time.Hour); err != nil { // the digest comes with the hour
			t.Fatal(err)
		}
		var letters []letter
		for link := ""; link == ""; {
			one := box.next()
			letters = append(letters, one)
			if one.to == "compliance@example.com" && strings.Contains(one.text, "A shortfall was found") {
				link = linkInMail.FindString(one.text)
			}
		}
		link, b := linkInMail.FindString(letters[len(letters)-1].text), newBrowser(t)
		b.ask(link+"/code", url.Values{})
		code := []string(nil)
		for code == nil {
			one := box.next()
			letters = append(letters, one)
			code = codeInMail.FindStringSubmatch(one.text)
		}
		at, status, answers := b.ask(link+"/open", url.Values{"code": {code[1]}})
		if at != link+"/notices" || status != http.StatusOK {
			t.Fatalf("%d at %s", status, at)
		}
		polled := m.polled()
		pollBytes := ""
		for _, one := range polled {
			pollBytes += fmt.Sprintln(one.EventURI, one.JTI, one.Subject, one.Txn, string(one.Event))
		}
		mails := ""
		for _, one := range letters {
			if one.to == "compliance@example.com" {
				mails += one.subject + one.text
			}
		}
		systems, systemBytes := system()
		_, foreseen := g.do(http.MethodPost, "/events/validate", asSET, []byte(again.signed()))
		for name, road := range map[string]struct{ bytes, tells string }{
			"polled notices":          {pollBytes, "evidence.recorded"},
			"standing":                {m.asSubject("/v1/me/standing", "application/json"), "evidence.recorded"},
			"standing, signed":        {plain(m.asSubject("/v1/me/standing", standing.MediaType)), "evidence.recorded"},
			"calendar":                {read(mara, strings.TrimPrefix(feed.URL, g.base)), "evidence.recorded"},
			"mail":                    {mails, "A shortfall was found"},
			"the page behind a link":  {answers, "evidence that an officer recorded, received"},
			"the dry run":             {foreseen, `"before":"warned"`},
			"a system of ours":        {systemBytes, m.shown.JTI},
			"a viewer's entries":      {read(ida, "/v1/entries?limit=1000"), m.shown.JTI},
			"a viewer's history":      {read(ida, "/v1/resellers/"+id+"/history"), "No program was ever shown to us."},
			"a viewer's reseller":     {read(ida, "/v1/resellers/"+id), "evidence.recorded"},
			"a viewer's findings":     {read(ida, "/v1/findings"), "evidence.recorded"},
			"a viewer's case":         {read(ida, "/v1/resellers/"+id+"/case"), "evidence.recorded"},
			"a viewer's figures":      {read(ida, "/v1/resellers/"+id+"/figures"), "customers"},
			"a viewer's page":         {read(ida, "/resellers/"+id), "It rests on: evidence that an officer recorded"},
			"a viewer's notices page": {read(ida, "/resellers/"+id+"/notices"), "shortfall"},
		} {
			if !strings.Contains(road.bytes, road.tells) {
				t.Errorf("%s does not tell %q: %s", name, road.tells, road.bytes)
			}
			for _, secret := range m.secrets() {
				// A viewer may know who works here, and that customers exist; the others not even that.
				if who := strings.HasPrefix(name, "a viewer") || name == "a system of ours"; who && secret == "Mara Lind" {
					continue
				}
				if strings.Contains(road.bytes, secret) {
					t.Errorf("%s tells %q", name, secret)
				}
			}
			if strings.Contains(road.bytes, "suspicious_reports") || strings.Contains(road.bytes, `"statements"`) {
				t.Errorf("%s counts what it does not show", name)
			}
		}
		for name, told := range map[string][]envelope.Claims{"the reseller": polled, "a system": systems} {
			m.warningTells(name, told)
			named := evidenceIn(t, told)
			for _, e := range m.hidden {
				if slices.Contains(named, e.LeafIndex) {
					t.Errorf("%s is told that entry %d is evidence", name, e.LeafIndex)
				}
			}
			if !slices.Contains(named, m.shown.LeafIndex) {
				t.Errorf("%s is not told that entry %d is evidence: %v", name, m.shown.LeafIndex, named)
			}
		}
		for _, path := range []string{"/v1/resellers/" + id, "/v1/findings", "/v1/resellers/" + id + "/case"} {
			for _, e := range m.hidden {
				if named := fmt.Sprintf(`"evidence":[%d]`, e.LeafIndex); strings.Contains(read(ida, path), named) || !strings.Contains(read(mara, path), named) {
					t.Errorf("%s names the evidence %d to a viewer, or not to an officer", path, e.LeafIndex)
				}
			}
		}

		// A page of a list is as long for a viewer as for whoever reads all, and goes on where nothing is left out.
		var few struct {
			Items []struct {
				LeafIndex int64 `json:"leaf_index"`
			} `json:"items"`
		}
		for _, path := range []string{"/v1/entries", "/v1/resellers/" + id + "/history"} {
			for _, limit := range []int{1, 3, 7} {
				for _, d := range []deskOf{mara, ida} {
					if err := json.Unmarshal([]byte(read(d, fmt.Sprintf("%s?limit=%d", path, limit))), &few); err != nil || len(few.Items) != limit {
						t.Errorf("%s: %d of %d, %v", path, len(few.Items), limit, err)
					}
				}
			}
		}

		// What comes in and is not for a viewer moves nothing on the viewer's page: what its address says was shown is an entry of the viewer's.
		again = newForge(t, m.r, g.clock.Now())
		seen := g.clock.Now().Add(-time.Hour).UTC().Format("2006-01-02T15:04:05Z")
		if status, text := g.pushes(again.customer("customer-77", statement.KindSuspiciousActivity, `{"certainty":"suspected","discovered_at":"`+seen+`","observed_from":"`+seen+
			`","categories":["integrity"],"description":"Scans from customer-77.","audience":"need-to-know"}`)); status != http.StatusAccepted {
			t.Fatalf("%d %s", status, text)
		}
		g.settled()
		edition := regexp.MustCompile(`shown=(\d+)\.`).FindStringSubmatch(read(ida, "/resellers/"+id))
		if edition == nil || !strings.Contains(read(ida, "/v1/resellers/"+id+"/history?limit=1000"), `"leaf_index":`+edition[1]+`,`) {
			t.Errorf("a viewer's page says that it shows entry %v, which is not in the viewer's history", edition)
		}

		// Who works on the matter sees all of it.
		for path, tells := range map[string][]string{
			"/v1/resellers/" + id + "/history":               {"They deleted the logs.", "Scans from customer-77."},
			"/v1/entries?limit=1000":                         {m.hidden[0].JTI, m.hidden[1].JTI},
			"/resellers/" + id:                               {"They deleted the logs.", "Scans from customer-77."},
			"/v1/resellers/" + id + "/figures":               {`"suspicious_reports":2`},
			"/v1/resellers/" + id + "/customers/customer-77": {"Scans from customer-77.", `"suspicious_reports":2`},
		} {
			text := strings.ReplaceAll(read(mara, path), "&#39;", "'")
			for _, wanted := range tells {
				if !strings.Contains(text, wanted) {
					t.Errorf("an officer does not see %q at %s: %s", wanted, path, text)
				}
			}
		}

		// By push it is the same.
		p := matter{g: g, r: pushed, by: mara}
		if err := newClient(g.base, mara.token).post(t.Context(), "/v1/evidence", map[string]string{"reseller": p.r.about.Entity.ID().String(), "ground": "increased-risk", "severity": "serious",
			"description": "They deleted the logs.", "received_at": g.clock.Now().UTC().Format(time.RFC3339), "audience": "need-to-know"}, new(any)); err != nil {
			t.Fatal(err)
		}
		g.settled()
		for {
			claims := <-in.got
			if claims.EventURI != statement.KindFindingOpened.URI() || !strings.Contains(string(claims.Event), "evidence.recorded") {
				continue
			}
			if !strings.Contains(string(claims.Event), `"evidence":[]`) || claims.Txn == "" {
				t.Errorf("pushed %s, %s", claims.Event, claims.Txn)
			}
			if response, _ := g.do(http.MethodGet, "/receipts/"+claims.Txn, nil, nil); response.StatusCode != http.StatusOK {
				t.Errorf("what stays the proof: %d", response.StatusCode)
			}
			break
		}
	})
}
