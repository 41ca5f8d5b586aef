package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// stranger is a receiver that is not ours, and that has made its stream.
type stranger struct {
	command *exec.Cmd
	lines   *bufio.Scanner
}

func (g *gateway) stranger(t *testing.T, name, way, algorithm string) stranger {
	t.Helper()
	program, args := node(t, "receive.mjs", g.invite(name).URL, way, algorithm)
	client := exec.CommandContext(t.Context(), program, args...)
	client.Env = environment()
	printed, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	client.Stderr = logTo{t}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(printed)
	if !lines.Scan() {
		t.Fatalf("the receiver by %s, %s, ended before it was ready: %v", way, algorithm, client.Wait())
	}
	return stranger{client, lines}
}

func TestAReceiverThatIsNotOursIsWarnedAcknowledgesAndAnswers(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		g := startGateway(t, url, isSandbox)
		ways := []struct{ way, algorithm string }{{"poll", "EdDSA"}, {"push", "EdDSA"}, {"poll", "RS256"}, {"push", "RS256"}}
		receivers := make([]stranger, len(ways))
		for i, one := range ways {
			receivers[i] = g.stranger(t, fmt.Sprintf("Example Cloud %d GmbH", i), one.way, one.algorithm)
		}
		if err := g.Advance(t.Context(), 31*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		for i, one := range ways {
			t.Run(one.way+" "+one.algorithm, func(t *testing.T) { g.within(t).warned(receivers[i]) })
		}
	})
}

// warned demands that a receiver was warned, that this is proved, and that its answer stands in the ledger.
func (g *gateway) warned(s stranger) {
	g.t.Helper()
	var did struct {
		Warning string   `json:"warning"`
		Finding string   `json:"finding"`
		Kinds   []string `json:"kinds"`
		Status  int      `json:"status"`
		Digest  string   `json:"digest"`
		Refusal string   `json:"refusal"`
	}
	if !s.lines.Scan() {
		g.t.Fatalf("the receiver ended before it was warned: %v", s.command.Wait())
	}
	if err := json.Unmarshal(s.lines.Bytes(), &did); err != nil {
		g.t.Fatal(err)
	}
	if err := s.command.Wait(); err != nil || did.Status != http.StatusAccepted || !slices.Contains(did.Kinds, statement.KindFindingOpened.URI()) {
		g.t.Fatalf("the receiver did %+v: %v", did, err)
	}
	g.settled()
	entries, err := g.ledger.Entries(g.t.Context(), 0, 1000, statement.KindNoticeProved, statement.KindRemediation)
	if err != nil {
		g.t.Fatal(err)
	}
	proved, answered := false, false
	for _, entry := range entries {
		switch said := entry.Statement.(type) {
		case statement.NoticeProved:
			proved = proved || said.Notice == did.Warning && said.Channel == statement.ChannelSETAcknowledged
		case statement.Remediation:
			answered = answered || entry.Digest.String() == did.Digest && said.Finding == did.Finding
		}
	}
	if !proved || !answered {
		g.t.Errorf("in the ledger the warning is proved: %t, answered: %t", proved, answered)
	}
}

// witness is a system of the provider that takes pushes and notes in which order they came.
type witness struct {
	*httptest.Server
	mu   sync.Mutex
	got  []string      // jti, in the order of their coming
	more chan struct{} // told of each, while there is room
}

func newWitness(t *testing.T) *witness {
	w := &witness{more: make(chan struct{}, 1)}
	w.Server = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		token, err := io.ReadAll(request.Body)
		if err != nil {
			return // the gateway was killed in the middle of it
		}
		parsed, err := envelope.Parse(token)
		if err != nil {
			t.Error(err)
			return
		}
		claims, err := parsed.Claims()
		if err != nil {
			t.Error(err)
			return
		}
		w.mu.Lock()
		w.got = append(w.got, claims.JTI)
		w.mu.Unlock()
		answer.WriteHeader(http.StatusAccepted)
		select {
		case w.more <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(w.Close)
	return w
}

// until waits until so many came, those that came again counted.
func (w *witness) until(t *testing.T, count int) {
	t.Helper()
	late := time.After(patience)
	for {
		w.mu.Lock()
		came := len(w.got)
		w.mu.Unlock()
		if came >= count {
			return
		}
		select {
		case <-w.more:
		case <-late:
			t.Fatalf("%d notices came, wanted %d", came, count)
		}
	}
}

func (w *witness) jtis() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got)
}

// kills is how often the gateway is killed under delivery.
const kills = 10

func TestAGatewayKilledTenTimesUnderDeliveryBringsEveryNoticeInOrder(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		gate := newMailGate(t, startMailbox(t))
		p := newProcess(t, url, "--sandbox", "--smtp-url", gate.url, "--mail-from", "cip@provider.example")
		p.start()
		w := newWitness(t)
		before := p.statedByTheGateway("")
		body := map[string]any{"delivery": map[string]string{"method": "urn:ietf:rfc:8935", "endpoint_url": w.URL}}
		if err := p.admin().post(t.Context(), "/ssf/streams", body, new(any)); err != nil {
			t.Fatal(err)
		}
		var resellers []*reseller
		for i := range 2 * kills { // each is enrolled, falls short, and is warned
			r, err := join(t.Context(), t.TempDir(), p.invite(fmt.Sprintf("Example Cloud %d GmbH", i)))
			if err != nil {
				t.Fatal(err)
			}
			resellers = append(resellers, r)
			p.confirmContact(r)
		}
		if err := p.admin().post(t.Context(), "/sandbox/clock", map[string]string{"advance": "P31D"}, new(any)); err != nil {
			t.Fatal(err)
		}
		for killed := range kills {
			w.until(t, 2+killed*(kills/2))
			// One mail more was answered each time; others came, and who sent them was not told.
			gate.change(func() { gate.may++ })
			gate.until("mails under way", func() bool { return gate.may == 0 && gate.held > 0 })
			p.kill()
			gate.until("the end of those connections", func() bool { return gate.held == 0 })
			p.start()
			// A dead process's lease lasts a minute of the gateway's clock, and each try that came to nothing puts the next one further off.
			if err := p.admin().post(t.Context(), "/sandbox/clock", map[string]string{"advance": "PT1H"}, new(any)); err != nil {
				t.Fatal(err)
			}
		}
		want := p.statedByTheGateway(strconv.FormatInt(before[len(before)-1].Leaf, 10))
		wanted := map[string]bool{}
		for _, one := range want {
			wanted[one.JTI] = true
		}
		var firsts []string
		for again := 0; len(firsts) < len(want); again++ {
			w.until(t, len(want)+again)
			firsts = nil
			for i, jti := range w.jtis() {
				if !wanted[jti] { // stated before the stream was made, and addressed after
					continue
				}
				if !slices.Contains(firsts, jti) {
					firsts = append(firsts, jti)
				} else if firsts[len(firsts)-1] != jti {
					t.Fatalf("notice %d came again after a later one had come", i)
				}
			}
		}
		for i, one := range want {
			if firsts[i] != one.JTI {
				t.Fatalf("as number %d came %s, want the %s of entry %d, %s", i, firsts[i], one.Kind, one.Leaf, one.JTI)
			}
		}
		p.mailedOnce(gate, resellers)
	})
}

// confirmContact lets a reseller's contact confirm that it is reached, as an officer asked it to.
func (p *process) confirmContact(r *reseller) {
	p.t.Helper()
	var asked confirmationTold
	err := p.admin().post(p.t.Context(), "/v1/resellers/"+r.about.Entity.ID().String()+"/contact/ask", nil, &asked)
	if err == nil {
		_, err = newClient(p.base, asked.Token).send(p.t.Context(), http.MethodPost, "/confirmations", "", nil)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// mailedOnce demands that each contact was mailed its warning, and no mail again but those whose sender was killed before it noted that they were sent.
func (p *process) mailedOnce(gate *mailGate, resellers []*reseller) {
	p.t.Helper()
	gate.change(func() { gate.open = true })
	p.advance("PT1H")
	sent := func() (all bool) {
		for _, r := range resellers {
			var list struct {
				Items []toldOf `json:"items"`
			}
			p.get("/v1/resellers/"+r.about.Entity.ID().String()+"/notices?limit=100", &list)
			for _, one := range list.Items {
				if one.Kind == string(statement.KindWarningIssued) && (len(one.Mails) != 1 || len(one.Mails[0].Attempts) == 0) {
					return false
				}
			}
		}
		return true
	}
	for late := time.Now().Add(patience); !sent(); {
		if time.Now().After(late) {
			p.t.Fatalf("not every contact was mailed within %s", patience)
		}
	}
	gate.until("the end of all mails", func() bool { return gate.held == 0 })
	by, came := gate.letters()
	// The one that was answered right before a kill may not have been noted either.
	if came > len(by)+gate.lost+kills || gate.lost < kills {
		p.t.Errorf("%d mails came, %d of them different; of %d the sender was killed before it was told", came, len(by), gate.lost)
	}
	for _, r := range resellers {
		mailed := 0
		for _, texts := range by {
			if strings.Contains(texts[0], string(r.about.Entity)) {
				mailed++
			}
		}
		if mailed == 0 {
			p.t.Errorf("the contact of %s was never mailed", r.about.Entity)
		}
	}
}

// statedEntry is one entry that the gateway stated.
type statedEntry struct {
	Leaf int64  `json:"leaf_index"`
	JTI  string `json:"jti"`
	By   string `json:"by"`
	Kind string `json:"kind"`
}

// statedByTheGateway is what the gateway stated after a leaf index, in the ledger's order.
func (p *process) statedByTheGateway(after string) (stated []statedEntry) {
	p.t.Helper()
	var list struct {
		Items []statedEntry `json:"items"`
	}
	p.get("/v1/entries?limit=1000&after="+after, &list)
	for _, one := range list.Items {
		if one.By == p.base {
			stated = append(stated, one)
		}
	}
	return stated
}
