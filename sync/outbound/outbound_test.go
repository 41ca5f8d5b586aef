package outbound

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestOnlyPublicAddressesAreDialled(t *testing.T) {
	for _, c := range []struct{ address, closed string }{
		{"1.1.1.1", ""}, {"93.184.215.14", ""}, {"172.15.255.255", ""}, {"172.32.0.1", ""}, {"100.128.0.1", ""}, {"168.63.129.17", ""},
		{"2606:4700:4700::1111", ""}, {"2a00:1450:4001:82a::200e", ""}, {"2001:4860:4860::8888", ""},
		{"0.0.0.0", "this network"}, {"10.1.2.3", "private"}, {"172.16.0.1", "private"}, {"172.31.255.255", "private"}, {"192.168.1.1", "private"},
		{"100.64.0.1", "shared (carrier-grade NAT)"}, {"100.100.100.200", "shared (carrier-grade NAT)"},
		{"127.0.0.1", "loopback"}, {"127.8.9.10", "loopback"}, {"169.254.169.254", "link-local"}, {"168.63.129.16", "cloud metadata"},
		{"192.0.0.192", "protocol assignments"}, {"192.0.2.1", "documentation"}, {"198.18.0.1", "benchmarking"}, {"203.0.113.9", "documentation"},
		{"224.0.0.1", "multicast"}, {"239.255.255.255", "multicast"}, {"240.0.0.1", "reserved or broadcast"}, {"255.255.255.255", "reserved or broadcast"},
		{"::", "unassigned"}, {"::1", "loopback"}, {"::ffff:10.0.0.1", "IPv4-mapped"}, {"::ffff:1.1.1.1", "IPv4-mapped"}, {"::7f00:1", "unassigned"},
		{"64:ff9b::a00:1", "translated IPv4"}, {"2001::1", "protocol assignments"}, {"2001:db8::1", "documentation"}, {"2002:a00:1::1", "6to4"},
		{"3fff::1", "documentation"}, {"fd00:ec2::254", "unique local"}, {"fe80::1", "link-local"}, {"fe80::1%eth0", "link-local"}, {"fec0::1", "site-local"},
		{"ff02::1", "multicast"}, {"4000::1", "unassigned"},
	} {
		if got := closedRange(netip.MustParseAddr(c.address)); got != c.closed {
			t.Errorf("%s: got %q, want %q", c.address, got, c.closed)
		}
	}
}

func TestWhatIsDialledIsJudgedWithItsPort(t *testing.T) {
	for _, c := range []struct {
		inside  bool
		address string
		refused bool
	}{
		{false, "1.1.1.1:443", false}, {false, "1.1.1.1:22", true}, {false, "10.0.0.1:443", true}, {false, "127.0.0.1:443", true}, {false, "what", true},
		{true, "127.0.0.1:8460", false}, {true, "[::1]:443", false}, {true, "10.0.0.1:443", true}, {true, "1.1.1.1:443", true},
	} {
		if err := guard(c.inside)("tcp", c.address, nil); (err != nil) != c.refused || (err != nil && !errors.Is(err, ErrAddress)) {
			t.Errorf("inside %v, %s: %v", c.inside, c.address, err)
		}
	}
}

func TestAnAddressIsRefusedAsItIsWritten(t *testing.T) {
	outside, inside := New(false), New(true)
	for _, c := range []struct {
		address string
		inside  bool // allowed where this machine may be reached
		outside bool
	}{
		{"https://reseller.example/a/.well-known/openid-federation", true, true},
		{"https://reseller.example:443/x", true, true},
		{"https://reseller.example:8443/x", false, false},
		{"http://reseller.example/x", false, false},
		{"http://127.0.0.1:8460/x", true, false},
		{"http://localhost:8460/x", true, false},
		{"http://[::1]:8460/x", true, false},
		{"https://localhost:8460/x", true, false},
		{"http://127.0.0.1.example/x", false, false},
		{"ftp://127.0.0.1/x", false, false},
		{"https://user:secret@reseller.example/", false, false},
		{"https://reseller.example/#x", false, false},
		{"https:reseller.example", false, false},
		{"file:///etc/passwd", false, false},
		{"", false, false},
	} {
		for name, one := range map[string]struct {
			client  *Client
			allowed bool
		}{"inside": {inside, c.inside}, "outside": {outside, c.outside}} {
			if err := one.client.judge(c.address); (err == nil) != one.allowed || (err != nil && !errors.Is(err, ErrAddress)) {
				t.Errorf("%s, %q: %v", name, c.address, err)
			}
		}
	}
}

// served starts a server on this machine that counts what reaches it.
func served(t *testing.T, handle http.HandlerFunc) (address string, reached *atomic.Int32) {
	t.Helper()
	reached = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		handle(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, reached
}

func answer(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

func TestWhatWasAskedForIsFetched(t *testing.T) {
	var accepted string
	address, _ := served(t, func(w http.ResponseWriter, r *http.Request) {
		accepted = r.Header.Get("Accept")
		answer("application/entity-statement+jwt; charset=utf-8", "a.b.c")(w, r)
	})
	got, err := New(true).Get(t.Context(), address+"/.well-known/openid-federation", "application/entity-statement+jwt")
	if err != nil || string(got) != "a.b.c" || accepted != "application/entity-statement+jwt" {
		t.Errorf("got %q, accept %q, %v", got, accepted, err)
	}
}

func TestEveryAnswerThatIsNotTakenIsNamed(t *testing.T) {
	elsewhere, followed := served(t, answer("text/plain", "inside"))
	for _, c := range []struct {
		name, says string
		handle     http.HandlerFunc
	}{
		{"a redirect", "redirect (status 302)", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) }},
		{"not found", "wanted status 200, got 404", http.NotFound},
		{"another media type", "wanted Content-Type text/plain, got \"text/html\"", answer("text/html", "x")},
		{"no media type", "wanted Content-Type text/plain", func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Type"] = nil }},
		{"too large", "at most 65536 bytes", answer("text/plain", strings.Repeat("x", MaxAnswer+1))},
	} {
		address, reached := served(t, c.handle)
		if _, err := New(true).Get(t.Context(), address, "text/plain"); !errors.Is(err, ErrAnswer) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		if reached.Load() != 1 {
			t.Errorf("%s: asked %d times", c.name, reached.Load())
		}
	}
	if followed.Load() != 0 {
		t.Error("the redirect was followed")
	}
	address, _ := served(t, answer("text/plain", strings.Repeat("x", MaxAnswer)))
	if got, err := New(true).Get(t.Context(), address, "text/plain"); err != nil || len(got) != MaxAnswer {
		t.Errorf("the largest answer: %d bytes, %v", len(got), err)
	}
}

// The names here are allowed as they are written; where they lead is found out when they are dialled.
func TestANameThatLeadsInsideReachesNothing(t *testing.T) {
	_, reached := served(t, answer("text/plain", "inside"))
	for _, address := range []string{"https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest/meta-data/", "https://10.0.0.1/"} {
		_, err := New(false).Get(t.Context(), address, "text/plain")
		if !errors.Is(err, ErrAddress) || !strings.Contains(err.Error(), "public address") {
			t.Errorf("%s: %v", address, err)
		}
	}
	// Also one that may reach this machine reaches no other private address.
	if _, err := New(true).Get(t.Context(), "https://10.0.0.1/", "text/plain"); !errors.Is(err, ErrAddress) {
		t.Errorf("inside: %v", err)
	}
	if reached.Load() != 0 {
		t.Error("it was reached")
	}
}

func TestAProxyIsNotAsked(t *testing.T) {
	proxy, reached := served(t, answer("text/plain", "by the proxy"))
	t.Setenv("HTTP_PROXY", proxy)
	t.Setenv("HTTPS_PROXY", proxy)
	parsed, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closedPort := free.Addr().String()
	_ = free.Close()
	if _, err := New(true).Get(t.Context(), "http://"+closedPort, "text/plain"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody listens at %s, the proxy does at %s: %v", closedPort, parsed.Host, err)
	}
	if reached.Load() != 0 {
		t.Error("the proxy was asked")
	}
}

func TestAStrangersCertificateIsRefusedAndAKnownOneTaken(t *testing.T) {
	server := httptest.NewTLSServer(answer("text/plain", "sealed"))
	t.Cleanup(server.Close)
	client := New(true)
	if _, err := client.Get(t.Context(), server.URL, "text/plain"); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	client.transport.TLSClientConfig.RootCAs = roots
	if got, err := client.Get(t.Context(), server.URL, "text/plain"); err != nil || string(got) != "sealed" {
		t.Errorf("a known certificate: %q, %v", got, err)
	}
}

func TestWhatFailsForAMomentIsTriedAgainWithTheSameBody(t *testing.T) {
	var bodies []string
	var turn atomic.Int32
	address, reached := served(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Method+" "+r.Header.Get("Authorization")+" "+string(body))
		if turn.Add(1) < tries {
			w.Header().Set("Retry-After", "3600") // whoever answers has no say in how long we wait
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	got, err := New(true).Do(t.Context(), Request{Method: http.MethodPost, URL: address, ContentType: "application/secevent+jwt", Bearer: "secret", Body: []byte("a.b.c")})
	if err != nil || got.Status != http.StatusAccepted || reached.Load() != tries {
		t.Errorf("status %d after %d tries, %v", got.Status, reached.Load(), err)
	}
	for _, body := range bodies {
		if body != "POST Bearer secret a.b.c" {
			t.Errorf("sent %q", body)
		}
	}
	turn.Store(-100)
	if got, err := New(true).Do(t.Context(), Request{URL: address}); err != nil || got.Status != http.StatusServiceUnavailable {
		t.Errorf("the last answer: %d, %v", got.Status, err)
	}
}

func TestWhatIsSentOnceIsSentOnce(t *testing.T) {
	address, reached := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600") // whoever asks reads it
		w.WriteHeader(http.StatusTooManyRequests)
	})
	got, err := New(true).Do(t.Context(), Request{Method: http.MethodPost, URL: address, Body: []byte("a.b.c"), Once: true})
	if err != nil || got.Status != http.StatusTooManyRequests || got.RetryAfter != "3600" || reached.Load() != 1 {
		t.Errorf("%+v after %d requests, %v", got, reached.Load(), err)
	}
}

// A receiver closes a connection that was kept open, just when the next request goes out on it: that is no failure of anybody.
func TestAConnectionThatWasClosedMeanwhileIsNoTry(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	bodies := make(chan string, 2)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			// One request is answered as if the connection stayed open; it ends when the second one comes in.
			reader := bufio.NewReader(conn)
			request, err := http.ReadRequest(reader)
			if err == nil {
				body, _ := io.ReadAll(request.Body)
				bodies <- request.Header.Get("Idempotency-Key") + string(body)
				_, _ = io.WriteString(conn, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
				_, _ = reader.Peek(1)
			}
			_ = conn.Close()
		}
	}()
	client := New(true)
	defer client.Close()
	for _, body := range []string{"first", "second"} {
		got, err := client.Do(t.Context(), Request{Method: http.MethodPost, URL: "http://" + listener.Addr().String(), Body: []byte(body), Once: true})
		if err != nil || got.Status != http.StatusAccepted {
			t.Fatalf("%s: %d, %v", body, got.Status, err)
		}
		if sent := <-bodies; sent != body {
			t.Errorf("%q was sent, want %q", sent, body)
		}
	}
}

func TestWhoAnswersTooSlowlyIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := New(true)
		client.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() { // reads what is sent and says nothing
				_, _ = io.Copy(io.Discard, theirs)
				_ = theirs.Close()
			}()
			return ours, nil
		}
		begun := time.Now()
		_, err := client.Get(t.Context(), "http://localhost/", "text/plain")
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "within 5s") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begun); took != longest {
			t.Errorf("left after %s, want %s", took, longest)
		}
		client.Close()
	})
}
