package outages

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is a moment by both clocks, each so long after noon.
func at(machine, store time.Duration) Mark {
	return Mark{Machine: noon.Add(machine), Store: noon.Add(store)}
}

func TestAGapIsAnOutageWhenEveryClockSaysSo(t *testing.T) {
	const day = 24 * time.Hour
	last := at(0, 0)
	for name, test := range map[string]struct {
		seen Seen
		from time.Duration // after noon; the end is always now
		is   bool
	}{
		"the first start ever":                         {Seen{Now: at(day, day)}, 0, false},
		"a restart":                                    {Seen{Last: last, Now: at(20*time.Second, 20*time.Second)}, 0, false},
		"no longer than the least":                     {Seen{Last: last, Now: at(Least, Least)}, 0, false},
		"longer":                                       {Seen{Last: last, Now: at(Least+1, Least+1)}, 0, true},
		"a day off":                                    {Seen{Last: last, Now: at(day, day)}, 0, true},
		"the machine's clock was set forward":          {Seen{Last: last, Now: at(day, time.Minute)}, 0, false},
		"the store's clock was set forward":            {Seen{Last: last, Now: at(time.Minute, day)}, 0, false},
		"both were, and this process was there":        {Seen{Last: last, Now: at(day, day), Awake: true, Since: 10 * time.Second}, 0, false},
		"this process was there and unable":            {Seen{Last: last, Now: at(time.Hour, time.Hour), Awake: true, Since: time.Hour + time.Second}, 0, true},
		"it was, and the clock was set forward too":    {Seen{Last: last, Now: at(day, day), Awake: true, Since: time.Hour}, day - time.Hour, true},
		"it was, and others were able for longer":      {Seen{Last: last, Now: at(time.Minute, time.Minute), Awake: true, Since: day}, 0, false},
		"an outage, and a clock that is ahead by less": {Seen{Last: last, Now: at(time.Hour, 40*time.Minute)}, 20 * time.Minute, true},
		"the machine's clock was set back":             {Seen{Last: last, Now: at(-time.Hour, time.Hour)}, 0, false},
		"the store's clock was set back":               {Seen{Last: last, Now: at(time.Hour, -time.Hour)}, 0, false},
		"it stands in the ledger":                      {Seen{Last: last, Now: at(time.Hour, time.Hour), Recorded: noon.Add(time.Hour)}, 0, false},
		"its first part stands in the ledger":          {Seen{Last: last, Now: at(2*time.Hour, 2*time.Hour), Recorded: noon.Add(time.Hour)}, time.Hour, true},
		"nearly all of it stands in the ledger":        {Seen{Last: last, Now: at(time.Hour, time.Hour), Recorded: noon.Add(time.Hour - Least)}, 0, false},
		"an earlier one stands in the ledger":          {Seen{Last: last, Now: at(time.Hour, time.Hour), Recorded: noon.Add(-day)}, 0, true},
		"one stands there until a time that is ahead":  {Seen{Last: last, Now: at(time.Hour, time.Hour), Recorded: noon.Add(day)}, 0, false},
	} {
		out, is := Measure(test.seen)
		if is != test.is {
			t.Errorf("%s: an outage: %v, wanted %v", name, is, test.is)
			continue
		}
		if is && (!out.From.Equal(noon.Add(test.from)) || !out.To.Equal(test.seen.Now.Machine)) {
			t.Errorf("%s: from %v to %v, wanted from %v to %v", name, out.From, out.To, noon.Add(test.from), test.seen.Now.Machine)
		}
	}
}
