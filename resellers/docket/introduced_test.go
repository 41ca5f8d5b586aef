package docket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// known asks a docket of customers, and returns those that it knows as one line.
func known(t *testing.T, d *Docket, of envelope.Entity, customers ...string) string {
	t.Helper()
	found, err := d.Introduced(t.Context(), of, customers)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), " ")
}

// What a reseller stated is known whether it is folded, or committed a moment ago, or erased, or folded again, and at each step of the
// fold between them.
func TestWhomAResellerIntroducedIsKnownFromTheMomentOfItsReceipt(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d := w.mustDocket()
		asked := []string{"c-verified", "c-failed", "c-owner", "c-opened", "c-used", "c-closed", "c-trained", "c-reported", "c", "c-", "c-verified ", "c\x1fa-1"}
		const want = "c-closed c-failed c-opened c-owner c-used c-verified"
		w.enrol(busy)
		w.enrol(other)
		if got := known(t, d, busy, asked...); got != "" {
			t.Errorf("before anything was stated: %s", got)
		}
		w.verify(busy, "c-verified", "BR", "low")
		w.fail(busy, "c-failed")
		w.own(busy, "c-owner", "o-1", "PT")
		w.account(busy, "c-opened", "a-1", "opened")
		w.account(busy, "c-used", "a-1", "last-accessed")
		w.account(busy, "c-closed", "a-1", "closed") // taken before anybody asked
		w.train(busy, "c-trained", "t-1", "planned")
		w.state(busy, "c-reported", statement.SuspiciousActivity{Certainty: "actual", DiscoveredAt: w.now, Categories: []string{"integrity"}, Description: "Scans.", Audience: "provider"})
		w.verify(other, "c-9", "BR", "low")
		asked = append(asked, "c-9")
		check := func(when string) {
			t.Helper()
			if got := known(t, d, busy, asked...); got != want {
				t.Errorf("%s: %s, wanted %s", when, got, want)
			}
			if got := known(t, d, other, asked...); got != "c-9" {
				t.Errorf("%s, another's: %s", when, got)
			}
		}
		check("committed, and not folded")
		if err := d.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		check("folded")
		w.account(busy, "c-last", "a-1", "opened")
		if got := known(t, d, busy, "c-last", "c-opened", "c"); got != "c-last c-opened" {
			t.Errorf("one folded and one not: %s", got)
		}
		entries, err := w.ledger.About(t.Context(), busy.ID(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.By == busy {
				if err := w.ledger.Erase(t.Context(), e.Digest); err != nil {
					t.Fatal(err)
				}
			}
		}
		check("erased")
		if err := db.Exec("UPDATE docket_cursor SET next_leaf = 0").Error; err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"docket_files", customersTable, ownersTable, accountsTable, trainingsTable} {
			if err := db.Exec("DELETE FROM " + table).Error; err != nil {
				t.Fatal(err)
			}
		}
		check("erased, and to be folded again")
		if err := d.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		check("erased, and rebuilt")
	})
}

// meddling is a ledger in whose reading something happens, as another process would do it.
type meddling struct {
	Ledger
	about func(from int64) []statement.Entry
}

func (m meddling) About(_ context.Context, _ envelope.ID, from int64, _ int) ([]statement.Entry, error) {
	return m.about(from), nil
}

func TestARebuildThatBeginsMeanwhileMakesNobodyUnknown(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.enrol(busy)
		w.verify(busy, "c-1", "BR", "low")
		if err := w.mustDocket().CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		reads, d := 0, w.mustDocket()
		d.ledger = meddling{w.ledger, func(from int64) []statement.Entry {
			reads++
			if reads == 1 { // the tables were empty when they were read, and the cursor not yet when it was
				if err := db.Exec("UPDATE docket_cursor SET next_leaf = 0").Error; err != nil {
					t.Fatal(err)
				}
			}
			entries, err := w.ledger.About(t.Context(), busy.ID(), from, page)
			if err != nil {
				t.Fatal(err)
			}
			return entries
		}}
		if err := db.Exec("DELETE FROM " + customersTable).Error; err != nil {
			t.Fatal(err)
		}
		if got := known(t, d, busy, "c-1", "c-2"); got != "c-1" || reads < 2 {
			t.Errorf("%s after %d reads", got, reads)
		}
	})
}

func TestAnAnswerReadsNoMoreThanSoManyEntries(t *testing.T) {
	db := migrationstest.Open(t, migrationstest.URL(t, "sqlite"))
	w := newWorld(t, db)
	reads, d := 0, w.mustDocket()
	d.ledger = meddling{w.ledger, func(from int64) []statement.Entry {
		reads++
		var entries []statement.Entry
		for i := range int64(page) {
			entries = append(entries, statement.Entry{LeafIndex: from + i, About: busy, By: busy, Customer: fmt.Sprint("c-", from+i), Statement: statement.CustomerVerification{}})
		}
		return entries
	}}
	if got := known(t, d, busy, fmt.Sprint("c-", unfolded-1)); got == "" || reads != unfolded/page {
		t.Errorf("the last one that is read: %q after %d reads", got, reads)
	}
	if _, err := d.Introduced(t.Context(), busy, []string{"nobody"}); !errors.Is(err, intake.ErrBusy) {
		t.Errorf("%v", err)
	}
}
