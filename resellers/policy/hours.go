package policy

import (
	"slices"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Hours are when irreversible steps may be taken. Deadlines are calendar days, UTC, whatever they say: a step that falls due outside is
// moved to the next moment inside, and never over the limit of its case.
type Hours struct {
	On       bool     `json:"on"`
	Zone     string   `json:"zone"`     // a fixed offset of UTC: UTC, UTC-5, UTC+5:30
	Weekdays []string `json:"weekdays"` // mon ... sun
	From     string   `json:"from"`     // 09:00, in that zone
	To       string   `json:"to"`       // 17:00; nothing is begun from then on
	Blackout []string `json:"blackout"` // days on which nothing is begun: 2026-12-24 once, 12-25 each year
	Source   string   `json:"source"`
	Status   Origin   `json:"status"`
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// farthestOpening bounds the search: in no valid policy do the hours stay closed for longer.
const farthestOpening = 400

// Next returns the first moment at or after t that is inside the hours. It is t itself where they are off.
func (h Hours) Next(t time.Time) time.Time {
	if !h.On {
		return t
	}
	offset, _ := parseZone(h.Zone)
	from, _ := parseClock(h.From)
	to, _ := parseClock(h.To)
	there := t.UTC().Add(offset)
	midnight := time.Date(there.Year(), there.Month(), there.Day(), 0, 0, 0, 0, time.UTC)
	for range farthestOpening {
		opens, closes := midnight.Add(from), midnight.Add(to)
		if h.opensOn(midnight) && there.Before(closes) {
			if there.Before(opens) {
				there = opens
			}
			return there.Add(-offset)
		}
		midnight = midnight.AddDate(0, 0, 1)
		there = midnight
	}
	return t
}

func (h Hours) opensOn(day time.Time) bool {
	return slices.Contains(h.Weekdays, weekdays[day.Weekday()]) &&
		!slices.Contains(h.Blackout, day.Format("2006-01-02")) && !slices.Contains(h.Blackout, day.Format("01-02"))
}

func (r *reader) hours(v value) Hours {
	f := r.object(v, "on", "zone", "weekdays", "from", "to", "blackout", "source", "status")
	hours := Hours{On: r.boolean(f[0]), Zone: r.zone(f[1]), From: r.clock(f[3]), To: r.clock(f[4]), Source: r.text(f[6]), Status: r.origin(f[7])}
	hours.Weekdays = r.listed(f[2], "days of the week: mon, tue, wed, thu, fri, sat, sun, each once",
		func(s string) bool { return slices.Contains(weekdays, s) })
	hours.Blackout = r.listed(f[5], "days such as 2026-12-24, or 12-25 for each year, each once, or []", isDay)
	if f[2].node != nil && len(hours.Weekdays) == 0 {
		r.fault(f[2], "one day of the week at least", describe(f[2].node))
	}
	if hours.From != "" && hours.To != "" && hours.To <= hours.From {
		r.fault(f[4], "a time after "+hours.From, describe(f[4].node))
	}
	if len(hours.Blackout) > 100 {
		r.fault(f[5], "at most 100 days", describe(f[5].node))
	}
	return hours
}

// zone reads a fixed offset. The name of a place would not do: when its summer time begins is decided anew each year, and a replay must
// give the same on every machine.
func (r *reader) zone(v value) string {
	if v.node == nil {
		return ""
	}
	node, ok := v.node.(*ast.StringNode)
	if ok {
		if _, ok = parseZone(node.Value); ok {
			return node.Value
		}
	}
	r.fault(v, "a fixed offset of UTC, such as UTC, UTC-5 or UTC+5:30 (summer time is no offset: write the one of winter)", describe(v.node))
	return ""
}

func parseZone(s string) (offset time.Duration, ok bool) {
	if s == "UTC" {
		return 0, true
	}
	if len(s) < 5 || s[:3] != "UTC" || s[3] != '+' && s[3] != '-' {
		return 0, false
	}
	hours, minutes, split := s[4:], "0", false
	for i := range hours {
		if hours[i] == ':' {
			hours, minutes, split = hours[:i], hours[i+1:], true
			break
		}
	}
	h, errHours := strconv.ParseUint(hours, 10, 8)
	m, errMinutes := strconv.ParseUint(minutes, 10, 8)
	if errHours != nil || errMinutes != nil || h > 14 || m > 59 || split && len(minutes) != 2 || len(hours) > 2 {
		return 0, false
	}
	offset = time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if s[3] == '-' {
		offset = -offset
	}
	return offset, true
}

// clock reads a time of day. 24:00 is the end of a day.
func (r *reader) clock(v value) string {
	if v.node == nil {
		return ""
	}
	node, ok := v.node.(*ast.StringNode)
	if ok {
		if _, ok = parseClock(node.Value); ok {
			return node.Value
		}
	}
	r.fault(v, "a time of day in quotes, such as \"09:00\"", describe(v.node))
	return ""
}

func parseClock(s string) (time.Duration, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, errHours := strconv.ParseUint(s[:2], 10, 8)
	m, errMinutes := strconv.ParseUint(s[3:], 10, 8)
	if errHours != nil || errMinutes != nil || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, true
}

func isDay(s string) bool {
	if _, err := time.Parse("2006-01-02", s); err == nil {
		return true
	}
	_, err := time.Parse("2006-01-02", "2024-"+s) // a leap year, so that 02-29 is a day
	return err == nil
}

// listed reads a list of words, each once.
func (r *reader) listed(v value, wanted string, good func(string) bool) []string {
	if v.node == nil {
		return nil
	}
	list, ok := v.node.(*ast.SequenceNode)
	if !ok {
		r.fault(v, wanted, describe(v.node))
		return nil
	}
	words := []string{}
	for _, item := range list.Values {
		node, plain := item.(*ast.StringNode)
		if !plain || !good(node.Value) || slices.Contains(words, node.Value) {
			r.fault(value{node: item, field: v.field}, wanted, describe(item))
			continue
		}
		words = append(words, node.Value)
	}
	return words
}
