package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Shadow is a policy that runs beside the one in force. The zero Shadow is none.
type Shadow struct {
	ID     string // jti of the entry that started it
	Policy policy.Policy
	From   int64 // leaf index of that entry
	At     time.Time
	By     statement.Officer
	Why    string
}

// None is true if no shadow runs.
func (s Shadow) None() bool { return s.ID == "" }

// shadowing is the shadow that runs, as far as the ledger was read.
type shadowing struct {
	sync.Mutex
	next int64 // entries about the gateway before it are read
	runs Shadow
	last Shadow // the one that was started last, whether it runs or not
}

// Shadow returns the shadow that runs now, and the leaf index of the last entry about the gateway, -1 if there is none.
func (r *Rehearsal) Shadow(ctx context.Context) (runs Shadow, seen int64, err error) {
	r.shadow.Lock()
	defer r.shadow.Unlock()
	for {
		entries, err := r.Ledger.About(ctx, r.Self.ID(), r.shadow.next, page)
		if err != nil {
			return Shadow{}, -1, fmt.Errorf("reading which policy runs beside: %w", err)
		}
		for _, e := range entries {
			if said, is := e.Statement.(statement.PolicyShadowed); is && e.By == r.Self {
				if err := r.shadow.with(said, e); err != nil {
					return Shadow{}, -1, err
				}
			}
			r.shadow.next = e.LeafIndex + 1
		}
		if len(entries) == 0 {
			return r.shadow.runs, r.shadow.next - 1, nil
		}
	}
}

func (s *shadowing) with(said statement.PolicyShadowed, e statement.Entry) error {
	if said.State == statement.ShadowStopped {
		s.runs = Shadow{}
		return nil
	}
	p, err := policy.ParseEarlier([]byte(said.Document))
	if err != nil {
		return fmt.Errorf("reading policy %s, which runs beside, back from the ledger: %w", said.Policy, err)
	}
	s.runs = Shadow{ID: e.JTI, Policy: p, From: e.LeafIndex, At: e.AcceptedAt, By: said.By, Why: said.Why}
	s.last = s.runs
	return nil
}

// LastShadow is the one that was started last, whether it runs still or not: its reports are those to read. ErrNotFound if none ever was.
func (r *Rehearsal) LastShadow(ctx context.Context) (Shadow, error) {
	if _, _, err := r.Shadow(ctx); err != nil {
		return Shadow{}, err
	}
	r.shadow.Lock()
	defer r.shadow.Unlock()
	if r.shadow.last.None() {
		return Shadow{}, fmt.Errorf("%w: no policy ever ran beside the one in force. Start one: cipgate policy shadow FILE", ErrNotFound)
	}
	return r.shadow.last, nil
}

// StartShadow lets p run beside the policy in force from now on. One that runs already is replaced. Errors wrap ErrRefused.
func (r *Rehearsal) StartShadow(ctx context.Context, by statement.Officer, p policy.Policy, why string) (Shadow, error) {
	if _, err := r.Docket.Shelf(ctx, p); err != nil {
		return Shadow{}, refused("document: %s was in force before, with another text. Raise the version of the file: its cases name it", p.ID())
	}
	return r.state(ctx, statement.PolicyShadowed{State: statement.ShadowStarted, Policy: p.ID(), Digest: p.Digest(), Document: p.Document(), Why: why, By: by},
		func(runs Shadow) error {
			if runs.Policy.Digest() == p.Digest() {
				return refused("shadow: %s runs already, since %s. See: cipgate policy shadow show", p.ID(), shown(runs.At))
			}
			return nil
		})
}

// StopShadow lets no policy run beside any more. Its reports stay. It returns the one that ran. Errors wrap ErrRefused.
func (r *Rehearsal) StopShadow(ctx context.Context, by statement.Officer, why string) (Shadow, error) {
	ran, _, err := r.Shadow(ctx)
	if err != nil {
		return Shadow{}, err
	}
	_, err = r.state(ctx, statement.PolicyShadowed{State: statement.ShadowStopped, Policy: ran.Policy.ID(), Digest: ran.Policy.Digest(), Why: why, By: by},
		func(runs Shadow) error {
			if runs.None() || runs.ID != ran.ID {
				return refused("shadow: wanted one that runs, none does. Start one: cipgate policy shadow FILE")
			}
			return nil
		})
	return ran, err
}

// attempts is how often is looked again because something else was stated about the gateway meanwhile.
const attempts = 5

// state states about the shadow, if may lets it, and nothing newer about the gateway stands in the ledger. It returns what runs then.
func (r *Rehearsal) state(ctx context.Context, said statement.PolicyShadowed, may func(runs Shadow) error) (Shadow, error) {
	if strings.TrimSpace(said.Why) == "" {
		return Shadow{}, refused("reason: wanted why this is done, in words that a court could read, got nothing")
	}
	for range attempts {
		runs, seen, err := r.Shadow(ctx)
		if err == nil {
			err = may(runs)
		}
		if err != nil {
			return Shadow{}, err
		}
		number, err := uuid.NewV7()
		if err != nil {
			return Shadow{}, fmt.Errorf("making a jti: %w", err)
		}
		set, err := r.sign(number.String(), said)
		if err != nil {
			return Shadow{}, err
		}
		_, err = r.Ledger.AppendAfter(ctx, ledger.Seen{About: r.Self.ID(), LeafIndex: seen}, set)
		if errors.Is(err, ledger.ErrMoved) {
			continue
		}
		if err != nil {
			return Shadow{}, fmt.Errorf("stating what runs beside: %w", err)
		}
		runs, _, err = r.Shadow(ctx)
		return runs, err
	}
	return Shadow{}, fmt.Errorf("%w: others stated so much about the gateway at once that this was not recorded. Send it once more", ErrNotShown)
}
