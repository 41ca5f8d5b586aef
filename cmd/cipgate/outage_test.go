package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/standing"
	"github.com/cipgate/cipgate/migrations"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// downFor stops a gateway, lets it have been down for so long, and starts it again: that the last mark lies as far back is all that is left
// of such a time.
func (g *gateway) downFor(d time.Duration) *gateway {
	g.t.Helper()
	g.stop()
	db, err := migrations.Open(g.t.Context(), g.config.store())
	if err != nil {
		g.t.Fatal(err)
	}
	moved := db.Exec("UPDATE outages_mark SET marked_at = marked_at - ?, store_at = store_at - ?", d.Microseconds(), d.Microseconds())
	if moved.Error != nil || moved.RowsAffected != 1 {
		g.t.Fatalf("%v, %d marks", moved.Error, moved.RowsAffected)
	}
	if err := migrations.Close(db); err != nil {
		g.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", g.config.Listen)
	if err != nil {
		g.t.Fatal(err)
	}
	return serveGateway(g.t, g.config, listener)
}

// advance moves the sandbox's clock.
func (g *gateway) advance(by time.Duration) {
	g.t.Helper()
	if response, text := g.do(http.MethodPost, "/sandbox/clock", nil, fmt.Appendf(nil, `{"advance":"PT%dS"}`, int(by/time.Second))); response.StatusCode != http.StatusOK {
		g.t.Fatal(text)
	}
}

// stood is how a reseller stands, as /v1 tells it.
type stood struct {
	Standing string `json:"standing"`
	Why      string `json:"why"`
	NextStep struct {
		At time.Time `json:"at"`
	} `json:"next_step"`
}

func TestADeadlineMovesByTheGatewaysOwnOutageAndByNothingElse(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		g := startGateway(t, url, isSandbox)
		r := g.enrol("Example Cloud GmbH")
		id := r.about.Entity.ID().String()
		const day = 24 * time.Hour
		g.advance(31 * day) // warned on day 30
		g.advance(2 * day)
		stands := func() (now stood) {
			t.Helper()
			g.settled()
			g.get("/v1/resellers/"+id, &now)
			return now
		}
		recorded := func() (all []officer.Outage) {
			t.Helper()
			code, out, problems := say(t, "outages", "--json", "--url", g.base, "--token", g.token)
			var list struct {
				Items []officer.Outage `json:"items"`
			}
			if err := json.Unmarshal([]byte(out), &list); code != exitDone || err != nil {
				t.Fatalf("%d, %v: %s%s", code, err, out, problems)
			}
			return list.Items
		}
		before := stands()
		if all := recorded(); before.Standing != "warned" || len(all) != 0 {
			t.Fatalf("a clock that was moved by 33 days: %+v, outages %+v", before, all)
		}

		g = g.downFor(time.Minute)
		if now, all := stands(), recorded(); !now.NextStep.At.Equal(before.NextStep.At) || len(all) != 0 {
			t.Fatalf("after a restart the next step is at %v, was at %v; outages %+v", now.NextStep.At, before.NextStep.At, all)
		}

		g = g.downFor(2 * time.Hour)
		after, all := stands(), recorded()
		if len(all) != 1 || all[0].Seconds < 7200 || all[0].Seconds > 7200+int64(patience/time.Second) {
			t.Fatalf("two hours off: %+v", all)
		}
		out := all[0].To.Sub(all[0].From)
		if moved := after.NextStep.At.Sub(before.NextStep.At); after.Standing != "warned" || moved != out {
			t.Errorf("it stands at %s, and the next step moved by %v, not by %v", after.Standing, moved, out)
		}
		if !strings.Contains(after.Why, "Time given back, since the gateway could take no submissions: from "+all[0].From.Format("2006-01-02 15:04:05")) {
			t.Errorf("why: %s", after.Why)
		}
		g.outageIsShown(r, all[0])

		g = g.downFor(0)
		if again := recorded(); len(again) != 1 {
			t.Errorf("started again: %+v", again)
		}
		g.advance(before.NextStep.At.Add(time.Hour).Sub(g.clock.Now()))
		if now := stands(); now.Standing != "warned" {
			t.Errorf("in the time that was given back it is %s", now.Standing)
		}
		g.advance(2 * time.Hour)
		if now := stands(); now.Standing != "restricted" {
			t.Errorf("once that is over it is %s", now.Standing)
		}
	})
}

// outageIsShown demands that whoever looks finds the outage: officers on the pages, operators in the metrics, the reseller in its standing.
func (g *gateway) outageIsShown(r *reseller, out officer.Outage) {
	g.t.Helper()
	for path, wanted := range map[string]string{
		"/outages": out.To.Sub(out.From).String(), "/resellers/" + r.about.Entity.ID().String(): "Time given back",
	} {
		if _, text := g.do(http.MethodGet, path, http.Header{"Authorization": {"Bearer " + g.token}, "Accept": {"text/html"}}, nil); !strings.Contains(text, wanted) {
			g.t.Errorf("%s shows nothing of %q: %s", path, wanted, text)
		}
	}
	for _, command := range []struct {
		wanted string
		args   []string
	}{
		{"receipt /receipts/" + out.Digest, []string{"outages", "--url", g.base, "--token", g.token}},
		{"Time given back, since the provider's gateway could take nothing in", []string{"standing", "--home", r.home}},
	} {
		if code, told, problems := say(g.t, command.args...); code != exitDone || !strings.Contains(told, command.wanted) {
			g.t.Errorf("cipgate %s: %d, no %q: %s%s", command.args[0], code, command.wanted, told, problems)
		}
	}
	_, text := g.do(http.MethodGet, "/metrics", nil, nil)
	for _, wanted := range []string{"cipgate_outages_recorded 1\n", fmt.Sprintf("cipgate_outages_recorded_seconds %d\n", out.Seconds), "cipgate_mark_age_seconds "} {
		if !strings.Contains(text, wanted) {
			g.t.Errorf("/metrics: no %q", wanted)
		}
	}
	s := &subscriber{reseller: r, api: newClient(r.about.Gateway, "")}
	if err := s.signIn(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	a, err := s.api.send(g.t.Context(), http.MethodGet, "/v1/me/standing", "", nil)
	if err != nil {
		g.t.Fatal(err)
	}
	var mine standing.Standing
	if err := json.Unmarshal(a.body, &mine); err != nil || len(mine.GivenBack) != 1 || !mine.GivenBack[0].To.Equal(out.To) {
		g.t.Errorf("the reseller reads %s, %v", a.body, err)
	}
}
