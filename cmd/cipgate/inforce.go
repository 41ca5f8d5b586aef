package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Which policy is in force the ledger says. --policy begins a gateway; from then on another one comes into force by `cipgate policy
// activate` alone, where what moves is shown first, and every gateway on the ledger goes by it without a restart.

// inForce is the policy that this process goes by.
type inForce struct {
	now      atomic.Pointer[policy.Policy]
	adopting sync.Mutex
	roads    roads
}

// givenPolicy reads the file of --policy; nil if none was given.
func givenPolicy(config Config) (*policy.Policy, error) {
	if config.Policy == "" {
		return nil, nil //nolint:nilnil // nothing was given, and that is no error
	}
	text, err := os.ReadFile(config.Policy)
	if err != nil {
		return nil, wrong("--policy: %v", err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		return nil, wrong("--policy: %s: %v", config.Policy, err)
	}
	return &p, nil
}

// fits says whether this process can go by a policy. Each hop of a forwarded SET waits for the ledger beside what is inside it: a queue
// that is shorter could never take the longest.
func (c *Config) fits(rules policy.Policy) error {
	if longest := 1 + rules.Intake.MaxPathLength.Value; c.Queue < longest {
		return wrong("--intake-queue: wanted at least %d, got %d: a SET that was forwarded as often as the policy %s allows (intake.max_path_length %d) is %d statements in one, and would be answered 503 for ever. Give --intake-queue %d or more, or a policy that lets SETs be forwarded less often",
			longest, c.Queue, rules.ID(), rules.Intake.MaxPathLength.Value, longest, longest)
	}
	return nil
}

// choosePolicy says which policy this process goes by: the one that the ledger says is in force, and in a new ledger the one that was
// given, or else the shipped one.
func (p *Program) choosePolicy(ctx context.Context, given *policy.Policy) (policy.Policy, error) {
	all, _, err := docket.Activations(ctx, p.ledger, p.config.entity())
	if err != nil {
		return policy.Policy{}, err
	}
	if len(all) == 0 {
		if given != nil {
			return *given, nil
		}
		return policy.Default(), nil
	}
	last := all[len(all)-1]
	if given != nil && given.Digest() != last.Policy.Digest() {
		was := false
		for _, a := range all {
			was = was || a.Policy.Digest() == given.Digest()
		}
		if !was {
			return policy.Policy{}, wrong("--policy: %s is %s (SHA-256 %s), and the ledger says that %s is in force since %s. Start without --policy; then see what moves and propose it, for a second person to put in force (cipgate policy activate): cipgate policy propose %s",
				p.config.Policy, given.ID(), given.Digest(), last.Policy.ID(), last.At.Format(time.RFC3339), p.config.Policy)
		}
		p.log.Warn("--policy names a policy that another one replaced since; the one in force holds. Leave --policy out", "given", given.ID(), "in_force", last.Policy.ID())
	}
	return last.Policy.Completed(policy.Default()), nil
}

// adopt goes by the policy that the ledger says is in force, in every room.
func (p *Program) adopt(ctx context.Context) error {
	p.inForce.adopting.Lock()
	defer p.inForce.adopting.Unlock()
	rules, err := p.docket.Adopt(ctx)
	if err != nil {
		return err
	}
	before := *p.inForce.now.Load()
	if before.Digest() == rules.Digest() {
		return nil
	}
	if err := p.config.fits(rules); err != nil {
		p.log.Error("this gateway cannot take everything in that the policy allows", "policy", rules.ID(), "error", err)
	}
	p.registry.Adopt(rules.Intake)
	p.archive.Adopt(rules.Records)
	p.screener.Adopt(rules.SpecialMeasures.Likeness.Value)
	p.desk.Adopt(rules.SpecialMeasures)
	p.inForce.roads.adopt(rules.Intake)
	p.inForce.now.Store(&rules)
	p.log.Info("another policy is in force", "policy", rules.ID(), "replaces", before.ID())
	return nil
}

// policyNow is the policy in force.
func (p *Program) policyNow() policy.Policy { return *p.inForce.now.Load() }

// roads is the road of submissions, as the policy in force has it.
type roads struct {
	now atomic.Pointer[intake.Road]
}

func (r *roads) adopt(rules policy.Intake) {
	if r.now.Load() == nil {
		return // a command without a server takes nothing in
	}
	road := *r.now.Load()
	road.MaxAge, road.MaxAhead, road.Content = time.Duration(rules.MaxAge.Value), time.Duration(rules.MaxAhead.Value), contentOf(rules)
	r.now.Store(&road)
}

func (r *roads) Accept(ctx context.Context, raw []byte) (intake.Accepted, error) {
	return r.now.Load().Accept(ctx, raw)
}

func (r *roads) Inspect(ctx context.Context, raw []byte) (intake.Inspection, error) {
	return r.now.Load().Inspect(ctx, raw)
}

func (r *roads) InspectClaims(ctx context.Context, claims []byte) (intake.Inspection, error) {
	return r.now.Load().InspectClaims(ctx, claims)
}

func (r *roads) Bulk(ctx context.Context, draining <-chan struct{}, next func() (intake.Line, error), answer func([]intake.Outcome) error) error {
	return r.now.Load().Bulk(ctx, draining, next, answer)
}

// sweep settles what is due, by the policy in force: if another process put one in force, this one adopts it first.
func (p *Program) sweep(ctx context.Context) (next time.Time, err error) {
	next, err = p.docket.Sweep(ctx)
	if !errors.Is(err, docket.ErrSuperseded) {
		return next, err
	}
	if failed := p.adopt(ctx); failed != nil {
		return next, errors.Join(err, failed)
	}
	return p.docket.Sweep(ctx)
}

// rehearser is the goroutine that makes the backtests that officers asked for. Several gateway processes may each have one; a lease says
// who makes which.
type rehearser struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// lookForBacktests is how often is looked for backtests that another process was asked for, or fell silent over.
const lookForBacktests = 5 * time.Second

func rehearse(p *Program) *rehearser {
	ctx, cancel := context.WithCancel(context.Background())
	r := &rehearser{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for ctx.Err() == nil {
			ran, err := p.rehearsal.Run(ctx, time.Now)
			if err != nil && ctx.Err() == nil {
				p.log.Error("a backtest failed", "error", err)
			}
			if ran && err == nil {
				continue
			}
			select {
			case <-ctx.Done():
			case <-p.rehearsal.Woken():
			case <-time.After(lookForBacktests):
			}
		}
	}()
	return r
}

func (r *rehearser) stop() {
	r.cancel()
	<-r.done
}
