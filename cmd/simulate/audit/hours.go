package audit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hours are when irreversible steps are taken.
type hours struct {
	on       bool
	zone     *time.Location
	weekdays map[time.Weekday]bool
	from, to time.Duration // of the day
	blackout []string
}

func readHours(b branch) (h hours, err error) {
	if h.on = b["on"] == true; !h.on {
		return h, nil
	}
	text := func(name string) string { return fmt.Sprint(b[name]) }
	if h.zone, err = readZone(text("zone")); err != nil {
		return h, err
	}
	if h.from, err = readClock(text("from")); err != nil {
		return h, err
	}
	if h.to, err = readClock(text("to")); err != nil {
		return h, err
	}
	h.weekdays = map[time.Weekday]bool{}
	for day := time.Sunday; day <= time.Saturday; day++ {
		days, _ := b["weekdays"].([]any)
		h.weekdays[day] = slices.Contains(days, any(strings.ToLower(day.String()[:3])))
	}
	days, _ := b["blackout"].([]any)
	for _, day := range days {
		h.blackout = append(h.blackout, fmt.Sprint(day))
	}
	return h, nil
}

// readZone reads UTC, UTC-5, UTC+5:30.
func readZone(text string) (*time.Location, error) {
	offset := strings.TrimPrefix(text, "UTC")
	if offset == "" {
		return time.UTC, nil
	}
	whole, minutes, _ := strings.Cut(offset[1:], ":")
	h, err := strconv.Atoi(whole)
	m := 0
	if err == nil && minutes != "" {
		m, err = strconv.Atoi(minutes)
	}
	if err != nil {
		return nil, fmt.Errorf("hours.zone %q cannot be read", text)
	}
	seconds := h*3600 + m*60
	if offset[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone(text, seconds), nil
}

func readClock(text string) (time.Duration, error) {
	h, m, _ := strings.Cut(text, ":")
	hour, err := strconv.Atoi(h)
	minute, errMinute := strconv.Atoi(m)
	if err != nil || errMinute != nil {
		return 0, fmt.Errorf("a time of day %q in hours cannot be read", text)
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute, nil
}

// inHours moves a step to the next moment inside the policy's hours, but not over the limit.
func (d *dossier) inHours(at time.Time) time.Time {
	h := d.file.policy.hours
	if !h.on {
		return at
	}
	there := at.In(h.zone)
	for range 500 {
		midnight := time.Date(there.Year(), there.Month(), there.Day(), 0, 0, 0, 0, h.zone)
		date := midnight.Format(time.DateOnly)
		open := h.weekdays[midnight.Weekday()] && !slices.Contains(h.blackout, date) && !slices.Contains(h.blackout, date[5:])
		if open && there.Before(midnight.Add(h.to)) {
			next := later(there, midnight.Add(h.from)).UTC()
			if next.After(d.limit()) {
				return at
			}
			return next
		}
		there = midnight.AddDate(0, 0, 1)
	}
	return at
}
