package resellers

import (
	"fmt"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/screening"
)

// view is what the page shows.
type view struct {
	Here   string // its own address, under which it refreshes itself
	Count  string
	Rows   []row
	First  bool   // the first page of the list
	More   string // address of the page after this one, empty at the end
	Invite string // the command that brings the first reseller in
}

type row struct {
	Name     string
	Entity   envelope.Entity
	Address  string
	Country  string
	Standing frame.Badge
	Next     frame.Step
	Limit    frame.Moment // of the case that is open, zero without one
	Exempt   frame.Moment // until when the rules of its program are not applied; zero if it is not exempt
	Over     bool         // the relationship has ended
}

// fill makes the view of one page of the list. lines holds one line more than the page shows if another
// page follows.
func fill(lines []docket.Line, size int, here string, first bool, now time.Time) view {
	v := view{Here: here, First: first,
		Invite: `cipgate invite --name "Example Cloud GmbH" --country DE --contact compliance@example.com`}
	if len(lines) > size {
		lines = lines[:size]
		last := lines[size-1]
		v.More = "/resellers?after=" + cursorOf(docket.Place{Name: last.Name, ID: last.ID})
	}
	for _, line := range lines {
		v.Rows = append(v.Rows, rowOf(line, now))
	}
	v.Count = count(lines, first && v.More == "")
	return v
}

func rowOf(line docket.Line, now time.Time) row {
	r := row{
		Name: line.Name, Entity: line.Entity, Address: "/resellers/" + line.ID.String(),
		Country:  screening.Country(line.Country),
		Standing: frame.BadgeOf(line.Standing), Limit: frame.MomentOf(line.LimitAt, now),
		Over: line.Standing == escalation.Terminated, Exempt: frame.MomentOf(line.Exempt, now),
	}
	if r.Name == "" {
		r.Name = string(line.Entity)
	}
	if line.LimitAt.IsZero() {
		r.Next = frame.DueOf(line.Next, now)
	} else {
		r.Next = frame.StepOf(line.Next, now)
	}
	return r
}

// count says how many resellers stand how. It counts what is on the page and nothing else: counting all of
// them would read all of them each time the page refreshes itself.
func count(lines []docket.Line, all bool) string {
	if len(lines) == 0 {
		return ""
	}
	standing := map[escalation.Standing]int{}
	for _, line := range lines {
		standing[line.Standing]++
	}
	var parts []string
	for _, s := range frame.WorstFirst {
		if n := standing[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, frame.BadgeOf(s).Word))
		}
	}
	where := " on this page"
	if all {
		where = ""
	}
	return frame.Count(int64(len(lines)), "reseller", "resellers") + where + ": " + strings.Join(parts, ", ") + "."
}
