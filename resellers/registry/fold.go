package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// lag is how many entries the stored cursor may lie behind what was looked at.
const lag = 10_000

// page is how many entries one Turn folds in one transaction.
const page = 500

type cursorRow struct {
	ID         int
	NextLeaf   int64
	Generation int64
}

func (cursorRow) TableName() string { return "registry_cursor" }

// folded are the kinds that change the tables.
var folded = []statement.Kind{statement.KindEntityEnrolled, statement.KindKeysChanged, statement.KindRelationshipTerminated,
	statement.KindRelationshipReinstated, statement.KindOfficerAction}

// errOvertaken says that another process folded the page first; its work stands.
var errOvertaken = errors.New("another process folded this page")

// Turn folds the next page of the ledger into the tables, exactly once: the cursor moves in the same
// transaction, and only from where it was read. It says whether there may be more to fold.
func (r *Registry) Turn(ctx context.Context) (more bool, err error) {
	size, err := r.ledger.Size(ctx)
	if err != nil {
		return false, fmt.Errorf("reading the ledger's size: %w", err)
	}
	var cursor cursorRow
	if err := r.db.WithContext(ctx).Where("id = 1").Take(&cursor).Error; err != nil {
		return false, fmt.Errorf("reading the registry's cursor: %w", err)
	}
	from := r.looked(cursor)
	if from >= size {
		return false, nil
	}
	entries, err := r.ledger.Entries(ctx, from, page, folded...)
	if err != nil {
		return false, fmt.Errorf("reading entries for the registry: %w", err)
	}
	// What was committed after the size was read belongs to a later turn.
	entries = slices.DeleteFunc(entries, func(e statement.Entry) bool { return e.LeafIndex >= size })
	if len(entries) == 0 {
		// Most entries are statements, which change nothing here. That they were looked at is kept in memory, since
		// writing it down would cost the store a commit each time; now and then it is, for the next process.
		r.look(size)
		if size-cursor.NextLeaf < lag {
			return false, nil
		}
	}
	next := cursorRow{ID: 1, NextLeaf: size, Generation: cursor.Generation}
	if len(entries) > 0 { // a page may be short although more follows; none means that nothing does
		next.NextLeaf = entries[len(entries)-1].LeafIndex + 1
		next.Generation++
	}
	err = r.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		moved := tx.Model(&cursorRow{}).Where("id = 1 AND next_leaf = ?", cursor.NextLeaf).
			Updates(map[string]any{"next_leaf": next.NextLeaf, "generation": next.Generation})
		if moved.Error != nil {
			return moved.Error
		}
		if moved.RowsAffected == 0 {
			return errOvertaken
		}
		for _, entry := range entries {
			if err := fold(tx, entry); err != nil {
				return fmt.Errorf("folding entry %d: %w", entry.LeafIndex, err)
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, errOvertaken):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("folding into the registry: %w", err)
	}
	r.looked(next)
	return next.NextLeaf < size, nil
}

// CatchUp folds until the tables hold all that the ledger held when it was called.
func (r *Registry) CatchUp(ctx context.Context) error {
	for {
		more, err := r.Turn(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// Rebuild empties what is folded and folds the ledger again from its first entry.
func (r *Registry) Rebuild(ctx context.Context) error {
	err := r.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, rows := range []any{&entityRow{}, &keyRow{}} {
			if err := tx.Where("1 = 1").Delete(rows).Error; err != nil {
				return err
			}
		}
		return tx.Model(&cursorRow{}).Where("id = 1").
			Updates(map[string]any{"next_leaf": 0, "generation": gorm.Expr("generation + 1")}).Error
	})
	if err != nil {
		return fmt.Errorf("emptying the registry: %w", err)
	}
	return r.CatchUp(ctx)
}

// looked compares the tables' cursor with what this process knows. If the tables changed since the cache of issuers was
// filled, it is emptied; a cursor of another generation also ends what was only looked at, since it may have been set back.
// It returns the leaf index from which nothing was looked at yet.
func (r *Registry) looked(cursor cursorRow) (from int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cursor.Generation != r.generation {
		r.generation = cursor.Generation
		clear(r.issuers)
		r.lookedTo = 0
	}
	return max(cursor.NextLeaf, r.lookedTo)
}

// look notes that entries below a leaf index were looked at and changed nothing.
func (r *Registry) look(to int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lookedTo = max(r.lookedTo, to)
}

func fold(tx *gorm.DB, entry statement.Entry) error {
	id := entry.About.ID()
	about := tx.Model(&entityRow{}).Where("id = ?", id[:])
	switch said := entry.Statement.(type) {
	case statement.EntityEnrolled:
		return enrolled(tx, entry, said)
	case statement.KeysChanged:
		return changed(tx, entry, said)
	case statement.RelationshipTerminated:
		return about.Updates(map[string]any{"status": statusTerminated, "terminated_at": entry.AcceptedAt.UnixMicro()}).Error
	case statement.RelationshipReinstated:
		return about.Updates(map[string]any{"status": statusActive, "terminated_at": 0}).Error
	case statement.OfficerAction:
		switch said.Action {
		case actionConfirmed:
			return about.Update("contact_confirmed_at", entry.AcceptedAt.UnixMicro()).Error
		case actionSystemKeys, actionTokenRevoked:
			return foldSystem(tx, entry, said)
		}
		return foldSecond(tx, entry, said)
	}
	return nil
}

// enrolled folds an enrolment. A second one of the same entity, whose keys were all lost, brings new keys and what is on
// record with them; the first one stays the one that counts.
func enrolled(tx *gorm.DB, entry statement.Entry, said statement.EntityEnrolled) error {
	id := said.Entity.ID()
	row := entityRow{
		ID: id[:], Entity: string(said.Entity), Name: said.Name, Country: said.Country,
		Superior: string(said.Superior), Contact: said.Contact, LEI: said.LEI, Tier: said.Tier,
		Status: statusActive, Configuration: said.Configuration, Invitation: said.Invitation,
		EnrolledLeaf: entry.LeafIndex, EnrolledAt: entry.AcceptedAt.UnixMicro(),
	}
	newest := clause.AssignmentColumns([]string{"name", "country", "superior", "contact", "lei", "tier", "configuration", "invitation"})
	if err := tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: newest}).Create(&row).Error; err != nil {
		return err
	}
	if err := settleTiers(tx, row.Entity, row.Tier, 0); err != nil {
		return err
	}
	for purpose, set := range map[string][]byte{PurposeStatement: said.Keys, PurposeFederation: said.FederationKeys} {
		if err := addKeys(tx, said.Entity, purpose, set, entry); err != nil {
			return err
		}
	}
	return nil
}

// changed folds a change of keys: those that are named and not in the new set end, when the overlap does
// or at once, and new ones begin.
func changed(tx *gorm.DB, entry statement.Entry, said statement.KeysChanged) error {
	id := entry.About.ID()
	end := entry.AcceptedAt
	if said.Reason == reasonRotation {
		end = said.OverlapUntil
	}
	ending := said.OldKids
	if len(said.Keys) > 0 {
		kept, err := envelope.ParseKeys(said.Keys)
		if err != nil {
			return err
		}
		ending = slices.DeleteFunc(slices.Clone(ending), func(kid string) bool { return slices.Contains(kept.IDs(), kid) })
	}
	named := func() *gorm.DB {
		return tx.Model(&keyRow{}).Where("entity_id = ? AND purpose = ? AND kid IN ?", id[:], said.Purpose, ending)
	}
	err := named().Where("valid_until > ?", end.UnixMicro()).
		Updates(map[string]any{"valid_until": end.UnixMicro(), "reason": said.Reason}).Error
	if err != nil {
		return err
	}
	if since := said.CompromisedSince; !since.IsZero() {
		// What is marked stays marked: a later time does not take an earlier one back.
		err := named().Where("compromised_since = 0 OR compromised_since > ?", since.UnixMicro()).
			Updates(map[string]any{"compromised_since": since.UnixMicro(), "reason": said.Reason}).Error
		if err != nil {
			return err
		}
	}
	if len(said.Keys) > 0 {
		if err := addKeys(tx, entry.About, said.Purpose, said.Keys, entry); err != nil {
			return err
		}
	}
	return tx.Model(&entityRow{}).Where("id = ?", id[:]).Update("key_changes", gorm.Expr("key_changes + 1")).Error
}

// addKeys keeps the keys of a set that are not kept yet. Of two entities that raced with one key, the first in the ledger
// keeps it. They are in force from the second in which the entry was accepted.
func addKeys(tx *gorm.DB, entity envelope.Entity, purpose string, set []byte, entry statement.Entry) error {
	rows, err := rowsOf(entity, purpose, set, entry.AcceptedAt.Truncate(time.Second), entry.LeafIndex)
	if err != nil {
		return err
	}
	return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
}
