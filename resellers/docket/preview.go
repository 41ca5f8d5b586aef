package docket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Effect is what a statement would change for the reseller it is about, were it accepted now.
type Effect struct {
	Before escalation.Standing // as it would be stated now without it
	After  escalation.Standing // as it would be stated at once with it
	Cures  []Shortfall         // findings that are open without it and not with it
	Opens  []Shortfall         // the other way round
}

// Shortfall is a finding, as an Effect names it.
type Shortfall struct {
	Finding string `json:"finding"`
	Rule    string `json:"rule"`
}

// Preview folds a statement that is in no ledger on top of its reseller's file and asks the deciders what they would
// state, with it and without it. It writes nothing. What the docket has not folded yet is read from the ledger, so the
// answer is about the reseller as it stands, also where the docket lies behind. It is ErrNotFound if nothing was ever
// stated about the entity.
func (d *Docket) Preview(ctx context.Context, said statement.Entry) (Effect, error) {
	effect, err := d.preview(ctx, said)
	for range 10 {
		if !errors.Is(err, errOvertaken) {
			break
		}
		effect, err = d.preview(ctx, said) // another process folded what was just read
	}
	return effect, err
}

func (d *Docket) preview(ctx context.Context, said statement.Entry) (Effect, error) {
	s, err := d.upToDate(ctx, said.About)
	if err != nil {
		return Effect{}, err
	}
	file := *s.files[said.About]
	if file.Seen() < 0 {
		return Effect{}, ErrNotFound
	}
	now := d.now()
	house, err := d.House(ctx)
	if err != nil {
		return Effect{}, err
	}
	before, err := d.settled(file, house, now)
	if err != nil {
		return Effect{}, err
	}
	said.LeafIndex, said.AcceptedAt = file.History.Next, now
	if err := s.fold(ctx, []statement.Entry{said}); err != nil {
		return Effect{}, err
	}
	after, err := d.settled(*s.files[said.About], house, now)
	if err != nil {
		return Effect{}, err
	}
	return Effect{
		Before: before.Case.Standing, After: after.Case.Standing,
		Cures: onlyIn(before.Case, after.Case), Opens: onlyIn(after.Case, before.Case),
	}, nil
}

// upToDate opens the file about an entity, or begins it, and folds into it what stands in the ledger and not in the docket.
// It writes nothing.
func (d *Docket) upToDate(ctx context.Context, about envelope.Entity) (*sheet, error) {
	file, err := d.Open(ctx, about.ID())
	if errors.Is(err, ErrNotFound) {
		file, err = File{Entity: about}, nil
	}
	if err != nil {
		return nil, err
	}
	s := d.sheetOf(&file)
	for {
		entries, err := d.ledger.About(ctx, about.ID(), s.files[about].Seen()+1, page)
		if err != nil {
			return nil, fmt.Errorf("reading what was stated since about %s: %w", about, err)
		}
		if len(entries) == 0 {
			return s, nil
		}
		if err := s.fold(ctx, entries); err != nil {
			return nil, err
		}
	}
}

// with folds one entry of the gateway's own into a file.
func (f File) with(entry statement.Entry) File {
	f.History, f.Case = f.History.With(entry), f.Case.With(entry)
	return f
}

// settled is the file as it will be once all that must be stated now is stated and folded.
func (d *Docket) settled(file File, house escalation.House, now time.Time) (File, error) {
	j, err := d.judge(file, house, now)
	if err != nil {
		return File{}, err
	}
	for _, s := range j.statements {
		file = file.with(statement.Entry{LeafIndex: file.History.Next, AcceptedAt: now, About: file.Entity, By: d.self, Statement: s})
	}
	return file, nil
}

// onlyIn returns the findings that are open in one case and not in the other.
func onlyIn(one, other escalation.Case) []Shortfall {
	open := map[string]bool{}
	for _, f := range other.Findings {
		open[f.ID] = true
	}
	only := []Shortfall{}
	for _, f := range one.Findings {
		if !open[f.ID] {
			only = append(only, Shortfall{Finding: f.ID, Rule: f.Rule})
		}
	}
	return only
}
