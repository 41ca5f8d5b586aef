package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/cipgate/cipgate/sync/mail"
	"github.com/cipgate/cipgate/sync/notices"
)

// What the guard holds waits for two people. Until they release it those who may are mailed each day, once, however often is looked.
func TestWhatTheGuardHoldsIsMailedAnewEachDayUntilItIsReleased(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	g := startGateway(t, "", func(c *Config) {
		c.Sandbox, c.SMTP, c.MailFrom = true, "smtp://127.0.0.1:1", "cip@provider.example" // nobody listens: what is called for is what counts
	})
	jon, kim := g.as("Jon Reyes", "approver"), g.as("Kim Doe", "approver")
	g.as("Mara Lind", "officer") // may not release it
	for i := range 22 {          // two more than the guard lets through in an hour
		g.enrol(fmt.Sprintf("Silent Cloud %d GmbH", i))
	}
	called := func(who string) (times int) {
		t.Helper()
		for range 2 {
			if err := g.callOfficers(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		told, err := g.delivery.Notices(t.Context(), notices.OfOfficer(who+"@provider.example"), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range told {
			if one.Kind == mail.MatterGuard {
				times++
			}
		}
		return times
	}
	morning := g.clock.Now().Add(31 * day).Truncate(day).Add(9 * time.Hour)
	g.passes(morning)
	first := called("jon") // it may have held for some hours of the day before
	if first == 0 {
		t.Fatal("nobody was called")
	}
	for n := range 3 {
		g.passes(morning.Add(time.Duration(n) * day))
		if jon, kim, mara := called("jon"), called("kim"), called("mara"); jon != first+n || kim != first+n || mara != 0 {
			t.Fatalf("%d days later those who may release it were called %d and %d times, at first %d, and one who may not %d times", n, jon, kim, first, mara)
		}
		g.passes(morning.Add(time.Duration(n)*day + 5*time.Hour))
		if again := called("jon"); again != first+n {
			t.Errorf("%d days later they were called twice", n)
		}
	}
	var proposed struct {
		JTI string `json:"jti"`
	}
	jon.reads(&proposed, "automation", "release", "findings", "--until", g.clock.Now().Add(5*day).Format(time.RFC3339), "--reason", "They fell due together.")
	kim.says(exitDone, "", "case", "confirm", proposed.JTI, "--reason", "I looked too.")
	g.settled()
	before := called("jon")
	g.passes(morning.Add(3*day + time.Hour))
	if after := called("jon"); after != before {
		t.Errorf("after it was released they were called %d times, before %d", after, before)
	}
}
