package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// TestCheckFindsWhateverWasChanged changes one thing in a log of 600 entries, as whoever owns the database can.
func TestCheckFindsWhateverWasChanged(t *testing.T) {
	sets := states(t, ledgertest.NewAuthor(t, 1), 0, 600)
	for _, test := range []struct {
		name   string
		change string
		finds  []string
	}{
		{"nothing", "", nil},
		{"a body", "UPDATE ledger_entries SET body = (SELECT body FROM ledger_entries WHERE leaf_index = 4) WHERE leaf_index = 3",
			[]string{"entry 3: the ledger is damaged: a body cannot be opened"}},
		{"a body and its digest", "UPDATE ledger_entries SET body = o.body, digest = o.digest FROM ledger_entries AS o WHERE o.leaf_index = 4 AND ledger_entries.leaf_index = 3",
			[]string{"tile 0 of level 0 is not over", "do not lead to the signed root"}},
		{"a body that nobody can read", "UPDATE ledger_entries SET body = digest WHERE leaf_index = 599", []string{"entry 599: the ledger is damaged: a body cannot be opened", "entry 599: statement: recall"}},
		{"whom an entry is about", "UPDATE ledger_entries SET about = digest WHERE leaf_index = 300", []string{"entry 300 is a cip-attestation about https://reseller-1.example"}},
		{"what kind an entry is", "UPDATE ledger_entries SET kind = 'other' WHERE leaf_index = 300", []string{"entry 300 is a cip-attestation"}},
		{"when an entry was accepted", "UPDATE ledger_entries SET accepted_at = (SELECT min(accepted_at) FROM ledger_entries WHERE leaf_index > 0) WHERE leaf_index = 0", nil},
		{"an entry", "DELETE FROM ledger_entries WHERE leaf_index = 300", []string{"entry 300 is missing"}},
		{"the last entry", "DELETE FROM ledger_entries WHERE leaf_index = 599", []string{"entry 599 is missing"}},
		{"a jti", "DELETE FROM ledger_jtis WHERE leaf_index = 300", []string{"entry 300: its jti is not kept"}},
		{"where a jti leads", "UPDATE ledger_jtis SET leaf_index = 0 WHERE leaf_index = 300", []string{"entry 300: its jti is not kept"}},
		{"a tile", "DELETE FROM ledger_tiles WHERE n = 1", []string{"tile 1 of level 0 is missing"}},
		{"a tile's root", "UPDATE ledger_tiles SET hash = (SELECT digest FROM ledger_entries WHERE leaf_index = 0) WHERE n = 1", []string{"tile 1 of level 0 is not over"}},
		{"the head", "UPDATE ledger_head SET size = 599", []string{"do not lead to the signed root", "1 entries lie beyond the head", "1 keys lie beyond"}},
		{"the head, by a tile", "UPDATE ledger_head SET size = 511", []string{"1 tiles lie beyond the head"}},
		{"the head's text", "UPDATE ledger_head SET checkpoint = replace(checkpoint, '600', '601')", []string{"do not lead to the signed root"}},
		{"the head's time", "UPDATE ledger_head SET accepted_at = (SELECT accepted_at FROM times)", []string{"the head is older than entry 599"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			migrationstest.EachURL(t, func(t *testing.T, url string) {
				db := migrationstest.Open(t, url)
				l := openLedger(t, db)
				mustAppend(t, l, sets[:300]...)
				mustAppend(t, l, sets[300:]...)
				if strings.Contains(test.change, "times") {
					tamper(t, db, fmt.Sprintf("CREATE TABLE times (accepted_at %s)", map[string]string{"sqlite": "TIMESTAMP", "postgres": "timestamptz"}[db.Name()]))
					if err := db.Exec("INSERT INTO times VALUES (?)", ledgertest.Noon.AddDate(-1, 0, 0)).Error; err != nil {
						t.Fatal(err)
					}
				}
				if test.change != "" {
					tamper(t, db, test.change)
				}
				err := l.Check(t.Context())
				if len(test.finds) == 0 {
					if err != nil {
						t.Errorf("got %v, wanted nothing", err)
					}
					return
				}
				if !errors.Is(err, ledger.ErrDamaged) {
					t.Fatalf("got %v, wanted ErrDamaged", err)
				}
				for _, words := range test.finds {
					if !strings.Contains(err.Error(), words) {
						t.Errorf("it does not say %q:\n%v", words, err)
					}
				}
			})
		})
	}
}

// TestADamagedTreeIsNotBuiltOn: a gateway that starts on hashes which do not lead to the signed root would fork the log.
func TestADamagedTreeIsNotBuiltOn(t *testing.T) {
	sets := states(t, ledgertest.NewAuthor(t, 1), 0, 300)
	for _, test := range []struct{ name, change string }{
		{"an entry's digest at the edge", "UPDATE ledger_entries SET digest = (SELECT digest FROM ledger_entries WHERE leaf_index = 0) WHERE leaf_index = 299"},
		{"a tile's root", "UPDATE ledger_tiles SET hash = (SELECT digest FROM ledger_entries WHERE leaf_index = 0)"},
		{"an entry at the edge is gone", "DELETE FROM ledger_entries WHERE leaf_index = 299"},
		{"a tile is gone", "DELETE FROM ledger_tiles"},
	} {
		t.Run(test.name, func(t *testing.T) {
			migrationstest.EachURL(t, func(t *testing.T, url string) {
				db := migrationstest.Open(t, url)
				mustAppend(t, openLedger(t, db), sets...)
				tamper(t, db, test.change)
				signer, _ := ledgertest.LogKey(t)
				var clock ledgertest.Clock
				_, err := ledger.Open(t.Context(), ledger.Config{DB: db, Signer: signer, Origin: ledgertest.Origin, Bodies: ledgertest.Bodies(t), Now: clock.Now})
				if !errors.Is(err, ledger.ErrDamaged) {
					t.Errorf("got %v, wanted ErrDamaged", err)
				}
			})
		})
	}
}
