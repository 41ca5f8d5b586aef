package outages

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

const self = envelope.Entity("https://provider.example")

// world is a store with its ledger, and the time by the clock of every machine. Gateways come and go in it.
type world struct {
	t      *testing.T
	db     *gorm.DB
	ledger *ledger.Ledger
	signer envelope.Signer
	now    time.Time
}

// gateway is one process: what it measures with, and its clocks.
type gateway struct {
	*Outages
	w       *world
	elapsed time.Duration
	askew   time.Duration // of its machine's clock
	ahead   time.Duration // of its sandbox
}

func newWorld(t *testing.T, db *gorm.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, now: noon}
	logKey, _ := ledgertest.LogKey(t)
	var err error
	w.ledger, err = ledger.Open(t.Context(), ledger.Config{DB: db, Signer: logKey, Origin: ledgertest.Origin, Bodies: ledgertest.Bodies(t),
		Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	if w.signer, err = envelope.NewSigner(ledgertest.Key("gateway")); err != nil {
		t.Fatal(err)
	}
	return w
}

// start is a process that starts.
func (w *world) start(log Ledger) *gateway {
	g := &gateway{w: w}
	g.Outages = New(Config{DB: w.db, Ledger: log, Signer: w.signer, Self: self, Log: slog.New(slog.DiscardHandler), Clock: Clock{
		Machine: func() time.Time { return w.now.Add(g.askew) },
		Ahead:   func() time.Duration { return g.ahead },
		Elapsed: func() time.Duration { return g.elapsed },
	}})
	return g
}

// pass lets time pass by every clock, also by the store's: PostgreSQL's cannot be moved, so the mark is moved away from it.
func (w *world) pass(by time.Duration, running ...*gateway) {
	w.t.Helper()
	w.now = w.now.Add(by)
	for _, g := range running {
		g.elapsed += by
	}
	if err := w.db.Exec("UPDATE outages_mark SET store_at = store_at - ?", by.Microseconds()).Error; err != nil {
		w.t.Fatal(err)
	}
}

func (g *gateway) look() {
	g.w.t.Helper()
	if err := g.Look(g.w.t.Context()); err != nil {
		g.w.t.Fatal(err)
	}
}

// outages are those that stand in the ledger.
func (w *world) outages() (found []statement.OutageRecorded) {
	w.t.Helper()
	entries, err := w.ledger.About(w.t.Context(), self.ID(), 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if said, is := e.Statement.(statement.OutageRecorded); is {
			found = append(found, said)
		}
	}
	return found
}

// recorded demands that exactly these outages stand in the ledger, each as long as its pair of times after noon says.
func (w *world) recorded(what string, wanted ...[2]time.Duration) {
	w.t.Helper()
	found := w.outages()
	for i := range max(len(found), len(wanted)) {
		switch {
		case i >= len(wanted):
			w.t.Errorf("%s: %+v is recorded, and was none", what, found[i])
		case i >= len(found):
			w.t.Errorf("%s: nothing is recorded of %v", what, wanted[i])
		case !found[i].From.Equal(noon.Add(wanted[i][0])) || !found[i].To.Equal(noon.Add(wanted[i][1])):
			w.t.Errorf("%s: recorded from %v to %v, wanted %v after noon", what, found[i].From, found[i].To, wanted[i])
		}
	}
	if w.t.Failed() {
		w.t.FailNow()
	}
}

func TestAnOutageIsStatedOnceAndARestartNever(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		first := w.start(w.ledger)
		first.look()
		w.recorded("the first start ever")
		for range 2 {
			w.pass(Least, first)
			first.look()
		}
		w.recorded("ten minutes with a mark now and then") // until 10 minutes after noon

		w.pass(Least)
		w.start(w.ledger).look()
		w.recorded("a restart")

		w.pass(3 * time.Hour) // from 15 minutes after noon
		down := [2]time.Duration{15 * time.Minute, 15*time.Minute + 3*time.Hour}
		back := w.start(w.ledger)
		back.look()
		w.recorded("three hours off", down)
		back.look()
		w.pass(Pace, back)
		back.look()
		w.start(w.ledger).look()
		w.recorded("looked again", down)

		w.pass(time.Hour)
		w.start(w.ledger).look()
		at := down[1] + Pace
		w.recorded("another one", down, [2]time.Duration{at, at + time.Hour})
		if why := w.outages()[0].Why; !strings.Contains(why, "No gateway process was running") {
			t.Errorf("why: %q", why)
		}
	})
}

func TestWhileOneGatewayIsAbleThereIsNoOutage(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		one, other := w.start(w.ledger), w.start(w.ledger)
		one.look()
		other.look()
		for range 40 {
			w.pass(time.Minute, one, other)
			one.look() // the other one hangs
		}
		other.look()
		w.start(w.ledger).look()
		w.recorded("one of two was able all the time")
	})
}

// hooked stands around what is appended.
type hooked struct {
	Ledger
	before, after func()
}

var errKilled = errors.New("killed")

func (h *hooked) AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error) {
	if before := h.before; before != nil {
		h.before = nil
		before()
	}
	receipts, err := h.Ledger.AppendAfter(ctx, seen, sets...)
	if h.after != nil {
		h.after()
		return nil, errKilled
	}
	return receipts, err
}

func TestTwoGatewaysThatFindTheSameOutageStateItOnce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.start(w.ledger).look()
		w.pass(time.Hour)
		other := w.start(w.ledger)
		other.askew = -2 * time.Second // and its clock is not quite the same
		log := &hooked{Ledger: w.ledger, before: other.look}
		w.start(log).look()
		w.recorded("two started at once", [2]time.Duration{0, time.Hour - 2*time.Second})

		// So it is where something else about the gateway comes between.
		w.pass(2 * time.Hour)
		log.before = func() {
			set, err := w.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: w.now, JTI: uuid.NewString(),
				EventURI: statement.KindOutageRecorded.URI(), Subject: envelope.Subject{Format: "uri", URI: string(self)},
				Event: statement.OutageRecorded{From: noon.Add(-2 * time.Hour), To: noon.Add(-time.Hour)}})
			if err == nil {
				_, err = w.ledger.Append(t.Context(), set)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		w.start(log).look()
		if found := w.outages(); len(found) != 3 || !found[2].To.Equal(w.now.Truncate(time.Second)) {
			t.Errorf("%+v", found)
		}
	})
}

func TestKilledBetweenTheStatementAndTheMarkItIsStatedOnce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.start(w.ledger).look()
		w.pass(time.Hour)
		killed := w.start(&hooked{Ledger: w.ledger, after: func() {}})
		if err := killed.Look(t.Context()); !errors.Is(err, errKilled) {
			t.Fatalf("it lived: %v", err)
		}
		first := [2]time.Duration{0, time.Hour}
		w.recorded("killed behind the statement", first)
		w.start(w.ledger).look()
		w.recorded("started at once", first)

		w.pass(time.Hour)
		if err := w.start(&hooked{Ledger: w.ledger, after: func() {}}).Look(t.Context()); !errors.Is(err, errKilled) {
			t.Fatalf("it lived: %v", err)
		}
		second := [2]time.Duration{time.Hour, 2 * time.Hour}
		w.pass(time.Hour)
		w.start(w.ledger).look()
		w.recorded("started an hour later", first, second, [2]time.Duration{2 * time.Hour, 3 * time.Hour})
	})
}

func TestAStoreThatTakesNothingWhileTheProcessLivesIsAnOutage(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		g := w.start(w.ledger)
		g.look()
		if looked, err := g.Awake(t.Context()); looked || err != nil {
			t.Errorf("it has just looked: %v, %v", looked, err)
		}
		// The mark's table gone stands for whatever a store answers that takes nothing.
		refuse := func(from, to string) {
			if err := db.Exec("ALTER TABLE " + from + " RENAME TO " + to).Error; err != nil {
				t.Fatal(err)
			}
		}
		refuse("outages_mark", "away")
		for range 20 {
			w.now, g.elapsed = w.now.Add(time.Minute), g.elapsed+time.Minute
			if err := g.Look(t.Context()); err == nil {
				t.Fatal("a store that takes nothing is none")
			}
		}
		if looked, err := g.Awake(t.Context()); !looked || err == nil {
			t.Errorf("a step may be taken though nobody knows what was missed: %v, %v", looked, err)
		}
		refuse("away", "outages_mark")
		w.now = w.now.Add(-20 * time.Minute)
		w.pass(20 * time.Minute)
		if looked, err := g.Awake(t.Context()); !looked || err != nil {
			t.Fatalf("%v, %v", looked, err)
		}
		w.recorded("20 minutes in which the store took nothing", [2]time.Duration{0, 20 * time.Minute})
		if why := w.outages()[0].Why; !strings.Contains(why, "none could commit") {
			t.Errorf("why: %q", why)
		}
	})
}

func TestAClockThatIsSetIsNoOutage(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		g := w.start(w.ledger)
		g.look()
		g.askew = 24 * time.Hour
		w.pass(Pace, g)
		g.look()
		w.recorded("set forward under a running process")
		g.askew = -24 * time.Hour
		w.pass(Pace, g)
		g.look()
		w.recorded("set back")
		g.askew = 0
		w.pass(Pace, g)
		g.look()
		w.recorded("set right")

		if db.Name() == "postgres" {
			started := w.start(w.ledger)
			started.askew = 24 * time.Hour
			w.pass(Pace, g, started)
			started.look()
			w.recorded("a gateway started on a machine whose clock is wrong")
			g.look()
			w.pass(Pace, g)
			g.look()
			w.recorded("and one beside it whose clock is right")
		}

		w.pass(time.Hour)
		w.start(w.ledger).look()
		if found := w.outages(); len(found) != 1 || found[0].To.Sub(found[0].From) != time.Hour {
			t.Errorf("after all that an outage of an hour is %+v", found)
		}
	})
}

func TestASandboxsMovedTimeIsNotGivenBack(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		g := w.start(w.ledger)
		g.look()
		g.ahead = 31 * 24 * time.Hour
		w.pass(Pace, g)
		g.look()
		w.recorded("its clock was moved on")
		again := w.start(w.ledger)
		again.ahead = g.ahead
		w.pass(time.Hour)
		again.look()
		again.look()
		w.recorded("it was off for an hour", [2]time.Duration{g.ahead + Pace, g.ahead + Pace + time.Hour})
	})
}
