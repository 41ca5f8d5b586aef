package docket

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/history"
)

// ErrNoCustomer says that nothing was stated about such a customer.
var ErrNoCustomer = errors.New("nothing was stated about this customer")

// CustomerFilter says which customers of a reseller are listed: all if it is zero, else those that fit all that is given.
type CustomerFilter struct {
	ID         string        // exactly
	State      CustomerState // one of the three
	Country    string        // ISO 3166-1 alpha-2
	RiskTier   string        // low, medium, high: of those that are verified, the oldest verification first
	Unverified bool          // with an open account, and not verified though it should be: the longest first
}

// ranks is by what a list is ordered before the id, if by anything: the column and a customer's value in it.
func (f CustomerFilter) ranks() (column string, rank func(history.Customer) int64) {
	switch {
	case f.Unverified:
		return "unverified_since", unverifiedSince
	case f.RiskTier != "":
		return "verified_on", verifiedOn
	}
	return "", func(history.Customer) int64 { return 0 }
}

// CustomerPlace is where a list of customers goes on: after the one with this id.
type CustomerPlace struct {
	Rank     int64 // what comes before the id in the list's order
	Customer string
}

// PlaceOf is a customer's place in the list of a filter.
func (f CustomerFilter) PlaceOf(c history.Customer) CustomerPlace {
	_, rank := f.ranks()
	return CustomerPlace{Rank: rank(c), Customer: c.ID}
}

// Customers returns up to limit customers of a reseller after a place, those that have waited longest first where the
// filter says so, else ordered by id.
func (d *Docket) Customers(ctx context.Context, reseller envelope.ID, wanted CustomerFilter, after *CustomerPlace, limit int) ([]history.Customer, error) {
	query := wanted.where(d.db.WithContext(ctx), reseller)
	begin := CustomerPlace{}
	if after != nil {
		begin = *after
	}
	if column, _ := wanted.ranks(); column == "" {
		query = query.Where("key > ?", []byte(keyOf(reseller, begin.Customer))).Order("key")
	} else {
		query = query.Where("("+column+", key) > (?, ?)", begin.Rank, []byte(keyOf(reseller, begin.Customer))).Order(column + ", key")
	}
	var rows []customerRow
	if err := query.Select("record").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing customers: %w", err)
	}
	customers := make([]history.Customer, len(rows))
	for i, row := range rows {
		var err error
		if customers[i], err = recordOf[history.Customer](row.Record); err != nil {
			return nil, err
		}
	}
	return customers, nil
}

func (f CustomerFilter) where(query *gorm.DB, reseller envelope.ID) *gorm.DB {
	if f.State == "" && f.Country == "" && f.RiskTier == "" && !f.Unverified {
		query = query.Where("key < ?", []byte(keyOf(reseller, behindReseller))) // all of them, and no other index but the keys' own
	} else {
		query = query.Where("reseller_id = ?", reseller[:])
	}
	if f.ID != "" {
		query = query.Where("key = ?", []byte(keyOf(reseller, f.ID)))
	}
	if f.State != "" {
		query = query.Where("state = ?", f.State)
	}
	if f.Country != "" {
		query = query.Where("country = ?", f.Country)
	}
	if f.RiskTier != "" {
		query = query.Where("risk_tier = ? AND verified_on > 0", f.RiskTier)
	}
	if f.Unverified {
		query = query.Where("unverified_since > 0")
	}
	return query
}

// Customer returns what was stated about one customer, or ErrNoCustomer.
func (d *Docket) Customer(ctx context.Context, reseller envelope.ID, customer string) (history.Customer, error) {
	var row customerRow
	err := d.db.WithContext(ctx).Select("record").Where("key = ?", []byte(keyOf(reseller, customer))).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return history.Customer{}, ErrNoCustomer
	}
	if err != nil {
		return history.Customer{}, fmt.Errorf("reading a customer: %w", err)
	}
	return recordOf[history.Customer](row.Record)
}

// Owners returns a customer's beneficial owners, ordered by id: at most limit.
func (d *Docket) Owners(ctx context.Context, reseller envelope.ID, customer string, limit int) ([]history.Owner, error) {
	return parts[history.Owner](ctx, d.db, ownersTable, reseller, customer, limit)
}

// Accounts returns a customer's accounts, ordered by id: at most limit.
func (d *Docket) Accounts(ctx context.Context, reseller envelope.ID, customer string, limit int) ([]history.Account, error) {
	return parts[history.Account](ctx, d.db, accountsTable, reseller, customer, limit)
}

func parts[R any](ctx context.Context, db *gorm.DB, table string, reseller envelope.ID, customer string, limit int) ([]R, error) {
	var rows []partRow
	err := db.WithContext(ctx).Table(table).Select("record").
		Where("key > ? AND key < ?", []byte(keyOf(reseller, customer, "")), []byte(keyOf(reseller, customer+behindCustomer))).
		Order("key").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", table, err)
	}
	found := make([]R, len(rows))
	for i, row := range rows {
		if found[i], err = recordOf[R](row.Record); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Trainings returns AI trainings that a reseller reported, the newest first: those first reported before this leaf index,
// for all of its customers or, unless it is "", for one. At most limit.
func (d *Docket) Trainings(ctx context.Context, reseller envelope.ID, customer string, before int64, limit int) ([]history.Training, error) {
	query := d.db.WithContext(ctx).Select("record").Where("reseller_id = ? AND first_leaf < ?", reseller[:], before)
	if customer != "" {
		query = query.Where("customer = ?", customer)
	}
	var rows []trainingRow
	if err := query.Order("first_leaf DESC").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing AI trainings: %w", err)
	}
	trainings := make([]history.Training, len(rows))
	for i, row := range rows {
		var err error
		if trainings[i], err = recordOf[history.Training](row.Record); err != nil {
			return nil, err
		}
	}
	return trainings, nil
}
