package audit

import (
	"testing"
	"time"
)

// Who looks is not there in the very second. A step that falls due so shortly before the provider's people go home that a prompt node finds
// them gone waits for the morning, and no longer; one that had time enough is missed, and so is one that the limit keeps from waiting.
func TestAStepThatFellDueJustBeforePeopleWentHomeIsMissedOnlyInTheMorning(t *testing.T) {
	at := func(day, hour, minute, second int) time.Time {
		return time.Date(2026, 3, day, hour, minute, second, 0, time.UTC)
	}
	for name, c := range map[string]struct {
		due, limit, until time.Time
		missed            bool
	}{
		"at night":                        {at(4, 16, 59, 50), at(20, 12, 0, 0), at(4, 23, 0, 0), false},
		"as they come":                    {at(4, 16, 59, 50), at(20, 12, 0, 0), at(5, 9, 1, 0), false},
		"in the morning":                  {at(4, 16, 59, 50), at(20, 12, 0, 0), at(5, 9, 3, 0), true},
		"in time":                         {at(4, 16, 57, 50), at(20, 12, 0, 0), at(4, 17, 0, 0), true},
		"promptly":                        {at(4, 16, 50, 0), at(20, 12, 0, 0), at(4, 16, 51, 0), false},
		"the limit comes before the next": {at(4, 16, 59, 50), at(5, 8, 0, 0), at(4, 17, 2, 0), true},
	} {
		a := New(provider, nil)
		a.inForce = &numbers{id: "p.1", hours: hours{on: true, zone: time.UTC, from: 9 * time.Hour, to: 17 * time.Hour, weekdays: map[time.Weekday]bool{
			time.Monday: true, time.Tuesday: true, time.Wednesday: true, time.Thursday: true, time.Friday: true}}}
		began := at(2, 9, 0, 0)
		d := &dossier{auditor: a, entity: entity, standing: "restricted", open: map[string]*finding{"f": {id: "f", rule: "cip.missing", severity: "serious",
			since: began, opened: began, evidence: []int64{0}, file: "c"}}, file: file{id: "c", policy: a.inForce, openedAt: began, warnedAt: began, restrictedAt: began,
			closesAt: c.due, limit: c.limit}}
		a.order = append(a.order, d)
		a.Watched(Watch{From: began, To: c.until})
		if missed := len(a.Found()) > 0; missed != c.missed {
			t.Errorf("%s: missed %t: %v", name, missed, a.Found())
		}
	}
}
