package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

// memory is what this process holds now.
func memory() size {
	const mib = 1 << 20
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	now := size{Heap: float64(stats.HeapAlloc) / mib}
	// proc_pid_statm(5): all pages, resident pages, ...
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		var all, resident int
		if _, err := fmt.Sscan(string(text), &all, &resident); err == nil {
			now.RSS = float64(resident*os.Getpagesize()) / mib
		}
	}
	return now
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
