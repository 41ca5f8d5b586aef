package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// teller prints a story line by line and counts where it did not go as told.
type teller struct {
	out    io.Writer
	start  time.Time
	failed int
}

const tellWidth = 96

// chapter begins a part of the story.
func (t *teller) chapter(title string) {
	fmt.Fprintf(t.out, "\n%s\n%s\n", title, strings.Repeat("-", utf8.RuneCountInString(title)))
}

// line tells one thing.
func (t *teller) line(format string, args ...any) {
	for _, line := range wrap(fmt.Sprintf(format, args...), tellWidth-2) {
		fmt.Fprintln(t.out, "  "+line)
	}
}

// day tells what happened at a time of the sandbox's clock.
func (t *teller) day(at time.Time, format string, args ...any) {
	label := fmt.Sprintf("day %-3d %s", int(at.Sub(t.start).Hours()/24), at.Format("2 Jan 2006"))
	lines := wrap(fmt.Sprintf(format, args...), tellWidth-24)
	for i, line := range lines {
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(t.out, "  %-20s  %s\n", label, line)
	}
}

// check tells a claim and whether it held.
func (t *teller) check(held bool, format string, args ...any) {
	mark := "ok  "
	if !held {
		mark = "NOT "
		t.failed++
	}
	for i, line := range wrap(fmt.Sprintf(format, args...), tellWidth-24) {
		if i > 0 {
			mark = "    "
		}
		fmt.Fprintf(t.out, "  %-20s  %s%s\n", "", mark, line)
	}
}

// wrap breaks a text into lines of at most width characters, at spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
