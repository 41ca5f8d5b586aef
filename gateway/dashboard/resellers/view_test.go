package resellers

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
)

var now = time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)

func line(name string, standing escalation.Standing) docket.Line {
	entity := envelope.Entity("https://provider.example/e/" + name)
	return docket.Line{ID: entity.ID(), Entity: entity, Name: name, Country: "DE", Standing: standing}
}

func TestEachStandingIsShownWithWhatComesNext(t *testing.T) {
	at := now.Add(14 * 24 * time.Hour)
	step := escalation.Step{What: "restricted: no new accounts", At: at, Unless: "a cure"}
	for _, c := range []struct {
		name string
		line func(*docket.Line)
		want func(*row)
	}{
		{"in a case", func(l *docket.Line) { l.Standing, l.Next, l.LimitAt = escalation.Warned, step, at }, func(r *row) {
			r.Standing, r.Next, r.Limit = frame.BadgeOf(escalation.Warned), frame.StepOf(step, now), frame.MomentOf(at, now)
		}},
		{"without a case", func(l *docket.Line) { l.Standing, l.Next = escalation.Good, step }, func(r *row) {
			r.Standing, r.Next = frame.BadgeOf(escalation.Good), frame.DueOf(step, now)
		}},
		{"over", func(l *docket.Line) { l.Standing, l.LimitAt = escalation.Terminated, at }, func(r *row) {
			r.Standing, r.Limit, r.Over = frame.BadgeOf(escalation.Terminated), frame.MomentOf(at, now), true
			r.Next = frame.StepOf(escalation.Step{}, now)
		}},
		{"exempt", func(l *docket.Line) { l.Next, l.Exempt = step, at }, func(r *row) {
			r.Next, r.Exempt = frame.DueOf(step, now), frame.MomentOf(at, now)
		}},
		{"without a name", func(l *docket.Line) { l.Name, l.Next = "", step }, func(r *row) {
			r.Name, r.Next = "https://provider.example/e/a", frame.DueOf(step, now)
		}},
	} {
		given := line("a", escalation.Pending)
		c.line(&given)
		want := row{Name: "a", Entity: given.Entity, Address: "/resellers/" + given.ID.String(), Country: "Germany", Standing: frame.BadgeOf(escalation.Pending)}
		c.want(&want)
		if got := rowOf(given, now); got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, want)
		}
	}
}

func TestTheCountSpeaksOfWhatIsOnThePage(t *testing.T) {
	lines := []docket.Line{line("a", escalation.Good), line("b", escalation.Closing), line("c", escalation.Good)}
	for _, c := range []struct {
		lines []docket.Line
		all   bool
		want  string
	}{
		{nil, true, ""},
		{lines[:1], true, "1 reseller: 1 good."},
		{lines, true, "3 resellers: 1 closing, 2 good."},
		{lines, false, "3 resellers on this page: 1 closing, 2 good."},
	} {
		if got := count(c.lines, c.all); got != c.want {
			t.Errorf("%q, wanted %q", got, c.want)
		}
	}
}

func TestTheNextPageBeginsAfterTheLastLineShown(t *testing.T) {
	lines := []docket.Line{line("a", escalation.Good), line("b", escalation.Good), line("c", escalation.Good)}
	if v := fill(lines, 3, "/resellers", true, now); v.More != "" || len(v.Rows) != 3 {
		t.Errorf("the last page leads to %q with %d rows", v.More, len(v.Rows))
	}
	v := fill(lines, 2, "/resellers", true, now)
	if len(v.Rows) != 2 || !strings.HasPrefix(v.Count, "2 resellers on this page") {
		t.Fatalf("%d rows, %q", len(v.Rows), v.Count)
	}
	place, err := parseCursor(strings.TrimPrefix(v.More, "/resellers?after="))
	if err != nil || !reflect.DeepEqual(place, &docket.Place{Name: "b", ID: lines[1].ID}) {
		t.Errorf("the next page begins after %+v (%v)", place, err)
	}
}

func TestTheTemplateTakesFullAndEmptyViews(t *testing.T) {
	lines := []docket.Line{line("a", escalation.Good), line("b", escalation.Terminated), line("c", escalation.Warned), line("d", escalation.Good)}
	for i := range lines {
		lines[i].Next = escalation.Step{What: "warned: so", At: now, Unless: "a cure"}
	}
	lines[2].LimitAt = now
	f := frame.Frame{Entity: "https://provider.example", Sandbox: true, Version: "1", Now: func() time.Time { return now }}
	for i, v := range []view{
		{}, fill(nil, 3, "/resellers", true, now), fill(nil, 3, "/resellers?after=x", false, now), fill(lines, 3, "/resellers", false, now),
	} {
		if _, err := f.Render(frame.Page{Title: "Resellers", Template: page, View: v}, "jane", "1 entry"); err != nil {
			t.Errorf("view %d: %v", i, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	entity := envelope.Entity("https://provider.example/e/a")
	f.Add("")
	f.Add(cursorOf(docket.Place{Name: "Söhne & 中", ID: entity.ID()}))
	f.Add(cursorOf(docket.Place{Name: "a\x00b", ID: entity.ID()}))
	f.Add(cursorOf(docket.Place{Name: "\xff", ID: entity.ID()}))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, cursor string) {
		place, err := parseCursor(cursor)
		switch {
		case err != nil:
			if !errors.Is(err, problem.ErrRequest) {
				t.Errorf("refused as %v", err)
			}
		case place == nil:
			if cursor != "" {
				t.Errorf("%q is the beginning of the list", cursor)
			}
		default:
			if !utf8.ValidString(place.Name) || strings.Contains(place.Name, "\x00") {
				t.Errorf("a store cannot look for %q", place.Name)
			}
			if again, err := parseCursor(cursorOf(*place)); err != nil || *again != *place {
				t.Errorf("%+v comes back as %s (%v)", place, fmt.Sprint(again), err)
			}
		}
	})
}
