package docket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// guardRow is a statement that the guard counts, or a reservation of one.
type guardRow struct {
	JTI        string `gorm:"primaryKey"`
	Kind       string
	ResellerID []byte
	Day        int64
	At         int64
	Accounts   int64
	LeafIndex  int64
}

func (guardRow) TableName() string { return "docket_guard" }

const reserved = int64(-1)

// errGuarded says that between judging and reserving another node used the guard's last number: the file is judged again.
var errGuarded = errors.New("the guard's number was used up meanwhile")

const dayLength = int64(24 * time.Hour / time.Second)

// guardedBy is the row of a statement that the guard counts; false if it counts none such.
func guardedBy(file File, s statement.Statement, leafIndex int64) (guardRow, bool) {
	var kind escalation.GuardKind
	var at time.Time
	accounts := int64(file.History.Figures.AccountsOpen)
	switch s := s.(type) {
	case statement.ClosureOrdered:
		if s.Scope == escalation.RemainingAccounts || s.Part > 1 {
			return guardRow{}, false // the termination counts what goes with it, and the first part of a closure counts all of it
		}
		if kind, at = escalation.GuardClosures, s.Basis.Now; s.Scope == escalation.CustomerAccounts {
			accounts = int64(s.Total)
		}
	case statement.RelationshipTerminated:
		kind, at = escalation.GuardTerminations, s.Basis.Now
		accounts = max(0, accounts-int64(s.HandedOver))
	case statement.FindingOpened:
		if s.Severity == string(policy.Minor) {
			return guardRow{}, false
		}
		kind, at, accounts = escalation.GuardFindings, s.Basis.Now, 0
	default:
		return guardRow{}, false
	}
	id := file.ID()
	return guardRow{JTI: escalation.ID(file.Entity, s), Kind: string(kind), ResellerID: id[:], Day: at.Unix() / dayLength, At: at.UnixMicro(),
		Accounts: accounts, LeafIndex: leafIndex}, true
}

// count reads what of the guard's numbers is used up.
func (d *Docket) count(db *gorm.DB, c *escalation.Counts, beside []byte, now time.Time) error {
	c.Day = now.UTC().Truncate(24 * time.Hour)
	counted := func() *gorm.DB {
		if beside == nil {
			return db.Model(&guardRow{}).Where("leaf_index >= 0")
		}
		return db.Model(&guardRow{}).Where("(leaf_index >= 0 OR reseller_id <> ?)", beside)
	}
	var days []struct {
		Kind     string
		Steps    int
		Accounts int
	}
	err := counted().Select("kind, count(*) AS steps, sum(accounts) AS accounts").Where("day = ? AND kind <> ?", now.Unix()/dayLength, escalation.GuardFindings).
		Group("kind").Order("kind").Limit(2).Find(&days).Error
	if err != nil {
		return fmt.Errorf("counting for the guard: %w", err)
	}
	for _, day := range days {
		if day.Kind == string(escalation.GuardClosures) {
			c.Closures = day.Steps
		} else {
			c.Terminations = day.Steps
		}
		c.Accounts += day.Accounts
	}
	within := time.Duration(d.InForce().Guard.Findings.Within)
	var opened int64
	query := counted().Where("kind = ? AND at > ?", escalation.GuardFindings, now.Add(-within).UnixMicro())
	if beside != nil {
		query = query.Where("reseller_id <> ?", beside)
	}
	if err := query.Distinct("reseller_id").Count(&opened).Error; err != nil {
		return fmt.Errorf("counting findings for the guard: %w", err)
	}
	if c.Opened = int(opened); c.Opened == 0 {
		return nil
	}
	var first []guardRow
	query = counted().Select("at").Where("kind = ? AND at > ?", escalation.GuardFindings, now.Add(-within).UnixMicro())
	if beside != nil {
		query = query.Where("reseller_id <> ?", beside)
	}
	if err := query.Order("at").Limit(1).Find(&first).Error; err != nil {
		return fmt.Errorf("counting findings for the guard: %w", err)
	}
	for _, row := range first {
		c.OpenedUntil = time.UnixMicro(row.At).UTC().Add(within)
	}
	return nil
}

// reserve takes, for what was judged, the guard's numbers, and gives back what this reseller reserved before and did not use. Nothing is
// written if the numbers are used up: then it is errGuarded. Reserving the same again, after a kill, changes nothing.
func (d *Docket) reserve(ctx context.Context, j judged, now time.Time) error {
	var wanted []guardRow
	for _, s := range j.statements {
		if row, counts := guardedBy(j.file, s, reserved); counts {
			wanted = append(wanted, row)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	id := j.file.ID()
	err := d.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// One node at a time: whoever writes this row first is the only one that counts until it has reserved.
		if err := tx.Model(&houseRow{}).Where("id = 1").Update("id", 1).Error; err != nil {
			return err
		}
		if err := tx.Where("reseller_id = ? AND leaf_index < 0", id[:]).Delete(&guardRow{}).Error; err != nil {
			return err
		}
		house, err := d.houseIn(tx, id[:], now)
		if err != nil {
			return err
		}
		guard := d.InForce().Guard
		for _, row := range wanted {
			switch escalation.GuardKind(row.Kind) {
			case escalation.GuardFindings:
				if house.GuardsFindings(guard, now) {
					return errGuarded
				}
			case escalation.GuardTerminations:
				if kind, _ := house.Guard(guard, escalation.StepTerminate, int(row.Accounts), now); kind != "" {
					return errGuarded
				}
			default:
				if kind, _ := house.Guard(guard, escalation.StepClose, int(row.Accounts), now); kind != "" {
					return errGuarded
				}
			}
		}
		return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&wanted).Error
	})
	if err != nil && !errors.Is(err, errGuarded) {
		return fmt.Errorf("reserving what the guard counts of %s: %w", j.file.Entity, err)
	}
	return err
}

// releaseAfter is how long what was reserved is left alone: a statement that was appended may not have been folded yet.
const releaseAfter = time.Minute

// releaseIn gives back what was reserved for a reseller of which nothing must be stated. Where some of it is still left alone, it says
// when that may be given back; never otherwise.
func releaseIn(db *gorm.DB, id []byte, now time.Time) (again int64, err error) {
	left := func() *gorm.DB { return db.Where("reseller_id = ? AND leaf_index < 0", id) }
	if err := left().Where("at <= ?", now.Add(-releaseAfter).UnixMicro()).Delete(&guardRow{}).Error; err != nil {
		return never, fmt.Errorf("giving back what was reserved: %w", err)
	}
	var young []guardRow
	if err := left().Select("at").Order("at").Limit(1).Find(&young).Error; err != nil {
		return never, fmt.Errorf("looking for what is reserved: %w", err)
	}
	if len(young) == 0 {
		return never, nil
	}
	return young[0].At + releaseAfter.Microseconds(), nil
}

// reserved judges a file by what the guard has left for it, and reserves that.
func (d *Docket) reserved(ctx context.Context, file File, now time.Time) (judged, error) {
	id := file.ID()
	for range 10 {
		b, err := bearingIn(d.db.WithContext(ctx))
		if err != nil {
			return judged{}, err
		}
		if err := d.mayDecide(b); err != nil {
			return judged{}, err
		}
		house, err := d.houseIn(d.db.WithContext(ctx), id[:], now)
		if err != nil {
			return judged{}, err
		}
		if house.Holdings, err = d.holdings(ctx, file, now); err != nil {
			return judged{}, err
		}
		j, err := d.judge(file, house, now)
		if err == nil && escalation.ListsAccounts(j.statements) {
			if house.Holdings, err = d.list(ctx, file.ID(), house.Holdings, j.statements); err != nil {
				return judged{}, err
			}
			j, err = d.judge(file, house, now)
		}
		if j.bears = b; err != nil {
			return j, err
		}
		if escalation.ListsAccounts(j.statements) {
			continue // the records moved between counting and listing
		}
		if err = d.reserve(ctx, j, now); err == nil || !errors.Is(err, errGuarded) {
			return j, err
		}
	}
	return judged{}, fmt.Errorf("settling %s: %w ten times", file.Entity, errGuarded)
}

// covers says that what was reserved for one judgement is enough for another one.
func (j judged) covers(other judged) bool {
	has := map[string]bool{}
	for _, s := range j.statements {
		if row, counts := guardedBy(j.file, s, reserved); counts {
			has[row.JTI] = true
		}
	}
	for _, s := range other.statements {
		if row, counts := guardedBy(other.file, s, reserved); counts && !has[row.JTI] {
			return false
		}
	}
	return true
}

// forgetReserved gives back what was reserved for resellers about which something newer was folded: whatever was decided before that is
// in the ledger, or never will be.
func (r rows) forgetReserved(tx *gorm.DB) error {
	var left []guardRow
	if err := tx.Select("jti, reseller_id").Where("leaf_index < 0").Order("jti").Limit(page).Find(&left).Error; err != nil {
		return fmt.Errorf("looking for what was reserved: %w", err)
	}
	if len(left) == 0 {
		return nil
	}
	touched := make(map[string]bool, len(r.files))
	for _, file := range r.files {
		touched[string(file.ID)] = true
	}
	for _, row := range left {
		if !touched[string(row.ResellerID)] {
			continue
		}
		if err := tx.Where("jti = ? AND leaf_index < 0", row.JTI).Delete(&guardRow{}).Error; err != nil {
			return fmt.Errorf("giving back what was reserved: %w", err)
		}
	}
	return nil
}

// writeGuarded confirms what the fold found in the ledger, whoever reserved it.
func writeGuarded(tx *gorm.DB, rows []guardRow) error {
	if len(rows) == 0 {
		return nil
	}
	return tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "jti"}}, UpdateAll: true}).CreateInBatches(rows, writeBatch).Error
}

// tripAgain finds, after a rebuild, whether the guard on findings still holds: since two people last released it, findings were opened
// of as many resellers within its time as it lets through.
func (d *Docket) tripAgain(ctx context.Context) error {
	house, err := d.House(ctx)
	if err != nil {
		return err
	}
	brake := d.InForce().Guard.Findings
	if brake.Count == 0 {
		return nil
	}
	since := int64(0)
	for _, r := range house.Releases {
		if r.Guard == escalation.GuardFindings {
			since = max(since, r.Until.UnixMicro())
		}
	}
	allowed, within := brake.Allowed(house.Counts.Resellers), time.Duration(brake.Within).Microseconds()
	var window []guardRow
	for from := int64(-1); ; {
		var some []guardRow
		err := d.db.WithContext(ctx).Where("kind = ? AND at >= ? AND leaf_index > ?", escalation.GuardFindings, since, from).
			Order("leaf_index").Limit(page).Find(&some).Error
		if err != nil {
			return fmt.Errorf("looking whether the guard on findings holds: %w", err)
		}
		if len(some) == 0 {
			return nil
		}
		for _, row := range some {
			window = append(window, row)
			for window[0].At <= row.At-within {
				window = window[1:]
			}
			resellers := map[string]bool{}
			for _, one := range window {
				resellers[string(one.ResellerID)] = true
			}
			if len(resellers) >= allowed {
				err := d.db.WithContext(ctx).Model(&houseRow{}).Where("id = 1").Update("tripped_at", row.At).Error
				if err != nil {
					return fmt.Errorf("holding findings back again: %w", err)
				}
				return nil
			}
		}
		from = some[len(some)-1].LeafIndex
	}
}
