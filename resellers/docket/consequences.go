package docket

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/obligations"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Consequences looks at every file as it would be judged now by the policy in force and by p, had p just been put in force: which
// findings open and close, which cases, which steps come when, which trainings become covered. It writes and states nothing. Cases that
// are open keep the policy that they are pinned to, so most often nothing of them moves. The guard is set aside, and what it would hold
// back is said beside.
func (d *Docket) Consequences(ctx context.Context, p policy.Policy) (backtest.Moves, error) {
	if err := d.CatchUp(ctx); err != nil {
		return backtest.Moves{}, err
	}
	now := d.now()
	before := *d.shelves.Load()
	after, err := d.readShelf(ctx, p)
	if err != nil {
		return backtest.Moves{}, err
	}
	house, err := d.House(ctx)
	if err != nil {
		return backtest.Moves{}, err
	}
	resellers, tripped := house.Counts.Resellers, house.Counts.Tripped
	house.Counts = escalation.Counts{}
	covered, err := d.coveredAnew(ctx, p, now)
	if err != nil {
		return backtest.Moves{}, err
	}
	moves := backtest.NewMoves(before.InForce(), p, now)
	sides, houses := [2]*Docket{d.judging(before), d.judging(after)}, [2]escalation.House{house, house}
	if p.ID() != before.InForce().ID() {
		houses[1] = house.PutInForce(p.ID(), now, math.MaxInt64) // behind all that the ledger holds
	}
	serious := 0
	for last := []byte{}; ; {
		var rows []fileRow
		if err := d.db.WithContext(ctx).Where("id > ?", last).Order("id").Limit(page).Find(&rows).Error; err != nil {
			return backtest.Moves{}, fmt.Errorf("reading the files: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		last = rows[len(rows)-1].ID
		looked, err := lookAt(ctx, rows, sides, houses, covered, now)
		if err != nil {
			return backtest.Moves{}, err
		}
		for _, l := range looked {
			if err := moves.Add(l.file.Entity, l.file.History.Name, l.states[0], l.states[1], covered[l.file.ID()]); err != nil {
				return backtest.Moves{}, err
			}
			if l.opensSerious() {
				serious++
			}
		}
	}
	begin, open, err := d.owedByHouse(ctx, p, now)
	if err != nil {
		return backtest.Moves{}, err
	}
	moves.House(begin, open)
	told := moves.End()
	told.Guard = append(told.Guard, guarded(p.Guard, resellers, serious, tripped, told.Totals)...)
	return told, nil
}

// judging is the same docket with another shelf: it is only asked, it folds and states nothing.
func (d *Docket) judging(shelf policy.Shelf) *Docket {
	other := &Docket{db: d.db, ledger: d.ledger, signer: d.signer, self: d.self, now: d.now}
	other.shelves.Store(&shelf)
	return other
}

// looked is a file with how it stands and what comes, by two policies.
type looked struct {
	file   File
	states [2]backtest.State
}

// opensSerious says whether the guard would count the reseller: a finding that is not minor opens that else would not.
func (l looked) opensSerious() bool {
	was := map[string]bool{}
	for _, f := range l.states[0].Case.Findings {
		was[f.ID] = true
	}
	for _, f := range l.states[1].Case.Findings {
		if !was[f.ID] && f.Severity != string(policy.Minor) {
			return true
		}
	}
	return false
}

// lookAt judges a page of files by both, side by side.
func lookAt(ctx context.Context, rows []fileRow, sides [2]*Docket, houses [2]escalation.House, covered map[envelope.ID][]backtest.Covered, now time.Time) ([]looked, error) {
	all := make([]looked, len(rows))
	looks, ctx := errgroup.WithContext(ctx)
	looks.SetLimit(runtime.GOMAXPROCS(0))
	for i, row := range rows {
		looks.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			file, err := row.toFile()
			if err != nil {
				return err
			}
			for side, docket := range sides {
				file.House = houses[side]
				all[i].file = file
				if all[i].states[side], err = docket.foreseen(file, houses[side], now); err != nil {
					return fmt.Errorf("judging %s: %w", file.Entity, err)
				}
			}
			all[i].states[1].Opened = append(all[i].states[1].Opened, sides[1].owedAnew(file, covered[file.ID()], now)...)
			return nil
		})
	}
	return all, looks.Wait()
}

// owedAnew is what the provider owes by the trainings of a reseller that become covered.
func (d *Docket) owedAnew(file File, covered []backtest.Covered, now time.Time) (opened []obligations.Obligation) {
	p := d.InForce()
	for _, training := range covered {
		said := statement.TransactionCovered{Transaction: training.Transaction, Ground: statement.CoveredAnew}
		opened = append(opened, obligations.Opened(&p, file.Case, file.Case, statement.Entry{AcceptedAt: now, About: file.Entity, By: d.self, Statement: said})...)
	}
	return opened
}

// foreseen is how a file will stand once all that must be stated now is stated, what the provider owes by that, and what comes after it.
func (d *Docket) foreseen(file File, house escalation.House, now time.Time) (backtest.State, error) {
	j, err := d.judge(file, house, now)
	if err != nil {
		return backtest.State{}, err
	}
	var opened []obligations.Obligation
	p := d.InForce()
	for _, s := range j.statements {
		entry := statement.Entry{LeafIndex: file.History.Next, AcceptedAt: now, About: file.Entity, By: d.self, Statement: s}
		before := file.Case
		file = file.with(entry)
		opened = append(opened, obligations.Opened(&p, before, file.Case, entry)...)
	}
	prospect, err := d.Outlook(file)
	return backtest.State{Case: file.Case, Prospect: prospect, Opened: opened}, err
}

// owedByHouse returns what the activation of p would open for the gateway itself, and how many obligations are open.
func (d *Docket) owedByHouse(ctx context.Context, p policy.Policy, now time.Time) (begin []obligations.Obligation, open int, err error) {
	var count int64
	if err := d.db.WithContext(ctx).Model(&obligationRow{}).Where("closed_at = 0").Count(&count).Error; err != nil {
		return nil, 0, fmt.Errorf("counting the obligations that are open: %w", err)
	}
	for _, o := range obligations.OpenedByHouse(&p, statement.Entry{AcceptedAt: now, About: d.self, By: d.self, Statement: statement.PolicyActivated{Policy: p.ID()}}) {
		switch _, err := d.Obligation(ctx, o.ID); {
		case errors.Is(err, ErrNoObligation):
			begin = append(begin, o)
		case err != nil:
			return nil, 0, err
		}
	}
	return begin, int(count), nil
}

// coveredAnew finds the trainings that were reported and become covered by p's definition, by reseller, with when each is to be
// reported by.
func (d *Docket) coveredAnew(ctx context.Context, p policy.Policy, now time.Time) (map[envelope.ID][]backtest.Covered, error) {
	found := map[envelope.ID][]backtest.Covered{}
	all, err := d.definitionsNow(ctx)
	if err != nil {
		return nil, err
	}
	definition := definition{leaf: math.MaxInt64, policy: p, covered: p.Rules.ReportLate.Covered}
	if len(all) > 0 && all[len(all)-1].covered.Definition() == definition.covered.Definition() {
		return found, nil
	}
	all = append(all[:len(all):len(all)], definition)
	for last := []byte{}; ; {
		var rows []trainingRow
		if err := d.db.WithContext(ctx).Where("key > ?", last).Order("key").Limit(page).Find(&rows).Error; err != nil {
			return nil, fmt.Errorf("reading the reported trainings: %w", err)
		}
		if len(rows) == 0 {
			return found, nil
		}
		last = rows[len(rows)-1].Key
		for _, row := range rows {
			said, covered, err := d.wouldCover(ctx, row, all, now)
			if err != nil {
				return nil, err
			}
			if id := envelope.ID(row.ResellerID); covered && said.ReportBy.After(now) {
				found[id] = append(found[id], backtest.Covered{Transaction: said.Transaction, ReportBy: said.ReportBy.UTC().Truncate(24 * time.Hour)})
			}
		}
	}
}

// wouldCover says whether it is the last of the definitions that covers a training.
func (d *Docket) wouldCover(ctx context.Context, row trainingRow, all []definition, now time.Time) (said coveredBefore, covered bool, err error) {
	training, err := recordOf[history.Training](row.Record)
	if err != nil {
		return said, false, err
	}
	statement, covered := coveredBy(training, all, now)
	if !covered || statement.Policy != all[len(all)-1].policy.ID() || statement.ReportBy.IsZero() {
		return said, false, nil
	}
	id := envelope.ID(row.ResellerID)
	customer, err := d.Customer(ctx, id, training.Customer)
	if err != nil && !errors.Is(err, ErrNoCustomer) {
		return said, false, err
	}
	file, err := d.open(ctx, id)
	if err != nil {
		return said, false, err
	}
	return coveredBefore{statement.Transaction, statement.ReportBy}, !customer.US() && file.History.TerminatedAt.IsZero(), nil
}

// coveredBefore is a training that would be covered, and by when its report would be owed.
type coveredBefore struct {
	Transaction string
	ReportBy    time.Time
}

// guarded says in words what the guard would hold back of what moves at once.
func guarded(g policy.Guard, resellers, serious int, tripped bool, totals backtest.MoveTotals) []string {
	var words []string
	if allowed := g.Findings.Allowed(resellers); g.Findings.Count > 0 && serious > 0 && (tripped || serious >= allowed) {
		words = append(words, fmt.Sprintf("findings of %d resellers would open at once; the guard lets those of %d through within %s, and holds the rest until two people release it",
			serious, allowed, g.Findings.Within))
	}
	if allowed := g.Closures.Allowed(resellers); g.Closures.Count > 0 && totals.Closing > allowed {
		words = append(words, fmt.Sprintf("the accounts of %d resellers would be ordered closed; the guard lets %d a day through", totals.Closing, allowed))
	}
	if allowed := g.Terminations.Allowed(resellers); g.Terminations.Count > 0 && totals.Terminated > allowed {
		words = append(words, fmt.Sprintf("%d relationships would end; the guard lets %d a day through", totals.Terminated, allowed))
	}
	return words
}
