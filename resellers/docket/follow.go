package docket

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/screening"
)

// followed are the kinds that change who falls under a measure, or what an officer said of it.
var followed = []statement.Kind{statement.KindEntityEnrolled, statement.KindCustomerVerification, statement.KindOfficerAction}

// screenLag is how many entries that change nothing are only remembered as looked at: writing that down would be a commit each time.
const screenLag = 10_000

// follow screens whom the next entries name, by what the docket has folded of them.
func (s *Screener) follow(ctx context.Context, at screeningRow, folded int64, rows []measureRow, now time.Time) (bool, error) {
	from := max(at.NextLeaf, s.lookedTo)
	if len(rows) == 0 || from >= folded {
		return false, nil
	}
	entries, err := s.ledger.Entries(ctx, from, screenBatch, followed...)
	if err != nil {
		return false, fmt.Errorf("reading entries to screen: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e statement.Entry) bool { return e.LeafIndex >= folded })
	if len(entries) == 0 {
		s.lookedTo = folded
		if folded-at.NextLeaf < screenLag {
			return false, nil
		}
		return true, s.write(ctx, at, map[string]any{"next_leaf": folded}, func(*gorm.DB) error { return nil })
	}
	parties, err := s.partiesIn(ctx, entries)
	if err != nil {
		return false, err
	}
	current := map[int64]bool{}
	for _, row := range rows {
		current[row.LeafIndex] = true
	}
	measures := s.measures.Only(func(m screening.Measure) bool { return current[m.LeafIndex] })
	hits, err := s.match(ctx, measures, parties, now)
	if err != nil {
		return false, err
	}
	decisions := s.decisionsIn(entries, current)
	next := entries[len(entries)-1].LeafIndex + 1
	return true, s.write(ctx, at, map[string]any{"next_leaf": next}, func(tx *gorm.DB) error {
		if err := storeDecisions(tx, decisions); err != nil {
			return err
		}
		if err := dropHits(tx, parties); err != nil {
			return err
		}
		if err := storeHits(tx, hits); err != nil {
			return err
		}
		if err := markAgain(tx, abouts(entries)); err != nil {
			return err
		}
		return markHit(tx, hits)
	})
}

// abouts are the ids of whom entries are about, each once.
func abouts(entries []statement.Entry) [][]byte {
	seen, ids := map[envelope.ID]bool{}, [][]byte{}
	for _, e := range entries {
		if id := e.About.ID(); !seen[id] {
			seen[id] = true
			ids = append(ids, id[:])
		}
	}
	return ids
}

// partiesIn returns whom entries name, each once, as the docket holds them now.
func (s *Screener) partiesIn(ctx context.Context, entries []statement.Entry) ([]stated, error) {
	var ids [][]byte
	var customerKeys, ownerKeys []recordKey
	named := map[recordKey]envelope.Entity{}
	for _, e := range entries {
		id, names := e.About.ID(), history.NamesIn(e)
		switch e.Statement.(type) {
		case statement.EntityEnrolled:
			ids = append(ids, id[:])
		case statement.CustomerVerification:
			k := keyOf(id, names.Customer)
			if names.Owner == "" {
				customerKeys = append(customerKeys, k)
			} else {
				k = keyOf(id, names.Customer, names.Owner)
				ownerKeys = append(ownerKeys, k)
			}
			named[k] = e.About
		}
	}
	var parties []stated
	if len(ids) > 0 {
		var err error
		if parties, err = s.resellers(ctx, "id IN ?", ids); err != nil {
			return nil, err
		}
	}
	customers, owners := map[recordKey]history.Customer{}, map[recordKey]history.Owner{}
	if err := read(ctx, s.db, customersTable, customerKeys, customers); err != nil {
		return nil, err
	}
	if err := read(ctx, s.db, ownersTable, ownerKeys, owners); err != nil {
		return nil, err
	}
	for k, c := range customers {
		parties = append(parties, stated{key: k, entity: named[k], verification: c.Verification})
	}
	for k, o := range owners {
		parties = append(parties, stated{key: k, entity: named[k], verification: o.Verification})
	}
	return parties, nil
}

// decisionsIn returns what officers said of hits under versions that are current, the newest of each hit alone.
func (s *Screener) decisionsIn(entries []statement.Entry, current map[int64]bool) []decisionRow {
	newest := map[string]decisionRow{}
	for _, e := range entries {
		said, ok := e.Statement.(statement.OfficerAction)
		if !ok || e.By != s.self {
			continue
		}
		if row, ok := decisionOf(said, e); ok && current[row.MeasureLeaf] {
			newest[row.Hit] = row
		}
	}
	rows := make([]decisionRow, 0, len(newest))
	for _, row := range newest {
		rows = append(rows, row)
	}
	return rows
}

func storeDecisions(tx *gorm.DB, rows []decisionRow) error {
	for _, row := range rows {
		err := tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "hit"}}, UpdateAll: true}).Create(&row).Error
		if err != nil {
			return err
		}
		hit := tx.Model(&hitRow{}).Where("id = ? AND ground = ?", row.Hit, screening.ByName)
		if row.Decision == string(Cleared) {
			hit = hit.Where("score <= ?", row.Score)
		}
		if err := hit.Update("decision", row.Decision).Error; err != nil {
			return err
		}
	}
	return nil
}

// dropHits drops what was found of parties, under all versions.
func dropHits(tx *gorm.DB, parties []stated) error {
	keys := map[screening.Role][][]byte{}
	for _, p := range parties {
		keys[p.role()] = append(keys[p.role()], []byte(p.key))
	}
	for role, k := range keys {
		if err := tx.Where("party = ? AND key IN ?", role, k).Delete(&hitRow{}).Error; err != nil {
			return err
		}
	}
	return nil
}
