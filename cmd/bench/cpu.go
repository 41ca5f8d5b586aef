package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is processor time that was spent so far. What the system does not tell is negative.
type usage struct {
	server, database, generator time.Duration
	machine                     time.Duration // all of it, on all cores
}

const unknown = time.Duration(-1)

// since is what was spent from an earlier moment on.
func (u usage) since(earlier usage) usage {
	between := func(before, after time.Duration) time.Duration {
		if before < 0 || after < 0 {
			return unknown
		}
		return after - before
	}
	return usage{between(earlier.server, u.server), between(earlier.database, u.database), between(earlier.generator, u.generator), between(earlier.machine, u.machine)}
}

// others is what the machine has spent on programs that do not belong to the measurement; unknown if anything that does is.
func (u usage) others() time.Duration {
	if u.server < 0 || u.database < 0 || u.generator < 0 || u.machine < 0 {
		return unknown
	}
	return max(0, u.machine-u.server-u.database-u.generator) // each is counted in ticks of its own
}

// machineTime is what all cores together have spent, on anything, and what the host has taken from a virtual machine.
func machineTime() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return unknown
	}
	// proc_stat(5): cpu user nice system idle iowait irq softirq steal ...
	fields := strings.Fields(string(text))
	if len(fields) < 9 || fields[0] != "cpu" {
		return unknown
	}
	busy := int64(0)
	for i, field := range fields[1:9] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return unknown
		}
		if i != 3 && i != 4 {
			busy += ticks
		}
	}
	return time.Duration(busy) * tick
}

// tick is the unit of processor times in Linux's /proc, whatever the kernel's own is (proc(5): sysconf(_SC_CLK_TCK)).
const tick = 10 * time.Millisecond

// processTime is what a process has spent, user and system, as Linux tells in /proc.
func processTime(pid int) time.Duration {
	s, err := readStat(pid)
	if err != nil {
		return unknown
	}
	return s.own
}

// familyTime is what a process, its children, and its children that are gone have spent.
func familyTime(parent int) time.Duration {
	p, err := readStat(parent)
	if err != nil {
		return unknown
	}
	sum := p.own + p.gone
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return unknown
	}
	for _, folder := range processes {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		if child, err := readStat(pid); err == nil && child.parent == parent { // one that ended meanwhile is with the gone ones next time
			sum += child.own
		}
	}
	return sum
}

// stat is what /proc/PID/stat says, as far as it is wanted.
type stat struct {
	parent    int
	own, gone time.Duration // its own time, and that of children it has waited for
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, fmt.Errorf("read what process %d has used: %w", pid, err)
	}
	// The second field is the program's name in parentheses, and may hold anything. parent is the fourth field of proc_pid_stat(5),
	// utime, stime, cutime and cstime are the 14th to the 17th.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("read what process %d has used: %d fields", pid, len(fields))
	}
	var numbers [5]int64
	for i, field := range []int{1, 11, 12, 13, 14} {
		if numbers[i], err = strconv.ParseInt(fields[field], 10, 64); err != nil {
			return stat{}, fmt.Errorf("read what process %d has used: %w", pid, err)
		}
	}
	ticks := func(n int64) time.Duration { return time.Duration(n) * tick }
	return stat{parent: int(numbers[0]), own: ticks(numbers[1] + numbers[2]), gone: ticks(numbers[3] + numbers[4])}, nil
}
