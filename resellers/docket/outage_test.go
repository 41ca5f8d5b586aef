package docket

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/outages"
)

// measured is a process that measures outages beside its docket.
type measured struct {
	*Docket
	*outages.Outages
	elapsed time.Duration
}

// measures starts a process, on a store on which the gateway took submissions until this moment.
func (w *world) measures(log interface {
	Ledger
	outages.Ledger
}) *measured {
	w.t.Helper()
	m := &measured{}
	m.Outages = outages.New(outages.Config{DB: w.db, Ledger: log, Signer: w.signer, Self: self, Log: slog.New(slog.DiscardHandler), Clock: outages.Clock{
		Machine: w.clock, Ahead: func() time.Duration { return 0 }, Elapsed: func() time.Duration { return m.elapsed },
	}})
	var err error
	if m.Docket, err = w.docket(w.db, log); err != nil {
		w.t.Fatal(err)
	}
	m.Wakeful(m.Awake)
	return m
}

// passes lets time pass in which no mark is left, by the store's clock too.
func (w *world) passes(by time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(by)
	if err := w.db.Exec("UPDATE outages_mark SET store_at = store_at - ?", by.Microseconds()).Error; err != nil {
		w.t.Fatal(err)
	}
}

// arrives is a later moment, until which the gateway ran.
func (w *world) arrives(at time.Duration) {
	w.t.Helper()
	w.now = epoch.Add(at)
	if err := w.db.Exec("DELETE FROM outages_mark").Error; err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.measures(w.ledger).Sweep(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) standing(entity envelope.Entity) string {
	w.t.Helper()
	file, err := w.mustDocket().Open(w.t.Context(), entity.ID())
	if err != nil {
		w.t.Fatal(err)
	}
	return file.Case.Standing.String()
}

func TestAStepThatFellDueInAnOutageIsTakenOnceItsTimeWasGivenBack(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.enrol(silent)
		w.arrives(30 * day)
		w.arrives(44*day - time.Hour)
		w.passes(3 * time.Hour) // the cure time ended within
		if _, err := w.measures(w.ledger).Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.standing(silent); got != "warned" {
			t.Fatalf("right after the outage it is %s", got)
		}
		w.arrives(44*day + 3*time.Hour - time.Second)
		if got := w.standing(silent); got != "warned" {
			t.Errorf("before its time it is %s", got)
		}
		w.arrives(44*day + 3*time.Hour)
		if got := w.standing(silent); got != "restricted" {
			t.Errorf("at its time it is %s", got)
		}
	})
}

// stalling is a ledger whose store stalls behind the first statement that is appended.
type stalling struct {
	*ledger.Ledger
	stall func()
}

func (s *stalling) AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error) {
	receipts, err := s.Ledger.AppendAfter(ctx, seen, sets...)
	if stall := s.stall; stall != nil {
		s.stall = nil
		stall()
	}
	return receipts, err
}

func TestAStoreThatStallsInTheMiddleOfASweepCostsNobodyItsTime(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.enrol(silent)
		w.now = w.now.Add(time.Hour)
		w.enrol(late) // everything of it comes an hour later
		w.arrives(30 * day)
		w.arrives(30*day + time.Hour)
		w.arrives(44*day - time.Second)
		// Both are in the page of files to settle, the one that is due first.
		for entity, next := range map[envelope.Entity]int64{silent: -1, late: 0} {
			if err := db.Exec("UPDATE docket_files SET next_at = ? WHERE entity = ?", next, string(entity)).Error; err != nil {
				t.Fatal(err)
			}
		}
		log := &stalling{Ledger: w.ledger}
		m := w.measures(log)
		log.stall = func() {
			w.passes(2 * time.Hour)
			m.elapsed += 2 * time.Hour
		}
		if err := m.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Second)
		if _, err := m.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if log.stall != nil {
			t.Fatal("nothing was stated, so nothing stalled")
		}
		if before, after := w.standing(silent), w.standing(late); before != "restricted" || after != "warned" {
			t.Errorf("due before the store stalled: %s; an hour after: %s", before, after)
		}
		w.arrives(44*day + 3*time.Hour)
		if got := w.standing(late); got != "restricted" {
			t.Errorf("once its two hours were given back it is %s", got)
		}
	})
}
