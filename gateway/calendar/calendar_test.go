package calendar

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/gofiber/fiber/v2"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/obligations"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

const (
	self = envelope.Entity("https://provider.example")
	acme = envelope.Entity("https://provider.example/e/acme")
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// files is a docket whose answers the test sets.
type files struct {
	lines []docket.Line
	ahead escalation.Prospect
	owed  []obligations.Obligation
	calls []docket.Call
}

func (f *files) Obligations(context.Context, docket.Wanted, *docket.DuePlace, int) ([]obligations.Obligation, error) {
	return f.owed, nil
}

func (f *files) Calls(context.Context, *docket.AskedPlace, int) ([]docket.Call, error) {
	return f.calls, nil
}

func (f *files) List(_ context.Context, after *docket.Place, _ int) ([]docket.Line, error) {
	if after != nil {
		return nil, nil
	}
	return f.lines, nil
}

func (f *files) Open(context.Context, envelope.ID) (docket.File, error) {
	file := docket.File{Entity: acme, History: history.History{Entity: acme, Name: "Acme & Sons"}}
	file.Case.ID = "case-1"
	return file, nil
}

func (f *files) Outlook(docket.File) (escalation.Prospect, error) { return f.ahead, nil }

type world struct {
	t     *testing.T
	now   time.Time
	feeds *Feeds
	files *files
	app   *fiber.App
}

func newWorld(t *testing.T, db *gorm.DB, sandbox bool) *world {
	w := &world{t: t, now: noon, files: &files{}}
	w.feeds = NewFeeds(db, func() time.Time { return w.now })
	w.app = fiber.New(fiber.Config{Immutable: true, ErrorHandler: problem.Details(slog.New(slog.DiscardHandler))})
	Calendar{Feeds: w.feeds, Docket: w.files, Entity: self, Sandbox: sandbox}.Mount(w.app)
	return w
}

func (w *world) get(token string) (status int, header http.Header, text string) {
	w.t.Helper()
	answer, err := w.app.Test(httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/v1/calendar/"+token+".ics", nil), -1)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

// made gives out a feed.
func (w *world) made(reseller envelope.Entity) (Feed, string) {
	w.t.Helper()
	feed, token, err := w.feeds.Make(w.t.Context(), reseller, "officer-1")
	if err != nil {
		w.t.Fatal(err)
	}
	return feed, token
}

// events are those of a feed, by their summary.
func (w *world) events(token string) map[string]*ics.VEvent {
	w.t.Helper()
	status, header, text := w.get(token)
	if status != http.StatusOK || header.Get("Content-Type") != "text/calendar; charset=utf-8" {
		w.t.Fatalf("%d %s: %s", status, header.Get("Content-Type"), text)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			w.t.Errorf("a line of %d bytes (RFC 5545, section 3.1): %q", len(line), line)
		}
	}
	parsed, err := ics.ParseCalendar(strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	by := map[string]*ics.VEvent{}
	for _, event := range parsed.Events() {
		by[event.GetProperty(ics.ComponentPropertySummary).Value] = event
	}
	return by
}

func valueOf(event *ics.VEvent, property ics.ComponentProperty) string {
	if event == nil || event.GetProperty(property) == nil {
		return ""
	}
	return event.GetProperty(property).Value
}

func TestADateThatMovesKeepsItsUIDAndGetsAHigherSequence(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		_, token := w.made(acme)
		w.files.ahead = escalation.Prospect{LimitAt: noon.AddDate(0, 0, 30),
			CurrentlyDue:  []escalation.Due{{What: "an attestation, signed; whole", Rule: "cip.missing", Why: "There is none.", By: noon.AddDate(0, 0, 14), Finding: "f-1"}},
			EventuallyDue: []escalation.Due{{What: "the next attestation", Rule: "cip.stale", Why: "A year is over.", By: noon.AddDate(1, 0, 0)}, {What: "no date", Rule: "r"}},
			NextStep:      escalation.Step{What: "restricted: no new accounts", At: noon.AddDate(0, 0, 14), Unless: "a cure"}}
		const due, step, limit = "Due: an attestation, signed; whole", "If nothing is done: restricted: no new accounts", "The limit of the case"
		first := w.events(token)
		if len(first) != 4 || valueOf(first[due], ics.ComponentPropertyDtStart) != "20260315T120000Z" || valueOf(first[step], ics.ComponentPropertyDescription) != "Unless there is a cure before then." ||
			valueOf(first[limit], ics.ComponentPropertyDtStart) != "20260331T120000Z" {
			t.Fatalf("the feed holds %d dates: %v", len(first), first)
		}
		w.now = noon.Add(time.Hour)
		again := w.events(token)
		w.files.ahead.CurrentlyDue[0].By = noon.AddDate(0, 0, 20)
		w.now = noon.Add(2 * time.Hour)
		moved := w.events(token)
		for name, c := range map[string]struct {
			event          *ics.VEvent
			sequence, when string
		}{
			"first":                  {first[due], "0", "20260301T120000Z"},
			"unchanged":              {again[due], "0", "20260301T120000Z"},
			"moved":                  {moved[due], "1", "20260301T140000Z"},
			"another that stayed so": {moved[step], "0", "20260301T120000Z"},
		} {
			if got, when := valueOf(c.event, ics.ComponentPropertySequence), valueOf(c.event, ics.ComponentPropertyLastModified); got != c.sequence || when != c.when {
				t.Errorf("%s: sequence %s, modified %s, want %s, %s", name, got, when, c.sequence, c.when)
			}
		}
		if uid := valueOf(first[due], ics.ComponentPropertyUniqueId); uid != valueOf(moved[due], ics.ComponentPropertyUniqueId) || !strings.HasSuffix(uid, "@provider.example") {
			t.Errorf("its UID is %s, then %s", uid, valueOf(moved[due], ics.ComponentPropertyUniqueId))
		}
	})
}

func TestAnOfficersFeedHoldsTheStepsOfAllAndNamesNobody(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, true)
		_, token := w.made("")
		w.files.lines = []docket.Line{
			{ID: acme.ID(), Entity: acme, Name: "Ana Souza ME", Next: escalation.Step{What: "warned", At: noon.AddDate(0, 0, 1)}, LimitAt: noon.AddDate(0, 0, 30)},
			{ID: self.ID(), Entity: "https://other.example", Next: escalation.Step{What: "nothing is due"}},
		}
		got := w.events(token)
		event := got["SANDBOX: "+string(acme)+": warned"]
		if len(got) != 2 || valueOf(event, ics.ComponentPropertyUrl) != "https://provider.example/resellers/"+acme.ID().String() {
			t.Errorf("the feed holds %v", got)
		}
		if _, _, text := w.get(token); strings.Contains(text, "Ana") {
			t.Error("the feed holds a name")
		}
	})
}

func TestWhatIsOwedToAnAuthorityAndWhomToCallAreDatesOfOfficersAlone(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		_, token := w.made("")
		_, other := w.made(acme)
		due := noon.AddDate(0, 0, 3)
		w.files.owed = []obligations.Obligation{{ID: "o-1", About: acme, What: "Report it", DueAt: due, RemindAt: []time.Time{due.Add(-24 * time.Hour)}}}
		w.files.calls = []docket.Call{{File: docket.File{Entity: acme}, Notice: escalation.Notice{CallBy: noon.AddDate(0, 0, 1), Words: "Call it."}}}
		got := w.events(token)
		owed, call := got["Owed: Report it"], got[string(acme)+": call it, or send a courier"]
		if len(got) != 2 || valueOf(owed, ics.ComponentPropertyDtStart) != "20260304T120000Z" || valueOf(call, ics.ComponentPropertyDtStart) != "20260302T120000Z" ||
			valueOf(owed, ics.ComponentPropertyUrl) != "https://provider.example/obligations" {
			t.Errorf("the feed holds %v", got)
		}
		if _, _, text := w.get(token); !strings.Contains(text, "TRIGGER:-PT1440M") {
			t.Errorf("it reminds of nothing: %s", text)
		}
		if _, _, text := w.get(other); strings.Contains(text, "Report it") || strings.Contains(text, "courier") {
			t.Error("the reseller sees it")
		}
	})
}

func TestARevokedFeedAndAnUnknownOneShowNothing(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		feed, token := w.made(acme)
		w.now = noon.Add(time.Minute)
		_, other := w.made("")
		if status, _, text := w.get(token); status != http.StatusOK {
			t.Fatalf("%d: %s", status, text)
		}
		for range 2 {
			revoked, err := w.feeds.Revoke(t.Context(), feed.ID)
			if err != nil || !revoked.RevokedAt.Equal(noon.Add(time.Minute)) {
				t.Fatalf("%+v, %v", revoked, err)
			}
			w.now = w.now.Add(time.Minute)
		}
		for _, shown := range []string{token, "", "x", feed.ID} {
			if status, _, text := w.get(shown); status != http.StatusNotFound || strings.Contains(text, "VCALENDAR") {
				t.Errorf("%q: %d: %s", shown, status, text)
			}
		}
		if status, _, _ := w.get(other); status != http.StatusOK {
			t.Errorf("another feed answers %d", status)
		}
		list, err := w.feeds.List(t.Context(), "", 10)
		if err != nil || len(list) != 2 || list[0].ID != feed.ID || list[0].RevokedAt.IsZero() || list[1].Reseller != "" {
			t.Errorf("listed %+v, %v", list, err)
		}
		if rest, err := w.feeds.List(t.Context(), feed.ID, 10); err != nil || len(rest) != 1 {
			t.Errorf("after the first %+v, %v", rest, err)
		}
		if _, err := w.feeds.Revoke(t.Context(), "x"); problem.Of(err).Status != http.StatusNotFound {
			t.Errorf("revoking none: %v", err)
		}
		var rows []feedRow
		if err := db.Order("id").Limit(10).Find(&rows).Error; err != nil || strings.Contains(string(rows[0].Digest), token) {
			t.Errorf("the token is kept, or %v", err)
		}
	})
}
