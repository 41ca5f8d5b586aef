package docket

import (
	"context"
	"fmt"
)

// Answered is a reseller whose answers wait for an officer: file.Case.Reviews, the oldest first.
type Answered struct {
	File  File
	Place AskedPlace
}

// Answered returns up to limit resellers whose answers wait for an officer, the one that has waited longest first: those after a place.
func (d *Docket) Answered(ctx context.Context, after *AskedPlace, limit int) ([]Answered, error) {
	var all []Answered
	err := d.eachAsked(ctx, reviewAt, after, limit, func(row fileRow, file File) (more bool, err error) {
		if len(file.Case.Reviews) > 0 {
			all = append(all, Answered{File: file, Place: placeOf(row.ReviewAt, row.ID)})
		}
		return len(all) < limit, nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing what resellers answered: %w", err)
	}
	return all, nil
}
