package main

import (
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/mail"
	"github.com/cipgate/cipgate/sync/notices"
)

// beside serves a second gateway on the same store, as on another machine.
func (g *gateway) beside() *gateway {
	g.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	config := g.config
	config.Data, config.Listen = g.t.TempDir(), listener.Addr().String()
	if err := os.CopyFS(config.Data, os.DirFS(g.config.Data)); err != nil {
		g.t.Fatal(err)
	}
	other := serveGateway(g.t, config, listener)
	other.base = "http://" + config.Listen
	return other
}

// What stands late on the watchdog's list is mailed anew each day, once to each officer however many gateways look, and no more once it
// is settled. Here a reseller is not called, and nobody approves the step that waits for that.
func TestWhatIsLateIsMailedOnceADayToEachOfficerUntilItIsSettled(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	migrationstest.EachURL(t, func(t *testing.T, store string) {
		box := startMailbox(t)
		g := startGateway(t, store, func(c *Config) {
			c.Sandbox, c.SMTP, c.MailFrom = true, box.url, "cip@provider.example"
		})
		mara := g.as("Mara Lind", "officer")
		g.as("Jon Reyes", "approver")
		g.as("Vera Lang", "viewer") // looks by herself
		r := g.enrol("Silent Cloud GmbH")
		g.passes(g.clock.Now().Add(30*day + 14*day + time.Hour))
		restrictedAt := g.statedAt(r, statement.KindRestrictionOrdered)

		gateways := []*gateway{g}
		if store != "" && g.db.Name() == "postgres" {
			gateways = append(gateways, g.beside())
		}
		// look lets every gateway look at once, twice, for what officers are called for, and returns how often each was called for what is
		// late, by kind.
		look := func() map[string]int {
			t.Helper()
			for _, one := range gateways {
				one.clock.forwardTo(g.clock.Now())
			}
			var looks sync.WaitGroup
			for _, one := range gateways {
				looks.Go(func() {
					for range 2 {
						if err := one.callOfficers(t.Context()); err != nil {
							t.Error(err)
						}
					}
				})
			}
			looks.Wait()
			if err := g.callOfficers(t.Context()); err != nil { // whoever was overtaken looks again
				t.Fatal(err)
			}
			called := map[string]int{}
			for _, who := range []string{"mara", "jon", "vera"} {
				told, err := g.delivery.Notices(t.Context(), notices.OfOfficer(who+"@provider.example"), 0, 1000)
				if err != nil {
					t.Fatal(err)
				}
				for _, one := range told {
					if strings.HasPrefix(one.JTI, "uncalled ") {
						called[who+" call"]++
					}
					if one.Kind == mail.MatterApproval {
						called[who+" approval"]++
					}
				}
			}
			return called
		}
		var open struct {
			Notice noticeShown `json:"notice"`
		}
		g.get("/v1/resellers/"+r.about.Entity.ID().String()+"/case", &open)
		g.passes(open.Notice.CallBy.Add(-time.Minute))
		before := look()
		if before["mara call"] != 0 || before["mara approval"] == 0 {
			t.Fatalf("before the call is late they were called %v", before)
		}
		// The step waits too, once its time has passed: from then on each day.
		first := restrictedAt.Add(9 * day).Truncate(day).Add(9 * time.Hour)
		g.passes(first)
		last := look()
		if last["mara call"] != last["jon call"] || last["mara call"] == 0 || last["vera call"]+last["vera approval"] != 0 {
			t.Errorf("once it is late they were called %v", last)
		}
		for n := range 3 {
			g.passes(first.Add(time.Duration(n)*day + 6*time.Hour))
			if same := look(); same["mara call"] != last["mara call"] || same["jon approval"] != last["jon approval"] {
				t.Errorf("again on one day they were called %v, before %v", same, last)
			}
			g.passes(first.Add(time.Duration(n+1) * day))
			next := look()
			for _, what := range []string{"mara call", "jon call", "mara approval", "jon approval"} {
				if next[what] != last[what]+1 {
					t.Errorf("%s on the next day: %d times, before %d", what, next[what], last[what])
				}
			}
			last = next
		}
		told := g.told(r, statement.KindRestrictionOrdered)
		mara.says(exitDone, "It is proof of notice.", "case", "told", string(r.about.Entity), "--notice", told.JTI, "--whom", "head of compliance", "--at", g.clock.Now().Format(time.RFC3339), "--reason", "They answered.")
		g.settled()
		for n := range 2 {
			g.passes(first.Add(time.Duration(n+4) * day))
			if next := look(); next["mara call"] != last["mara call"] || next["jon call"] != last["jon call"] {
				t.Errorf("once it was called they were called %v, before %v", next, last)
			}
		}
	})
}
