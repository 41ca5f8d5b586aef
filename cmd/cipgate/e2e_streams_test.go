package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/delivery"
)

// page is a page that an officer sees.
func (g *gateway) page(path string) string {
	g.t.Helper()
	response, text := g.do(http.MethodGet, path, http.Header{"Authorization": {"Bearer " + g.token}, "Accept": {"text/html"}}, nil)
	if response.StatusCode != http.StatusOK {
		g.t.Fatalf("%s: %d %s", path, response.StatusCode, text)
	}
	return text
}

func TestAnOfficerSeesWhatIsParkedAndTriesItAgain(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		g := startGateway(t, url, isSandbox)
		r := g.enrol("Example Cloud GmbH")
		root := deskOf{g, g.token}
		s, err := r.subscribe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Advance(t.Context(), 31*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		got, _, _, err := s.poll(t.Context(), said{AtOnce: true})
		if err != nil || len(got) < 2 {
			t.Fatalf("%d notices, %v", len(got), err)
		}
		faults, none := map[string]delivery.Fault{}, 0
		for _, one := range got[:2] {
			faults[one.JTI] = delivery.Fault{Err: "invalid_request", Description: "a type that we do not know"}
		}
		if _, _, _, err := s.poll(t.Context(), said{MaxEvents: &none, AtOnce: true, SetErrs: faults}); err != nil {
			t.Fatal(err)
		}
		var parked struct {
			Items []outgoingShown `json:"items"`
			Next  string          `json:"next"`
		}
		root.reads(&parked, "outbox")
		if len(parked.Items) != 2 || parked.Items[0].To != "reseller" || parked.Items[0].Name != string(r.about.Entity) || parked.Items[0].Err != "invalid_request" ||
			len(parked.Items[0].Attempts) != 1 || parked.Items[0].Attempts[0].Method != "poll" {
			t.Fatalf("%+v", parked)
		}
		if text := g.page("/outbox"); !strings.Contains(text, "A type that we do not know") || !strings.Contains(text, `action="/outbox/`+parked.Items[0].ID+`/retry"`) {
			t.Error(text)
		}
		var retried outgoingShown
		root.reads(&retried, "outbox", "retry", parked.Items[0].ID)
		if retried.State != "waiting" {
			t.Errorf("%+v", retried)
		}
		response, text := g.do(http.MethodPost, "/outbox/"+parked.Items[1].ID+"/retry", http.Header{"Authorization": {"Bearer " + g.token}}, nil)
		if response.StatusCode != http.StatusSeeOther && response.StatusCode != http.StatusOK {
			t.Errorf("the button: %d %s", response.StatusCode, text)
		}
		root.says(exitDone, "None is parked.", "outbox")
		again, _, _, err := s.poll(t.Context(), said{AtOnce: true})
		if err != nil || len(again) != len(got) || again[0].JTI != got[0].JTI {
			t.Errorf("after the retry came %d, %v", len(again), err)
		}
		for _, wrong := range []string{"x", "x.1", ".1"} {
			root.says(exitRefused, "GET /v1/outbox", "outbox", "retry", wrong)
		}
	})
}

func TestAnOfficerStopsAStreamAndItsReceiverIsTold(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, isSandbox)
		r := g.enrol("Example Cloud GmbH")
		root := deskOf{g, g.token}
		s, err := r.subscribe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var listed struct {
			Items []streamShown `json:"items"`
		}
		root.reads(&listed, "streams")
		if len(listed.Items) != 1 || listed.Items[0].ID != s.id || listed.Items[0].Reseller != string(r.about.Entity) || listed.Items[0].Algorithm != "EdDSA" {
			t.Fatalf("%+v", listed)
		}
		officer, viewer := g.as("Mara Lind", "officer"), g.as("Vera Lang", "viewer")
		viewer.says(exitRefused, "officer", "streams", "pause", s.id, "--reason", "x")
		var acted recorded
		officer.reads(&acted, "streams", "pause", s.id, "--reason", "Their receiver is being moved.", "--told", "As you asked.")
		told := func(status, reason string) {
			t.Helper()
			g.settled()
			got, _, faults, err := s.poll(t.Context(), said{AtOnce: true})
			if err != nil || len(faults) > 0 || len(got) != 1 || got[0].claims.EventURI != delivery.StreamUpdatedURI ||
				got[0].claims.Subject != (envelope.Subject{Format: "opaque", ID: s.id}) || string(got[0].claims.Event) != `{"status":"`+status+`"`+reason+`}` {
				t.Fatalf("told %+v, %v, %v", got, faults, err)
			}
			none := 0
			if _, _, _, err := s.poll(t.Context(), said{MaxEvents: &none, AtOnce: true, Ack: []string{got[0].JTI}}); err != nil {
				t.Fatal(err)
			}
		}
		told("paused", `,"reason":"As you asked."`)
		err = s.ask(t.Context(), http.MethodPost, "/ssf/status", map[string]string{"stream_id": s.id, "status": "enabled"}, new(any))
		if err == nil || !strings.Contains(err.Error(), "Ask your provider") {
			t.Errorf("its receiver enables it: %v", err)
		}
		root.says(exitRefused, "mandatory", "streams", "disable", s.id, "--reason", "x")
		officer.reads(&acted, "streams", "enable", s.id, "--reason", "It was moved.")
		told("enabled", "")
		entries, err := g.ledger.Entries(t.Context(), 0, 1000, statement.KindOfficerAction)
		if err != nil {
			t.Fatal(err)
		}
		var did []string
		for _, entry := range entries {
			if said := entry.Statement.(statement.OfficerAction); strings.HasPrefix(said.Action, "stream.") {
				did = append(did, said.Officer.Name+" "+said.Action)
			}
		}
		if strings.Join(did, ", ") != "Mara Lind stream.paused, Mara Lind stream.enabled" {
			t.Errorf("the ledger says %v", did)
		}

		// What its receiver lost is brought again, as it asks or as an officer does.
		since := g.clock.Now().Format(time.RFC3339)
		if err := g.Advance(t.Context(), 31*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		if code, text := says(t, "notices", "--home", r.home, "--ack"); code != exitDone || !strings.Contains(text, "warning-issued") {
			t.Fatalf("%d %s", code, text)
		}
		if code, text := says(t, "notices", "--home", r.home, "--since", since, "--ack"); code != exitDone || !strings.Contains(text, "warning-issued") {
			t.Errorf("once more: %d %s", code, text)
		}
		var replayed struct {
			Notices int `json:"notices"`
		}
		officer.reads(&replayed, "streams", "replay", s.id, "--since", since)
		if code, text := says(t, "notices", "--home", r.home); code != exitDone || replayed.Notices == 0 || strings.Count(text, "\n") != replayed.Notices+1 {
			t.Errorf("%d brought again, %d %s", replayed.Notices, code, text)
		}
		if code, text := says(t, "notices", "--home", r.home, "--since", "yesterday"); code != exitRefused || !strings.Contains(text, "--since: wanted a time") {
			t.Errorf("%d %s", code, text)
		}

		// A new key for older receivers is published, and the ledger says who had it made.
		officer.says(exitRefused, "administrator", "streams", "rotate-key", "--reason", "x")
		var rotated struct {
			KeyID string `json:"kid"`
			Leaf  int64  `json:"leaf_index"`
		}
		root.reads(&rotated, "streams", "rotate-key", "--reason", "Once a year.")
		if _, text := g.do(http.MethodGet, "/jwks.json", nil, nil); rotated.KeyID == "" || rotated.Leaf == 0 || !strings.Contains(text, `"kid":"`+rotated.KeyID+`"`) || !strings.Contains(text, `"alg":"RS256"`) {
			t.Errorf("%+v, %s", rotated, text)
		}
		if text := g.page("/outbox"); !strings.Contains(text, string(r.about.Entity)) || !strings.Contains(text, "Nothing is parked.") {
			t.Error(text)
		}
		if response, text := g.do(http.MethodPost, "/v1/streams/"+url.PathEscape(unknown)+"/status", http.Header{"Authorization": {"Bearer " + g.token}, "Content-Type": {"application/json"}},
			[]byte(`{"status":"paused","reason":"x"}`)); response.StatusCode != http.StatusNotFound {
			t.Errorf("an unknown stream: %d %s", response.StatusCode, text)
		}
	})
}
