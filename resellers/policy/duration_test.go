package policy

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestADurationReadsAsItSays(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"30d": 30 * 24 * time.Hour, "72h": 72 * time.Hour, "60s": time.Minute, "1d12h": 36 * time.Hour,
		"1d2h3m4s": 26*time.Hour + 3*time.Minute + 4*time.Second, "0s": 0, "90m": 90 * time.Minute, "36500d": 36500 * 24 * time.Hour,
	} {
		if got, err := ParseDuration(s); err != nil || time.Duration(got) != want {
			t.Errorf("%s: got %v, %v, wanted %v", s, time.Duration(got), err, want)
		}
	}
}

func TestADurationIsNeverGuessed(t *testing.T) {
	for _, s := range []string{
		"", "30", "d", "30 d", " 30d", "30d ", "-30d", "+30d", "1.5d", "30D", "1w", "1ms", "12h1d", "1d1d", "30dd", "1d12", "0x1d",
		"36501d", "9223372036854775807d", "99999999999999999999s", "36500d1s", "３d",
	} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("%q was read as %v", s, got)
		}
	}
}

func TestPrintingAndParsingADurationAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64Range(0, int64(longest/Duration(time.Second))).Draw(t, "seconds")) * Duration(time.Second)
		back, err := ParseDuration(d.String())
		if err != nil || back != d {
			t.Fatalf("%v was printed as %s and read as %v, %v", time.Duration(d), d, time.Duration(back), err)
		}
		text, err := d.MarshalText()
		if err != nil || back.UnmarshalText(text) != nil || back != d {
			t.Fatalf("as text: %s, %v", text, err)
		}
	})
}

func TestADayHasTwentyFourHoursAlsoWhereClocksChange(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	before := time.Date(2026, 3, 28, 12, 0, 0, 0, berlin)
	if got := (Number{Value: Day}).From(before); got.Sub(before) != 24*time.Hour {
		t.Errorf("a day after %v is %v", before, got)
	}
	if got := (Number{Value: Day}).Before(before); before.Sub(got) != 24*time.Hour {
		t.Errorf("a day before %v is %v", before, got)
	}
}

func TestADurationIsSaidInWords(t *testing.T) {
	for s, want := range map[string]string{"30d": "30 days", "1d": "1 day", "72h": "3 days", "1d12h": "1 day 12 hours", "60s": "1 minute", "0s": "no time"} {
		d, err := ParseDuration(s)
		if err != nil || d.Words() != want {
			t.Errorf("%s: got %q, %v, wanted %q", s, d.Words(), err, want)
		}
	}
	if got := (-Day).String(); got != "-1d" {
		t.Errorf("got %s", got)
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"30d", "72h", "1d12h", "", "30", "99999999999999999999s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		if back, err := ParseDuration(d.String()); err != nil || back != d || d < 0 || d > longest {
			t.Fatalf("%q was read as %v, printed as %s, read back as %v, %v", s, time.Duration(d), d, back, err)
		}
	})
}
