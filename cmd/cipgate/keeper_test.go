package main

import (
	"strings"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// Whoever's file nobody can settle keeps nobody else from being told.
func TestNoticesOfOthersAreDeliveredThoughAFileCannotBeSettled(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		broken, well := g.enrol("Broken Ltd"), g.enrol("Well Ltd")
		g.settled()
		told := func(entity envelope.Entity) (notices int64) {
			t.Helper()
			err := g.db.Table("delivery_notices").Where("about = ? AND kind = ?", string(entity), string(statement.KindStandingChanged)).Count(&notices).Error
			if err != nil {
				t.Fatal(err)
			}
			return notices
		}
		if n := told(well.about.Entity); n != 0 {
			t.Fatalf("%d notices before anything was said", n)
		}
		// The keeper itself stands still until the story is told.
		g.keeper.turn.Lock()
		done := g.db.Exec("UPDATE docket_files SET history = '{', next_at = 0 WHERE entity = ?", string(broken.about.Entity))
		if done.Error != nil || done.RowsAffected != 1 {
			t.Fatal(done.Error)
		}
		if _, err := well.push(t.Context(), statement.KindCIPAttestation, attestation()); err != nil {
			t.Fatal(err)
		}
		g.keeper.turn.Unlock()
		_, err := g.keeper.round(t.Context(), g.Program)
		if err != nil && !strings.Contains(err.Error(), "reading the history of "+string(broken.about.Entity)) {
			t.Errorf("the round failed with %v", err)
		}
		if n := told(well.about.Entity); n == 0 {
			t.Errorf("nobody was told how the other one stands, and the round says %v", err)
		}
		watch, err := g.docket.Watch(t.Context())
		if err != nil || watch.LostCount != 1 || watch.Lost[0].Entity != broken.about.Entity {
			t.Errorf("%+v, %v", watch, err)
		}
	})
}
