package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"runtime/debug"
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
	first    bool      // it ends with the first violation
	progress io.Writer // every minute it says there how far it is; nil if nobody wants to know
	mutant   string
	duties   bool // only lives with duties
}

// lived is what came out.
type lived struct {
	seed       uint64
	lives      int
	years      float64
	entries    int
	kinds      map[string]int // how many entries of each kind, and findings of each rule: whether the lives reach everything
	violations []broken
}

// broken is a life in which the auditor found something.
type broken struct {
	number  uint64
	what    audit.Violation
	entries []audit.Entry
}

// gcPercent lets the heap grow to ten times what lives: a life is small and makes much that is forgotten at once, and with Go's own
// number half of the time went into looking for that.
const gcPercent = 900

// live lives as many years as are wanted. The same plan gives the same violations, but for the last lives, of which some more or less
// are begun.
func (p plan) live(ctx context.Context) (lived, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	all, err := life.NewPolicies(p.seed, p.policies)
	if err != nil {
		return lived{}, fmt.Errorf("draw policies: %w", err)
	}
	c := crowd{plan: p, all: all, shelf: audit.NewShelf(), lived: lived{seed: p.seed, kinds: map[string]int{}}, begun: map[uint64]time.Time{}}
	if p.life >= 0 {
		c.next, p.workers = uint64(p.life), 1
	}
	var wait sync.WaitGroup
	for range p.workers {
		wait.Go(func() {
			for number, more := c.take(ctx); more; number, more = c.take(ctx) {
				c.play(number)
			}
		})
	}
	done := make(chan struct{})
	go func() { wait.Wait(); close(done) }()
	look, tell := time.NewTicker(patience/4), time.NewTicker(time.Minute)
	defer look.Stop()
	defer tell.Stop()
	for {
		select {
		case <-done:
			return c.result(ctx)
		case <-tell.C:
			c.tell()
		case <-look.C:
			if number, is := c.endless(); is {
				return lived{}, fmt.Errorf("seed %d, life %d: %w after %s", p.seed, number, errEndless, patience)
			}
		}
	}
}

// patience is how long one life may take: some ten thousand times what it does take.
const patience = 30 * time.Second

// errEndless says that a decider does not come back. Whoever gets it must end: what does not come back cannot be stopped.
var errEndless = errors.New("it has not come to an end")

// crowd is the lives that are lived at once.
type crowd struct {
	plan
	all   *life.Policies
	shelf *audit.Shelf

	mu     sync.Mutex
	lived  lived
	failed error
	next   uint64
	begun  map[uint64]time.Time // the lives that go on
}

// take gives out the next life, while more are wanted.
func (c *crowd) take(ctx context.Context) (number uint64, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.lived
	if c.failed != nil || ctx.Err() != nil || r.years >= c.years || c.life >= 0 && r.lives > 0 || c.first && len(r.violations) > 0 {
		return 0, false
	}
	number = c.next
	if c.next++; c.duties && c.life < 0 {
		number = 8*number + life.WithDuties
	}
	c.begun[number] = time.Now()
	return number, true
}

// play plays a life and audits what came of it.
func (c *crowd) play(number uint64) {
	told, entries, err := one(c.seed, number, c.all)
	a := audit.New(string(life.Gateway), c.shelf)
	a.Steady = told.Steady
	found := a.Check(entries, told.Watches)
	if errors.Is(err, life.ErrStuck) {
		found, err = append(found, stuck(entries, err)), nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.begun, number)
	if err != nil && c.failed == nil {
		c.failed = fmt.Errorf("seed %d, life %d: %w", c.seed, number, err)
	}
	c.lived.add(number, told, entries, found)
}

// tell says how far it is.
func (c *crowd) tell() {
	if c.progress == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.progress, "%d lives, %.0f of %.0f years, %d violations\n", c.lived.lives, c.lived.years, c.years, len(c.lived.violations))
}

// endless returns a life that does not come to an end.
func (c *crowd) endless() (number uint64, is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for number, began := range c.begun {
		if time.Since(began) > patience {
			return number, true
		}
	}
	return 0, false
}

func (c *crowd) result(ctx context.Context) (lived, error) {
	if c.failed == nil {
		c.failed = ctx.Err()
	}
	slices.SortFunc(c.lived.violations, func(a, b broken) int { return cmp.Compare(a.number, b.number) })
	return c.lived, c.failed
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
		if rule := ruleIn(e); rule != "" {
			r.kinds[e.Kind+" "+rule]++
		}
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
