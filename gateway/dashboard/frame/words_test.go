package frame

import (
	"testing"
	"time"
)

func TestATimeIsWordedFromWhereTheReaderStands(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		ahead time.Duration
		words string
	}{
		{0, "just now"},
		{time.Second, "in less than a minute"},
		{-59 * time.Second, "just now"},
		{time.Minute, "in 1 minute"},
		{119 * time.Minute, "in 119 minutes"},
		{2 * time.Hour, "in 2 hours"},
		{-2 * time.Hour, "2 hours ago"},
		{48*time.Hour - time.Nanosecond, "in 47 hours"},
		{2 * day, "in 2 days"},
		{14*day - time.Second, "in 13 days"}, // never more time than is left
		{-14 * day, "14 days ago"},
		{4000 * day, "in 4,000 days"},
	} {
		if got := relative(c.ahead); got != c.words {
			t.Errorf("%s: %q, wanted %q", c.ahead, got, c.words)
		}
	}
}

func TestAMomentIsExactMachineReadableAndRelative(t *testing.T) {
	now := time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)
	at := time.Date(2026, 11, 27, 19, 30, 0, 0, time.FixedZone("CET", 60*60))
	if got, want := MomentOf(at, now), (Moment{Exact: "27 Nov 2026 18:30 UTC", Relative: "in 3 days", Machine: "2026-11-27T18:30:00Z"}); got != want {
		t.Errorf("got %+v, wanted %+v", got, want)
	}
	if got := MomentOf(now, now); !got.Past {
		t.Error("a deadline that is now has not passed")
	}
	if got := MomentOf(time.Time{}, now); got != (Moment{}) {
		t.Errorf("no time is worded as %+v", got)
	}
}

func TestCountsAreWritten(t *testing.T) {
	for n, want := range map[int64]string{0: "0 entries", 1: "1 entry", 2: "2 entries", 999: "999 entries", 1000: "1,000 entries", 1234567: "1,234,567 entries", 1000001: "1,000,001 entries"} {
		if got := Count(n, "entry", "entries"); got != want {
			t.Errorf("%d: %q, wanted %q", n, got, want)
		}
	}
}
