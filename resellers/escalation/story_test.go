package escalation

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A story is a plain-text file about one reseller, which a lawyer can write (testdata/README.md has the words). Every
// story is run against the same deciders as the gateway's, and must tell all that happens: an order, a finding or a
// change of standing that it does not expect fails it, as does one that does not come.

type story struct {
	events []event
	expect []line // in the order of the file
	checks []check
	until  time.Time
}

type event struct {
	at   time.Time
	what string
}

// check is an expectation that looks at a state instead of an event.
type check struct {
	at   time.Time
	what string
	line int
}

var dated = regexp.MustCompile(`^day (\d+)(?: (\d\d):(\d\d):(\d\d))?\s+(.+)$`)

func parseTime(s string) (at time.Time, rest string, err error) {
	m := dated.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, "", fmt.Errorf("wanted \"day 44 ...\" or \"day 44 12:00:00 ...\", got %q", s)
	}
	n := func(i int) int {
		number, _ := strconv.Atoi("0" + m[i]) // digits, or nothing
		return number
	}
	clock := time.Duration((n(2)*60+n(3))*60+n(4)) * time.Second
	if clock >= day || n(3) > 59 || n(4) > 59 {
		return time.Time{}, "", fmt.Errorf("no such time of day: %q", s)
	}
	return start.Add(time.Duration(n(1))*day + clock), m[5], nil
}

var (
	happening   = regexp.MustCompile(`^(enrolled|attests (initial|annual|change|incomplete)|(opens|closes) an account of [a-z0-9-]+|verifies [a-z0-9-]+|gateway (down|up)|exempt until day \d+|exemption withdrawn)$`)
	expectation = regexp.MustCompile(`^(pending|good|watch|warned|restricted|closing|terminated|(opens|cures|orders|withdraws) [a-z.-]+|passes limit)$`)
	stateOf     = regexp.MustCompile(`^(still (pending|good|watch|warned|restricted|closing|terminated)|limit (day .+|kept|passed|none)|next ([a-z]+ on day .+|nothing))$`)
)

func parseStory(text string) (story, error) {
	var s story
	for i, l := range strings.Split(text, "\n") {
		l, _, _ = strings.Cut(l, "#")
		l = strings.TrimSpace(l)
		if l == "" {
			continue
		}
		words, expected := strings.CutPrefix(l, "expect ")
		words, until := strings.CutPrefix(words, "until ")
		if until {
			words += " end"
		}
		at, what, err := parseTime(strings.TrimSpace(words))
		if err != nil {
			return story{}, fmt.Errorf("line %d: %w", i+1, err)
		}
		switch {
		case until:
			s.until = at
		case expected && expectation.MatchString(what):
			s.expect = append(s.expect, line{at, what})
		case expected && stateOf.MatchString(what):
			s.checks = append(s.checks, check{at, what, i + 1})
		case !expected && happening.MatchString(what):
			if n := len(s.events); n > 0 && at.Before(s.events[n-1].at) {
				return story{}, fmt.Errorf("line %d: a day before the one of the line above", i+1)
			}
			s.events = append(s.events, event{at, what})
		default:
			return story{}, fmt.Errorf("line %d: a story has no words %q", i+1, what)
		}
	}
	if s.until.IsZero() {
		return story{}, fmt.Errorf("wanted a line \"until day ...\": how long the story is watched")
	}
	return s, nil
}

// play runs the story: it moves to each time at which something happens, is checked or falls due, in order.
func (s story) play(t *testing.T) *life {
	l := newLife(t)
	var down time.Time // since when nobody decides
	advance := func(to time.Time) {
		if down.IsZero() && !l.wake.IsZero() && l.wake.Before(to) {
			l.run(l.wake, to.Add(-time.Second))
		}
	}
	occurs := func(e event) {
		switch {
		case e.what == "gateway down":
			// What fell due at this very second was still decided.
			l.settle(e.at)
			down = e.at
			return
		case e.what == "gateway up":
			down = time.Time{}
		case !down.IsZero():
			t.Fatalf("%s: %s, while the gateway is down", onDay(e.at), e.what)
		case e.what == "enrolled":
			l.enrol(e.at)
		case e.what == "exemption withdrawn":
			l.withdraw(e.at)
		case strings.HasPrefix(e.what, "exempt"):
			until, _, err := parseTime(strings.TrimPrefix(e.what, "exempt until ") + " end")
			if err != nil {
				t.Fatal(err)
			}
			l.exempt(e.at, until)
		case strings.HasPrefix(e.what, "opens an account of "):
			l.account(e.at, strings.TrimPrefix(e.what, "opens an account of "), "opened")
		case strings.HasPrefix(e.what, "closes an account of "):
			l.account(e.at, strings.TrimPrefix(e.what, "closes an account of "), "closed")
		case strings.HasPrefix(e.what, "verifies "):
			l.verify(e.at, strings.TrimPrefix(e.what, "verifies "))
		case e.what == "attests incomplete":
			l.attestIncomplete(e.at)
		default:
			l.attest(e.at, strings.TrimPrefix(e.what, "attests "))
		}
		l.settle(e.at)
	}
	checks := slices.Clone(s.checks)
	slices.SortStableFunc(checks, func(a, b check) int { return a.at.Compare(b.at) })
	events := append(slices.Clone(s.events), event{at: s.until})
	for _, e := range events {
		for len(checks) > 0 && checks[0].at.Before(e.at) {
			advance(checks[0].at)
			if down.IsZero() {
				l.settle(checks[0].at)
			}
			l.check(t, checks[0])
			checks = checks[1:]
		}
		advance(e.at)
		if e.what != "" {
			occurs(e)
		} else if down.IsZero() {
			l.settle(e.at)
		}
	}
	for _, c := range checks {
		t.Errorf("line %d: %s is at or after the end of the story", c.line, onDay(c.at))
	}
	return l
}

// check compares a state of the story's reseller.
func (l *life) check(t *testing.T, c check) {
	t.Helper()
	prospect, err := Outlook(l.policy, reseller, l.c, l.history, l.house, c.at)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	switch verb, rest, _ := strings.Cut(c.what, " "); {
	case verb == "still":
		got = "still " + prospect.Standing.String()
	case verb == "next":
		got = "next nothing"
		if !prospect.NextStep.At.IsZero() {
			does, _, _ := strings.Cut(prospect.NextStep.What, ":")
			got = "next " + does + " on " + onDay(prospect.NextStep.At)
		}
	case prospect.LimitAt.IsZero():
		got = "limit none"
	case rest == "kept" || rest == "passed":
		got = map[bool]string{true: "limit passed", false: "limit kept"}[prospect.LimitPassed]
	default:
		got = "limit " + onDay(prospect.LimitAt)
	}
	if got != c.what {
		t.Errorf("line %d: expected %s %s, got %s", c.line, onDay(c.at), c.what, got)
	}
}

func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.story")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d stories, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".story"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := parseStory(string(text))
			if err != nil {
				t.Fatal(err)
			}
			l := s.play(t)
			told := l.told()
			if !slices.EqualFunc(told, s.expect, func(a, b line) bool { return a.what == b.what && a.at.Equal(b.at) }) {
				t.Errorf("expected\n%s\nwhat happened\n%s", lines(s.expect), lines(told))
			}
			if h, c := l.replayed(); fmt.Sprint(h) != fmt.Sprint(l.history) || fmt.Sprint(c) != fmt.Sprint(l.c) {
				t.Error("the same entries folded again give another case")
			}
		})
	}
}

func TestAStoryThatCannotBeReadIsRefusedByItsLine(t *testing.T) {
	for text, says := range map[string]string{
		"day 0 enrolled\n":                                  "until day",
		"until day 3\nday x enrolled":                       "line 2",
		"until day 3\nday 1 explodes":                       "explodes",
		"until day 3\nexpect day 1 exploded":                "exploded",
		"until day 3\nday 2 enrolled\nday 1 attests annual": "line 3",
		"until day 3\nday 1 25:00:00 enrolled":              "no such time",
		"until day 3\nday 1 exempt until later":             "exempt until later",
		"until day 3\nexpect day 1 attests":                 "attests",
	} {
		if _, err := parseStory(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, wanted %q", text, err, says)
		}
	}
}
