package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/cipgate/cipgate/cmd/simulate/audit"
	"github.com/cipgate/cipgate/cmd/simulate/life"
	"github.com/cipgate/cipgate/cmd/simulate/quick"
)

// plan is what is lived.
type plan struct {
	seed     uint64
	years    float64
	life     int64 // of one; -1 for as many as it takes
	policies int
	workers  int
	awake    bool // the auditor wants files that are asleep to be judged by a new policy at once
}

// lived is what came out.
type lived struct {
	seed       uint64
	lives      int
	years      float64
	entries    int
	kinds      map[string]int // how many entries of each kind: whether the lives reach everything
	violations []broken
}

// broken is a life in which the auditor found something.
type broken struct {
	number  uint64
	what    audit.Violation
	entries []audit.Entry
}

// live lives as many years as are wanted. The same plan gives the same violations, but for the last lives, of which some more or less
// are begun.
func (p plan) live(ctx context.Context) (lived, error) {
	all, err := life.NewPolicies(p.seed, p.policies)
	if err != nil {
		return lived{}, fmt.Errorf("draw policies: %w", err)
	}
	r := lived{seed: p.seed, kinds: map[string]int{}}
	shelf := audit.NewShelf()
	var mu sync.Mutex
	var failed error
	next := uint64(0)
	if p.life >= 0 {
		next, p.workers = uint64(p.life), 1
	}
	// take gives out the next life, while more are wanted.
	take := func() (number uint64, more bool) {
		mu.Lock()
		defer mu.Unlock()
		if failed != nil || ctx.Err() != nil || r.years >= p.years || p.life >= 0 && r.lives > 0 {
			return 0, false
		}
		next++
		return next - 1, true
	}
	var wait sync.WaitGroup
	for range p.workers {
		wait.Go(func() {
			for number, more := take(); more; number, more = take() {
				told, entries, err := one(p.seed, number, all)
				a := audit.New(string(life.Gateway), shelf)
				a.Steady, a.Asleep = told.Steady, !p.awake
				found := a.Check(entries, told.Watches)
				if errors.Is(err, life.ErrStuck) {
					found, err = append(found, stuck(entries, err)), nil
				}
				mu.Lock()
				if err != nil && failed == nil {
					failed = fmt.Errorf("seed %d, life %d: %w", p.seed, number, err)
				}
				r.add(number, told, entries, found)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	slices.SortFunc(r.violations, func(a, b broken) int { return cmp.Compare(a.number, b.number) })
	return r, failed
}

// stuck is the violation of a life in which the gateway came to a standstill.
func stuck(entries []audit.Entry, err error) audit.Violation {
	newest := entries[len(entries)-1]
	return audit.Violation{Entity: newest.About, Leaf: newest.Leaf, What: "stuck: " + err.Error()}
}

// one plays one life to the model.
func one(seed, number uint64, all *life.Policies) (life.Told, []audit.Entry, error) {
	e := quick.New()
	told, err := life.Play(seed, number, all, e)
	entries, errEntries := e.Entries(0)
	if err = errors.Join(err, errEntries); err != nil {
		return told, entries, fmt.Errorf("live: %w", err)
	}
	return told, entries, nil
}

func (r *lived) add(number uint64, told life.Told, entries []audit.Entry, found []audit.Violation) {
	r.lives++
	r.years += told.Years
	r.entries += len(entries)
	for _, e := range entries {
		r.kinds[e.Kind]++
	}
	for _, v := range found {
		r.violations = append(r.violations, broken{number, v, entries})
	}
}

var particular = regexp.MustCompile(`[0-9][0-9TZ:. -]*[0-9Z]|[0-9]|\b(random|us-iaas|in-cert|contract-baseline)[-.0-9a-z]*`)

// class is what kind of violation it is: its words without what is particular in them.
func (b broken) class() string { return particular.ReplaceAllString(b.what.What, "_") }

// classes are the kinds of violations, the most frequent first.
func (r lived) classes() []string {
	count := map[string]int{}
	for _, b := range r.violations {
		count[b.class()]++
	}
	return slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
}

// tell prints what came out, and of each kind of violation the shortest story.
func (r lived) tell(out io.Writer, took time.Duration) {
	for _, class := range r.classes() {
		var shortest broken
		times := 0
		for _, b := range r.violations {
			if b.class() != class {
				continue
			}
			if times++; times == 1 || b.what.Leaf < shortest.what.Leaf {
				shortest = b
			}
		}
		fmt.Fprintf(out, "Found %d times. The shortest story:\n", times)
		tellStory(out, r.seed, shortest)
	}
	fmt.Fprintf(out, "seed %d: %d lives, %.0f years, %d entries, %d violations; %.0f years a second\n",
		r.seed, r.lives, r.years, r.entries, len(r.violations), r.years/took.Seconds())
	for _, kind := range slices.Sorted(maps.Keys(r.kinds)) {
		fmt.Fprintf(out, "  %8d %s\n", r.kinds[kind], kind)
	}
}
