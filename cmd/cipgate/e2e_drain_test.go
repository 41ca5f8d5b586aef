package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestSIGTERMAnswersWhatHasBegunAndEndsWithZero(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		p := newProcess(t, database)
		p.start()
		token := p.signMany(t, "Example Cloud GmbH", 1)[0]

		// Half of a request is at the gateway when the signal comes.
		conn := p.dial(t)
		half := len(token) / 2
		if _, err := fmt.Fprintf(conn, "POST /events HTTP/1.1\r\nHost: %s\r\nContent-Type: application/secevent+jwt\r\nContent-Length: %d\r\n\r\n%s",
			p.host(), len(token), token[:half]); err != nil {
			t.Fatal(err)
		}
		// Connections are taken in the order in which they come: when this one is answered, the other is taken.
		if status, text := p.fetch("/readyz", ""); status != http.StatusOK {
			t.Fatalf("/readyz: %d %s", status, text)
		}
		p.signal(syscall.SIGTERM)
		p.closed()
		if _, err := conn.Write([]byte(token[half:])); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("a request that had begun got no answer: %v", err)
		}
		_ = response.Body.Close() // 202 has none
		if digest := digestsOf([]string{token})[0]; response.StatusCode != http.StatusAccepted || response.Header.Get("Location") != "/receipts/"+digest {
			t.Errorf("answered %s, Location %q", response.Status, response.Header.Get("Location"))
		}
		if code := p.wait(); code != exitDone {
			t.Errorf("exit code %d", code)
		}

		p.start()
		p.stand([]string{token})
		p.stop()
	})
}

func TestARequestThatNeverEndsKeepsNoGatewayFromEnding(t *testing.T) {
	g := startGateway(t, "", nil)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(g.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // nothing comes back on it
	if _, err := fmt.Fprint(conn, "POST /events HTTP/1.1\r\nHost: cip.example\r\nContent-Length: 100\r\n\r\nhalf"); err != nil {
		t.Fatal(err)
	}
	if response, text := g.do(http.MethodGet, "/readyz", nil, nil); response.StatusCode != http.StatusOK {
		t.Fatalf("/readyz: %d %s", response.StatusCode, text)
	}
	g.drainTime = time.Millisecond
	g.stop() // fails the test if serving ended with an error
}

func (p *process) host() string {
	p.t.Helper()
	base, err := url.Parse(p.base)
	if err != nil {
		p.t.Fatal(err)
	}
	return base.Host
}

func (p *process) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(t.Context(), "tcp", p.host())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // what was to be read of it was
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// closed returns when the gateway takes no new connections. There is nothing to wait on but trying.
func (p *process) closed() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); ctx.Err() == nil; <-tick.C {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.host())
		if err != nil && strings.Contains(err.Error(), "refused") {
			return
		}
		if err == nil {
			_ = conn.Close() // nothing was said on it
		}
	}
	p.t.Fatalf("after SIGTERM the gateway still takes connections, or does not refuse them: %v", ctx.Err())
}
