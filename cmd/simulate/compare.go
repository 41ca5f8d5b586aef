//go:build !mutant

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/cipgate/cipgate/cmd/simulate/audit"
	"github.com/cipgate/cipgate/cmd/simulate/life"
	"github.com/cipgate/cipgate/cmd/simulate/real"
)

// commands are what the program does beside simulating.
var commands = map[string]command{"real": compare, "mutants": mutants}

// compare plays lives to the model and to the whole gateway, which must state the same.
func compare(ctx context.Context, p plan, out io.Writer) error {
	all, err := life.NewPolicies(p.seed, p.policies)
	if err != nil {
		return fmt.Errorf("draw policies: %w", err)
	}
	if p.years == 0 {
		p.years = 20
	}
	begin, years, killed, number := time.Now(), 0.0, 0, uint64(0)
	if p.life >= 0 {
		number = uint64(p.life)
	}
	for ; years < p.years && ctx.Err() == nil; number++ {
		told, deaths, err := both(ctx, p.seed, number, all)
		if err != nil {
			return fmt.Errorf("seed %d, life %d: %w", p.seed, number, err)
		}
		years += told.Years
		killed += deaths
		if p.life >= 0 {
			break
		}
	}
	fmt.Fprintf(out, "seed %d: %.0f years, the same on the model and on the whole gateway, whose nodes were killed %d times beside the faults of the lives; %.1f years a second\n",
		p.seed, years, killed, years/time.Since(begin).Seconds())
	return ctx.Err() //nolint:wrapcheck // it was interrupted
}

// both plays one life to both, and says where they differ.
func both(ctx context.Context, seed, number uint64, all *life.Policies) (told life.Told, killed int, err error) {
	told, want, err := one(seed, number, all)
	stuck := errors.Is(err, life.ErrStuck)
	if err != nil && !stuck {
		return told, 0, err
	}
	folder, err := os.MkdirTemp("", "simulate")
	if err != nil {
		return told, 0, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	whole, err := real.New(ctx, folder, number)
	if err != nil {
		return told, 0, fmt.Errorf("start a gateway: %w", err)
	}
	defer func() { err = errors.Join(err, whole.Close()) }()
	_, err = life.Play(seed, number, all, whole)
	if errors.Is(err, life.ErrStuck) && stuck {
		stuck, err = false, nil // it came to the same standstill
	}
	if stuck {
		err = errors.Join(err, errors.New("the model came to a standstill, and the whole gateway did not"))
	}
	if err != nil {
		return told, 0, fmt.Errorf("live on the whole gateway: %w", err)
	}
	got, err := whole.Entries(0)
	if err != nil {
		return told, 0, fmt.Errorf("read the ledger: %w", err)
	}
	return told, whole.Killed, differ(want, got)
}

// differ says where two ledgers differ first.
func differ(model, whole []audit.Entry) error {
	at := func(entries []audit.Entry, i int) string {
		if i >= len(entries) {
			return "nothing"
		}
		return fmt.Sprintf("%s %s %s %s", entries[i].AcceptedAt.Format(time.RFC3339Nano), entries[i].Kind, entries[i].JTI, entries[i].JSON)
	}
	for i := range max(len(model), len(whole)) {
		if i >= len(model) || i >= len(whole) || !same(model[i], whole[i]) {
			return fmt.Errorf("from entry %d on the model differs from the whole gateway:\nmodel %s\nwhole %s", i, at(model, i), at(whole, i))
		}
	}
	return nil
}

func same(a, b audit.Entry) bool {
	return a.Leaf == b.Leaf && a.AcceptedAt.Equal(b.AcceptedAt) && a.About == b.About && a.By == b.By && a.Customer == b.Customer && a.JTI == b.JTI &&
		a.Kind == b.Kind && bytes.Equal(a.JSON, b.JSON)
}
