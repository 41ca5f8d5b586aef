package docket

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// attested is an attestation that stands in no ledger.
func attested(entity envelope.Entity) statement.Entry {
	return statement.Entry{About: entity, By: entity, JTI: "not stated", Statement: statement.CIPAttestation{Occasion: "initial"}}
}

func TestAPreviewSaysWhatThenHappensAndWritesNothing(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.enrol(late)
		d := w.mustDocket()
		for _, scene := range []struct {
			day           int
			sweep         bool // false: the docket lies behind, and what fell due was stated by nobody
			before, after escalation.Standing
			cures         int
		}{
			{0, false, escalation.Pending, escalation.Good, 0},
			{1, true, escalation.Pending, escalation.Good, 0},
			{31, false, escalation.Warned, escalation.Good, 1},
			{31, true, escalation.Warned, escalation.Good, 1},
			{45, true, escalation.Restricted, escalation.Good, 1},
			{60, true, escalation.Closing, escalation.Good, 1},
			{70, true, escalation.Terminated, escalation.Terminated, 0},
		} {
			w.now = epoch.Add(time.Duration(scene.day) * day)
			if scene.sweep {
				if _, err := d.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			rows, entries := fmt.Sprint(files(t, w)), len(said(t, w))
			got, err := d.Preview(t.Context(), attested(late))
			if err != nil {
				t.Fatal(err)
			}
			if got.Before != scene.before || got.After != scene.after || len(got.Cures) != scene.cures || len(got.Opens) != 0 {
				t.Errorf("day %d: %+v", scene.day, got)
			}
			if fmt.Sprint(files(t, w)) != rows || len(said(t, w)) != entries {
				t.Errorf("day %d: something was written", scene.day)
			}
		}
		if _, err := d.Preview(t.Context(), attested("https://nobody.example")); !errors.Is(err, ErrNotFound) {
			t.Errorf("about nobody: %v", err)
		}
	})
}
