package ledger

import (
	"errors"

	"gorm.io/gorm"
)

// errStop ends each without an error.
var errStop = errors.New("enough rows")

// each calls read for every row of a query, with what scans that row, until read fails.
func each(query *gorm.DB, read func(scan func(...any) error) error) (err error) {
	rows, err := query.Rows()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := read(rows.Scan); errors.Is(err, errStop) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return rows.Err()
}

// first reads the first row of a query into one of this package's row types; ErrNotFound if there is none.
func first(query *gorm.DB, row any) error {
	result := query.Scan(row)
	if result.Error == nil && result.RowsAffected == 0 {
		return ErrNotFound
	}
	return result.Error
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
