package docket

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Whether a reported training is a covered one the policy says, and another policy may say otherwise of what was reported long ago
// (15 CFR 7.301, proposed: or could now). So each training is held against the definition when it is reported, and all of them again
// when a policy with another definition is put in force; of those that are covered the docket states it, and what follows is a fold of
// that. Which definitions there were the ledger says, so a rebuild comes to the same and states nothing new.

// definition is a definition of covered trainings, with the entry that put it in force.
type definition struct {
	leaf    int64
	policy  policy.Policy
	covered policy.Covered
}

// definitions are those that were ever in force, in the order of the ledger.
type definitions struct {
	mu   sync.Mutex
	seen int64 // entries about the gateway before it are read
	all  []definition
}

func (d *Docket) definitionsNow(ctx context.Context) ([]definition, error) {
	d.definitions.mu.Lock()
	defer d.definitions.mu.Unlock()
	for {
		entries, err := d.ledger.About(ctx, d.self.ID(), d.definitions.seen, page)
		if err != nil {
			return nil, fmt.Errorf("reading which policies were put in force: %w", err)
		}
		for _, e := range entries {
			d.definitions.seen = e.LeafIndex + 1
			said, is := e.Statement.(statement.PolicyActivated)
			if !is || e.By != d.self {
				continue
			}
			p, err := policy.ParseEarlier([]byte(said.Document))
			if err != nil {
				return nil, fmt.Errorf("reading policy %s back from the ledger: %w", said.Policy, err)
			}
			d.definitions.all = append(d.definitions.all, definition{leaf: e.LeafIndex, policy: p, covered: p.Rules.ReportLate.Covered})
		}
		if len(entries) == 0 {
			return d.definitions.all, nil
		}
	}
}

type definitionRow struct {
	ID         int
	Definition string
}

func (definitionRow) TableName() string { return "docket_definition" }

// tellCovered holds trainings that were reported, or whose definition moved, against the definitions, and states which are covered. It
// says whether it stated anything.
func (d *Docket) tellCovered(ctx context.Context) (stated bool, err error) {
	all, err := d.definitionsNow(ctx)
	if err != nil || len(all) == 0 {
		return false, err
	}
	if err := d.moveDefinition(ctx, all[len(all)-1].covered.Definition()); err != nil {
		return false, err
	}
	var rows []trainingRow
	if err := d.db.WithContext(ctx).Where("to_judge > 0").Order("key").Limit(sweepPage).Find(&rows).Error; err != nil {
		return false, fmt.Errorf("looking for trainings to judge: %w", err)
	}
	var failed []error
	for _, row := range rows {
		said, err := d.tellTraining(ctx, row, all)
		if err != nil { // the others do not wait for it
			failed = append(failed, err)
		}
		stated = stated || said
	}
	return stated || len(rows) == sweepPage, errors.Join(failed...)
}

// moveDefinition lets every training be judged again if the definition is another one than they were judged by.
func (d *Docket) moveDefinition(ctx context.Context, now string) error {
	var row definitionRow
	if err := d.db.WithContext(ctx).Where("id = 1").Take(&row).Error; err != nil {
		return fmt.Errorf("reading by which definition trainings are judged: %w", err)
	}
	if row.Definition == now {
		return nil
	}
	err := d.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Model(&definitionRow{}).Where("id = 1").Update("definition", now).Error; err != nil {
			return err
		}
		return tx.Model(&trainingRow{}).Where("1 = 1").Update("to_judge", 1).Error
	})
	if err != nil {
		return fmt.Errorf("letting trainings be judged by another definition: %w", err)
	}
	return nil
}

func (d *Docket) tellTraining(ctx context.Context, row trainingRow, all []definition) (stated bool, err error) {
	training, err := recordOf[history.Training](row.Record)
	if err != nil {
		return false, err
	}
	id := envelope.ID(row.ResellerID)
	file, err := d.Open(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil // not folded yet
	}
	if err != nil {
		return false, err
	}
	customer, err := d.Customer(ctx, id, training.Customer)
	if err != nil && !errors.Is(err, ErrNoCustomer) {
		return false, err
	}
	now := d.now()
	// By, for or on behalf of a foreign person: whoever is found to be a U.S. person with all owners is none.
	if said, covered := coveredBy(training, all, now); covered && !customer.US() && file.History.TerminatedAt.IsZero() {
		set, err := d.sign(file, said, now)
		if err != nil {
			return false, err
		}
		// Whatever was said since, this is so.
		receipts, err := d.ledger.AppendInTurn(ctx, ledger.Seen{About: id, LeafIndex: file.Seen()}, func([]statement.Entry) ([]envelope.Verified, error) {
			return []envelope.Verified{set}, nil
		})
		switch {
		case errors.Is(err, ledger.ErrMoved):
			return true, nil // look again
		case err != nil && !errors.Is(err, ledger.ErrTwin): // a twin says the same, and when it was first found
			return false, fmt.Errorf("stating which training of %s is covered: %w", file.Entity, err)
		}
		stated = err == nil && len(receipts) > 0 && !receipts[0].Duplicate
	}
	// Only if nothing was folded into it meanwhile: then it is judged again.
	err = d.db.WithContext(ctx).Model(&trainingRow{}).Where("key = ? AND record = ?", row.Key, row.Record).Update("to_judge", 0).Error
	if err != nil {
		return stated, fmt.Errorf("noting that a training was judged: %w", err)
	}
	return stated, nil
}

// coveredBy says by which definition a training is covered: the one in force when it was first reported, or else the first one since
// that covers it, unless it was reported again after that one.
func coveredBy(t history.Training, all []definition, now time.Time) (statement.TransactionCovered, bool) {
	said := statement.TransactionCovered{Transaction: t.Transaction, Ground: statement.CoveredAsReported, Report: t.FirstLeaf, KnewAt: t.KnewAt, ReportedAt: t.ReportedAt, StartedOn: t.StartedOn}
	inForce := -1
	for i := range all {
		if all[i].leaf < t.FirstLeaf {
			inForce = i
		}
	}
	for i := max(inForce, 0); i < len(all); i++ {
		if !all[i].covered.Covers(t.Operations, t.Modalities) {
			continue
		}
		said.Policy, said.Definition = all[i].policy.ID(), all[i].covered.Definition()
		if i == inForce {
			return said, true
		}
		said.Ground, said.ReportBy = statement.CoveredAnew, all[i].policy.Rules.ReportLate.AITraining.From(now)
		return said, t.LeafIndex < all[i].leaf
	}
	return statement.TransactionCovered{}, false
}

// named makes a jti from what is stated.
func named(about envelope.Entity, kind statement.Kind, parts ...string) string {
	text := "urn:cipgate:" + string(kind) + ":" + string(about) + "\x00" + strings.Join(parts, "\x00") // neither an entity nor an id holds a NUL
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(text)).String()
}
