package docket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
	"github.com/cipgate/cipgate/resellers/policy"
)

// ErrNoObligation says that no obligation has this id.
var ErrNoObligation = errors.New("no such obligation")

const obligationsTable = "docket_obligations"

// obligationRow is an obligation as it is stored; the record is all of it.
type obligationRow struct {
	ID       string `gorm:"primaryKey"`
	AboutID  []byte
	Kind     string
	OpenedAt int64
	DueAt    int64
	ClosedAt int64
	Record   string
}

func (obligationRow) TableName() string { return obligationsTable }

func obligationRowOf(o obligations.Obligation) (obligationRow, error) {
	text, err := json.Marshal(o, json.Deterministic(true))
	if err != nil {
		return obligationRow{}, fmt.Errorf("writing an obligation: %w", err)
	}
	id := o.About.ID()
	return obligationRow{ID: o.ID, AboutID: id[:], Kind: o.Kind, OpenedAt: o.OpenedAt.UnixMicro(), DueAt: o.DueAt.UnixMicro(),
		ClosedAt: microsOrZero(o.Closed.At), Record: string(text)}, nil
}

func (row obligationRow) toObligation() (o obligations.Obligation, err error) {
	if err := json.Unmarshal([]byte(row.Record), &o); err != nil {
		return o, fmt.Errorf("reading obligation %s: %w", row.ID, err)
	}
	return o, nil
}

// dutySheet is where a page of entries is folded into obligations, by the policy that was in force at each of them.
type dutySheet struct {
	inForce *policy.Policy // nil: obligations are not folded here
	moved   []duty
}

// duty is what one entry changes: what it opens, or which obligation it may end.
type duty struct {
	opened []obligations.Obligation
	ends   string
	entry  statement.Entry
	policy *policy.Policy
}

// obliging begins to fold obligations, from the policy that was in force where the page begins.
func (s *sheet) obliging(ctx context.Context) error {
	var row houseRow
	if err := s.docket.db.WithContext(ctx).Select("policy").Where("id = 1").Take(&row).Error; err != nil {
		return fmt.Errorf("reading which policy was in force: %w", err)
	}
	p, err := s.docket.policyNamed(ctx, row.Policy)
	s.duties.inForce = &p
	return err
}

// policyNamed returns a policy that was ever in force here, also one that another process activated since this one began; the one in
// force if none is named, since none was activated yet.
func (d *Docket) policyNamed(ctx context.Context, id string) (policy.Policy, error) {
	p, err := d.shelves.Load().For(id)
	if err == nil {
		return p, nil
	}
	all, _, errAll := Activations(ctx, d.ledger, d.self)
	if errAll != nil {
		return policy.Policy{}, errAll
	}
	for _, a := range slices.Backward(all) {
		if a.Policy.ID() == id {
			return a.Policy, nil
		}
	}
	return policy.Policy{}, err
}

// oblige notes what an entry changes of obligations. before and after are the case of the reseller that it is about.
func (s *sheet) oblige(before, after escalation.Case, e statement.Entry) error {
	if s.duties.inForce == nil {
		return nil
	}
	moved := duty{entry: e}
	if e.About == s.docket.self {
		if said, is := e.Statement.(statement.PolicyActivated); is && e.By == e.About {
			p, err := policy.ParseEarlier([]byte(said.Document))
			if err != nil {
				return fmt.Errorf("reading policy %s back from the ledger: %w", said.Policy, err)
			}
			s.duties.inForce = &p
		}
		if e.By == s.docket.self {
			moved.opened = obligations.OpenedByHouse(s.duties.inForce, e)
		}
	} else {
		moved.opened = obligations.Opened(s.duties.inForce, before, after, e)
	}
	if e.By == s.docket.self {
		moved.ends, _ = obligations.Ends(e)
	}
	if moved.policy = s.duties.inForce; len(moved.opened) > 0 || moved.ends != "" {
		s.duties.moved = append(s.duties.moved, moved)
	}
	return nil
}

// obligations folds what the page changed into what is stored, in the order of the ledger, and returns the rows that differ.
func (s *sheet) obligations(ctx context.Context) ([]obligationRow, error) {
	if len(s.duties.moved) == 0 {
		return nil, nil
	}
	held, err := s.docket.obligationsOf(ctx, s.duties.moved)
	if err != nil {
		return nil, err
	}
	changed := map[string]bool{}
	take := func(o obligations.Obligation) {
		if _, known := held[o.ID]; !known { // opened twice is opened once
			held[o.ID], changed[o.ID] = o, true
		}
	}
	for _, moved := range s.duties.moved {
		for _, o := range moved.opened {
			take(o)
		}
		before, known := held[moved.ends]
		if !known {
			continue
		}
		if after := before.With(moved.entry); after.Closed.How != before.Closed.How {
			held[after.ID], changed[after.ID] = after, true
			if next, follows := after.Follows(moved.policy); follows {
				take(next)
			}
		}
	}
	var rows []obligationRow
	for id := range changed {
		row, err := obligationRowOf(held[id])
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b obligationRow) int { return strings.Compare(a.ID, b.ID) })
	return rows, nil
}

// obligationsOf reads those that a page may change, by id.
func (d *Docket) obligationsOf(ctx context.Context, moved []duty) (map[string]obligations.Obligation, error) {
	var ids []string
	for _, m := range moved {
		for _, o := range m.opened {
			ids = append(ids, o.ID)
		}
		if m.ends != "" {
			ids = append(ids, m.ends)
		}
	}
	held := map[string]obligations.Obligation{}
	for some := range slices.Chunk(ids, page) {
		var rows []obligationRow
		if err := d.db.WithContext(ctx).Where("id IN ?", some).Order("id").Limit(len(some)).Find(&rows).Error; err != nil {
			return nil, fmt.Errorf("reading obligations: %w", err)
		}
		for _, row := range rows {
			o, err := row.toObligation()
			if err != nil {
				return nil, err
			}
			held[row.ID] = o
		}
	}
	return held, nil
}

func writeObligations(tx *gorm.DB, rows []obligationRow) error {
	if len(rows) == 0 {
		return nil
	}
	err := tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, UpdateAll: true}).CreateInBatches(rows, writeBatch).Error
	if err != nil {
		return fmt.Errorf("writing obligations: %w", err)
	}
	return nil
}

// Wanted says which obligations a list holds. The zero Wanted is all.
type Wanted struct {
	About *envelope.ID // of one reseller, or of the gateway
	Kind  string
	State obligations.State // Open is every one that is open, Overdue those whose date has passed; else how it ended
}

// DuePlace is where a list of obligations goes on: behind the one with this date and id.
type DuePlace struct {
	DueAt time.Time
	ID    string
}

// Obligations returns up to limit obligations behind a place, the one that is due first first.
func (d *Docket) Obligations(ctx context.Context, wanted Wanted, after *DuePlace, limit int) ([]obligations.Obligation, error) {
	query := d.db.WithContext(ctx).Order("due_at, id").Limit(limit)
	if wanted.About != nil {
		query = query.Where("about_id = ?", wanted.About[:])
	}
	if wanted.Kind != "" {
		query = query.Where("kind = ?", wanted.Kind)
	}
	switch wanted.State {
	case obligations.Open:
		query = query.Where("closed_at = 0")
	case obligations.Overdue:
		query = query.Where("closed_at = 0 AND due_at < ?", d.now().UnixMicro())
	case obligations.State(obligations.Fulfilled), obligations.State(obligations.Waived):
		query = query.Where("closed_at > 0")
	}
	if after != nil {
		query = query.Where("(due_at, id) > (?, ?)", after.DueAt.UnixMicro(), after.ID)
	}
	var rows []obligationRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing obligations: %w", err)
	}
	all := make([]obligations.Obligation, len(rows))
	for i, row := range rows {
		var err error
		if all[i], err = row.toObligation(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Obligation returns one obligation. Errors wrap ErrNoObligation.
func (d *Docket) Obligation(ctx context.Context, id string) (obligations.Obligation, error) {
	var row obligationRow
	err := d.db.WithContext(ctx).Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return obligations.Obligation{}, ErrNoObligation
	}
	if err != nil {
		return obligations.Obligation{}, fmt.Errorf("reading an obligation: %w", err)
	}
	return row.toObligation()
}
