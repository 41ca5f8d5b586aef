package envelope

import (
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// latest is the last second that RFC 3339 can write, 9999-12-31T23:59:59Z.
const latest = 253402300799

// readTime reads a NumericDate, RFC 7519, section 2: seconds since 1970, a fraction allowed and cut to microseconds.
func readTime(value jsontext.Value, pointer string) (time.Time, error) {
	if value.Kind() != '0' {
		return time.Time{}, notATime(value, pointer)
	}
	if seconds, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		if seconds < 0 || seconds > latest {
			return time.Time{}, notATime(value, pointer)
		}
		return time.Unix(seconds, 0).UTC(), nil
	}
	// A fraction or an exponent. Until the year 2242 a double has the microsecond right.
	seconds, err := strconv.ParseFloat(string(value), 64)
	if err != nil || seconds < 0 || seconds >= latest+1 {
		return time.Time{}, notATime(value, pointer)
	}
	whole := int64(seconds)
	return time.Unix(whole, int64((seconds-float64(whole))*1e6)*1e3).UTC(), nil
}

func notATime(value jsontext.Value, pointer string) error {
	fault := &Fault{
		Reason:  ErrMalformed,
		Pointer: pointer,
		Wanted:  "a JSON number: seconds since 1970-01-01T00:00:00Z",
		Got:     kindOf(value),
		Fix:     "Set " + lastName(pointer) + " to the time in seconds, as a number without quotes.",
	}
	if value.Kind() == '0' {
		fault.Got = string(value[:min(len(value), maxShown)])
		if seconds, err := strconv.ParseFloat(string(value), 64); err == nil && seconds > latest && seconds/1000 <= latest {
			fault.Fix = "This looks like milliseconds. Divide by 1000: " + lastName(pointer) + " counts seconds."
		}
	}
	return fault
}

// inTime asks whether a token was signed not too long ago and not in the future, as far as clocks may differ.
func (t *Terms) inTime(issuedAt time.Time) error {
	ahead := issuedAt.Sub(t.Now)
	if ahead <= t.MaxAhead && -ahead <= t.MaxAge {
		return nil
	}
	fault := &Fault{
		Reason:  ErrMalformed,
		Pointer: "/claims/iat",
		Wanted: fmt.Sprintf("a time at most %s back and %s ahead; it is %s here",
			inWords(t.MaxAge), inWords(t.MaxAhead), t.Now.UTC().Format(time.RFC3339)),
		Got: fmt.Sprintf("%s, %s ahead", issuedAt.Format(time.RFC3339), inWords(ahead)),
		Fix: "Set the clock of the machine that signs, then sign again.",
	}
	if ahead < 0 {
		fault.Got = fmt.Sprintf("%s, %s ago", issuedAt.Format(time.RFC3339), inWords(-ahead))
		fault.Fix = "Sign the statement again with the present time as iat. Keep its jti: it is still the same statement."
	}
	return fault
}

// inWords writes a duration for people, in the largest unit of which it has at least two, rounded down.
func inWords(d time.Duration) string {
	for _, unit := range [...]struct {
		name   string
		length time.Duration
	}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}, {"seconds", time.Second}} {
		if n := d / unit.length; n >= 2 {
			return fmt.Sprintf("%d %s", n, unit.name)
		}
	}
	return d.String()
}
