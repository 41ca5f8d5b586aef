package docket

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/history"
)

// recordKey finds one record: the reseller's id, and behind it the ids of the customer, or training, and of what is the
// customer's, in the order of which lists are read. It is one value, so that a page of records is looked up by one list of
// them.
type recordKey string

func keyOf(reseller envelope.ID, ids ...string) recordKey {
	return recordKey(reseller[:]) + recordKey(strings.Join(ids, between))
}

func (k recordKey) reseller() envelope.ID { return envelope.ID([]byte(k[:len(envelope.ID{})])) }

const (
	between = "\x1f" // no id holds a control character
	// behind every key that begins with a reseller's id, since ids are UTF-8; and behind every one that begins with a customer
	behindReseller, behindCustomer = "\xff", "\x20"
)

// The rows, as they are stored. The columns beside the record are what lists are found and ordered by.
type (
	customerRow struct {
		Key             []byte `gorm:"primaryKey"`
		ResellerID      []byte
		State           string
		Country         string
		RiskTier        string
		VerifiedOn      int64
		AgainOn         int64
		UnverifiedSince int64
		AccountsOpen    int64
		Record          string
	}
	partRow struct {
		Key    []byte `gorm:"primaryKey"`
		Record string
	}
	trainingRow struct {
		Key        []byte `gorm:"primaryKey"`
		ResellerID []byte
		Customer   string
		FirstLeaf  int64
		ToJudge    int64
		Record     string
	}
)

func (customerRow) TableName() string { return customersTable }
func (trainingRow) TableName() string { return trainingsTable }

const (
	customersTable = "docket_customers"
	ownersTable    = "docket_owners"
	accountsTable  = "docket_accounts"
	trainingsTable = "docket_trainings"
)

// CustomerState is what is known of a customer: "verified", "not-verified", or "unstated" while no verification was stated.
type CustomerState string

// The states of a customer.
const (
	StateVerified    CustomerState = history.Verified
	StateNotVerified CustomerState = history.NotVerified
	StateUnstated    CustomerState = "unstated"
)

// StateOf is a customer's state.
func StateOf(c history.Customer) CustomerState {
	if c.Verification.Result == "" {
		return StateUnstated
	}
	return CustomerState(c.Verification.Result)
}

func customerRowOf(k recordKey, c history.Customer, record string) customerRow {
	return customerRow{Key: []byte(k), ResellerID: []byte(k[:len(envelope.ID{})]), State: string(StateOf(c)), Country: c.Verification.Home,
		RiskTier: c.Verification.RiskTier, VerifiedOn: verifiedOn(c), AgainOn: againOn(c), UnverifiedSince: unverifiedSince(c), AccountsOpen: int64(c.AccountsOpen), Record: record}
}

// verifiedOn is by what customers of a risk tier are ordered.
func verifiedOn(c history.Customer) int64 {
	if !c.Verification.Verified() {
		return 0
	}
	on := c.Verification.VerifiedOn
	return int64(on.Year*10_000 + int(on.Month)*100 + on.Day)
}

// unverifiedSince is by what customers are ordered that have an account and are not verified though they should be.
func unverifiedSince(c history.Customer) int64 {
	if c.UnverifiedSince.IsZero() {
		return 0
	}
	return c.UnverifiedSince.UnixMicro()
}

func partRowOf[R any](k recordKey, _ R, record string) partRow {
	return partRow{Key: []byte(k), Record: record}
}

func trainingRowOf(k recordKey, t history.Training, record string) trainingRow {
	return trainingRow{Key: []byte(k), ResellerID: []byte(k[:len(envelope.ID{})]), Customer: t.Customer, FirstLeaf: t.FirstLeaf, ToJudge: 1, Record: record}
}

// rowsOf writes records as they are stored, in one order in every process. Their JSON is deterministic, so that a rebuild
// gives the same bytes. What no entry has named, but those of a terminated reseller, is not stored.
func rowsOf[R, Row any](records map[recordKey]R, known func(R) bool, rowOf func(recordKey, R, string) Row) ([]Row, error) {
	keys := make([]recordKey, 0, len(records))
	for k, r := range records {
		if known(r) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	rows := make([]Row, len(keys))
	for i, k := range keys {
		text, err := json.Marshal(records[k], json.Deterministic(true))
		if err != nil {
			return nil, fmt.Errorf("writing a record of %s: %w", k.reseller(), err)
		}
		rows[i] = rowOf(k, records[k], string(text))
	}
	return rows, nil
}

// write stores rows in place of those with the same key.
func write[Row any](tx *gorm.DB, table string, rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	conflict := clause.OnConflict{Columns: []clause.Column{{Name: "key"}}, UpdateAll: true}
	return tx.Table(table).Clauses(conflict).CreateInBatches(rows, writeBatch).Error
}

// read adds to records those of a page of keys that are stored; the others become zero records. What is held already is not
// read again.
func read[R any](ctx context.Context, db *gorm.DB, table string, keys []recordKey, records map[recordKey]R) error {
	var wanted [][]byte
	for _, k := range keys {
		if _, held := records[k]; held {
			continue
		}
		var none R
		records[k] = none
		wanted = append(wanted, []byte(k))
	}
	for some := range slices.Chunk(wanted, page) {
		var rows []partRow
		if err := db.WithContext(ctx).Table(table).Select("key, record").Where("key IN ?", some).Order("key").Limit(len(some)).Find(&rows).Error; err != nil {
			return fmt.Errorf("reading %s: %w", table, err)
		}
		for _, row := range rows {
			record, err := recordOf[R](row.Record)
			if err != nil {
				return err
			}
			records[recordKey(row.Key)] = record
		}
	}
	return nil
}

func recordOf[R any](text string) (record R, err error) {
	if err := json.Unmarshal([]byte(text), &record); err != nil {
		return record, fmt.Errorf("reading a record of a customer back: %w", err)
	}
	return record, nil
}
