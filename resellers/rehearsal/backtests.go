package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Backtest is one that an officer asked the gateway for. Its outcome is in the ledger, the whole report here.
type Backtest struct {
	ID      string
	Policy  string
	Digest  string
	By      statement.Officer
	Reason  string
	AskedAt time.Time
	State   State
	Done    int // resellers replayed
	Of      int
	Report  *backtest.Report // once it is done
	Failure string           // why it failed
	// Leaf is where the ledger says what came of it; -1 while it does not.
	Leaf int64
}

// State is how far a backtest has come.
type State string

// The states of a backtest.
const (
	Asked   State = "asked"
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
)

type backtestRow struct {
	ID          string `gorm:"primaryKey"`
	Policy      string
	Digest      string
	Document    string
	Officer     string
	OfficerName string
	Reason      string
	AskedAt     int64
	State       string
	LeasedUntil int64
	Done        int64
	OfAll       int64
	Report      string
	Failure     string
	LeafIndex   int64
}

func (backtestRow) TableName() string { return "rehearsal_backtests" }

func (row backtestRow) toBacktest() (Backtest, error) {
	b := Backtest{ID: row.ID, Policy: row.Policy, Digest: row.Digest, By: statement.Officer{ID: row.Officer, Name: row.OfficerName}, Reason: row.Reason,
		AskedAt: time.UnixMicro(row.AskedAt).UTC(), State: State(row.State), Done: int(row.Done), Of: int(row.OfAll), Failure: row.Failure, Leaf: row.LeafIndex}
	if row.Report == "" {
		return b, nil
	}
	b.Report = &backtest.Report{}
	if err := json.Unmarshal([]byte(row.Report), b.Report); err != nil {
		return b, fmt.Errorf("reading the report of backtest %s: %w", row.ID, err)
	}
	return b, nil
}

// maxAsked is how many backtests may wait at once: each replays the whole ledger.
const maxAsked = 10

// Ask asks the gateway for a backtest of p. Run makes it. Errors wrap ErrRefused.
func (r *Rehearsal) Ask(ctx context.Context, by statement.Officer, p policy.Policy, reason string) (Backtest, error) {
	if strings.TrimSpace(reason) == "" {
		return Backtest{}, refused("reason: wanted why this is tried, got nothing")
	}
	var waiting int64
	if err := r.DB.WithContext(ctx).Model(&backtestRow{}).Where("state IN ?", []State{Asked, Running}).Count(&waiting).Error; err != nil {
		return Backtest{}, fmt.Errorf("counting backtests that wait: %w", err)
	}
	if waiting >= maxAsked {
		return Backtest{}, refused("backtest: %d wait already, which is as many as may. Wait until one is done", waiting)
	}
	number, err := uuid.NewV7()
	if err != nil {
		return Backtest{}, fmt.Errorf("making a backtest's id: %w", err)
	}
	row := backtestRow{ID: number.String(), Policy: p.ID(), Digest: p.Digest(), Document: p.Document(), Officer: by.ID, OfficerName: by.Name, Reason: reason,
		AskedAt: r.Now().UnixMicro(), State: string(Asked), LeafIndex: -1}
	if err := r.DB.WithContext(ctx).Create(&row).Error; err != nil {
		return Backtest{}, fmt.Errorf("asking for a backtest: %w", err)
	}
	select {
	case r.asked <- struct{}{}:
	default: // it is awake already
	}
	return row.toBacktest()
}

// Backtest returns one; ErrNotFound if there is none.
func (r *Rehearsal) Backtest(ctx context.Context, id string) (Backtest, error) {
	var row backtestRow
	err := r.DB.WithContext(ctx).Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Backtest{}, fmt.Errorf("%w: wanted the id of a backtest. GET /v1/policies/backtests lists them", ErrNotFound)
	}
	if err != nil {
		return Backtest{}, fmt.Errorf("looking for a backtest: %w", err)
	}
	return row.toBacktest()
}

// Backtests lists the latest, the newest first, without their reports.
func (r *Rehearsal) Backtests(ctx context.Context, limit int) ([]Backtest, error) {
	var rows []backtestRow
	if err := r.DB.WithContext(ctx).Omit("report", "document").Order("asked_at DESC, id DESC").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing backtests: %w", err)
	}
	all := make([]Backtest, len(rows))
	for i, row := range rows {
		var err error
		if all[i], err = row.toBacktest(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// lease is how long a process that makes a backtest may be silent before another one begins it again; it renews it as it goes.
const lease = time.Minute

// Woken is told when a backtest was asked for in this process.
func (r *Rehearsal) Woken() <-chan struct{} { return r.asked }

// Run makes the backtest that waits longest, if one does, and records in the ledger what came of it. machine is the machine's clock, by
// which leases run: a sandbox's may be moved. It says whether there was one.
func (r *Rehearsal) Run(ctx context.Context, machine func() time.Time) (ran bool, err error) {
	row, found, err := r.take(ctx, machine())
	if err != nil || !found {
		return false, err
	}
	report, err := r.replay(ctx, row, machine)
	if ctx.Err() != nil {
		return true, ctx.Err() // it is taken up again by whoever comes first
	}
	if err != nil {
		failed := r.DB.WithContext(ctx).Model(&backtestRow{}).Where("id = ?", row.ID).Updates(map[string]any{"state": Failed, "failure": err.Error(), "leased_until": 0}).Error
		return true, errors.Join(fmt.Errorf("backtest of %s: %w", row.Policy, err), failed)
	}
	leaf, err := r.record(ctx, row, report)
	if err != nil {
		return true, err
	}
	text, err := json.Marshal(report, json.Deterministic(true))
	if err != nil {
		return true, fmt.Errorf("writing the report of a backtest: %w", err)
	}
	err = r.DB.WithContext(ctx).Model(&backtestRow{}).Where("id = ?", row.ID).Updates(map[string]any{
		"state": Done, "report": string(text), "leaf_index": leaf, "done": report.Resellers, "of_all": report.Resellers, "leased_until": 0}).Error
	if err != nil {
		return true, fmt.Errorf("keeping the report of a backtest: %w", err)
	}
	return true, nil
}

// take leases the backtest that waits longest, or whose process fell silent.
func (r *Rehearsal) take(ctx context.Context, now time.Time) (row backtestRow, found bool, err error) {
	for {
		var next backtestRow
		err := r.DB.WithContext(ctx).Where("state IN ? AND leased_until < ?", []State{Asked, Running}, now.UnixMicro()).Order("asked_at, id").Limit(1).Take(&next).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return next, false, nil
		}
		if err != nil {
			return next, false, fmt.Errorf("looking for a backtest to make: %w", err)
		}
		taken := r.DB.WithContext(ctx).Model(&backtestRow{}).Where("id = ? AND leased_until = ?", next.ID, next.LeasedUntil).
			Updates(map[string]any{"state": Running, "leased_until": now.Add(lease).UnixMicro()})
		if taken.Error != nil {
			return next, false, fmt.Errorf("taking a backtest: %w", taken.Error)
		}
		if taken.RowsAffected == 1 {
			return next, true, nil
		}
	}
}

// told is how often, at most, is written down how far a backtest has come.
const told = time.Second

func (r *Rehearsal) replay(ctx context.Context, row backtestRow, machine func() time.Time) (backtest.Report, error) {
	p, err := policy.Parse([]byte(row.Document))
	if err != nil {
		return backtest.Report{}, err
	}
	last := machine()
	var failed error
	report, err := r.Docket.Backtest(ctx, p, r.Now(), func(done, of int) {
		if now := machine(); now.Sub(last) >= told {
			last = now
			failed = errors.Join(failed, r.DB.WithContext(ctx).Model(&backtestRow{}).Where("id = ?", row.ID).
				Updates(map[string]any{"done": done, "of_all": of, "leased_until": now.Add(lease).UnixMicro()}).Error)
		}
	})
	return report, errors.Join(err, failed)
}

// record states what came of a backtest. Made twice, it is stated once.
func (r *Rehearsal) record(ctx context.Context, row backtestRow, report backtest.Report) (leaf int64, err error) {
	count := func(name string, was, would int) []statement.Field {
		return []statement.Field{field(name+"_was", fmt.Sprint(was)), field(name+"_would", fmt.Sprint(would))}
	}
	details := []statement.Field{field("digest", row.Digest), field("until", shown(report.Until)), field("resellers", fmt.Sprint(report.Resellers)),
		field("entries", fmt.Sprint(report.Entries)), field("differing", fmt.Sprint(report.Differing))}
	details = append(details, count("warned", report.Was.Warned, report.Would.Warned)...)
	details = append(details, count("restricted", report.Was.Restricted, report.Would.Restricted)...)
	details = append(details, count("closing", report.Was.Closing, report.Would.Closing)...)
	details = append(details, count("terminated", report.Was.Terminated, report.Would.Terminated)...)
	set, err := r.sign(row.ID, statement.OfficerAction{Officer: statement.Officer{ID: row.Officer, Name: row.OfficerName}, Action: ActionBacktested,
		On: statement.Target{Type: "policy", ID: row.Policy}, Reason: row.Reason, Details: details})
	if err != nil {
		return -1, err
	}
	receipts, err := r.Ledger.Append(ctx, set)
	if twin := (*ledger.TwinError)(nil); errors.As(err, &twin) {
		return twin.First.LeafIndex, nil // another process made it too, a moment before or after
	}
	if err != nil {
		return -1, fmt.Errorf("recording a backtest: %w", err)
	}
	return receipts[0].LeafIndex, nil
}
