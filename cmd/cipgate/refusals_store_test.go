package main

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// answered is what came back for a token.
type answered struct {
	token, text  string
	location     string
	status, wait int
}

// ask pushes a token, and may be called by many goroutines.
func (g *gateway) ask(token string) answered {
	request, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.base+"/events", strings.NewReader(token))
	if err != nil {
		return answered{token: token, text: err.Error()}
	}
	request.Header = asSET.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answered{token: token, text: err.Error()}
	}
	defer func() { _ = response.Body.Close() }()
	var text strings.Builder
	if err := response.Write(&text); err != nil {
		return answered{token: token, text: err.Error()}
	}
	wait, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return answered{token: token, text: text.String(), status: response.StatusCode, wait: wait, location: response.Header.Get("Location")}
}

// holdUp keeps every commit of the ledger waiting, as another process at the same store could, until release is called.
func holdUp(t *testing.T, db *gorm.DB) (release func()) {
	t.Helper()
	tx := db.Begin() // SQLite: nobody else writes from here on
	if tx.Error != nil {
		t.Fatal(tx.Error)
	}
	if db.Name() == "postgres" {
		if err := tx.Exec("LOCK TABLE ledger_entries IN EXCLUSIVE MODE").Error; err != nil {
			t.Fatal(err)
		}
	}
	held := true
	release = func() {
		if held {
			held = false
			if err := tx.Rollback().Error; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(release)
	return release
}

func TestWhatFindsTheQueueFullIsAnswered503AndStandsOnceItIsSentAgain(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, func(c *Config) { c.Queue = 4 })
		f := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
		g.settled()
		release := holdUp(t, migrationstest.Open(t, database))
		// Four wait, four more may have been gathered before them, and four for the commit that is held up.
		const count = 24
		answers := make(chan answered, count)
		for range count {
			token := f.with("claims", "jti", uuid.NewString()).signed()
			go func() { answers <- g.ask(token) }()
		}
		first := <-answers
		if first.status != http.StatusServiceUnavailable || first.wait < 1 || !strings.Contains(first.text, `"err":"temporarily_unavailable"`) || !strings.Contains(first.text, "of 4. Send the same again in 1s") {
			t.Errorf("%+v", first)
		}
		release()
		refused := []answered{first}
		for range count - 1 {
			switch got := <-answers; got.status {
			case http.StatusAccepted:
			case http.StatusServiceUnavailable:
				refused = append(refused, got)
			default:
				t.Errorf("%+v", got)
			}
		}
		for _, again := range refused {
			got := g.ask(again.token)
			if got.status != http.StatusAccepted || got.location != "/receipts/"+envelope.DigestOf([]byte(again.token)).String() {
				t.Errorf("sent again: %+v", got)
			}
		}
	})
}

// The server ends the connection while the commit is under way: nobody can know whether it went through, so it is answered that, and
// whatever it was, the same sent again stands once.
func TestACommitWhoseOutcomeIsUnknownIsAnswered503AndStandsOnce(t *testing.T) {
	t.Parallel()
	database := migrationstest.URL(t, "postgres")
	g := startGateway(t, database, nil)
	f := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
	g.settled()
	size := g.size()
	db := migrationstest.Open(t, database)
	release := holdUp(t, db)
	answers := make(chan answered, 1)
	go func() { answers <- g.ask(f.signed()) }()
	for ended := 0; ended == 0; {
		err := db.WithContext(t.Context()).Raw(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'`).Scan(&ended).Error
		if err != nil {
			t.Fatal(err)
		}
	}
	got := <-answers
	if got.status != http.StatusServiceUnavailable || got.wait < 1 || !strings.Contains(got.text, `"err":"temporarily_unavailable"`) || !strings.Contains(got.text, "unknown whether the statements were stored. Send the same again in 2s") || strings.Contains(got.text, "terminating") {
		t.Errorf("%+v", got)
	}
	release()
	for range 2 {
		if got := g.ask(f.signed()); got.status != http.StatusAccepted || got.location != "/receipts/"+envelope.DigestOf([]byte(f.signed())).String() {
			t.Errorf("sent again: %+v", got)
		}
	}
	stands := 0
	for _, entry := range entriesOf(t, newClient(g.base, g.token)) {
		if entry.Digest == envelope.DigestOf([]byte(f.signed())).String() && entry.LeafIndex >= size {
			stands++
		}
	}
	if stands != 1 {
		t.Errorf("it stands %d times", stands)
	}
}
