package frame

import (
	"fmt"
	"time"

	"github.com/cipgate/cipgate/gateway/officer"
)

// Moment is a time as a page shows it: exactly, and from where the reader stands.
type Moment struct {
	Exact    string // 24 Nov 2026 18:00 UTC
	Relative string // in 13 days
	Machine  string // RFC 3339
	Past     bool
}

// MomentOf words a time as seen from now. The zero time is the zero Moment, which pages pass over.
func MomentOf(t, now time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	return Moment{
		Exact: officer.When(t), Relative: relative(t.Sub(now)),
		Machine: t.UTC().Format(time.RFC3339), Past: !t.After(now),
	}
}

// relative words a distance in time. It counts whole units only and so never promises more time than is left.
func relative(d time.Duration) string {
	ahead := d > 0
	if d < 0 {
		d = -d
	}
	var much string
	switch {
	case d < time.Minute:
		if ahead {
			return "in less than a minute"
		}
		return "just now"
	case d < 2*time.Hour:
		much = Count(int64(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		much = Count(int64(d/time.Hour), "hour", "hours")
	default:
		much = Count(int64(d/(24*time.Hour)), "day", "days")
	}
	if ahead {
		return "in " + much
	}
	return much + " ago"
}

// Count writes a number of things: 1 entry, 1,200 entries.
func Count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// thousands writes a count with commas.
func thousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return thousands(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
