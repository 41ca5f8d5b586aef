// Package ledgertest is the conformance suite of the ledger: what every store must hold. It also has authors who state things,
// for the tests of others.
//
// One line runs it:
//
//	ledgertest.Exercise(t, func(t *testing.T) string { return migrationstest.URL(t, "sqlite") })
package ledgertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

type behaviour struct {
	says string
	run  func(t *testing.T, u *User)
}

var behaviours = []behaviour{
	{"entries stand in the order in which they were appended", entriesInOrder},
	{"entries are read by their places", entriesAtTheirPlaces},
	{"what is remembered of the latest commits is what stands in the database", entriesRemembered},
	{"one call is one commit with one time", oneCallOneCommit},
	{"what was committed stands after reopening", survivesReopening},
	{"time never runs backwards", timeNeverRunsBackwards},
	{"a call with nothing or too much is not taken", unusualCalls},
	{"a guard that moved refuses the decision", guards},
	{"who decides in its turn is not overtaken", decidesInTurn},
	{"of two deciders who saw the same one comes through", twoDeciders},
	{"a process is woken by its own commits", wakes},
	{"every entry is proved at every size", provesEverything},
	{"stock tlog clients read the tiles", stockClientReads},
	{"a tile that does not exist is not found", noSuchTile},
	{"what is not there is not found", notFound},
	{"a full queue refuses and then takes again", fullQueue},
	{"closing commits what waits and refuses the rest", closing},
	{"a caller may give up while it waits", givingUp},
	{"another log's name or key does not open it", anotherLog},
}

// ofRepeats are those in which something is stated again.
var ofRepeats = []behaviour{
	{"the same again is answered with the first receipt", sameAgain},
	{"a twin is refused and spoils its whole call", twins},
	{"one bad call does not spoil the others of its commit", otherCallsGoOn},
	{"any history agrees with a simple model", agreesWithModel},
	{"two gateways on one database leave no gap and lose nothing", twoGateways},
}

// Exercise runs the suite. newDatabase makes an empty database for a test and returns its URL, as migrations.Open takes it.
func Exercise(t *testing.T, newDatabase func(t *testing.T) string) {
	exercise(t, newDatabase, behaviours)
	exercise(t, newDatabase, ofRepeats)
}

// ExerciseRepeats runs the part of the suite in which something is stated again.
func ExerciseRepeats(t *testing.T, newDatabase func(t *testing.T) string) {
	exercise(t, newDatabase, ofRepeats)
}

func exercise(t *testing.T, newDatabase func(t *testing.T) string, those []behaviour) {
	for _, b := range those {
		t.Run(b.says, func(t *testing.T) {
			b.run(t, &User{url: newDatabase(t)})
		})
	}
}

// User uses one database, perhaps through several gateways.
type User struct {
	url   string
	clock Clock
}

// Clock stands still until it is set. Its zero value stands at Noon.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
}

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Noon.Add(c.offset)
}

// Move moves the clock, backwards too.
func (c *Clock) Move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += by
}

// open is one more gateway on the database. After the test the whole log is checked.
func (u *User) open(t *testing.T, change ...func(*ledger.Config)) *ledger.Ledger {
	t.Helper()
	l := u.openOn(t, migrationstest.Open(t, u.url), change...)
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if err := l.Check(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("after the test: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (u *User) openOn(t *testing.T, db *gorm.DB, change ...func(*ledger.Config)) *ledger.Ledger {
	t.Helper()
	signer, _ := LogKey(t)
	config := ledger.Config{DB: db, Signer: signer, Origin: Origin, Bodies: Bodies(t), Now: u.clock.Now}
	for _, c := range change {
		c(&config)
	}
	l, err := ledger.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func verifier(t *testing.T) note.Verifier {
	t.Helper()
	_, v := LogKey(t)
	return v
}

// appended appends and fails the test on an error.
func appended(t *testing.T, l *ledger.Ledger, sets ...envelope.Verified) []ledger.Receipt {
	t.Helper()
	receipts, err := l.Append(t.Context(), sets...)
	if err != nil {
		t.Fatal(err)
	}
	if len(receipts) != len(sets) {
		t.Fatalf("%d receipts for %d sets", len(receipts), len(sets))
	}
	return receipts
}

// statements are the author's from-th to before the to-th.
func statements(t *testing.T, author Author, from, to int) []envelope.Verified {
	t.Helper()
	sets := make([]envelope.Verified, 0, to-from)
	for n := from; n < to; n++ {
		sets = append(sets, author.State(t, n))
	}
	return sets
}

func size(t *testing.T, l *ledger.Ledger) int64 {
	t.Helper()
	size, err := l.Size(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return size
}
