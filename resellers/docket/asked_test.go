package docket

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// What a row may still say of a file that asks nothing any more ends no page: behind it come those that do.
func TestListsOfWhatPeopleAreAskedGoOnBehindFilesThatAskNothing(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.policy = proving(t)
		d := w.mustDocket()
		if err := d.Activate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var resellers []envelope.Entity
		for i := range 4 {
			resellers = append(resellers, envelope.Entity(string(self)+"/e/r"+strconv.Itoa(i)))
			w.enrol(resellers[i])
		}
		at := func(when time.Duration) {
			w.now = epoch.Add(when)
			w.settle(d, nil)
		}
		at(0)
		at(30 * day) // warned
		answering := []envelope.Entity{resellers[2], resellers[0], resellers[1]}
		for i, entity := range answering {
			at(30*day + time.Duration(i+1)*time.Second)
			file, err := d.Open(t.Context(), entity.ID())
			if err != nil {
				t.Fatal(err)
			}
			w.state(entity, "", statement.Remediation{RemediationKind: "explanation", Text: "We moved.", Finding: file.Case.Findings[0].ID})
		}
		w.attest(resellers[3])
		at(44 * day) // restricted
		at(49 * day) // to be called
		idle := resellers[3].ID()
		stale := map[string]any{"review_at": 0, "call_at": 0}
		if err := db.Model(&fileRow{}).Where("id = ?", idle[:]).Updates(stale).Error; err != nil {
			t.Fatal(err)
		}

		var found []envelope.Entity
		var after *AskedPlace
		for range 10 {
			page, err := d.Answered(t.Context(), after, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			if len(page) != 1 || len(page[0].File.Case.Reviews) != 1 {
				t.Fatalf("%+v", page)
			}
			found, after = append(found, page[0].File.Entity), &page[0].Place
		}
		if !slices.Equal(found, answering) {
			t.Errorf("answers of %q wait, wanted %q", found, answering)
		}

		called := map[envelope.Entity]bool{}
		after = nil
		for range 10 {
			page, err := d.Calls(t.Context(), after, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			if len(page) != 1 || called[page[0].File.Entity] {
				t.Fatalf("%+v", page)
			}
			called[page[0].File.Entity], after = true, &page[0].Place
		}
		if len(called) != 3 || called[resellers[3]] {
			t.Errorf("to be called: %v", called)
		}
	})
}
