package docket

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/resellers/history"
)

// Country is how many parties of all resellers belong to one country.
type Country struct {
	Country       string // ISO 3166-1 alpha-2
	Customers     int64
	ForeignOwners int64 // beneficial owners that were not found to be U.S. persons
}

type countryRow struct {
	Country       string `gorm:"primaryKey"`
	Customers     int64
	ForeignOwners int64
}

func (countryRow) TableName() string { return "docket_countries" }

// maxCountries is how many codes of two letters there are.
const maxCountries = 26 * 26

// Countries returns where customers and owners belong, over all resellers: what a certification has to state (15 CFR
// 7.304, proposed). Countries of nobody are not in it. It reads counters.
func (d *Docket) Countries(ctx context.Context) ([]Country, error) {
	var rows []countryRow
	if err := d.db.WithContext(ctx).Order("country").Limit(maxCountries).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading the countries of customers: %w", err)
	}
	countries := make([]Country, len(rows))
	for i, row := range rows {
		countries[i] = Country(row)
	}
	return countries, nil
}

// moved is what the folded entries changed about the countries: of each file what it counts now, less what it counted.
func (s *sheet) moved() []countryRow {
	changes := map[string]countryRow{}
	count := func(f history.Figures, sign int64) {
		for country, n := range f.CustomersByCountry {
			row := changes[country]
			row.Customers += sign * int64(n)
			changes[country] = row
		}
		for country, n := range f.ForeignOwnersByCountry {
			row := changes[country]
			row.ForeignOwners += sign * int64(n)
			changes[country] = row
		}
	}
	for entity := range s.touched {
		count(s.read[entity], -1)
		count(s.files[entity].History.Figures, +1)
	}
	var rows []countryRow
	for _, country := range slices.Sorted(maps.Keys(changes)) {
		if row := changes[country]; row != (countryRow{}) {
			row.Country = country
			rows = append(rows, row)
		}
	}
	return rows
}

// writeCountries adds to the counters. A country of nobody is taken away, so that the rows follow from the ledger and not
// from where its pages ended.
func writeCountries(tx *gorm.DB, added []countryRow) error {
	if len(added) == 0 {
		return nil
	}
	err := tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "country"}}, DoUpdates: clause.Assignments(map[string]any{
		"customers":      gorm.Expr("docket_countries.customers + excluded.customers"),
		"foreign_owners": gorm.Expr("docket_countries.foreign_owners + excluded.foreign_owners"),
	})}).Create(&added).Error
	if err != nil {
		return fmt.Errorf("counting countries: %w", err)
	}
	if err := tx.Where("customers = 0 AND foreign_owners = 0").Delete(&countryRow{}).Error; err != nil {
		return fmt.Errorf("counting countries: %w", err)
	}
	return nil
}
