package docket

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/screening"
)

// The parts of a walk, in their order.
const (
	walkResellers = "resellers"
	walkCustomers = "customers"
	walkOwners    = "owners"
	walkOver      = ""
)

// beforeAll stands before every key. An empty one would not do: a store may take it for none.
var beforeAll = []byte{0}

var afterWalk = map[string]string{walkResellers: walkCustomers, walkCustomers: walkOwners, walkOwners: walkOver}

var roleOfWalk = map[string]screening.Role{walkResellers: screening.Reseller, walkCustomers: screening.Customer, walkOwners: screening.Owner}

// walk screens everybody on file against the versions that wait for it: it begins, goes on by a batch, or ends.
func (s *Screener) walk(ctx context.Context, at screeningRow, rows []measureRow, now time.Time) (bool, error) {
	if at.Walk == walkOver {
		return s.beginWalk(ctx, at, rows, now)
	}
	walking := map[int64]bool{}
	for _, row := range rows {
		walking[row.LeafIndex] = row.Walking > 0
	}
	measures := s.measures.Only(func(m screening.Measure) bool { return walking[m.LeafIndex] })
	parties, last, err := s.partiesAfter(ctx, at)
	if err != nil {
		return false, err
	}
	hits, err := s.match(ctx, measures, parties, now)
	if err != nil {
		return false, err
	}
	moves := map[string]any{"at_key": []byte(last)}
	ended := len(parties) < screenBatch
	if ended {
		moves = map[string]any{"walk": afterWalk[at.Walk], "at_key": beforeAll}
	}
	return true, s.write(ctx, at, moves, func(tx *gorm.DB) error {
		if len(parties) > 0 {
			err := tx.Where("party = ? AND key > ? AND key <= ?", roleOfWalk[at.Walk], at.AtKey, []byte(last)).
				Where("measure_leaf IN (SELECT leaf_index FROM docket_measures WHERE walking > 0)").Delete(&hitRow{}).Error
			if err != nil {
				return err
			}
		}
		if err := storeHits(tx, hits); err != nil {
			return err
		}
		if err := markAgain(tx, resellersOf(parties)); err != nil {
			return err
		}
		if err := markHit(tx, hits); err != nil || !ended || afterWalk[at.Walk] != walkOver {
			return err
		}
		if err := markAgain(tx, nil); err != nil {
			return err
		}
		return tx.Model(&measureRow{}).Where("walking > 0").Updates(map[string]any{"screened": gorm.Expr("walking"), "walking": 0}).Error
	})
}

// resellersOf are the ids of whose parties they are, each once.
func resellersOf(parties []stated) [][]byte {
	seen, ids := map[envelope.ID]bool{}, [][]byte{}
	for _, p := range parties {
		if id := p.key.reseller(); !seen[id] {
			seen[id] = true
			ids = append(ids, id[:])
		}
	}
	return ids
}

func (s *Screener) beginWalk(ctx context.Context, at screeningRow, rows []measureRow, now time.Time) (bool, error) {
	waits := slices.ContainsFunc(rows, func(row measureRow) bool { return row.Screened < row.wanted(now) })
	if !waits {
		return false, nil
	}
	return true, s.write(ctx, at, map[string]any{"walk": walkResellers, "at_key": beforeAll}, func(tx *gorm.DB) error {
		micros := now.UnixMicro()
		err := tx.Model(&measureRow{}).Where("screened < ? AND from_at <= ?", sinceInForce, micros).Update("walking", sinceInForce).Error
		if err != nil {
			return err
		}
		return tx.Model(&measureRow{}).Where("screened < ? AND from_at > ?", sinceImposed, micros).Update("walking", sinceImposed).Error
	})
}

// partiesAfter returns the next batch of the walk, and the key of its last.
func (s *Screener) partiesAfter(ctx context.Context, at screeningRow) (parties []stated, last recordKey, err error) {
	switch at.Walk {
	case walkResellers:
		parties, err = s.resellers(ctx, "id > ?", at.AtKey)
	case walkCustomers:
		parties, err = s.stated(ctx, customersTable, at)
	default:
		parties, err = s.stated(ctx, ownersTable, at)
	}
	if len(parties) > 0 {
		last = parties[len(parties)-1].key
	}
	return parties, last, err
}

// resellers returns a batch of those that a condition on their files finds.
func (s *Screener) resellers(ctx context.Context, condition string, value any) ([]stated, error) {
	var rows []fileRow
	if err := s.db.WithContext(ctx).Where(condition, value).Order("id").Limit(screenBatch).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading resellers to screen: %w", err)
	}
	parties := make([]stated, len(rows))
	for i, row := range rows {
		file, err := row.toFile()
		if err != nil {
			return nil, err
		}
		parties[i] = stated{key: recordKey(row.ID), entity: file.Entity, reseller: &file.History}
	}
	return parties, nil
}

// stated returns the next batch of customers or owners.
func (s *Screener) stated(ctx context.Context, from string, at screeningRow) ([]stated, error) {
	var rows []struct {
		Key    []byte
		Record string
	}
	err := s.db.WithContext(ctx).Table(from).Select("key, record").Where("key > ?", at.AtKey).Order("key").Limit(screenBatch).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading %s to screen: %w", from, err)
	}
	parties := make([]stated, len(rows))
	for i, row := range rows {
		parties[i].key = recordKey(row.Key)
		if parties[i].verification, err = verificationOf(at.Walk, row.Record); err != nil {
			return nil, err
		}
	}
	return parties, s.nameResellers(ctx, parties)
}

// nameResellers says whose customers they are. A record's key has the reseller's id alone.
func (s *Screener) nameResellers(ctx context.Context, parties []stated) error {
	var ids [][]byte
	for _, p := range parties {
		if id := p.key.reseller(); len(ids) == 0 || !slices.Equal(ids[len(ids)-1], id[:]) {
			ids = append(ids, id[:])
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var rows []fileRow
	if err := s.db.WithContext(ctx).Select("id, entity").Where("id IN ?", ids).Order("id").Limit(len(ids)).Find(&rows).Error; err != nil {
		return fmt.Errorf("reading whose customers are screened: %w", err)
	}
	entities := make(map[envelope.ID]envelope.Entity, len(rows))
	for _, row := range rows {
		entities[envelope.ID(row.ID)] = envelope.Entity(row.Entity)
	}
	for i, p := range parties {
		parties[i].entity = entities[p.key.reseller()]
	}
	return nil
}

func verificationOf(walk, record string) (history.Verification, error) {
	if walk == walkOwners {
		owner, err := recordOf[history.Owner](record)
		return owner.Verification, err
	}
	customer, err := recordOf[history.Customer](record)
	return customer.Verification, err
}

// stated is a party with how it is found, and what was stated of who it is.
type stated struct {
	key          recordKey
	reseller     *history.History // of a reseller
	entity       envelope.Entity
	verification history.Verification // of another party
}

// names are the customer's id, and the owner's where it is one.
func (p stated) names() (customer, owner string) {
	customer, owner, _ = strings.Cut(string(p.key[len(envelope.ID{}):]), between)
	return customer, owner
}

func (p stated) party(named map[int64]*statement.Identity) screening.Party {
	if p.reseller != nil {
		return screening.ResellerParty(*p.reseller)
	}
	customer, owner := p.names()
	return screening.StatedParty(p.entity, customer, owner, p.verification, named[p.verification.LeafIndex])
}

func (p stated) role() screening.Role {
	switch _, owner := p.names(); {
	case p.reseller != nil:
		return screening.Reseller
	case owner != "":
		return screening.Owner
	}
	return screening.Customer
}

// match screens a batch. Names stand in the ledger alone, and are read only if a measure is against a person.
func (s *Screener) match(ctx context.Context, measures screening.Measures, parties []stated, now time.Time) ([]screening.Hit, error) {
	named := map[int64]*statement.Identity{}
	if measures.NamePersons(now) {
		var leafIndexes []int64
		for _, p := range parties {
			if p.verification.JTI != "" {
				leafIndexes = append(leafIndexes, p.verification.LeafIndex)
			}
		}
		entries, err := s.ledger.At(ctx, leafIndexes...)
		if err != nil {
			return nil, fmt.Errorf("reading names to screen: %w", err)
		}
		for _, e := range entries {
			if said, ok := e.Statement.(statement.CustomerVerification); ok {
				named[e.LeafIndex] = said.Identity
			}
		}
	}
	var hits []screening.Hit
	for _, p := range parties {
		if p.reseller != nil || p.verification.JTI != "" { // else nothing was stated of who that is
			hits = append(hits, screening.Match(measures, p.party(named), int(s.likeness.Load()), now)...)
		}
	}
	return hits, nil
}
