package main

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/http/cookiejar"
	"net/mail"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// mailbox is a real SMTP server, from Debian's python3-aiosmtpd, and what it took.
type mailbox struct {
	t     *testing.T
	lines chan []byte // closed when the server ended
	url   string
}

// mostMails is how many mails may come before the first is read.
const mostMails = 10_000

func startMailbox(t *testing.T) *mailbox {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, whatever else is on the PATH
	if exec.CommandContext(t.Context(), python, "-c", "import aiosmtpd").Run() != nil {
		lacks(t, "python3-aiosmtpd", "apt-get install python3-aiosmtpd")
	}
	server := exec.Command(python, filepath.Join("..", "..", "sync", "mail", "testdata", "smtpd.py"))
	input, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		_ = server.Wait()
	})
	m := &mailbox{t: t, lines: make(chan []byte, mostMails)}
	go func() { // read as it comes: a full pipe would stop the server, and with it a gateway that stops
		defer close(m.lines)
		lines := bufio.NewScanner(output)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			m.lines <- bytes.Clone(lines.Bytes())
		}
	}()
	var said struct{ Port int }
	m.read(&said)
	m.url = "smtp://127.0.0.1:" + strconv.Itoa(said.Port)
	return m
}

func (m *mailbox) read(into any) {
	m.t.Helper()
	var line []byte
	select {
	case next, ok := <-m.lines:
		if !ok {
			m.t.Fatal("the mail server ended")
		}
		line = next
	case <-time.After(patience):
		m.t.Fatalf("no mail came within %s", patience)
	}
	if err := json.Unmarshal(line, into, json.MatchCaseInsensitiveNames(true)); err != nil {
		m.t.Fatal(err)
	}
}

// letter is a mail as it came.
type letter struct{ to, subject, text string }

// next waits for the next mail.
func (m *mailbox) next() letter {
	m.t.Helper()
	var taken struct {
		To   []string
		Data string
	}
	m.read(&taken)
	message, err := mail.ReadMessage(strings.NewReader(taken.Data))
	if err != nil {
		m.t.Fatal(err)
	}
	_, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		m.t.Fatal(err)
	}
	part, err := multipart.NewReader(message.Body, parameters["boundary"]).NextRawPart()
	if err != nil {
		m.t.Fatal(err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(part))
	if err != nil {
		m.t.Fatal(err)
	}
	return letter{strings.Join(taken.To, ","), message.Header.Get("Subject"), strings.ReplaceAll(string(text), "\r\n", "\n")}
}

// browser is a person's browser: it keeps cookies and follows redirects.
type browser struct {
	t    *testing.T
	http *http.Client
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return browser{t, &http.Client{Jar: jar, Timeout: time.Minute}}
}

// ask gets a page, or posts a form, and returns where it ended, the status and the page.
func (b browser) ask(address string, form url.Values) (at string, status int, page string) {
	b.t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(b.t.Context(), method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.http.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.Request.URL.String(), answer.StatusCode, string(text)
}

var (
	linkInMail = regexp.MustCompile(`(?m)^(http\S+/answer/\S+)$`)
	codeInMail = regexp.MustCompile(`Your code: ([0-9]{8})`)
	noticeForm = regexp.MustCompile(`name="notice" value="([0-9]+)"`)
	whatInForm = regexp.MustCompile(`name="what" value="(finding:[^"]+)"`)
)

// confirmContact does what the officer and the contact do so that the contact is mailed.
func (g *gateway) confirmContact(entity envelope.Entity) {
	g.t.Helper()
	asked, err := g.registry.AskContact(g.t.Context(), entity.ID(), statement.Officer{ID: "admin", Name: "admin"})
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.registry.ConfirmContact(g.t.Context(), asked.Token); err != nil {
		g.t.Fatal(err)
	}
}

func TestAResellerWithoutSoftwareIsMailedReadsAndDisputesOverTheLink(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, store string) {
		box := startMailbox(t)
		g := startGateway(t, store, func(c *Config) {
			c.Sandbox, c.SMTP, c.MailFrom = true, box.url, "cip@provider.example"
		})
		r := g.enrol("Example Cloud GmbH")
		entity := r.about.Entity
		g.confirmContact(entity)
		if err := g.Advance(t.Context(), 31*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := g.Advance(t.Context(), time.Hour); err != nil { // the digest comes with the hour
			t.Fatal(err)
		}
		told := box.next()
		if told.to != "compliance@example.com" || !strings.HasPrefix(told.subject, "SANDBOX: ") || !strings.Contains(told.text, "A warning was issued.") {
			t.Fatalf("mailed %+v", told)
		}
		link := linkInMail.FindString(told.text)
		b := newBrowser(t)
		if _, status, page := b.ask(link, nil); status != http.StatusOK || strings.Contains(page, "warning") ||
			!strings.Contains(page, "Send me a code") || strings.Index(page, "Send me a code") > strings.Index(page, `name="code"`) { // what is to be done first comes first
			t.Fatalf("the link shows %d: %s", status, page)
		}
		if at, _, _ := b.ask(link+"/notices", nil); at != link {
			t.Errorf("without the code the notices are at %s", at)
		}
		if at, status, page := b.ask(link+"/code", url.Values{}); at != link || status != http.StatusOK || !strings.Contains(page, "A code was sent") {
			t.Fatalf("asking for the code: %d at %s: %s", status, at, page)
		}
		if _, status, page := b.ask(link+"/open", url.Values{"code": {"x"}}); status != http.StatusForbidden || !strings.Contains(page, "not the code") {
			t.Errorf("a wrong code: %d: %s", status, page)
		}
		code := codeInMail.FindStringSubmatch(box.next().text)
		if code == nil {
			t.Fatal("no code came")
		}
		at, status, page := b.ask(link+"/open", url.Values{"code": {code[1][:4] + " " + code[1][4:]}})
		if at != link+"/notices" || status != http.StatusOK || !strings.Contains(page, "Answer it") || strings.Contains(page, "<script") {
			t.Fatalf("with the code: %d at %s: %s", status, at, page)
		}
		_, _, page = b.ask(link+"/acknowledge", url.Values{})
		if !strings.Contains(page, "You acknowledged all of this.") {
			t.Errorf("acknowledged: %s", page)
		}
		notice, what := noticeForm.FindStringSubmatch(page), whatInForm.FindStringSubmatch(page)
		if notice == nil || what == nil {
			t.Fatalf("nothing can be answered: %s", page)
		}
		dispute := url.Values{"notice": {notice[1]}, "what": {what[1]}, "kind": {"dispute"}, "ground": {""}, "text": {"It was handed in on paper."}}
		if _, status, page := b.ask(link+"/state", dispute); status != http.StatusBadRequest || !strings.Contains(page, "choose why you dispute it") || !strings.Contains(page, "It was handed in on paper.") {
			t.Errorf("without a ground: %d: %s", status, page)
		}
		dispute.Set("ground", "false-positive")
		if _, status, page := b.ask(link+"/state", dispute); status != http.StatusOK || !strings.Contains(page, "Your answer is on record.") {
			t.Errorf("with a ground: %d: %s", status, page)
		}
		dispute.Set("text", "In other words.")
		if _, status, page := b.ask(link+"/state", dispute); status != http.StatusConflict || !strings.Contains(page, "nswered already") {
			t.Errorf("once more, in other words: %d: %s", status, page)
		}
		g.settled()
		var channels []string
		proofs, err := g.ledger.Entries(t.Context(), 0, 1000, statement.KindNoticeProved)
		if err != nil {
			t.Fatal(err)
		}
		for _, proof := range proofs {
			channels = append(channels, proof.Statement.(statement.NoticeProved).Channel)
		}
		slices.Sort(channels)
		if channels = slices.Compact(channels); !slices.Equal(channels, []string{statement.ChannelLinkOpened, statement.ChannelMailAnswered}) {
			t.Errorf("proved by %v", channels)
		}
		stated, err := g.ledger.Entries(t.Context(), 0, 1000, statement.KindStatedByLink)
		if err != nil || len(stated) != 1 || stated[0].By != g.config.entity() || stated[0].About != entity {
			t.Fatalf("stated %+v, %v", stated, err)
		}
		g.provedOnTheCase(entity)
	})
}

// provedOnTheCase demands that officers see the proof of each notice, over /v1 and on the page.
func (g *gateway) provedOnTheCase(entity envelope.Entity) {
	g.t.Helper()
	var list struct {
		Items []struct {
			Kind  string `json:"kind"`
			Mails []struct {
				Contact string `json:"contact"`
				State   string `json:"state"`
			} `json:"mails"`
			Proofs []struct {
				Channel string `json:"channel"`
				Contact string `json:"contact"`
			} `json:"proofs"`
		} `json:"items"`
	}
	g.get("/v1/resellers/"+entity.ID().String()+"/notices", &list)
	warned := false
	for _, one := range list.Items {
		if one.Kind != string(statement.KindWarningIssued) {
			continue
		}
		warned = true
		if len(one.Mails) != 1 || one.Mails[0].State != "acknowledged" || len(one.Proofs) != 2 || one.Proofs[0].Contact != one.Mails[0].Contact {
			g.t.Errorf("the warning on the case: %+v", one)
		}
	}
	if !warned {
		g.t.Errorf("no warning among %+v", list.Items)
	}
	header := http.Header{"Authorization": {"Bearer " + g.token}, "Accept": {"text/html"}}
	response, page := g.do(http.MethodGet, "/resellers/"+entity.ID().String()+"/notices", header, nil)
	if response.StatusCode != http.StatusOK || !strings.Contains(page, "A contact acknowledged or answered it over the link") || !strings.Contains(page, "The mail server took it.") {
		g.t.Errorf("the page of notices: %d: %s", response.StatusCode, page)
	}
}

func TestAnOfficerIsMailedOnceWhenAStepWaitsForApproval(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, store string) {
		box := startMailbox(t)
		g := startGateway(t, store, func(c *Config) {
			c.Sandbox, c.SMTP, c.MailFrom = true, box.url, "cip@provider.example"
		})
		if err := newClient(g.base, g.token).post(t.Context(), "/v1/officers", map[string]string{"name": "Ada Obi", "role": "approver", "mail": "ada@provider.example"}, &struct{}{}); err != nil {
			t.Fatal(err)
		}
		g.enrol("Example Cloud GmbH")
		if err := g.Advance(t.Context(), 31*24*time.Hour); err != nil { // warned on day 30
			t.Fatal(err)
		}
		if err := g.Advance(t.Context(), 18*24*time.Hour); err != nil { // restricted on day 44; the closure of day 51 is asked 72 h before
			t.Fatal(err)
		}
		for range 3 { // not again
			if err := g.Advance(t.Context(), time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		told := box.next()
		for told.to != "ada@provider.example" || !strings.Contains(told.text, "A step waits for approval.") {
			told = box.next() // waits until it comes
		}
		if strings.Count(told.text, "A step waits for approval.") != 1 {
			t.Errorf("told more than once: %s", told.text)
		}
	})
}
