package policy

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTheShippedPolicyAsksPeopleBeforeWhatCannotBeTakenBack(t *testing.T) {
	for _, p := range Shipped() {
		a := p.Case.Approvals
		for step, is := range map[string]bool{
			"warn":      a.Warn.People == 0 && a.Warn.Silence == SilenceActs,
			"restrict":  a.Restrict.People == 0,
			"close":     a.Close.People == 1 && a.Close.Critical == 1 && a.Close.Silence == SilenceHolds,
			"terminate": a.Terminate.People == 2 && a.Terminate.Critical == 2 && a.Terminate.Silence == SilenceHolds,
		} {
			if !is {
				t.Errorf("%s, %s: %+v", p.ID(), step, a)
			}
		}
		for _, source := range []string{a.Warn.Source, a.Restrict.Source, a.Close.Source, a.Terminate.Source, p.Guard.Closures.Source, p.Guard.Findings.Source, p.Hours.Source} {
			if source == "" {
				t.Errorf("%s has a number without a source", p.ID())
			}
		}
		g := p.Guard
		if g.Closures.Count != 20 || g.Closures.Share != 5 || g.Terminations.Count != 3 || g.Terminations.Share != 1 || g.Accounts.Value != 1000 ||
			g.Findings.Share != 5 || g.Findings.Within.String() != "1h" || p.Hours.On {
			t.Errorf("%s: %+v, %+v", p.ID(), g, p.Hours)
		}
	}
}

// replaceIn replaces a piece behind another one of the shipped file.
func replaceIn(t *testing.T, behind, old, replacement string) []byte {
	t.Helper()
	head, tail, found := strings.Cut(string(usIaaS2024), behind)
	if !found || !strings.Contains(tail, old) {
		t.Fatalf("the shipped policy has no %q behind %q", old, behind)
	}
	return []byte(head + behind + strings.Replace(tail, old, replacement, 1))
}

func TestAFaultInWhatPeopleDoNamesItsField(t *testing.T) {
	for name, c := range map[string]struct {
		behind, old, replacement string
		field                    string
		says                     string
	}{
		"three people":             {"    close:", "people: 1", "people: 3", "case.approvals.close.people", "wanted 0, 1 or 2 people"},
		"people in words":          {"    close:", "people: 1", "people: one", "case.approvals.close.people", `got "one"`},
		"a critical one unsaid":    {"    close:", "      critical: 1\n", "", "case.approvals.close.critical", "it is missing"},
		"a silence nobody knows":   {"    terminate:", "silence: holds", "silence: waits", "case.approvals.terminate.silence", "acts, holds"},
		"no source":                {"    warn:", "source: A warning takes nothing away; whoever is warned late has less time left", "source: ''", "case.approvals.warn.source", "wanted text"},
		"a lead without a unit":    {"  approval_lead:", "value: 72h", "value: 72", "case.approval_lead.value", "a duration with its unit"},
		"no return after a hold":   {"  hold_return:", "value: 72h", "value: 0h", "case.hold_return.value", "longer than nothing"},
		"the first case repeats":   {"  repeat:", "value: 3", "value: 1", "case.repeat.count", "from 2 to 9"},
		"more cases than are kept": {"  repeat:", "value: 3", "value: 10", "case.repeat.count", "from 2 to 9"},
		"more than all the time":   {"    cure_share:", "value: 50", "value: 101", "case.repeat.cure_share.value", "from 1 to 100"},
		"a share of more than all": {"guard:", "share: 5", "share: 200", "guard.closures.share", "from 1 to 100"},
		"a guard of nothing":       {"guard:", "count: 20", "count: 0", "guard.closures.count", "whole number"},
		"a window without a unit":  {"guard:", "within: 1h", "within: 60", "guard.findings.within", "a duration with its unit"},
		"a place for a zone":       {"hours:", "zone: UTC-5", "zone: America/New_York", "hours.zone", "a fixed offset of UTC"},
		"a zone past the world":    {"hours:", "zone: UTC-5", "zone: UTC-15", "hours.zone", "a fixed offset of UTC"},
		"a day of no week":         {"hours:", "[mon, tue", "[monday, tue", "hours.weekdays", "mon, tue, wed"},
		"a day twice":              {"hours:", "[mon, tue", "[mon, mon", "hours.weekdays", "each once"},
		"no day at all":            {"hours:", "[mon, tue, wed, thu, fri]", "[]", "hours.weekdays", "one day of the week at least"},
		"an hour of no day":        {"hours:", `"09:00"`, `"25:00"`, "hours.from", "a time of day"},
		"an end before its start":  {"hours:", `"17:00"`, `"08:00"`, "hours.to", "a time after 09:00"},
		"a blackout of no year":    {"hours:", "blackout: []", "blackout: [2026-02-30]", "hours.blackout", "days such as 2026-12-24"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(replaceIn(t, c.behind, c.old, c.replacement))
			var fault *Fault
			if !errors.As(err, &fault) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), c.field+":") || !strings.Contains(err.Error(), c.says) || fault.Line < 100 {
				t.Errorf("got %v, wanted %s and %q", err, c.field, c.says)
			}
		})
	}
}

func TestHoursMoveToTheNextMomentOfWork(t *testing.T) {
	hours := Hours{On: true, Zone: "UTC-5", Weekdays: []string{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "17:00", Blackout: []string{"2026-12-24", "12-25"}}
	at := func(s string) time.Time {
		read, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return read
	}
	for from, want := range map[string]string{
		"2026-12-21T15:00:00Z": "2026-12-21T15:00:00Z", // Monday, 10:00 there
		"2026-12-21T14:00:00Z": "2026-12-21T14:00:00Z", // 09:00 there
		"2026-12-21T13:59:59Z": "2026-12-21T14:00:00Z",
		"2026-12-21T21:59:59Z": "2026-12-21T21:59:59Z",
		"2026-12-21T22:00:00Z": "2026-12-22T14:00:00Z", // 17:00 there
		"2026-12-22T03:00:00Z": "2026-12-22T14:00:00Z", // Monday evening there
		"2026-12-23T22:00:00Z": "2026-12-28T14:00:00Z", // two days of blackout and a weekend
		"2027-12-24T22:00:00Z": "2027-12-27T14:00:00Z", // Christmas Day each year, here a Saturday
	} {
		if got := hours.Next(at(from)); !got.Equal(at(want)) {
			t.Errorf("from %s: %s, wanted %s", from, got.Format(time.RFC3339), want)
		}
		if next := hours.Next(hours.Next(at(from))); !next.Equal(at(want)) {
			t.Errorf("twice from %s: %s", from, next)
		}
	}
	hours.Zone = "UTC+5:30"
	if got := hours.Next(at("2026-12-21T03:00:00Z")); !got.Equal(at("2026-12-21T03:30:00Z")) {
		t.Errorf("half an hour: %s", got)
	}
	hours.On = false
	if got := hours.Next(at("2026-12-25T03:00:00Z")); !got.Equal(at("2026-12-25T03:00:00Z")) {
		t.Errorf("off: %s", got)
	}
}
