package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"strings"
)

// size is how much memory this process holds, MiB. What is live was reachable when garbage was last collected; the rest of the heap is what
// was made since, or is not collected yet. What is resident is all of it, with SQLite's pages, which are not on the heap.
type size struct {
	Live float64 `json:"live_mib"`
	Heap float64 `json:"heap_mib"`
	RSS  float64 `json:"rss_mib"`
}

// memory is what this process holds now.
func memory() size {
	const mib = 1 << 20
	var now size
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(samples)
	for i, into := range []*float64{&now.Live, &now.Heap} {
		if samples[i].Value.Kind() == metrics.KindUint64 {
			*into = float64(samples[i].Value.Uint64()) / mib
		}
	}
	// proc_pid_statm(5): all pages, resident pages, ...
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		var all, resident int
		if _, err := fmt.Sscan(string(text), &all, &resident); err == nil {
			now.RSS = float64(resident*os.Getpagesize()) / mib
		}
	}
	return now
}

func (s size) plus(other size) size {
	return size{s.Live + other.Live, s.Heap + other.Heap, s.RSS + other.RSS}
}

func (s size) over(count int) size {
	n := float64(count)
	return size{s.Live / n, s.Heap / n, s.RSS / n}
}

func (s size) or(other size) size {
	return size{max(s.Live, other.Live), max(s.Heap, other.Heap), max(s.RSS, other.RSS)}
}

// tenths is how many parts of a run memory is told of.
const tenths = 10

// course is what a run held: when it began, on the average while each tenth of its work was done, and at most.
type course struct {
	Start  size         `json:"start"`
	Tenths [tenths]size `json:"tenths"`
	Most   size         `json:"most"`
	Live   verdict      `json:"live"`
	RSS    verdict      `json:"rss"`
}

// verdict is flat or grows.
type verdict string

const (
	flat  verdict = "flat"
	grows verdict = "grows"
)

// judge is the rule: what the second half holds is not above what the first half does by more than a tenth. The first fifth is left out:
// connections are opened and caches fill.
func (c course) judge(of func(size) float64) verdict {
	var halves [2]float64
	for i, part := range c.Tenths[tenths/5:] {
		halves[i/(tenths*2/5)] += of(part)
	}
	if halves[1] > 1.1*halves[0] {
		return grows
	}
	return flat
}

func liveOf(s size) float64 { return s.Live }
func rssOf(s size) float64  { return s.RSS }

// String is what one reads of a course.
func (c course) String() string {
	line := func(name string, of func(size) float64, says verdict) string {
		parts := make([]string, tenths)
		for i, part := range c.Tenths {
			parts[i] = fmt.Sprintf("%.0f", of(part))
		}
		return fmt.Sprintf("%s MiB: %.0f at the start; by tenths %s; at most %.0f: %s", name, of(c.Start), strings.Join(parts, " "), of(c.Most), says)
	}
	return line("  live heap  ", liveOf, c.Live) + "\n" + line("  resident   ", rssOf, c.RSS)
}

// watch follows the course of a run of so much work.
type watch struct {
	wanted int64
	look   func() size
	course course
	sums   [tenths]size
	counts [tenths]int
	at     int // the last tenth that was looked at, -1 for none
}

func newWatch(wanted int64, look func() size) *watch {
	w := &watch{wanted: wanted, look: look, at: -1}
	w.course.Start = look()
	w.course.Most = w.course.Start
	return w
}

// note looks, when so much is done. A tenth that passed between two looks is as the look after it.
func (w *watch) note(done int64) {
	now, at := w.look(), int(min(done*tenths/w.wanted, tenths-1))
	for passed := min(w.at+1, at); passed <= at; passed++ {
		w.sums[passed] = w.sums[passed].plus(now)
		w.counts[passed]++
	}
	w.at, w.course.Most = at, w.course.Most.or(now)
}

// end is the course, once all is done.
func (w *watch) end() course {
	w.note(w.wanted)
	for i, sum := range w.sums {
		w.course.Tenths[i] = sum.over(w.counts[i])
	}
	w.course.Live, w.course.RSS = w.course.judge(liveOf), w.course.judge(rssOf)
	return w.course
}

// writeHeap writes what the living memory is held by to a file, named for when; no path, no file.
func writeHeap(path, when string) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path + "." + when)
	if err != nil {
		return fmt.Errorf("--heapprofile: %w", err)
	}
	runtime.GC()
	if err := pprof.WriteHeapProfile(file); err != nil {
		return errors.Join(fmt.Errorf("--heapprofile: %w", err), file.Close())
	}
	return file.Close()
}

// startProfile writes what takes the time to a file, until end is called; no file, no profile.
func startProfile(path string) (end func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("--cpuprofile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, fmt.Errorf("--cpuprofile: %w", err)
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}
