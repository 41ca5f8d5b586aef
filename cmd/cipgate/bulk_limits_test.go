package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// heap is the most memory that the process ever had for what it holds, in MiB. What the race detector adds for itself is not in it.
func (p *process) heap() int {
	p.t.Helper()
	_, text := p.fetch("/metrics", "")
	found := regexp.MustCompile(`(?m)^go_memstats_heap_sys_bytes (\S+)$`).FindStringSubmatch(text)
	if found == nil {
		p.t.Fatal("no go_memstats_heap_sys_bytes")
	}
	bytes, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return int(bytes) >> 20
}

// bulkOf streams lines until limit bytes are sent, and counts the answers by status.
func (p *process) bulkOf(limit int, line func() string) (sent int, counts map[string]int) {
	p.t.Helper()
	body, sends := io.Pipe()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.base+"/events/bulk", body)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", events.BulkMediaType)
	done := make(chan int, 1)
	go func() {
		count := 0
		for left := limit; ; count++ {
			text := line() + "\n"
			if left -= len(text); left < 0 {
				break
			}
			if _, err := io.WriteString(sends, text); err != nil {
				break // the answer says why
			}
		}
		_ = sends.Close()
		done <- count
	}()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	counts = map[string]int{}
	for answers := bufio.NewScanner(response.Body); ; {
		if !answers.Scan() {
			if err := answers.Err(); err != nil {
				p.t.Fatal(err)
			}
			break
		}
		var got events.BulkLine
		if err := json.Unmarshal(answers.Bytes(), &got); err != nil {
			p.t.Fatal(err)
		}
		counts[got.Status]++
	}
	return <-done, counts
}

func TestAStreamOf64MiBNeedsLittleMemory(t *testing.T) {
	t.Setenv("GOGC", "100") // what is held is measured, not how seldom serve collects what is not
	p := newProcess(t, "", "--intake-rate", "1000000", "--intake-burst", "1000000")
	p.start()
	f := newForge(t, p.joined("Example Cloud GmbH"), time.Now())
	for _, c := range []struct {
		name string
		size int // of the claims
		spoil,
		most int // MiB
	}{
		// What is refused reaches no store and no fold: this is the stream alone.
		{"refused", 2 << 10, 86, 64},
		// A stream holds 16 MiB at most (bulkBytes), each of which is there thrice: as it came, decoded, and on its way into
		// the store; the collector lets the heap grow to twice what is held; and the folds read what was committed, in
		// pages of up to 32 MiB.
		{"accepted", 2 << 10, 0, 192},
		{"accepted", 180 << 10, 0, 192},
	} {
		before := p.heap()
		padding, start := strings.Repeat("x", c.size), time.Now()
		sent, counts := p.bulkOf(64<<20, func() string {
			token := f.fresh().with("claims", "x", padding).signed()
			return token[:len(token)-c.spoil] + strings.Repeat("A", c.spoil)
		})
		after := p.heap()
		t.Logf("%d lines of %d KiB, %s, in %s: at most %d MiB, %d MiB before", sent, (64<<20)/max(sent, 1)>>10, c.name,
			time.Since(start).Round(time.Millisecond), after, before)
		if counts[c.name] != sent || len(counts) != 1 {
			t.Errorf("sent %d lines, got %v", sent, counts)
		}
		if grown := after - before; grown > c.most {
			t.Errorf("64 MiB of %s lines took %d MiB more, wanted at most %d", c.name, grown, c.most)
		}
	}
	p.stop()
}

func TestAStreamOver64MiBIsEndedWithALineThatSaysSo(t *testing.T) {
	p := newProcess(t, "")
	p.start()
	line := strings.Repeat("x", 1<<20) // each is refused as one line, without being held
	sent, counts := p.bulkOf(65<<20, func() string { return line })
	if counts[events.Refused] < 63 || counts[events.Refused] > 64 || len(counts) != 1 || sent < 63 {
		t.Errorf("sent %d, got %v", sent, counts)
	}
	if status, text := p.fetch("/readyz", ""); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, text)
	}
	p.stop()
}

func TestSIGTERMAnswersTheLinesThatCameInAndSaysThatNoMoreAreRead(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		p := newProcess(t, database)
		p.start()
		f := newForge(t, p.joined("Example Cloud GmbH"), time.Now())
		g := &gateway{t: t, base: p.base}
		s := g.stream()
		first, second := f.fresh(), f.fresh()
		s.send(first.signed() + "\n" + second.signed() + "\n" + "half of a li")
		for _, want := range []forge{first, second} {
			if got, _ := s.next(); got.JTI != want.jti() || got.Status != events.Accepted {
				t.Errorf("%+v", got)
			}
		}
		p.signal(syscall.SIGTERM)
		if got, _ := s.next(); got.Status != events.Refused || got.Err != "temporarily_unavailable" {
			t.Errorf("%+v", got)
		}
		if more, ok := s.next(); ok {
			t.Errorf("one line too many: %+v", more)
		}
		if code := p.wait(); code != exitDone {
			t.Errorf("exit code %d", code)
		}
	})
}

func TestAClientThatTakesNoAnswersIsCutOffAndHoldsNothing(t *testing.T) {
	g := startGateway(t, "", func(c *Config) { c.Timeout = 0.5 })
	connection, err := net.Dial("tcp", strings.TrimPrefix(g.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(connection, "POST /events/bulk HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", events.BulkMediaType, 60<<20); err != nil {
		t.Fatal(err)
	}
	garbage := bytes.Repeat([]byte("x\n"), 32<<10)
	for range (60 << 20) / len(garbage) {
		if _, err = connection.Write(garbage); err != nil {
			break
		}
	}
	if timeout := net.Error(nil); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the connection was not ended: %v", err)
	}
	f := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
	s := g.stream()
	s.send(f.signed() + "\n")
	if got, _ := s.next(); got.Status != events.Accepted {
		t.Errorf("a stream after it: %+v", got)
	}
}

func TestOverItsRateAStreamWaitsInsteadOfBeingRefused(t *testing.T) {
	g := startGateway(t, "", func(c *Config) { c.Rate, c.Burst = 100, 1 })
	f := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
	var body strings.Builder
	for range 50 {
		body.WriteString(f.fresh().signed() + "\n")
	}
	_, text := g.do(http.MethodPost, "/events/bulk", http.Header{"Content-Type": {events.BulkMediaType}}, []byte(body.String()))
	if got := strings.Count(text, `"status":"accepted"`); got != 50 {
		t.Errorf("%d of 50 accepted: %s", got, text)
	}
	slow := startGateway(t, "", func(c *Config) { c.Rate, c.Burst = 0.001, 1 })
	f = newForge(t, slow.enrol("Example Cloud GmbH"), slow.clock.Now())
	_, text = slow.do(http.MethodPost, "/events/bulk", http.Header{"Content-Type": {events.BulkMediaType}}, []byte(f.signed()+"\n"+f.fresh().signed()+"\n"))
	if !strings.Contains(text, `"status":"accepted"`) || !strings.Contains(text, `"err":"rate_limited"`) || !strings.Contains(text, "0.001 submissions a second") {
		t.Errorf("a rate that would keep the stream waiting for minutes: %s", text)
	}
}

func TestBulkAndDryRunsOfTheCommandLine(t *testing.T) {
	t.Parallel()
	p := newProcess(t, "")
	p.start()
	r := p.joined("Example Cloud GmbH")
	f := newForge(t, r, time.Now())
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.json", cipgate(t, "new", "cip-attestation").must(t))
	bad := write("bad.json", strings.Replace(cipgate(t, "new", "cip-attestation").must(t), `"adopted"`, `"borrowed"`, 1))
	size := len(p.entries())
	for _, command := range [][]string{{"push", "--dry-run"}, {"check"}} {
		if e := cipgate(t, append(command, good, "--home", r.home)...); e.code != exitDone || !strings.Contains(e.out, "from pending to good") {
			t.Errorf("%v: %d %s%s", command, e.code, e.out, e.errors)
		}
		if e := cipgate(t, append(command, bad, "--home", r.home)...); e.code != exitRefused || !strings.Contains(e.out, "/basis") || !strings.Contains(e.errors, "1 to mend") {
			t.Errorf("%v of a bad one: %d %s%s", command, e.code, e.out, e.errors)
		}
	}
	if now := len(p.entries()); now != size {
		t.Errorf("a dry run was stored: %d and %d", size, now)
	}
	one, two, three := f.fresh().signed(), f.fresh().signed(), f.fresh().signed()
	first := write("first.ndjson", one+"\n"+two+"\n")
	if e := cipgate(t, "bulk", first, "--home", r.home); e.code != exitDone || strings.Count(e.out, `"accepted"`) != 2 {
		t.Errorf("%d %s%s", e.code, e.out, e.errors)
	}
	again := write("again.ndjson", one+"\n"+two+"\n"+three+"\n")
	if e := cipgate(t, "bulk", again, "--home", r.home); e.code != exitDone || strings.Count(e.out, `"duplicate"`) != 2 || strings.Count(e.out, `"accepted"`) != 1 {
		t.Errorf("%d %s%s", e.code, e.out, e.errors)
	}
	if e := cipgate(t, "bulk", write("bad.ndjson", "x\n"+three+"\n"), "--home", r.home); e.code != exitRefused || strings.Count(e.out, "\n") != 2 {
		t.Errorf("%d %s%s", e.code, e.out, e.errors)
	}
	p.stop()
	if e := cipgate(t, "check", good, "--home", r.home); e.code != exitDone || !strings.Contains(e.errors, "only the form was checked") {
		t.Errorf("without the gateway: %d %s%s", e.code, e.out, e.errors)
	}
	if e := cipgate(t, "check", bad, "--home", t.TempDir()); e.code != exitRefused || !strings.Contains(e.out, "/basis") {
		t.Errorf("without an enrolment: %d %s%s", e.code, e.out, e.errors)
	}
	if e := cipgate(t, "bulk", first, "--home", r.home); e.code != exitRetry {
		t.Errorf("bulk without the gateway: %d %s%s", e.code, e.out, e.errors)
	}
}
