package main

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestMemoryIsFlatUnlessTheSecondHalfHoldsATenthMore(t *testing.T) {
	for _, c := range []struct {
		live [tenths]float64
		want verdict
	}{
		{[tenths]float64{30, 30, 30, 30, 30, 30, 30, 30, 30, 30}, flat},
		{[tenths]float64{10, 20, 30, 30, 30, 30, 30, 30, 30, 30}, flat}, // connections and caches, at the beginning
		{[tenths]float64{90, 90, 10, 10, 10, 10, 30, 30, 30, 30}, grows},
		{[tenths]float64{30, 30, 30, 30, 30, 30, 30, 30, 30, 41}, flat}, // 131 of 120: less than a tenth more
		{[tenths]float64{30, 30, 30, 30, 30, 30, 30, 30, 30, 43}, grows},
		{[tenths]float64{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, grows}, // a little with each
		{[tenths]float64{30, 30, 30, 30, 30, 30, 20, 20, 20, 20}, flat},
	} {
		var of course
		for i, live := range c.live {
			of.Tenths[i].Live = live
		}
		if got := of.judge(liveOf); got != c.want {
			t.Errorf("%v: %s, wanted %s", c.live, got, c.want)
		}
		if got := of.judge(rssOf); got != flat {
			t.Errorf("nothing at all: %s", got)
		}
	}
}

func TestAWatchTellsOfEachTenthWhateverItSawOfIt(t *testing.T) {
	held := 1.0
	w := newWatch(200, func() size { return size{Live: held, RSS: 10 * held} })
	for _, now := range []struct {
		done int64
		held float64
	}{{25, 4}, {30, 6}, {79, 8}, {170, 2}} {
		held = now.held
		w.note(now.done)
	}
	held = 3
	got := w.end()
	if got.Start.Live != 1 || got.Most != (size{Live: 8, RSS: 80}) {
		t.Errorf("%v at the start, %v at most", got.Start, got.Most)
	}
	for i, want := range []float64{4, 5, 8, 8, 2, 2, 2, 2, 2, 3} { // what passed unseen is as the look after it
		if got.Tenths[i] != (size{Live: want, RSS: 10 * want}) {
			t.Errorf("tenth %d: %v, wanted %v", i+1, got.Tenths[i], want)
		}
	}
	if got.Live != flat || got.RSS != flat {
		t.Errorf("live %s, resident %s", got.Live, got.RSS)
	}
	if text := got.String(); !strings.Contains(text, "live heap   MiB: 1 at the start; by tenths 4 5 8 8 2 2 2 2 2 3; at most 8: flat") {
		t.Error(text)
	}
}

func TestMemoryIsThatOfThisProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("this system has no /proc")
	}
	const mib = 32
	runtime.GC()
	before := memory()
	block := bytes.Repeat([]byte{1}, mib<<20)
	after := memory()
	if after.RSS < mib || after.Heap-before.Heap < mib/2 {
		t.Errorf("with %d MiB more: %v, before %v", len(block)>>20, after, before)
	}
	runtime.KeepAlive(block)
}
