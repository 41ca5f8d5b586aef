package docket

import (
	"context"
	"fmt"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
)

// unfolded is how many entries about one reseller that no process has folded yet are read for one answer. There are more only while
// the docket is rebuilt, or a process folds after it was down for long.
const unfolded = 10 * page

// Introduced returns those of a reseller's customers that it has introduced: of whom a verification stands in the ledger, or what
// became of an account (statement.Introduces). The docket's own tables answer for what is folded, and the ledger for what was
// committed since, here or by another gateway; so whoever has a receipt is known. It is intake.ErrBusy while too much is not folded.
func (d *Docket) Introduced(ctx context.Context, of envelope.Entity, customers []string) (map[string]bool, error) {
	for {
		found, next, err := d.introduced(ctx, of, customers)
		if err != nil || len(found) == len(customers) {
			return found, err
		}
		again, err := d.folded(ctx)
		if err != nil || again >= next {
			return found, err
		}
		// A rebuild began meanwhile and emptied the tables: what they did not know says nothing.
	}
}

// introduced also returns the first leaf index that the tables did not answer for.
func (d *Docket) introduced(ctx context.Context, of envelope.Entity, customers []string) (found map[string]bool, next int64, err error) {
	if next, err = d.folded(ctx); err != nil { // before the tables: what is folded meanwhile is met twice, and nothing is missed
		return nil, 0, err
	}
	id := of.ID()
	records, keys := map[recordKey]history.Customer{}, make([]recordKey, len(customers))
	for i, customer := range customers {
		keys[i] = keyOf(id, customer)
	}
	if err := read(ctx, d.db, customersTable, keys, records); err != nil {
		return nil, 0, err
	}
	found, missing := map[string]bool{}, map[string]bool{}
	for i, customer := range customers {
		if records[keys[i]].Introduced() {
			found[customer] = true
		} else {
			missing[customer] = true
		}
	}
	for from, looked := next, 0; len(missing) > 0; {
		entries, err := d.ledger.About(ctx, id, from, page)
		if err != nil {
			return nil, 0, fmt.Errorf("reading what was stated since about %s: %w", of, err)
		}
		if len(entries) == 0 {
			break
		}
		if looked += len(entries); looked > unfolded {
			return nil, 0, fmt.Errorf("%w: more than %d statements of yours were taken and are not worked through yet, so it is not known whether one is about this customer", intake.ErrBusy, unfolded)
		}
		for _, e := range entries {
			if e.By == of && missing[e.Customer] && statement.Introduces(e.Statement.Kind()) {
				found[e.Customer] = true
				delete(missing, e.Customer)
			}
		}
		from = entries[len(entries)-1].LeafIndex + 1
	}
	return found, next, nil
}

// folded is the first leaf index that is not folded.
func (d *Docket) folded(ctx context.Context) (int64, error) {
	var cursor cursorRow
	if err := d.db.WithContext(ctx).Where("id = 1").Take(&cursor).Error; err != nil {
		return 0, fmt.Errorf("reading the docket's cursor: %w", err)
	}
	return cursor.NextLeaf, nil
}
