package delivery

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// A statement that PostgreSQL was once given stays prepared on the connection, here with its text and there with its plan, up to 512 of
// them. One for each number of notices that ever came together were megabytes on every connection, and growing for as long as new numbers
// come. So what holds a list comes in lengths that are powers of two.

// writeBatch is how many rows one statement stores. It keeps its parameters under SQLite's limit of 32,766.
const writeBatch = 128

// store writes rows, in as few statements as their lengths allow.
func store[Row any](tx *gorm.DB, rows []Row, clauses ...clause.Expression) error {
	for len(rows) > 0 {
		part := rows[:min(1<<(bits.Len(uint(len(rows)))-1), writeBatch)]
		if err := tx.Clauses(clauses...).Create(&part).Error; err != nil {
			return fmt.Errorf("storing %d rows: %w", len(part), err)
		}
		rows = rows[len(part):]
	}
	return nil
}

// padded is a list whose last is there again until its length is a power of two, for a statement to which it makes no difference.
func padded[T any](list []T) []T {
	if len(list) == 0 {
		return list
	}
	long := slices.Clip(list)
	for range 1<<bits.Len(uint(len(list)-1)) - len(list) {
		long = append(long, list[len(list)-1])
	}
	return long
}

// oneOf matches rows by keys of several columns, each key's parameters written as one. PostgreSQL looks up a list of values in a tenth of
// the time that as many alternatives take it.
func oneOf(tx *gorm.DB, columns, one string, keys [][]any) *gorm.DB {
	keys = padded(keys)
	return tx.Where("("+columns+") IN (VALUES "+strings.Repeat(one+", ", len(keys)-1)+one+")", slices.Concat(keys...)...)
}
