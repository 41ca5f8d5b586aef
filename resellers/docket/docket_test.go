package docket

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

func keySet(signer envelope.Signer) jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{signer.Public()}}
}

// exampleOn is the schema's smallest attestation, dated.
func exampleOn(now time.Time) (map[string]any, error) {
	var event map[string]any
	err := json.Unmarshal(statement.Example(statement.KindCIPAttestation), &event)
	event["attested_on"] = now.Format(time.DateOnly)
	return event, err
}

const day = 24 * time.Hour

// scene is one moment of a story: something is said, or nothing, and the docket is swept.
type scene struct {
	at  time.Duration
	say func(*world)
}

// fall is a story in which one reseller stays silent to the end and another is late and cures.
var fall = []scene{
	{0, func(w *world) { w.enrol(silent) }},
	{0, func(w *world) { w.enrol(late) }},
	{30*day - time.Second, nil},
	{30 * day, nil},
	{44 * day, nil},
	{45 * day, func(w *world) { w.attest(late) }},
	{51 * day, nil},
	{59*day - time.Second, nil},
	{59 * day, nil},
	{90 * day, nil},
}

// play tells a story to dockets of which the first is killed after some steps and the next takes over.
func play(t *testing.T, w *world, story []scene, k *killer) {
	t.Helper()
	restart := func() *Docket {
		d, err := w.docket(k.mortal(t, w.db), mortalLedger{w.ledger, k})
		if errors.Is(err, errKilled) {
			k.after = -1
			d, err = w.docket(k.mortal(t, w.db), mortalLedger{w.ledger, k})
		}
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := restart()
	for _, scene := range story {
		w.now = epoch.Add(scene.at)
		if scene.say != nil {
			scene.say(w)
		}
		_, err := d.Sweep(t.Context())
		if errors.Is(err, errKilled) {
			k.after = -1 // the next process lives
			d = restart()
			_, err = d.Sweep(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// said lists what the ledger holds, one line an entry.
func said(t *testing.T, w *world) []string {
	t.Helper()
	entries, err := w.ledger.Entries(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range entries {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", e.AcceptedAt.Format(time.DateTime), e.About[len(self):], e.Statement.Kind(), e.JTI))
	}
	return lines
}

// tables dumps all that the docket holds.
func tables(t *testing.T, w *world) string {
	t.Helper()
	dump := fmt.Sprintln(files(t, w))
	for _, from := range []struct {
		rows  any
		table string
		order string
	}{
		{&[]customerRow{}, customersTable, "key"}, {&[]partRow{}, ownersTable, "key"}, {&[]partRow{}, accountsTable, "key"},
		{&[]trainingRow{}, trainingsTable, "key"}, {&[]countryRow{}, "docket_countries", "country"},
		{&[]houseRow{}, "docket_house", "id"}, {&[]guardRow{}, "docket_guard", "jti"},
		{&[]obligationRow{}, obligationsTable, "id"},
		{&[]orderRow{}, "docket_orders", "jti"},
	} {
		if err := w.db.Table(from.table).Order(from.order).Limit(10_000).Find(from.rows).Error; err != nil {
			t.Fatal(err)
		}
		dump += fmt.Sprintln(from.table, from.rows)
	}
	return dump
}

// files dumps the docket's table.
func files(t *testing.T, w *world) []fileRow {
	t.Helper()
	var rows []fileRow
	if err := w.db.Order("entity").Limit(100).Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	return rows
}

func kindsAbout(t *testing.T, w *world, entity envelope.Entity) string {
	t.Helper()
	entries, err := w.ledger.About(t.Context(), entity.ID(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range entries {
		told = append(told, fmt.Sprintf("%d:%s", int(e.AcceptedAt.Sub(epoch)/day), e.Statement.Kind()))
	}
	return strings.Join(told, " ")
}

func TestASilentResellerFallsAndALateOneIsCured(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		play(t, w, fall, &killer{after: -1})
		if got, wanted := kindsAbout(t, w, silent), "0:entity-enrolled 30:finding-opened 30:warning-issued 30:standing-changed "+
			"44:restriction-ordered 44:standing-changed 51:closure-ordered 51:standing-changed 58:finding-opened 59:closure-ordered 59:relationship-terminated 59:standing-changed"; got != wanted {
			t.Errorf("about the silent one:\n got %s\nwant %s", got, wanted)
		}
		if got, wanted := kindsAbout(t, w, late), "0:entity-enrolled 30:finding-opened 30:warning-issued 30:standing-changed "+
			"44:restriction-ordered 44:standing-changed 45:cip-attestation 45:finding-cured 45:order-withdrawn 45:standing-changed"; got != wanted {
			t.Errorf("about the late one:\n got %s\nwant %s", got, wanted)
		}
		d := w.mustDocket()
		lines, err := d.List(t.Context(), nil, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != 2 || lines[0].Standing != escalation.Good || lines[1].Standing != escalation.Terminated || lines[0].Name != "late" {
			t.Errorf("the list: %+v", lines)
		}
		if !lines[0].Next.At.Equal(epoch.Add((45 + 365) * day)) {
			t.Errorf("the late one's next step is at %s", lines[0].Next.At)
		}
		rest, err := d.List(t.Context(), &Place{Name: lines[0].Name, ID: lines[0].ID}, 10)
		if err != nil || len(rest) != 1 || rest[0].Entity != silent {
			t.Errorf("the page after the first: %+v, %v", rest, err)
		}
		if _, err := d.Open(t.Context(), envelope.Entity("https://nobody.example").ID()); !errors.Is(err, ErrNotFound) {
			t.Errorf("opening the file of nobody: %v", err)
		}
	})
}

func TestKilledBetweenAnyTwoStepsTheNextProcessSaysEverythingOnce(t *testing.T) {
	killedAtEachStep(t, fall, 50, 1)
}

// killedAtEachStep tells a story as often as it has steps, or for some of them, every so many, and in each a process is killed at another
// one. Whatever is
// stated and folded must be what it is where nobody is killed.
func killedAtEachStep(t *testing.T, story []scene, atLeast, every int) {
	t.Helper()
	// How many steps there are, and what comes out, is told by a run in which nobody is killed.
	db := migrationstest.Open(t, migrationstest.URL(t, "sqlite"))
	w := newWorld(t, db)
	k := &killer{after: -1}
	play(t, w, story, k)
	steps, wanted, wantedTables := k.steps, said(t, w), tables(t, w)
	if steps < atLeast {
		t.Fatalf("only %d steps: the faults do not reach the docket", steps)
	}
	migrationstest.Each(t, func(t *testing.T, _ *gorm.DB) {
		store := t.Name()[strings.LastIndex(t.Name(), "/")+1:]
		stride := 1
		if store == "postgres" {
			stride = 7 // each run makes a database of its own; the code between the steps is the same
		}
		if underRace {
			stride = 24 // `go test` without the race detector dies at every step
		}
		for after := 0; after < steps; after += stride * every {
			t.Run(fmt.Sprint("after step ", after), func(t *testing.T) {
				w := newWorld(t, migrationstest.Open(t, migrationstest.URL(t, store)))
				play(t, w, story, &killer{after: after})
				if got := said(t, w); !slices.Equal(got, wanted) {
					t.Errorf("the ledger differs:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(wanted, "\n     "))
				}
				if got := tables(t, w); got != wantedTables {
					t.Errorf("the files differ:\n got %s\nwant %s", got, wantedTables)
				}
				if err := w.ledger.Check(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

func TestARebuildGivesTheSameAndSaysNothing(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		play(t, w, slices.Concat(fall, trade), &killer{after: -1})
		before, saidBefore := tables(t, w), said(t, w)
		d := w.mustDocket()
		if err := d.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := tables(t, w); got != before {
			t.Errorf("after the rebuild:\n got %s\nwant %s", got, before)
		}
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := said(t, w); !slices.Equal(got, saidBefore) {
			t.Errorf("the rebuild said something: %v", got[len(saidBefore):])
		}
	})
}

func TestTwoProcessesOnOneDatabaseTakeEachStepOnce(t *testing.T) {
	migrationstest.EachURL(t, func(t *testing.T, url string) {
		w := newWorld(t, migrationstest.Open(t, url))
		one, err := w.docket(migrationstest.Open(t, url), w.ledger)
		if err != nil {
			t.Fatal(err)
		}
		two, err := w.docket(migrationstest.Open(t, url), w.ledger)
		if err != nil {
			t.Fatal(err)
		}
		for _, scene := range fall {
			w.now = epoch.Add(scene.at)
			if scene.say != nil {
				scene.say(w)
			}
			swept := make(chan error, 2)
			for _, d := range []*Docket{one, two} {
				go func() {
					_, err := d.Sweep(t.Context())
					swept <- err
				}()
			}
			if err := errors.Join(<-swept, <-swept); err != nil {
				t.Fatal(err)
			}
		}
		counts := map[string]int{}
		for _, line := range said(t, w) {
			counts[line[strings.Index(line, " /"):]]++
		}
		for line, n := range counts {
			if n != 1 {
				t.Errorf("said %d times: %s", n, line)
			}
		}
		if got := kindsAbout(t, w, silent); !strings.HasSuffix(got, "59:relationship-terminated 59:standing-changed") {
			t.Errorf("about the silent one: %s", got)
		}
	})
}

func TestACureCommittedWhileItsDeadlineIsJudgedWins(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		play(t, w, fall[:2], &killer{after: -1})
		d := w.mustDocket()
		w.now = epoch.Add(30 * day)
		// The reseller's attestation is committed after the file was judged and before the warning is appended.
		file, err := d.Open(t.Context(), silent.ID())
		if err != nil {
			t.Fatal(err)
		}
		w.attest(silent)
		if err := d.settle(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		if got := kindsAbout(t, w, silent); strings.Contains(got, "warning-issued") {
			t.Errorf("a warning stands against a cure that came first: %s", got)
		}
	})
}

func TestThePolicyInForceIsStatedOnceHoweverManyProcessesStart(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		for range 3 {
			if err := w.mustDocket().Activate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		entries, err := w.ledger.About(t.Context(), self.ID(), 0, 10)
		if err != nil || len(entries) != 1 {
			t.Fatalf("%d entries about the gateway, %v", len(entries), err)
		}
		activated, ok := entries[0].Statement.(statement.PolicyActivated)
		if !ok || activated.Policy != w.policy.ID() || activated.Document != w.policy.Document() {
			t.Errorf("stated %+v", entries[0].Statement)
		}
	})
}

// Other entries about the gateway, here an outage, do not hold up the next policy.
func TestANewPolicyIsStatedBehindOtherEntriesAboutTheGateway(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		if err := w.mustDocket().Activate(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.append(w.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: w.now, JTI: "outage",
			EventURI: statement.KindOutageRecorded.URI(), Subject: envelope.Subject{Format: "uri", URI: string(self)},
			Event: statement.OutageRecorded{From: w.now.Add(-time.Hour), To: w.now}}))
		next, err := policy.Parse([]byte(strings.Replace(w.policy.Document(), "\nversion: 5\n", "\nversion: 6\n", 1)))
		if err != nil {
			t.Fatal(err)
		}
		w.policy = next
		for range 2 {
			if err := w.mustDocket().Activate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		entries, err := w.ledger.About(t.Context(), self.ID(), 0, 10)
		if err != nil || len(entries) != 3 {
			t.Fatalf("%d entries about the gateway, %v", len(entries), err)
		}
		if said, ok := entries[2].Statement.(statement.PolicyActivated); !ok || said.Policy != next.ID() || said.Replaces != policy.Default().ID() {
			t.Errorf("stated %+v", entries[2].Statement)
		}
	})
}
