package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/docs"
)

// listing is the block of code in a page of the guides that begins with these words.
func listing(t *testing.T, page, begins string) string {
	t.Helper()
	text, err := docs.Text(page)
	if err != nil {
		t.Fatal(err)
	}
	_, code, found := strings.Cut(text, "\n    "+begins)
	if !found {
		t.Fatalf("/docs/%s has no listing that begins with %q", page, begins)
	}
	block := begins
	for line := range strings.Lines(code) {
		if strings.TrimSpace(line) != "" && block != begins && !strings.HasPrefix(line, "    ") {
			break // the text goes on
		}
		block += strings.TrimPrefix(line, "    ")
	}
	return block
}

// The receiver that the guide prints is run as it stands there: it is warned, acknowledges that, and answers the finding.
func TestTheReceiverInTheGuideIsWarnedAcknowledgesAndAnswers(t *testing.T) {
	t.Parallel()
	// Warned early: what the receiver states is signed by the real clock, and may be 30 days behind the sandbox's.
	g := startGateway(t, "", func(c *Config) {
		c.Sandbox, c.Policy = true, policyFile(t, "cip.missing:\n    on: true\n    after:\n      value: 30d", "cip.missing:\n    on: true\n    after:\n      value: 10d")
	})
	program, args := node(t, "enrol.mjs", g.invite("Example Cloud GmbH").URL)
	enrolled := runToEnd(t, nil, program, args...).must(t)
	var me struct {
		Entity envelope.Entity `json:"entity"`
	}
	if err := json.Unmarshal([]byte(enrolled), &me); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(args[0])
	for name, text := range map[string]string{"receive.mjs": listing(t, "notices", "// receive.mjs:"), "reseller.json": enrolled} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	receiver := exec.CommandContext(t.Context(), program, "receive.mjs")
	receiver.Dir, receiver.Env, receiver.Stderr = folder, environment(), logTo{t}
	printed, err := receiver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(printed)
	said := func(begins string) string { // the next line of it that begins so
		t.Helper()
		for lines.Scan() {
			if rest, is := strings.CutPrefix(lines.Text(), begins+" "); is {
				return rest
			}
		}
		t.Fatalf("the receiver ended and had not said %q: %v", begins, receiver.Wait())
		return ""
	}
	said("polling")
	if err := g.Advance(t.Context(), 11*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	finding := said("answered")
	r := &reseller{about: resellerFile{Entity: me.Entity}}
	for g.told(r, statement.KindWarningIssued).State != "acknowledged" { // with its next poll
		g.settled()
	}
	g.settled()
	stated, err := g.ledger.Entries(t.Context(), 0, 1000, statement.KindRemediation)
	if err != nil || len(stated) != 1 || stated[0].By != me.Entity || stated[0].Statement.(statement.Remediation).Finding != finding {
		t.Errorf("it stated %+v, %v; it says that it answered %s", stated, err, finding)
	}
	if got := g.told(r, statement.KindWarningIssued).proofsOf(); len(got) != 1 || got[0] != statement.ChannelSETAcknowledged {
		t.Errorf("the warning is proved by %q", got)
	}
	if err := receiver.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = receiver.Wait() // it was killed
}
