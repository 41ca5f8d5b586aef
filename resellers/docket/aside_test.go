package docket

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// pin pins a case to a policy without a word in the ledger.
func (w *world) pin(entity envelope.Entity, from, to string) {
	w.t.Helper()
	done := w.db.Exec("UPDATE docket_files SET escalation = replace(escalation, ?, ?) WHERE entity = ? AND escalation LIKE ?", from, to, string(entity), "%"+from+"%")
	if done.Error != nil || done.RowsAffected != 1 {
		w.t.Fatal(done.Error, done.RowsAffected)
	}
}

func TestAFileThatCannotBeSettledIsNamedAndTriedAgainAndKeepsNobodyWaiting(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		play(t, w, fall[:2], &killer{after: -1})
		w.now = epoch.Add(30 * day)
		d := w.mustDocket()
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.pin(silent, w.policy.ID(), "gone.9")
		// More than are looked at in one go cannot be read at all, and have no case; they are due longer than everybody else.
		const broken = sweepPage + 50
		var rows []fileRow
		for i := range broken {
			entity := envelope.Entity(fmt.Sprintf("%s/e/broken-%03d", self, i))
			id := entity.ID()
			rows = append(rows, fileRow{ID: id[:], Entity: string(entity), Standing: "good", History: "?", Escalation: "{}", StepAt: never, LimitAt: never, ApprovalAt: never, CallAt: never, SuperiorID: []byte{}})
		}
		if err := db.CreateInBatches(rows, writeBatch).Error; err != nil {
			t.Fatal(err)
		}
		w.now = epoch.Add(44 * day)
		next, err := d.Sweep(t.Context())
		if err == nil || !strings.Contains(err.Error(), "pinned to gone.9") || strings.Count(err.Error(), "reading the history of") != broken {
			t.Errorf("swept with %v", err)
		}
		if !next.Equal(w.now.Add(tryAgain)) {
			t.Errorf("woken at %s, wanted a minute later", next)
		}
		if got := kindsAbout(t, w, late); !strings.Contains(got, "44:restriction-ordered") {
			t.Errorf("about the other one: %s", got)
		}
		// A round later nothing is tried: not before a minute has passed.
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Errorf("tried again at once: %v", err)
		}
		w.now = w.now.Add(tryAgain)
		if _, err := d.Sweep(t.Context()); err == nil || !strings.Contains(err.Error(), "pinned to gone.9") {
			t.Errorf("a minute later: %v", err)
		}
		if err := db.Where("history = ? AND entity <> ?", "?", rows[0].Entity).Delete(&fileRow{}).Error; err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(2 * Lateness) // what is set aside is lost, not late
		watch, err := d.Watch(t.Context())
		if err != nil || watch.LostCount != 2 || len(watch.Lost) != 2 || watch.LateCount != 0 || !watch.Lost[0].Since.Equal(epoch.Add(44*day)) {
			t.Fatalf("%+v, %v", watch, err)
		}
		named := map[envelope.Entity]string{watch.Lost[0].Entity: watch.Lost[0].Why, watch.Lost[1].Entity: watch.Lost[1].Why}
		if !strings.Contains(named[silent], "start it with that file too") || !strings.Contains(watch.Alarm(), "it cannot be settled: ") {
			t.Errorf("%v: %s", named, watch.Alarm())
		}
		// Once it can be settled, it is, and nobody is called any more.
		w.pin(silent, "gone.9", w.policy.ID())
		if err := db.Where("history = ?", "?").Delete(&fileRow{}).Error; err != nil {
			t.Fatal(err)
		}
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if watch, err := d.Watch(t.Context()); err != nil || watch.Alarm() != "" {
			t.Errorf("%+v, %v", watch, err)
		}
		if got := kindsAbout(t, w, silent); strings.Count(got, "44:restriction-ordered") != 1 {
			t.Errorf("about the silent one: %s", got)
		}
	})
}

func TestWhatWasReservedIsGivenBackThoughTheFileSleepsForWeeks(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		play(t, w, []scene{fall[0], fall[1], fall[3], fall[4]}, &killer{after: -1})
		w.now = epoch.Add(51 * day)
		d, err := w.docket(db, &racedLedger{Ledger: w.ledger, before: func() { panic(errKilled) }})
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = d.Settle(t.Context(), silent.ID())
		}()
		reservations := func() (left int64) {
			t.Helper()
			if err := db.Model(&guardRow{}).Where("leaf_index < 0").Count(&left).Error; err != nil {
				t.Fatal(err)
			}
			return left
		}
		if left := reservations(); left != 1 {
			t.Fatalf("%d reservations: it was not killed behind one", left)
		}
		// Nothing is said about the reseller, but its step waits from now on.
		w.act(self, "Mara", escalation.ActionPaused, "gateway", string(self), nil)
		d = w.mustDocket()
		next, err := d.Sweep(t.Context())
		if err != nil || reservations() != 1 {
			t.Fatalf("in the same moment: %d reservations, %v", reservations(), err)
		}
		if !next.Equal(w.now.Add(releaseAfter)) {
			t.Errorf("woken at %s, wanted %s", next, w.now.Add(releaseAfter))
		}
		w.now = w.now.Add(releaseAfter + time.Second)
		if next, err = d.Sweep(t.Context()); err != nil || reservations() != 0 {
			t.Errorf("a minute later: %d reservations, %v", reservations(), err)
		}
		if !next.After(w.now.Add(time.Hour)) {
			t.Errorf("woken again at %s", next)
		}
	})
}
