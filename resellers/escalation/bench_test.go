package escalation

import (
	"fmt"
	"testing"
	"time"

	"github.com/cipgate/cipgate/resellers/findings"
)

// What a sweep costs for each reseller that is woken: mostly nothing is due; at times a step is.
func BenchmarkAssessAndDecide(b *testing.B) {
	good := silent(b, start)
	good.attest(on(1), "initial")
	good.settle(on(1))
	for _, c := range []struct {
		name string
		l    *life
		now  time.Time
		want int
	}{
		{"nothing due", good, on(100), 0},
		{"warned and waiting", silent(b, on(30)), on(31), 0},
		{"opening a case", silent(b, start), on(30), 3},
		{"terminating", silent(b, on(30), on(44), on(51)), on(59), 2},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				found, turns := findings.Assess(&c.l.policy, &c.l.history, c.now)
				state, next, err := Decide(&c.l.policy, reseller, c.l.c, c.l.history, House{}, found, c.now)
				if err != nil || len(state) != c.want || Wake(next, turns).Before(c.now) && !Wake(next, turns).IsZero() {
					b.Fatal(fmt.Sprint(len(state), err))
				}
			}
		})
	}
}

func BenchmarkFold(b *testing.B) {
	l := silent(b, on(30), on(44), on(51), on(59))
	b.ReportAllocs()
	for b.Loop() {
		if _, c := l.replayed(); c.Standing != Terminated {
			b.Fatal(c.Standing)
		}
	}
	b.ReportMetric(float64(len(l.entries))*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkOutlook(b *testing.B) {
	l := silent(b, start)
	b.ReportAllocs()
	for b.Loop() {
		if prospect, err := Outlook(l.policy, reseller, l.c, l.history, House{}, on(1)); err != nil || len(prospect.Future) != 4 {
			b.Fatal(err)
		}
	}
}
