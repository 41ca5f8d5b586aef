package docket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// ErrNoOrder says that this gateway gave no such order.
var ErrNoOrder = errors.New("no order of this id")

// orderRow is an order as it is stored. The columns beside the record are what lists are found and ordered by.
type orderRow struct {
	JTI         string `gorm:"column:jti;primaryKey"`
	LeafIndex   int64
	ResellerID  []byte
	SuccessorID []byte
	CaseID      string
	Name        string
	State       string
	DueAt       int64
	Record      string
}

func (orderRow) TableName() string { return "docket_orders" }

func orderRowOf(o escalation.Ordered) (orderRow, error) {
	text, err := json.Marshal(o, json.Deterministic(true))
	if err != nil {
		return orderRow{}, fmt.Errorf("writing the order %s: %w", o.JTI, err)
	}
	id := o.About.ID()
	row := orderRow{JTI: o.JTI, LeafIndex: o.LeafIndex, ResellerID: id[:], SuccessorID: []byte{}, CaseID: o.Case, Name: o.Name, State: o.State(),
		DueAt: microsOrNever(o.DueAt), Record: string(text)}
	if o.Successor != "" {
		successor := o.Successor.ID()
		row.SuccessorID = successor[:]
	}
	return row, nil
}

func (row orderRow) toOrder() (o escalation.Ordered, err error) {
	if err := json.Unmarshal([]byte(row.Record), &o); err != nil {
		return o, fmt.Errorf("reading the order %s: %w", row.JTI, err)
	}
	return o, nil
}

// ordersOf folds a page of entries into the orders that they give, and into those that they say something of, and returns the rows of
// what changed. It reads what the page names, once.
func (d *Docket) ordersOf(ctx context.Context, entries []statement.Entry) ([]orderRow, error) {
	var named []string
	var withdrawn [][]byte // resellers of whom an order is withdrawn
	for _, e := range entries {
		if jti := escalation.OrderNamed(e); jti != "" {
			named = append(named, jti)
		}
		if _, is := e.Statement.(statement.OrderWithdrawn); is {
			id := e.About.ID()
			withdrawn = append(withdrawn, id[:])
		}
	}
	orders, err := d.readOrders(ctx, named, withdrawn)
	if err != nil {
		return nil, err
	}
	changed := map[string]bool{}
	for _, e := range entries {
		if id := escalation.OrderPolicy(e); id != "" {
			if o, is := escalation.OrderOf(e, d.confirmedWithin(id)); is {
				orders[o.JTI], changed[o.JTI] = o, true
			}
			continue
		}
		concerned := []string{escalation.OrderNamed(e)}
		if said, is := e.Statement.(statement.OrderWithdrawn); is {
			concerned = concerned[:0]
			for jti, o := range orders {
				if o.About == e.About && o.Case == said.Case && o.Name == said.Order {
					concerned = append(concerned, jti)
				}
			}
		}
		for _, jti := range concerned {
			if before, known := orders[jti]; known {
				if after := before.With(e); after != before {
					orders[jti], changed[jti] = after, true
				}
			}
		}
	}
	var rows []orderRow
	for _, jti := range slices.Sorted(maps.Keys(changed)) {
		row, err := orderRowOf(orders[jti])
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// readOrders reads the orders with these jtis, and those of these resellers that are not withdrawn yet.
func (d *Docket) readOrders(ctx context.Context, named []string, resellers [][]byte) (map[string]escalation.Ordered, error) {
	orders := map[string]escalation.Ordered{}
	keep := func(rows []orderRow) error {
		for _, row := range rows {
			o, err := row.toOrder()
			if err != nil {
				return err
			}
			orders[row.JTI] = o
		}
		return nil
	}
	for some := range slices.Chunk(named, page) {
		var rows []orderRow
		if err := d.db.WithContext(ctx).Where("jti IN ?", some).Order("jti").Limit(len(some)).Find(&rows).Error; err != nil {
			return nil, fmt.Errorf("reading orders: %w", err)
		}
		if err := keep(rows); err != nil {
			return nil, err
		}
	}
	for some := range slices.Chunk(resellers, page) {
		for after := int64(-1); ; {
			var rows []orderRow
			err := d.db.WithContext(ctx).Where("reseller_id IN ? AND state <> ? AND leaf_index > ?", some, escalation.OrderWithdrawn, after).
				Order("leaf_index").Limit(page).Find(&rows).Error
			if err != nil {
				return nil, fmt.Errorf("reading the orders of resellers: %w", err)
			}
			if err := keep(rows); err != nil {
				return nil, err
			}
			if len(rows) < page {
				break
			}
			after = rows[len(rows)-1].LeafIndex
		}
	}
	return orders, nil
}

// confirmedWithin is how long an order may stay unconfirmed by the policy that gave it, and by the one in force where that is not known.
func (d *Docket) confirmedWithin(id string) time.Duration {
	shelf := *d.shelves.Load()
	p, err := shelf.For(id)
	if err != nil {
		p = shelf.InForce()
	}
	return time.Duration(p.Rules.OrderOverdue.After.Value)
}

func writeOrders(tx *gorm.DB, rows []orderRow) error {
	if len(rows) == 0 {
		return nil
	}
	conflict := clause.OnConflict{Columns: []clause.Column{{Name: "jti"}}, UpdateAll: true}
	if err := tx.Clauses(conflict).CreateInBatches(rows, writeBatch).Error; err != nil {
		return fmt.Errorf("writing orders: %w", err)
	}
	return nil
}

// OrderFilter says which orders are listed: all if it is zero, else those that fit all that is given.
type OrderFilter struct {
	Reseller  *envelope.ID
	Successor *envelope.ID // who takes the customers of a hand-over
	State     string       // escalation.OrderOpen, OrderConfirmed, OrderWithdrawn, or OrdersOverdue
	Name      string
	Case      string
}

// OrdersOverdue are the open orders that should have been confirmed by now.
const OrdersOverdue = "overdue"

// Orders returns up to limit orders, the newest first: those before a leaf index, from the newest on if it is negative.
func (d *Docket) Orders(ctx context.Context, wanted OrderFilter, before int64, limit int) ([]escalation.Ordered, error) {
	query := d.db.WithContext(ctx).Order("leaf_index DESC").Limit(limit)
	if before >= 0 {
		query = query.Where("leaf_index < ?", before)
	}
	if wanted.Reseller != nil {
		query = query.Where("reseller_id = ?", wanted.Reseller[:])
	}
	if wanted.Successor != nil {
		query = query.Where("successor_id = ?", wanted.Successor[:])
	}
	switch wanted.State {
	case "":
	case OrdersOverdue:
		query = query.Where("state = 'open' AND due_at <= ?", d.now().UnixMicro())
	default:
		query = query.Where("state = ?", wanted.State)
	}
	if wanted.Name != "" {
		query = query.Where("name = ?", wanted.Name)
	}
	if wanted.Case != "" {
		query = query.Where("case_id = ?", wanted.Case)
	}
	var rows []orderRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	orders := make([]escalation.Ordered, len(rows))
	for i, row := range rows {
		var err error
		if orders[i], err = row.toOrder(); err != nil {
			return nil, err
		}
	}
	return orders, nil
}

// NamesOf returns the names under which these resellers enrolled; nothing of those that have no file.
func (d *Docket) NamesOf(ctx context.Context, resellers []envelope.Entity) (map[envelope.Entity]string, error) {
	var rows []struct{ Entity, Name string }
	if err := d.db.WithContext(ctx).Model(&fileRow{}).Select("entity, name").Where("entity IN ?", resellers).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("looking for the names of resellers: %w", err)
	}
	names := make(map[envelope.Entity]string, len(rows))
	for _, row := range rows {
		names[envelope.Entity(row.Entity)] = row.Name
	}
	return names, nil
}

// Order returns one order, or ErrNoOrder.
func (d *Docket) Order(ctx context.Context, jti string) (escalation.Ordered, error) {
	var row orderRow
	err := d.db.WithContext(ctx).Where("jti = ?", jti).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return escalation.Ordered{}, fmt.Errorf("%w: wanted the jti of an order. GET /v1/orders lists them", ErrNoOrder)
	}
	if err != nil {
		return escalation.Ordered{}, fmt.Errorf("looking for an order: %w", err)
	}
	return row.toOrder()
}
