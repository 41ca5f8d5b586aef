package main

import (
	"strings"
	"testing"
	"time"
)

func TestAFutureIsToldUpToADay(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", isSandbox)
	r := g.enrol("Silent Cloud Pte Ltd")
	g.settled()
	simulate := func(days string) string {
		return cipgate(t, "policy", "simulate", "--reseller", string(r.about.Entity), "--days", days, "--url", g.base, "--token", g.token).must(t)
	}
	if told := simulate("29"); !strings.Contains(told, "stands at pending") || !strings.Contains(told, "  nothing\n") {
		t.Errorf("29 days of a reseller that says nothing: %s", told)
	}
	told := simulate("60")
	for _, step := range []string{"warned: ", "restricted: ", "closing: ", "waits for the approval of one officer", "the limit of the case passes"} {
		if !strings.Contains(told, step) {
			t.Errorf("60 days do not tell of %q: %s", step, told)
		}
	}
	if g.clock.Now().After(time.Now().Add(time.Hour)) {
		t.Error("looking ahead moved the clock")
	}
}
