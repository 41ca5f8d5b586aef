package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time as a policy writes it: whole days, hours, minutes and seconds, each with its unit, such
// as 30d, 72h or 1d12h. A day is a calendar day of UTC, which has no summer time and therefore always 24 hours; leap
// seconds are not counted.
type Duration time.Duration

// Day is one calendar day, UTC.
const Day = Duration(24 * time.Hour)

// longest keeps every sum of a date and a duration far inside what time.Time and RFC 3339 can say.
const longest = 36500 * Day

var units = []struct {
	name   string
	length Duration
}{
	{"d", Day},
	{"h", Duration(time.Hour)},
	{"m", Duration(time.Minute)},
	{"s", Duration(time.Second)},
}

// ParseDuration reads a duration: one or more whole numbers, each with its unit d, h, m or s, the larger unit first and
// each unit once. It never guesses a unit, and takes no sign, fraction or white space.
func ParseDuration(s string) (Duration, error) {
	var total Duration
	rest := s
	for _, unit := range units {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || !strings.HasPrefix(rest[digits:], unit.name) {
			continue
		}
		count, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil || count > int64(longest/unit.length) {
			return 0, fmt.Errorf("policy: a duration of %q is longer than %s", s, longest)
		}
		total += Duration(count) * unit.length
		rest = rest[digits+len(unit.name):]
	}
	if s == "" || rest != "" {
		return 0, fmt.Errorf("policy: wanted whole numbers with their units d, h, m, s, the larger first, such as 30d or 1d12h, got %q", s)
	}
	if total > longest {
		return 0, fmt.Errorf("policy: a duration of %q is longer than %s", s, longest)
	}
	return total, nil
}

// String writes the duration as ParseDuration reads it, in the largest units: 72h is 3d.
func (d Duration) String() string {
	if d < 0 {
		return "-" + (-d).String()
	}
	var b strings.Builder
	for _, unit := range units {
		if count := d / unit.length; count > 0 {
			b.WriteString(strconv.FormatInt(int64(count), 10))
			b.WriteString(unit.name)
			d -= count * unit.length
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

// Words says the duration as people do: "30 days", "1 day 12 hours".
func (d Duration) Words() string {
	long := map[string]string{"d": "day", "h": "hour", "m": "minute", "s": "second"}
	var words []string
	for _, unit := range units {
		count := d / unit.length
		d -= count * unit.length
		switch {
		case count == 1:
			words = append(words, "1 "+long[unit.name])
		case count > 1:
			words = append(words, strconv.FormatInt(int64(count), 10)+" "+long[unit.name]+"s")
		}
	}
	if len(words) == 0 {
		return "no time"
	}
	return strings.Join(words, " ")
}

// MarshalText writes the duration as String does, for JSON and pages.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Duration) UnmarshalText(text []byte) error {
	read, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = read
	return nil
}
