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
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

// What officers do about policies, as officer-action names it.
const (
	ActionActivated  = "policy.activated"
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

// Activate puts p in force. shown is what Moves.Shown was when the officer was shown what moves: if it is not what would move now, nothing
// is done and the error wraps ErrNotShown. A policy that turns automation up (policy.TurnsUp) needs a backtest of the same file on record.
// Errors wrap ErrRefused too.
func (r *Rehearsal) Activate(ctx context.Context, by statement.Officer, p policy.Policy, wasShown, reason string) (Activated, error) {
	if strings.TrimSpace(reason) == "" {
		return Activated{}, refused("reason: wanted why this is done, in words that a court could read, got nothing")
	}
	moves, err := r.Consequences(ctx, p)
	if err != nil {
		return Activated{}, err
	}
	replaced := r.Docket.InForce()
	needed, err := r.backtestFor(ctx, replaced, p, moves.TurnsUp)
	if err != nil {
		return Activated{}, err
	}
	if wasShown != moves.Shown {
		return Activated{}, fmt.Errorf("%w: wanted %s, which is what %s would move now, got another one. Look at it again, and say so: what moves has changed since, the day has, or the file", ErrNotShown, moves.Shown, p.ID())
	}
	number, err := uuid.NewV7()
	if err != nil {
		return Activated{}, fmt.Errorf("making a jti: %w", err)
	}
	details := []statement.Field{field("digest", p.Digest()), field("replaces", replaced.ID()), field("shown", moves.Shown), field("moving", fmt.Sprint(moves.Moving))}
	if needed.JTI != "" {
		details = append(details, field("backtest", needed.JTI))
	}
	acted, err := r.sign(number.String(), statement.OfficerAction{Officer: by, Action: ActionActivated, On: statement.Target{Type: "policy", ID: p.ID()}, Reason: reason, Details: details})
	if err != nil {
		return Activated{}, err
	}
	receipt, err := r.Docket.ActivateAs(ctx, p, func(all []docket.Activation) ([]envelope.Verified, error) {
		if len(all) > 0 && all[len(all)-1].Policy.Digest() != replaced.Digest() {
			return nil, fmt.Errorf("%w: another officer put %s in force a moment ago. Look at what moves again", ErrNotShown, all[len(all)-1].Policy.ID())
		}
		return []envelope.Verified{acted}, nil
	})
	if err != nil {
		return Activated{}, err
	}
	if err := errors.Join(r.Docket.CatchUp(ctx), r.Adopt(ctx)); err != nil {
		return Activated{}, fmt.Errorf("policy %s is in force; this gateway goes by it a moment later: %w", p.ID(), err)
	}
	return Activated{Policy: p.ID(), Digest: p.Digest(), Replaces: replaced.ID(), LeafIndex: receipt.LeafIndex, At: receipt.AcceptedAt, Backtest: needed.JTI, Moves: moves}, nil
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
