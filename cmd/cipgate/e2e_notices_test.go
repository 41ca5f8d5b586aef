package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// inbox is a reseller's own program: it takes what is pushed to it, and checks each with the keys that the gateway publishes.
type inbox struct {
	*httptest.Server
	got chan envelope.Claims
}

func newInbox(t *testing.T, g *gateway, entity envelope.Entity) inbox {
	t.Helper()
	_, text := g.do(http.MethodGet, "/jwks.json", nil, nil)
	keys, err := envelope.ParseKeys([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	in := inbox{got: make(chan envelope.Claims, 1000)}
	in.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != events.MediaType {
			t.Errorf("%s %s: %v", r.Method, r.Header.Get("Content-Type"), err)
		}
		parsed, err := envelope.Parse(token)
		if err != nil {
			t.Error(err)
		}
		set, err := parsed.Verify(keys, envelope.Terms{Audience: entity, Now: g.clock.Now(), MaxAge: 90 * 24 * time.Hour, MaxAhead: time.Minute})
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
		in.got <- set.Claims()
	}))
	t.Cleanup(in.Close)
	return in
}

// until returns what came until one of a kind did.
func (in inbox) until(kind statement.Kind) (kinds []string) {
	for {
		claims := <-in.got
		kinds = append(kinds, claims.EventURI)
		if claims.EventURI == kind.URI() {
			return kinds
		}
	}
}

func TestAResellerThatFallsSilentIsWarnedByPollAndByPush(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		g := startGateway(t, url, isSandbox)
		polling, pushed := g.enrol("Example Cloud GmbH"), g.enrol("Beispiel Wolke AG")
		in := newInbox(t, g, pushed.about.Entity)
		s := &subscriber{reseller: pushed, api: newClient(g.base, "")}
		if err := s.ask(t.Context(), http.MethodPost, "/ssf/streams", map[string]any{"delivery": map[string]string{"method": "urn:ietf:rfc:8935", "endpoint_url": in.URL}}, new(any)); err != nil {
			t.Fatal(err)
		}
		if code, text := says(t, "notices", "--home", pushed.home); code != exitRefused || !strings.Contains(text, "are pushed to "+in.URL) {
			t.Errorf("polling what is pushed: %d, %s", code, text)
		}
		if err := g.Advance(t.Context(), 31*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		byPush := in.until(statement.KindWarningIssued)

		var told struct {
			Items []received `json:"items"`
		}
		code, text := says(t, "notices", "--home", polling.home, "--json")
		if err := json.Unmarshal([]byte(text), &told); err != nil || code != exitDone {
			t.Fatalf("%d, %v: %s", code, err, text)
		}
		var byPoll []string
		for i, one := range told.Items {
			parsed, err := envelope.Parse([]byte(one.Token))
			if err != nil {
				t.Fatal(err)
			}
			claims, err := parsed.Claims()
			if err != nil || one.Sequence != int64(i)+1 {
				t.Errorf("notice %d: %v", one.Sequence, err)
			}
			byPoll = append(byPoll, claims.EventURI)
			// It is the ledger's own token, or is signed for its reader and names that one: a receipt proves when it was decided.
			digest := envelope.DigestOf([]byte(one.Token)).String()
			if claims.Txn != "" {
				digest = claims.Txn
			}
			if response, _ := g.do(http.MethodGet, "/receipts/"+digest, nil, nil); response.StatusCode != http.StatusOK {
				t.Errorf("the receipt of notice %d: %d", one.Sequence, response.StatusCode)
			}
		}
		if warned := slices.Index(byPoll, statement.KindWarningIssued.URI()); warned < 0 || !slices.Equal(byPush, byPoll[:warned+1]) {
			t.Errorf("by push %v, by poll %v", byPush, byPoll)
		}

		// The officer sees that the one has it and the other has not said so.
		states := func(r *reseller) (states []string) {
			var list struct {
				Items []struct {
					State          string     `json:"state"`
					AcknowledgedAt *time.Time `json:"acknowledged_at"`
					Attempts       []struct {
						Status int `json:"status"`
					} `json:"attempts"`
				} `json:"items"`
			}
			g.get("/v1/resellers/"+r.about.Entity.ID().String()+"/notices", &list)
			for _, one := range list.Items {
				if (one.State == "acknowledged") != (one.AcknowledgedAt != nil) || len(one.Attempts) != 1 {
					t.Errorf("%+v", one)
				}
				states = append(states, one.State)
			}
			return states
		}
		if got := states(polling); len(got) != len(byPoll) || slices.ContainsFunc(got, func(state string) bool { return state != "waiting" }) {
			t.Errorf("polled: %v", got)
		}
		if code, text := says(t, "notices", "--home", polling.home, "--ack"); code != exitDone || !strings.Contains(text, "warning-issued") {
			t.Errorf("acknowledging: %d, %s", code, text)
		}
		if code, text := says(t, "notices", "--home", polling.home); code != exitDone || !strings.Contains(text, "Nothing waits.") {
			t.Errorf("after that: %d, %s", code, text)
		}
		retry := "/v1/resellers/" + polling.about.Entity.ID().String() + "/notices/"
		for path, want := range map[string]int{retry + "1/retry": http.StatusOK, retry + "999/retry": http.StatusNotFound, retry + "x/retry": http.StatusBadRequest} {
			if response, text := g.do(http.MethodPost, path, http.Header{"Authorization": {"Bearer " + g.token}}, nil); response.StatusCode != want {
				t.Errorf("%s: %d %s", path, response.StatusCode, text)
			}
		}
		// Nobody reads another's notices.
		other := &subscriber{reseller: pushed, api: newClient(g.base, "")}
		mine, err := polling.subscribe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := other.ask(t.Context(), http.MethodPost, mine.stream, said{AtOnce: true}, new(any)); err == nil || !strings.Contains(err.Error(), "404") {
			t.Errorf("another's stream: %v", err)
		}
	})
}

func TestListenBringsEachNoticeToALocalProgram(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		g := startGateway(t, url, isSandbox)
		r := g.enrol("Example Cloud GmbH")
		in := newInbox(t, g, r.about.Entity)
		ctx, stop := context.WithCancel(t.Context())
		printed, out := io.Pipe()
		lines := make(chan string, 1000)
		go func() {
			defer close(lines)
			for scanner := bufio.NewScanner(printed); scanner.Scan(); {
				lines <- scanner.Text()
			}
		}()
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, []string{"listen", in.URL, "--home", r.home}, out, io.Discard)
			_ = out.Close()
		}()
		if err := g.Advance(t.Context(), 31*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		in.until(statement.KindWarningIssued)
		warned := false
		for !warned {
			line, goesOn := <-lines
			if warned = strings.Contains(line, "warning-issued"); !goesOn {
				t.Fatal("it ended and had not printed the warning")
			}
		}
		stop()
		if code := <-ended; code != exitDone {
			t.Errorf("interrupted, it ended with %d", code)
		}
		var list struct {
			Items []struct {
				Kind  string `json:"kind"`
				State string `json:"state"`
			} `json:"items"`
		}
		g.get("/v1/resellers/"+r.about.Entity.ID().String()+"/notices", &list)
		for _, one := range list.Items {
			if one.State != "acknowledged" {
				t.Errorf("%s is %s", one.Kind, one.State)
			}
			if one.Kind == string(statement.KindWarningIssued) {
				break
			}
		}
		for _, home := range []string{r.home, t.TempDir()} {
			for _, to := range []string{"nowhere", "ftp://x"} {
				if code, text := says(t, "listen", to, "--home", home); code != exitRefused || !strings.Contains(text, "URL: wanted") {
					t.Errorf("listen %s: %d, %s", to, code, text)
				}
			}
		}
		if code, text := says(t, "listen", in.URL, "--home", t.TempDir()); code != exitRefused || !strings.Contains(text, "cipgate join") {
			t.Errorf("before joining: %d, %s", code, text)
		}
	})
}

func TestALongPollDoesNotKeepTheGatewayFromStopping(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", isSandbox)
	s, err := g.enrol("Example Cloud GmbH").subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimPrefix(s.stream, "/ssf/poll/")
	if response, text := g.do(http.MethodPost, "/ssf/verify", http.Header{"Authorization": {"Bearer " + s.api.token}}, []byte(`{"stream_id":"`+id+`"}`)); response.StatusCode != http.StatusNoContent {
		t.Fatalf("verification: %d %s", response.StatusCode, text)
	}
	got, _, _, err := s.poll(t.Context(), said{AtOnce: true})
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	g.settled() // it has a file
	answered := make(chan error, 1)
	go func() {
		_, _, _, err := s.poll(t.Context(), said{Ack: []string{got[0].JTI}})
		answered <- err
	}()
	for acknowledged := false; !acknowledged; { // then the gateway has the poll and keeps it waiting
		var list struct {
			Items []struct {
				State string `json:"state"`
			} `json:"items"`
		}
		g.get("/v1/resellers/"+s.about.Entity.ID().String()+"/notices", &list)
		acknowledged = len(list.Items) == 1 && list.Items[0].State == "acknowledged"
	}
	// The gateway cuts off what is still open when drainTime is over, long before the poll would end by itself.
	g.stop()
	if err := <-answered; err != nil {
		t.Errorf("the poll was not answered: %v", err)
	}
}
