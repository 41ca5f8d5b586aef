package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/notices"
)

const (
	// page is how many entries are addressed in one transaction.
	page = 500
	// lag is how many entries the stored cursor may lie behind what was looked at: writing down that nobody is to be told is a
	// commit each time.
	lag = 10_000
	// maxSystems is how many systems of the provider may have a stream.
	maxSystems = 100
)

// errOvertaken says that another process addressed the page first; its work stands.
var errOvertaken = errors.New("another process addressed this page")

// Turn addresses what the ledger held when it was called, takes the later channels that are due, and states what was proved since. It sends
// nothing: that is Run's.
func (d *Delivery) Turn(ctx context.Context) error {
	if err := d.turnAll(ctx); err != nil {
		return err
	}
	stated, err := d.takeLater(ctx)
	if stated {
		err = errors.Join(err, d.turnAll(ctx))
	}
	return errors.Join(err, d.lapse(ctx), d.record(ctx))
}

func (d *Delivery) turnAll(ctx context.Context) error {
	size, err := d.Ledger.Size(ctx)
	if err != nil {
		return fmt.Errorf("reading the ledger's size: %w", err)
	}
	for {
		done, err := d.turn(ctx, size)
		if err != nil && !errors.Is(err, errOvertaken) {
			return fmt.Errorf("addressing notices: %w", err)
		}
		if done {
			return nil
		}
	}
}

func (d *Delivery) turn(ctx context.Context, size int64) (done bool, err error) {
	var cursor cursorRow
	if err := d.DB.WithContext(ctx).Where("id = 1").Take(&cursor).Error; err != nil {
		return false, fmt.Errorf("reading the cursor: %w", err)
	}
	from := max(cursor.NextLeaf, d.looked.Load())
	if from >= size {
		return true, nil
	}
	entries, err := d.Ledger.Entries(ctx, from, page, notices.Addressed()...)
	if err != nil {
		return false, err
	}
	next := size
	if len(entries) > 0 {
		next = entries[len(entries)-1].LeafIndex + 1
	} else if size-cursor.NextLeaf < lag {
		d.looked.Store(size)
		return true, nil
	}
	chain := notices.Chain{Self: d.Self}
	people, err := d.peopleOf(ctx, entries, &chain)
	if err != nil {
		return false, err
	}
	told := 0
	err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		moved := tx.Model(&cursorRow{}).Where("id = 1 AND next_leaf = ?", cursor.NextLeaf).Update("next_leaf", next)
		if moved.Error != nil {
			return moved.Error
		}
		if moved.RowsAffected == 0 {
			return errOvertaken
		}
		told, err = d.address(tx, entries, chain, people)
		return err
	})
	if err != nil {
		return false, err
	}
	if told > 0 {
		d.announce()
	}
	return next >= size, nil
}

// address writes the notices of a page of entries, each numbered behind the last of its audience.
func (d *Delivery) address(tx *gorm.DB, entries []statement.Entry, chain notices.Chain, people map[string]person) (told int, err error) {
	if len(entries) == 0 {
		return 0, nil
	}
	var systems []streamRow
	if err := tx.Select("audience").Where("audience LIKE ? AND status <> ?", string(notices.OfSystem("%")), statusDisabled).
		Order("audience").Limit(maxSystems).Find(&systems).Error; err != nil {
		return 0, fmt.Errorf("looking for the provider's systems: %w", err)
	}
	for _, row := range systems {
		chain.Systems = append(chain.Systems, notices.Audience(row.Audience))
	}
	byAudience := map[string][]noticeRow{}
	for _, entry := range entries {
		if err := provedByOfficer(tx, entry, d.Self); err != nil {
			return 0, err
		}
		if err := d.takesLater(tx, entry); err != nil {
			return 0, err
		}
		if err := d.changedByOfficer(tx, entry); err != nil {
			return 0, err
		}
		if err := d.changedOwner(tx, entry); err != nil {
			return 0, err
		}
		if err := d.changedToken(tx, entry); err != nil {
			return 0, err
		}
		if err := d.forgetsContact(tx, entry); err != nil {
			return 0, err
		}
		for _, notice := range notices.Address(entry, chain) {
			name := string(notice.Audience)
			byAudience[name] = append(byAudience[name], noticeRow{Audience: name, Kind: string(entry.Statement.Kind()), About: string(notice.About),
				LeafIndex: entry.LeafIndex, Digest: entry.Digest[:], JTI: entry.JTI, Token: []byte{}, Urgent: notice.Urgent})
			told++
		}
	}
	// In one order in every process, so that two that number at once wait for each other and do not block each other.
	for _, name := range slices.Sorted(maps.Keys(byAudience)) {
		if p, ok := people[name]; ok {
			if err := d.keepPerson(tx, p); err != nil {
				return 0, err
			}
		}
		if err := d.number(tx, name, byAudience[name]); err != nil {
			return 0, err
		}
	}
	return told, nil
}

// number stores an audience's new notices behind those it has, inside a transaction, and wakes its stream.
func (d *Delivery) number(tx *gorm.DB, audience string, rows []noticeRow) error {
	if err := lock(tx, audience); err != nil {
		return err
	}
	err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&audienceRow{Name: audience}).Error
	if err != nil {
		return fmt.Errorf("keeping an audience: %w", err)
	}
	// The update locks the row until the transaction ends: nobody else numbers for this audience meanwhile.
	err = tx.Model(&audienceRow{}).Where("name = ?", audience).Update("last_sequence", gorm.Expr("last_sequence + ?", len(rows))).Error
	if err != nil {
		return fmt.Errorf("numbering notices: %w", err)
	}
	var numbered audienceRow
	if err := tx.Where("name = ?", audience).Take(&numbered).Error; err != nil {
		return fmt.Errorf("numbering notices: %w", err)
	}
	now := d.Now().UnixMicro()
	for i := range rows {
		rows[i].Sequence = numbered.LastSequence - int64(len(rows)) + int64(i) + 1
		rows[i].State, rows[i].AddressedAt = Waiting, now
	}
	if err := store(tx, rows); err != nil {
		return fmt.Errorf("keeping notices: %w", err)
	}
	if notices.Audience(audience).IsPerson() {
		return wakePerson(tx, audience)
	}
	return wake(tx, audience)
}

// isTaken says that a row was there already.
func isTaken(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// lock holds an audience's stream, or a person's row, until the transaction ends. Whoever changes more than one row of an audience does this first: two
// that took their rows in different orders would block each other. On SQLite there is one writer at a time.
func lock(tx *gorm.DB, audience string) error {
	if tx.Name() != "postgres" {
		return nil
	}
	query := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("audience = ?", audience).Order("audience").Limit(1)
	var err error
	if notices.Audience(audience).IsPerson() {
		err = query.Select("audience").Find(&[]personRow{}).Error
	} else {
		err = query.Select("id").Find(&[]streamRow{}).Error
	}
	if err != nil {
		return fmt.Errorf("locking an audience: %w", err)
	}
	return nil
}

// wake makes an audience's stream be looked at, unless it waits after a try that failed.
func wake(tx *gorm.DB, audience string) error {
	err := tx.Model(&streamRow{}).Where("audience = ?", audience).Updates(map[string]any{
		"wakes":   gorm.Expr("wakes + 1"),
		"next_at": gorm.Expr("CASE WHEN next_at = ? THEN 0 ELSE next_at END", never),
	}).Error
	if err != nil {
		return fmt.Errorf("waking a stream: %w", err)
	}
	return nil
}
