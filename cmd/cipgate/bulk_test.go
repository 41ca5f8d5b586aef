package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// stream is one POST /events/bulk that is still being sent while its answer is read.
type stream struct {
	t      *testing.T
	sends  *io.PipeWriter
	answer *bufio.Reader
	status int
}

func (g *gateway) stream() *stream {
	g.t.Helper()
	body, sends := io.Pipe()
	request, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.base+"/events/bulk", body)
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Content-Type", events.BulkMediaType)
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = sends.Close(); _ = response.Body.Close() })
	return &stream{t: g.t, sends: sends, answer: bufio.NewReader(response.Body), status: response.StatusCode}
}

func (s *stream) send(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.sends, text); err != nil {
		s.t.Fatal(err)
	}
}

// next reads one line of the answer; ok is false at its end.
func (s *stream) next() (line events.BulkLine, ok bool) {
	s.t.Helper()
	text, err := s.answer.ReadBytes('\n')
	if err == io.EOF && len(text) == 0 {
		return line, false
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &line, json.RejectUnknownMembers(true)); err != nil {
		s.t.Fatalf("%q: %v", text, err)
	}
	return line, true
}

// fresh returns the forge with a jti that was never used.
func (f forge) fresh() forge { return f.with("claims", "jti", uuid.Must(uuid.NewV7()).String()) }

func (f forge) jti() string { return f.claims["jti"].(string) }

func receiptOf(token string) string {
	return "/receipts/" + envelope.DigestOf([]byte(token)).String()
}

func TestAStreamIsAnsweredLineByLineWhileItIsSent(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		good := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
		s := g.stream()
		if s.status != http.StatusOK {
			t.Fatalf("status %d before the first line was sent", s.status)
		}
		first, second, third := good.fresh(), good.fresh(), good.fresh()
		for _, step := range []struct {
			name, send string
			want       events.BulkLine // Description is a part of what it says
		}{
			{"a statement", first.signed() + "\n", events.BulkLine{JTI: first.jti(), Status: events.Accepted, Receipt: receiptOf(first.signed())}},
			{"empty lines, and CR LF", "\r\n\n" + second.signed() + "\r\n", events.BulkLine{JTI: second.jti(), Status: events.Accepted, Receipt: receiptOf(second.signed())}},
			{"the same again", first.signed() + "\n", events.BulkLine{JTI: first.jti(), Status: events.Duplicate, Receipt: receiptOf(first.signed())}},
			{"no token", "hello\n", events.BulkLine{Status: events.Refused, Err: "invalid_request", Description: "three parts"}},
			{"a line that is too long", strings.Repeat("x", 300<<10) + "\n", events.BulkLine{Status: events.Refused, Err: "invalid_request", Description: "got 307200 bytes"}},
			{"a bad signature", third.signed()[:len(third.signed())-86] + encode(make([]byte, 64)) + "\n", events.BulkLine{Status: events.Refused, Err: "authentication_failed", Description: "/signature"}},
			{"the same jti with other claims", first.event("attested_on", "2026-01-05").signed() + "\n", events.BulkLine{Status: events.Refused, Err: "invalid_request", Description: "jti"}},
			{"the gateway's own event", good.fresh().with("claims", "events", map[string]any{"urn:cipgate:event:standing-changed:v1": map[string]any{}}).signed() + "\n",
				events.BulkLine{Status: events.Refused, Err: "access_denied", Description: "Only the gateway"}},
			{"a statement that its schema refuses", good.fresh().event("basis", "borrowed").signed() + "\n", events.BulkLine{Status: events.Refused, Err: "invalid_request", Description: "/basis"}},
			{"a statement after all these", third.signed() + "\n", events.BulkLine{JTI: third.jti(), Status: events.Accepted, Receipt: receiptOf(third.signed())}},
		} {
			s.send(step.send)
			got, ok := s.next()
			if said := step.want.Description; said != "" && strings.Contains(got.Description, said) {
				got.Description = said
			}
			if !ok || got != step.want {
				t.Errorf("%s:\n got %+v\nwant %+v", step.name, got, step.want)
			}
		}
		last := good.fresh()
		s.send(last.signed()) // no line end behind it
		if err := s.sends.Close(); err != nil {
			t.Fatal(err)
		}
		if got, _ := s.next(); got.JTI != last.jti() || got.Status != events.Accepted {
			t.Errorf("the last line, without its end: %+v", got)
		}
		if more, ok := s.next(); ok {
			t.Errorf("one line too many: %+v", more)
		}
		if response, _ := g.do(http.MethodGet, receiptOf(third.signed()), nil, nil); response.StatusCode != http.StatusOK {
			t.Errorf("the receipt of a line: %d", response.StatusCode)
		}
	})
}

func TestOneTwinInAStreamSpoilsNoOtherLineAndTheOrderIsTheLedgers(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		good := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
		var body strings.Builder
		var want, tokens []string
		for i := range 700 {
			one := good.fresh()
			token := one.signed()
			switch {
			case i%50 == 49: // a twin of the line before
				one.claims["jti"] = want[i-1][len("accepted "):]
				token = one.event("attested_on", "2026-01-05").signed()
				want = append(want, "refused ")
			case i%50 == 47: // the same as two lines before
				token = tokens[i-2]
				want = append(want, "duplicate "+want[i-2][len("accepted "):])
			default:
				want = append(want, "accepted "+one.jti())
			}
			tokens = append(tokens, token)
			body.WriteString(token + "\n")
		}
		response, text := g.do(http.MethodPost, "/events/bulk", http.Header{"Content-Type": {events.BulkMediaType}}, []byte(body.String()))
		if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != events.BulkMediaType {
			t.Fatalf("%d %s %s", response.StatusCode, response.Header.Get("Content-Type"), text)
		}
		var order []string
		for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
			var got events.BulkLine
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatal(err)
			}
			if said := got.Status + " " + got.JTI; i >= len(want) || said != want[i] {
				t.Fatalf("line %d: %s, wanted %s: %s", i, said, want[i], got.Description)
			}
			if got.Status == events.Accepted {
				order = append(order, got.JTI)
			}
		}
		entries, err := g.ledger.Entries(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		var stand []string
		for _, entry := range entries {
			if entry.By == good.issuer() {
				stand = append(stand, entry.JTI)
			}
		}
		if fmt.Sprint(stand) != fmt.Sprint(order) {
			t.Errorf("the ledger's order is not the stream's: %d and %d entries", len(stand), len(order))
		}
	})
}

func (f forge) issuer() envelope.Entity { return envelope.Entity(f.claims["iss"].(string)) }

func TestCurlStreamsBothWays(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal(err)
	}
	g := startGateway(t, "", nil)
	good := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
	command := exec.CommandContext(t.Context(), curl, "--silent", "--no-buffer", "--request", "POST", "--upload-file", ".", // standard input, and the answer is printed meanwhile
		"--header", "Content-Type: "+events.BulkMediaType, g.base+"/events/bulk")
	command.Env = environment()
	sends, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(answers)
	for range 3 { // each is answered before the next is sent
		one := good.fresh()
		if _, err := io.WriteString(sends, one.signed()+"\n"); err != nil {
			t.Fatal(err)
		}
		text, err := lines.ReadString('\n')
		if err != nil || !strings.Contains(text, one.jti()) || !strings.Contains(text, `"accepted"`) {
			t.Fatalf("%q, %v", text, err)
		}
	}
	if err := sends.Close(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("after the last line: %q, %v", rest, err)
	}
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
}
