package archive

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// What a reseller's reseller states comes up inside what its superiors signed, word for word. So erasing it means erasing it there
// too: each entry that wraps a statement is known by whom and under which jti the statement is.

// wrappedRow is a statement with an entry that wraps it.
type wrappedRow struct {
	IssuerID  []byte
	JTI       string `gorm:"column:jti"`
	Digest    []byte
	WrapperID []byte
}

func (wrappedRow) TableName() string { return "archive_wrapped" }

// foldWrapped notes what an entry wraps, however deep. One whose inside was erased wraps nothing any more.
func foldWrapped(tx *gorm.DB, e statement.Entry, said statement.Forwarded) error {
	var rows []wrappedRow
	wrapper := e.By.ID()
	for set := said.Set; set != "" && !e.Erased; {
		parsed, err := envelope.Parse([]byte(set))
		if err != nil {
			return fmt.Errorf("what entry %d wraps: %w", e.LeafIndex, err)
		}
		claims, err := parsed.Claims()
		if err != nil {
			return fmt.Errorf("what entry %d wraps: %w", e.LeafIndex, err)
		}
		id := claims.Issuer.ID()
		rows = append(rows, wrappedRow{IssuerID: id[:], JTI: claims.JTI, Digest: e.Digest[:], WrapperID: wrapper[:]})
		set = ""
		if claims.EventURI == statement.KindForwarded.URI() {
			var inner statement.Forwarded
			if err := json.Unmarshal(claims.Event, &inner); err != nil {
				return fmt.Errorf("what entry %d wraps: %w", e.LeafIndex, err)
			}
			set = inner.Set
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
}

// wrapping returns the entries that wrap any of these, in order. Call CatchUp before.
func (a *Archive) wrapping(ctx context.Context, entries []statement.Entry) (rows []wrappedRow, err error) {
	byIssuer := map[envelope.ID][]string{}
	for _, e := range entries {
		byIssuer[e.By.ID()] = append(byIssuer[e.By.ID()], e.JTI)
	}
	for id, all := range byIssuer {
		for some := range slices.Chunk(all, perStatement) {
			var found []wrappedRow
			err := a.DB.WithContext(ctx).Where("issuer_id = ? AND jti IN ?", id[:], some).Order("jti, digest").Limit(maxRecords).Find(&found).Error
			if err != nil {
				return nil, fmt.Errorf("looking for what wraps a statement: %w", err)
			}
			rows = append(rows, found...)
		}
	}
	return rows, nil
}

// heldAbove finds a legal hold on everything of somebody who forwarded one of these entries: what that one's own entries hold stays
// whole.
func (a *Archive) heldAbove(ctx context.Context, entries []statement.Entry, now time.Time) (Hold, bool, error) {
	rows, err := a.wrapping(ctx, entries)
	if err != nil {
		return Hold{}, false, err
	}
	asked := map[envelope.ID]bool{}
	for _, row := range rows {
		id := envelope.ID(row.WrapperID)
		if asked[id] {
			continue
		}
		asked[id] = true
		holds, err := a.Holds(ctx, id)
		if err != nil {
			return Hold{}, false, err
		}
		if i := slices.IndexFunc(holds, func(h Hold) bool { return h.holds("", now) }); i >= 0 {
			return holds[i], true, nil
		}
	}
	return Hold{}, false, nil
}
