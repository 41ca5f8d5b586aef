package real

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/cmd/simulate/life"
)

// errKilled is what a node gets from the moment it is killed.
var errKilled = errors.New("killed")

// killer kills a node: at one of its steps, or when it states something.
type killer struct {
	after int // the steps that still succeed; negative: immortal
	steps int

	fault  life.Fault
	stated int  // how often it stated something in this sweep
	hit    bool // the fault has come
}

func (k *killer) step() error {
	k.steps++
	if k.after >= 0 && k.steps > k.after || k.hit {
		return errKilled
	}
	return nil
}

// mortal returns a handle to the store whose every statement is a step.
func (k *killer) mortal(db *gorm.DB) (*gorm.DB, error) {
	hook := func(tx *gorm.DB) {
		if err := k.step(); err != nil {
			_ = tx.AddError(err)
		}
	}
	fresh, err := gorm.Open(db.Dialector, &gorm.Config{SkipDefaultTransaction: true, TranslateError: true, ConnPool: db.ConnPool, Logger: db.Logger})
	if err != nil {
		return nil, fmt.Errorf("open a node's view of the store: %w", err)
	}
	callbacks := fresh.Callback()
	err = errors.Join(
		callbacks.Create().Before("gorm:create").Register("kill", hook),
		callbacks.Query().Before("gorm:query").Register("kill", hook),
		callbacks.Update().Before("gorm:update").Register("kill", hook),
		callbacks.Delete().Before("gorm:delete").Register("kill", hook),
	)
	if err != nil {
		return nil, fmt.Errorf("make a node mortal: %w", err)
	}
	return fresh, nil
}

// mortal is a node's ledger: its reads and appends are steps, before and after.
type mortal struct {
	*ledger.Ledger
	*killer
	engine *Engine
}

func (m *mortal) Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	return m.Ledger.Entries(ctx, from, limit, kinds...) //nolint:wrapcheck // the node must get what the ledger says
}

func (m *mortal) AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	hit := m.comes()
	switch {
	case hit && m.fault.What == life.Stands:
		m.engine.stood = &held{seen: seen, sets: sets}
		m.hit = true
		return nil, errKilled
	case hit && m.fault.What == life.KilledFirst:
		m.hit = true
		return nil, errKilled
	}
	receipts, err := m.Ledger.AppendAfter(ctx, seen, sets...)
	m.hit = m.hit || hit
	if killed := m.step(); killed != nil {
		return nil, killed
	}
	return receipts, err //nolint:wrapcheck // the node must get what the ledger says
}

func (m *mortal) AppendInTurn(ctx context.Context, seen ledger.Seen, decide ledger.Decider) ([]ledger.Receipt, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	hit := m.comes()
	switch {
	case hit && m.fault.What == life.KilledFirst:
		m.hit = true
		return nil, errKilled
	case hit && m.fault.What == life.Stands:
		m.hit = true
		_, err := m.Ledger.AppendInTurn(ctx, seen, func(newer []statement.Entry) ([]envelope.Verified, error) {
			sets, err := decide(newer)
			if len(newer) > 0 {
				seen.LeafIndex = newer[len(newer)-1].LeafIndex
			}
			m.engine.stood = &held{seen: seen, sets: sets}
			return nil, err
		})
		return nil, errors.Join(errKilled, err)
	}
	receipts, err := m.Ledger.AppendInTurn(ctx, seen, decide)
	m.hit = m.hit || hit
	if killed := m.step(); killed != nil {
		return nil, killed
	}
	return receipts, err //nolint:wrapcheck // the node must get what the ledger says
}

// comes says whether the fault comes now: at this time of stating something.
func (k *killer) comes() bool {
	now := k.fault.What != life.None && k.stated == k.fault.At
	k.stated++
	return now
}
