package docket

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/screening"
)

// evidenceHits is how many hits the evidence is taken from: the first ones. The list of hits has them all.
const evidenceHits = 8

// nowProhibits leaves out who has no open account: what is prohibited is opening or maintaining one.
const nowProhibits = "reseller_id = ? AND until_at > ? AND prohibits AND (decided = 'certain' OR decision = 'confirmed') AND " +
	"(party = 'reseller' OR EXISTS (SELECT 1 FROM docket_customers WHERE docket_customers.key = docket_hits.customer_key AND accounts_open > 0))"

// prohibited returns whom of a reseller a measure in force prohibits, as far as everybody is screened.
func prohibited(ctx context.Context, db *gorm.DB, id envelope.ID, now time.Time) (screening.Prohibited, error) {
	micros := now.UnixMicro()
	var sum struct {
		Customers int
		Itself    int
		Since     int64
		Turns     int64
	}
	const columns = "COUNT(DISTINCT CASE WHEN from_at <= ? AND party <> 'reseller' THEN customer END) AS customers, " +
		"COUNT(CASE WHEN from_at <= ? AND party = 'reseller' THEN 1 END) AS itself, " +
		"COALESCE(MIN(CASE WHEN from_at <= ? THEN since_at END), 0) AS since, " +
		"COALESCE(MIN(CASE WHEN from_at > ? THEN from_at ELSE until_at END), 0) AS turns"
	err := db.WithContext(ctx).Model(&hitRow{}).Select(columns, micros, micros, micros, micros).Where(nowProhibits, id[:], micros).Limit(1).Scan(&sum).Error
	if err != nil {
		return screening.Prohibited{}, fmt.Errorf("counting whom a measure prohibits: %w", err)
	}
	p := screening.Prohibited{Customers: sum.Customers, Itself: sum.Itself > 0}
	if sum.Turns > 0 {
		p.Turns = time.UnixMicro(sum.Turns).UTC()
	}
	if p.None() {
		return p, nil
	}
	p.Since = time.UnixMicro(sum.Since).UTC()
	var first []hitRow
	err = db.WithContext(ctx).Select("measure_leaf, leaf_index").Where(nowProhibits+" AND from_at <= ?", id[:], micros, micros).
		Order("since_at, id").Limit(evidenceHits).Find(&first).Error
	if err != nil {
		return screening.Prohibited{}, fmt.Errorf("reading whom a measure prohibits: %w", err)
	}
	for _, row := range first {
		p.Evidence = append(p.Evidence, row.MeasureLeaf, row.LeafIndex)
	}
	slices.Sort(p.Evidence)
	p.Evidence = slices.Compact(p.Evidence)
	return p, nil
}
