package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

// What officers do about policies, as officer-action names it.
const (
	ActionProposed   = desk.ActionPolicyProposed
	actionWithdrawn  = desk.ActionWithdrawn
	ActionActivated  = desk.ActionPolicyActivated
	ActionBacktested = "policy.backtested"
)

// Activated is that a policy came into force.
type Activated struct {
	Policy    string
	Digest    string
	Replaces  string
	LeafIndex int64
	At        time.Time
	Backtest  string // jti of the one on record that it needed; empty if it needed none
	Moves     backtest.Moves
	Proposal  Proposal // that another person made
}

// Consequences shows what would move were p put in force now. Errors wrap ErrRefused.
func (r *Rehearsal) Consequences(ctx context.Context, p policy.Policy) (backtest.Moves, error) {
	if err := r.may(ctx, p); err != nil {
		return backtest.Moves{}, err
	}
	return r.Docket.Consequences(ctx, p)
}

// may says whether p could come into force at all, whatever it would move.
func (r *Rehearsal) may(ctx context.Context, p policy.Policy) error {
	if err := r.Adopt(ctx); err != nil {
		return err
	}
	now := r.Docket.InForce()
	if now.Digest() == p.Digest() {
		return refused("document: %s is in force already", p.ID())
	}
	if _, err := r.Docket.Shelf(ctx, p); err != nil {
		return refused("document: %s was in force before, with another text: a decision names the version, which must always mean the same. Raise the version of the file. %v", p.ID(), err)
	}
	if err := r.Fits(p); err != nil {
		return fmt.Errorf("%w: document: %w", ErrRefused, err)
	}
	return nil
}

// Activate puts p in force, which another person proposed, byte for byte, while that is fresh. shown is what Moves.Shown was when the
// officer was shown what moves: if it is not what would move now, nothing is done and the error wraps ErrNotShown. A policy that turns
// automation up (policy.TurnsUp) needs a backtest of the same file on record. Errors wrap ErrRefused, ErrNotProposed and ErrMayNot too.
func (r *Rehearsal) Activate(ctx context.Context, by statement.Officer, p policy.Policy, wasShown, reason string) (Activated, error) {
	weighed, err := r.weigh(ctx, p, wasShown, reason, func() error {
		pending, err := r.pending(ctx, by, p)
		if err == nil {
			err = pending.Why
		}
		return err
	})
	if err != nil {
		return Activated{}, err
	}
	moves := weighed.moves
	pending, err := r.Pending(ctx, by, p, moves)
	if err != nil {
		return Activated{}, err
	}
	number, err := uuid.NewV7()
	if err != nil {
		return Activated{}, fmt.Errorf("making a jti: %w", err)
	}
	details := append(weighed.details(), field("proposal", pending.ID), field("reason_proposed", cut(pending.Reason)))
	if len(pending.Differs) > 0 {
		details = append(details, field("differs", cut(inWords(pending.Differs))))
	}
	acted, err := r.sign(number.String(), statement.OfficerAction{Officer: by, ProposedBy: &pending.By, Action: ActionActivated,
		On: statement.Target{Type: "policy", ID: p.ID()}, Reason: reason, Details: details})
	if err != nil {
		return Activated{}, err
	}
	receipt, err := r.Docket.ActivateAs(ctx, p, func(all []docket.Activation) ([]envelope.Verified, error) {
		// Judged by what stands in the ledger in the moment of the commit.
		if err := pending.May(by, last(all), r.Now()); err != nil {
			return nil, err
		}
		return []envelope.Verified{acted}, nil
	})
	if err != nil {
		return Activated{}, err
	}
	if err := errors.Join(r.Docket.CatchUp(ctx), r.Adopt(ctx)); err != nil {
		return Activated{}, fmt.Errorf("policy %s is in force; this gateway goes by it a moment later: %w", p.ID(), err)
	}
	return Activated{Policy: p.ID(), Digest: p.Digest(), Replaces: weighed.replaced.ID(), LeafIndex: receipt.LeafIndex, At: receipt.AcceptedAt, Backtest: weighed.backtest,
		Moves: moves, Proposal: pending.Proposal}, nil
}

// weighed is a policy of which what moves was counted, and shown.
type weighed struct {
	moves    backtest.Moves
	replaced policy.Policy
	backtest string // jti
}

// weigh looks at what p would move, and refuses what was not shown, has no reason, or lacks its backtest. before is asked before those.
func (r *Rehearsal) weigh(ctx context.Context, p policy.Policy, wasShown, reason string, before func() error) (weighed, error) {
	if strings.TrimSpace(reason) == "" {
		return weighed{}, refused("reason: wanted why this is done, in words that a court could read, got nothing")
	}
	if err := r.may(ctx, p); err != nil {
		return weighed{}, err
	}
	if err := before(); err != nil {
		return weighed{}, err
	}
	moves, err := r.Docket.Consequences(ctx, p)
	if err != nil {
		return weighed{}, err
	}
	w := weighed{moves: moves, replaced: r.Docket.InForce()}
	needed, err := r.backtestFor(ctx, w.replaced, p, moves.TurnsUp)
	if err != nil {
		return weighed{}, err
	}
	w.backtest = needed.JTI
	if wasShown != moves.Shown {
		return weighed{}, fmt.Errorf("%w: wanted %s, which is what %s would move now, got another one. Look at it again, and say so: what moves has changed since, the day has, or the file", ErrNotShown, moves.Shown, p.ID())
	}
	return w, nil
}

// details are what the ledger keeps of it.
func (w weighed) details() []statement.Field {
	details := []statement.Field{field("digest", w.moves.Digest), field("replaces", w.replaced.ID()), field("shown", w.moves.Shown)}
	if w.backtest != "" {
		details = append(details, field("backtest", w.backtest))
	}
	return append(details, counted(w.moves)...)
}

// record is a backtest in the ledger.
type record struct {
	JTI    string
	At     time.Time
	Digest string
}

// backtestFor finds the backtest that a policy needs, if it turns automation up.
func (r *Rehearsal) backtestFor(ctx context.Context, before, p policy.Policy, up []policy.Change) (record, error) {
	if len(up) == 0 {
		return record{}, nil
	}
	var found record
	err := r.Docket.EachAbout(ctx, r.Self, func(e statement.Entry) error {
		if said, is := e.Statement.(statement.OfficerAction); is && e.By == r.Self && said.Action == ActionBacktested && detail(said, "digest") == p.Digest() {
			found = record{JTI: e.JTI, At: e.AcceptedAt, Digest: p.Digest()}
		}
		return nil
	})
	if err != nil {
		return record{}, err
	}
	oldest := before.Change.Oldest()
	if !found.At.IsZero() && r.Now().Sub(found.At) < time.Duration(oldest) {
		return found, nil
	}
	words := make([]string, len(up))
	for i, change := range up {
		words[i] = fmt.Sprintf("%s from %s to %s", change.Field, orNothing(change.Before), orNothing(change.After))
	}
	got := "none is"
	if !found.At.IsZero() {
		got = "the last one is of " + shown(found.At)
	}
	return record{}, refused("backtest: %s does more by itself than %s, or sooner: %s. That needs a backtest of this very file (SHA-256 %s) on record that is newer than %s, and %s. Type: cipgate policy backtest FILE --record",
		p.ID(), before.ID(), strings.Join(words, "; "), p.Digest(), oldest, got)
}

func orNothing(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}

// Policies returns those that were ever in force, the oldest first.
func (r *Rehearsal) Policies(ctx context.Context) ([]docket.Activation, error) {
	all, _, err := docket.Activations(ctx, r.Ledger, r.Self)
	return all, err
}
