package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
)

// memory is what this process holds now.
func memory() size {
	const mib = 1 << 20
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	now := size{Heap: float64(stats.HeapAlloc) / mib}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	if metrics.Read(live); live[0].Value.Kind() == metrics.KindUint64 {
		now.Live = float64(live[0].Value.Uint64()) / mib
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

// writeHeap writes what the living memory is held by to a file; no path, no file.
func writeHeap(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
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
