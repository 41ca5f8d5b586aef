package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestACalendarIsMadeReadAndTakenBackByCommands(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", func(c *Config) { c.Sandbox = true })
	r := g.enrol("Beispiel Wolke AG")
	mara := g.as("Mara Lind", "officer")
	if err := g.docket.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	mara.says(exitDone, "No calendar was given out", "calendars")

	var everybody, own calendarShown
	mara.reads(&everybody, "calendars", "make")
	mara.reads(&own, "calendars", "make", "--reseller", string(r.about.Entity))
	subscribed := func(c calendarShown) (int, string) {
		response, text := g.do(http.MethodGet, strings.TrimPrefix(c.URL, g.base), nil, nil)
		return response.StatusCode, text
	}
	for _, c := range []calendarShown{everybody, own} {
		if status, text := subscribed(c); status != http.StatusOK || !strings.HasPrefix(text, "BEGIN:VCALENDAR") {
			t.Errorf("%s: %d %s", c.URL, status, text)
		}
	}
	listed := mara.says(exitDone, everybody.ID, "calendars")
	if !strings.Contains(listed, own.ID+"  "+string(r.about.Entity)) || strings.Contains(listed, ".ics") {
		t.Errorf("listed, without addresses:\n%s", listed)
	}

	mara.says(exitDone, "revoked", "calendars", "revoke", own.ID)
	if status, text := subscribed(own); status != http.StatusNotFound {
		t.Errorf("a calendar that was taken back: %d %s", status, text)
	}
	if status, _ := subscribed(everybody); status != http.StatusOK {
		t.Errorf("the other one: %d", status)
	}
	mara.says(exitRefused, "wanted its entity identifier", "calendars", "make", "--reseller", "nobody")
	mara.says(exitRefused, "", "calendars", "revoke", "none")
	mara.says(exitRefused, "--help", "calendars", "revoke")
	g.as("Viola Senn", "viewer").says(exitRefused, "", "calendars", "make")
}
