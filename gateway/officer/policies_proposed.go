package officer

import (
	"context"
	"errors"
	"time"

	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/resellers/rehearsal"
)

// TellClock words an obligation that begins, does not begin, or is due otherwise.
func TellClock(c backtest.Clock) string {
	what := "the obligation " + c.Kind
	if c.Subject != "" {
		what += " of " + c.Subject
	}
	switch {
	case c.Begins():
		return what + " begins, due " + c.Due
	case c.Ends():
		return what + ", due " + c.Instead + ", does not begin"
	}
	return what + " is due " + c.Due + ", not " + c.Instead
}

// proposedPolicy is a policy that an officer proposed to put in force.
type proposedPolicy struct {
	ID        string            `json:"id" doc:"also the jti of its entry"`
	LeafIndex int64             `json:"leaf_index"`
	Policy    string            `json:"policy"`
	Digest    string            `json:"digest" doc:"SHA-256 of its file, base64url: what comes into force is this, byte for byte"`
	Replaces  string            `json:"replaces"`
	By        officerJSON       `json:"proposed_by"`
	At        time.Time         `json:"proposed_at"`
	Reason    string            `json:"reason"`
	ExpiresAt time.Time         `json:"expires_at" doc:"until when another person may put it in force; sooner, once another policy comes into force"`
	Backtest  string            `json:"backtest,omitempty" doc:"jti of the backtest on record that it needed"`
	Counted   map[string]string `json:"counted" doc:"what it would have moved when it was proposed"`
}

func proposedPolicyOf(p rehearsal.Proposal) proposedPolicy {
	shown := proposedPolicy{ID: p.ID, LeafIndex: p.LeafIndex, Policy: p.Policy, Digest: p.Digest, Replaces: p.Replaces, By: officerOf(p.By), At: p.At, Reason: p.Reason,
		ExpiresAt: p.ExpiresAt, Backtest: p.Backtest, Counted: map[string]string{}}
	for _, f := range p.Counted {
		shown.Counted[f.Name] = f.Value
	}
	return shown
}

// pendingJSON is a proposal as it stands for who asks.
type pendingJSON struct {
	proposedPolicy
	Differs     []rehearsal.Drift `json:"differs" doc:"what moves otherwise now than when it was proposed"`
	MayActivate bool              `json:"may_activate" doc:"whether who asks may put it in force"`
	WhyNot      string            `json:"why_not,omitempty"`
}

// pending is the proposal of this very file as it stands for who asks; nil if there is none.
func (a API) pending(ctx context.Context, p policy.Policy, moves backtest.Moves) (*pendingJSON, error) {
	found, err := a.Rehearsal.Pending(ctx, officerIn(ctx), p, moves)
	if errors.Is(err, rehearsal.ErrNotProposed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	shown := &pendingJSON{proposedPolicy: proposedPolicyOf(found.Proposal), Differs: orEmpty(found.Differs)}
	if err := MayActivate(ctx, found); err != nil {
		shown.WhyNot = err.Error()
	}
	shown.MayActivate = shown.WhyNot == ""
	return shown, nil
}

// MayActivate says why who asks may not put in force what was proposed; nil if they may.
func MayActivate(ctx context.Context, p rehearsal.Pending) error {
	if p.Why != nil {
		return p.Why
	}
	_, denied := Permit(ctx, "activate-policy")
	return denied
}

type proposePolicyOut struct {
	Body struct {
		proposedPolicy
		Next string `json:"next_step"`
	}
}

func (a API) proposePolicy(ctx context.Context, in *activateIn) (*proposePolicyOut, error) {
	p, err := rehearsal.Document(in.Body.Document)
	if err != nil {
		return nil, err
	}
	proposed, err := a.Rehearsal.Propose(ctx, officerIn(ctx), p, in.Body.Shown, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	out := &proposePolicyOut{}
	out.Body.proposedPolicy = proposedPolicyOf(proposed)
	out.Body.Next = "It is not in force. A second person, of the role administrator, looks at what moves then and runs, until " + When(proposed.ExpiresAt) +
		": cipgate policy activate --proposal " + proposed.ID + " --reason TEXT; or opens /policies/proposals/" + proposed.ID +
		". To take it back before then: cipgate case withdraw " + proposed.ID + " --reason TEXT"
	return out, nil
}

type policyProposalIn struct {
	Proposal string `path:"proposal"`
}

type policyProposalOut struct {
	Body struct {
		proposedPolicy
		Document string `json:"document" doc:"the file itself"`
	}
}

func (a API) policyProposal(ctx context.Context, in *policyProposalIn) (*policyProposalOut, error) {
	found, err := a.Rehearsal.Proposal(ctx, in.Proposal)
	if err != nil {
		return nil, err
	}
	out := &policyProposalOut{}
	out.Body.proposedPolicy, out.Body.Document = proposedPolicyOf(found), found.Document
	return out, nil
}
