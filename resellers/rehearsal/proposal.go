package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Proposal is a policy that an officer proposed to put in force, as the ledger holds it: the file, why, and what it would have moved.
type Proposal struct {
	ID        string // jti of the entry
	LeafIndex int64
	Policy    string // its id
	Digest    string
	Document  string
	Replaces  string // id of the policy that was in force
	By        statement.Officer
	Reason    string
	At        time.Time
	ExpiresAt time.Time
	Withdrawn time.Time         // by whoever proposed it; zero if it was not
	Backtest  string            // jti of the one on record that it needed; empty if it needed none
	Counted   []statement.Field // what it would have moved, by name
}

// May says whether by may put in force what was proposed, now that last was the last policy that came into force. Errors wrap
// ErrNotProposed or ErrMayNot.
func (p Proposal) May(by statement.Officer, last docket.Activation, now time.Time) error {
	switch {
	case !p.Withdrawn.IsZero():
		return fmt.Errorf("%w: %s proposed %s at %s and withdrew it at %s. Propose it again: cipgate policy propose FILE",
			ErrNotProposed, p.By.Name, p.Policy, shown(p.At), shown(p.Withdrawn))
	case last.LeafIndex > p.LeafIndex:
		return fmt.Errorf("%w: %s proposed %s at %s to replace %s, and %s came into force since. Propose it again: cipgate policy propose FILE",
			ErrNotProposed, p.By.Name, p.Policy, shown(p.At), p.Replaces, last.Policy.ID())
	case !now.Before(p.ExpiresAt):
		return fmt.Errorf("%w: %s proposed %s at %s, and that could be put in force until %s. Propose it again: cipgate policy propose FILE",
			ErrNotProposed, p.By.Name, p.Policy, shown(p.At), shown(p.ExpiresAt))
	case by.ID == p.By.ID:
		return fmt.Errorf("%w: %s proposed %s, and nobody puts in force what they proposed. A second person runs, until %s: cipgate policy activate --proposal %s",
			ErrMayNot, p.By.Name, p.Policy, shown(p.ExpiresAt), p.ID)
	}
	return nil
}

// Drift is one number that is not what it was when a policy was proposed.
type Drift struct {
	What     string `json:"what"`
	Proposed string `json:"proposed"`
	Now      string `json:"now"`
}

// Pending is a proposal as it stands for one officer.
type Pending struct {
	Proposal
	Differs []Drift // what moves now, against what was counted then
	Why     error   // why that officer may not put it in force; nil if that officer may
}

// counted are the totals of what moves, by the names that the ledger keeps them under. What is not there is nothing.
func counted(m backtest.Moves) []statement.Field {
	all := []statement.Field{field("counted_on", m.On), field("resellers", fmt.Sprint(m.Resellers)), field("moving", fmt.Sprint(m.Moving)), field("moved", m.Moved)}
	for _, one := range []struct {
		name string
		n    int
	}{
		{"pinned", m.Pinned}, {"cases", m.Totals.Cases}, {"cases_end", m.Totals.CasesEnd}, {"warned", m.Totals.Warned}, {"restricted", m.Totals.Restricted},
		{"closing", m.Totals.Closing}, {"terminated", m.Totals.Terminated}, {"steps", m.Totals.Steps}, {"covered", m.Totals.Covered},
	} {
		if one.n != 0 {
			all = append(all, field(one.name, fmt.Sprint(one.n)))
		}
	}
	for _, one := range []struct {
		name string
		by   map[string]int
	}{{"opens", m.Totals.Opens}, {"closes", m.Totals.Closes}, {"obligations_begin", m.Totals.Clocks.Begin}, {"obligations_end", m.Totals.Clocks.End},
		{"obligations_move", m.Totals.Clocks.Move}} {
		var words []string
		for _, rule := range slices.Sorted(maps.Keys(one.by)) {
			words = append(words, fmt.Sprintf("%s %d", rule, one.by[rule]))
		}
		if len(words) > 0 {
			all = append(all, field(one.name, cut(strings.Join(words, ", "))))
		}
	}
	return all
}

// differ compares what was counted when a policy was proposed with what is counted now. The day is no difference.
func differ(proposed, now []statement.Field) []Drift {
	value := func(all []statement.Field, name string) string {
		if i := slices.IndexFunc(all, func(f statement.Field) bool { return f.Name == name }); i >= 0 {
			return all[i].Value
		}
		return "none"
	}
	var differs []Drift
	var names []string
	for _, f := range slices.Concat(now, proposed) {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	for _, name := range names {
		was, is := value(proposed, name), value(now, name)
		if was != is && name != "counted_on" && name != "moved" {
			differs = append(differs, Drift{What: strings.ReplaceAll(name, "_", " "), Proposed: was, Now: is})
		}
	}
	if len(differs) == 0 && value(proposed, "moved") != value(now, "moved") {
		differs = append(differs, Drift{What: "of whom, and on which days", Proposed: "as listed then", Now: "otherwise"})
	}
	return differs
}

func inWords(differs []Drift) string {
	words := make([]string, len(differs))
	for i, d := range differs {
		words[i] = fmt.Sprintf("%s: %s when proposed, %s now", d.What, d.Proposed, d.Now)
	}
	return strings.Join(words, "; ")
}

// Propose puts on record that p be put in force, with what it would move, for another person to do so. shown and the backtest are as for
// Activate. Errors wrap ErrRefused or ErrNotShown.
func (r *Rehearsal) Propose(ctx context.Context, by statement.Officer, p policy.Policy, wasShown, reason string) (Proposal, error) {
	w, err := r.weigh(ctx, p, wasShown, reason, func() error {
		waits, err := r.pending(ctx, by, p)
		if err == nil {
			return refused("document: %s proposed this very file at %s, and it waits for a second person: cipgate policy activate --proposal %s", waits.By.Name, shown(waits.At), waits.ID)
		}
		return notProposed(err)
	})
	if err != nil {
		return Proposal{}, err
	}
	number, err := uuid.NewV7()
	if err != nil {
		return Proposal{}, fmt.Errorf("making a jti: %w", err)
	}
	set, err := r.sign(number.String(), statement.OfficerAction{Officer: by, Action: ActionProposed, On: statement.Target{Type: "policy", ID: p.ID()}, Reason: reason,
		EndsAt: r.Now().Add(time.Duration(w.replaced.Change.Fresh())).UTC().Truncate(time.Second), Document: p.Document(), Details: w.details()})
	if err != nil {
		return Proposal{}, err
	}
	if _, err := r.Ledger.Append(ctx, set); err != nil {
		return Proposal{}, fmt.Errorf("recording a proposal: %w", err)
	}
	return r.Proposal(ctx, number.String())
}

// Proposal returns one that was ever made. Errors wrap ErrNotFound.
func (r *Rehearsal) Proposal(ctx context.Context, id string) (Proposal, error) {
	all, err := r.proposals(ctx)
	if err != nil {
		return Proposal{}, err
	}
	if i := slices.IndexFunc(all, func(p Proposal) bool { return p.ID == id }); i >= 0 {
		return all[i], nil
	}
	return Proposal{}, fmt.Errorf("%w: wanted the id of a policy that was proposed. GET /v1/proposals lists those that wait", ErrNotFound)
}

// Pending is the proposal by which by would put p in force, with what moves otherwise now than when it was made. Errors wrap
// ErrNotProposed.
func (r *Rehearsal) Pending(ctx context.Context, by statement.Officer, p policy.Policy, moves backtest.Moves) (Pending, error) {
	found, err := r.pending(ctx, by, p)
	if err != nil {
		return Pending{}, err
	}
	found.Differs = differ(found.Counted, counted(moves))
	return found, nil
}

func (r *Rehearsal) pending(ctx context.Context, by statement.Officer, p policy.Policy) (Pending, error) {
	all, err := r.proposals(ctx)
	if err != nil {
		return Pending{}, err
	}
	activations, err := r.Policies(ctx)
	if err != nil {
		return Pending{}, err
	}
	return choose(all, by, p, last(activations), r.Now())
}

// choose picks the proposal of this very file that by may put in force, the newest first; or that by made. An error wraps ErrNotProposed
// and says what is nearest.
func choose(all []Proposal, by statement.Officer, p policy.Policy, last docket.Activation, now time.Time) (Pending, error) {
	var own *Proposal
	var stale error
	nearest := fmt.Errorf("%w: nobody proposed %s with this text (SHA-256 %s). Propose it: cipgate policy propose FILE --reason TEXT; then a second person runs: cipgate policy activate FILE --reason TEXT",
		ErrNotProposed, p.ID(), p.Digest())
	for _, one := range all { // the oldest first
		if one.Policy == p.ID() && one.Digest != p.Digest() && one.May(statement.Officer{}, last, now) == nil {
			nearest = fmt.Errorf("%w: %s proposed another text as %s (SHA-256 %s, this one is %s), and what comes into force is what was proposed, byte for byte. Get it: cipgate policy activate --proposal %s",
				ErrNotProposed, one.By.Name, p.ID(), one.Digest, p.Digest(), one.ID)
		}
	}
	for _, one := range slices.Backward(all) {
		if one.Digest != p.Digest() {
			continue
		}
		switch err := one.May(by, last, now); {
		case err == nil:
			return Pending{Proposal: one}, nil
		case own == nil && one.By.ID == by.ID && one.May(statement.Officer{}, last, now) == nil:
			own = &one
		case stale == nil:
			stale = err
		}
	}
	switch {
	case own != nil:
		return Pending{Proposal: *own, Why: own.May(by, last, now)}, nil
	case stale != nil:
		return Pending{}, stale
	}
	return Pending{}, nearest
}

// notProposed is nil for an error that says only that.
func notProposed(err error) error {
	if errors.Is(err, ErrNotProposed) {
		return nil
	}
	return err
}

// last is the policy that came into force last; the zero Activation, which stands before every entry, if none did.
func last(all []docket.Activation) docket.Activation {
	if len(all) == 0 {
		return docket.Activation{LeafIndex: -1}
	}
	return all[len(all)-1]
}

// proposals reads all that were ever made, the oldest first. They are few.
func (r *Rehearsal) proposals(ctx context.Context) (all []Proposal, err error) {
	err = r.Docket.EachAbout(ctx, r.Self, func(e statement.Entry) error {
		said, is := e.Statement.(statement.OfficerAction)
		if !is || e.By != r.Self {
			return nil
		}
		if said.Action == actionWithdrawn {
			id := detail(said, "proposal")
			if i := slices.IndexFunc(all, func(p Proposal) bool { return p.ID == id && p.By.ID == said.Officer.ID }); i >= 0 && all[i].Withdrawn.IsZero() {
				all[i].Withdrawn = e.AcceptedAt
			}
		}
		if said.Action != ActionProposed {
			return nil
		}
		all = append(all, Proposal{ID: e.JTI, LeafIndex: e.LeafIndex, Policy: said.On.ID, Digest: detail(said, "digest"), Document: said.Document, Replaces: detail(said, "replaces"),
			By: said.Officer, Reason: said.Reason, At: e.AcceptedAt, ExpiresAt: said.EndsAt, Backtest: detail(said, "backtest"), Counted: countedIn(said.Details)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading which policies were proposed: %w", err)
	}
	return all, nil
}

// countedIn are the details of a proposal that are counts.
func countedIn(details []statement.Field) []statement.Field {
	return slices.DeleteFunc(slices.Clone(details), func(f statement.Field) bool {
		return slices.Contains([]string{"digest", "replaces", "shown", "backtest"}, f.Name)
	})
}

// cut keeps a text within what a detail holds.
func cut(text string) string {
	const most = 1900
	if len(text) <= most {
		return text
	}
	runes := []rune(text)
	return string(runes[:min(len(runes), most/4)]) + " ..."
}
