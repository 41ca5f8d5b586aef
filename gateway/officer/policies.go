package officer

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/resellers/rehearsal"
)

// Rehearsal is how policies are tried and put in force.
type Rehearsal interface {
	Policies(ctx context.Context) ([]docket.Activation, error)
	Consequences(ctx context.Context, p policy.Policy) (backtest.Moves, error)
	Propose(ctx context.Context, by statement.Officer, p policy.Policy, shown, reason string) (rehearsal.Proposal, error)
	Proposal(ctx context.Context, id string) (rehearsal.Proposal, error)
	Pending(ctx context.Context, by statement.Officer, p policy.Policy, moves backtest.Moves) (rehearsal.Pending, error)
	Activate(ctx context.Context, by statement.Officer, p policy.Policy, shown, reason string) (rehearsal.Activated, error)
	Ask(ctx context.Context, by statement.Officer, p policy.Policy, reason string) (rehearsal.Backtest, error)
	Backtest(ctx context.Context, id string) (rehearsal.Backtest, error)
	Backtests(ctx context.Context, limit int) ([]rehearsal.Backtest, error)
	Shadow(ctx context.Context) (rehearsal.Shadow, int64, error)
	LastShadow(ctx context.Context) (rehearsal.Shadow, error)
	StartShadow(ctx context.Context, by statement.Officer, p policy.Policy, why string) (rehearsal.Shadow, error)
	StopShadow(ctx context.Context, by statement.Officer, why string) (rehearsal.Shadow, error)
	Reports(ctx context.Context, shadow, before string, limit int) ([]rehearsal.Report, error)
	ReportOf(ctx context.Context, shadow, day string) (rehearsal.Report, error)
}

func (a API) registerPolicies(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/policies", "list-policies", "Policies that were ever put in force, the oldest first", http.StatusOK, a.policies)
	register(api, a.Log, http.MethodPost, "/v1/policies", "activate-policy", "Put a policy in force that another person proposed, after what moves was shown", http.StatusCreated, a.activate)
	register(api, a.Log, http.MethodPost, "/v1/policies/proposals", "propose-policy", "Propose that another person put a policy in force, after what moves was shown", http.StatusCreated, a.proposePolicy)
	register(api, a.Log, http.MethodGet, "/v1/policies/proposals/{proposal}", "get-policy-proposal", "One policy that was proposed, with its file and what it would have moved then", http.StatusOK, a.policyProposal)
	register(api, a.Log, http.MethodPost, "/v1/policies/consequences", "show-consequences", "Show what would move were a policy put in force now, totals first", http.StatusOK, a.consequences)
	register(api, a.Log, http.MethodGet, "/v1/policies/backtests", "list-backtests", "Backtests that the gateway was asked for, the newest first", http.StatusOK, a.backtests)
	register(api, a.Log, http.MethodPost, "/v1/policies/backtests", "ask-backtest", "Ask the gateway to replay its ledger under a policy, and keep what comes of it on record", http.StatusAccepted, a.askBacktest)
	register(api, a.Log, http.MethodGet, "/v1/policies/backtests/{backtest}", "get-backtest", "One backtest: how far it has come, and its report once it is done", http.StatusOK, a.backtest)
	register(api, a.Log, http.MethodGet, "/v1/policies/shadow", "get-shadow", "The policy that runs beside the one in force, if one does", http.StatusOK, a.shadow)
	register(api, a.Log, http.MethodPost, "/v1/policies/shadow", "start-shadow", "Let a policy run beside the one in force", http.StatusCreated, a.startShadow)
	register(api, a.Log, http.MethodPost, "/v1/policies/shadow/stop", "stop-shadow", "Let no policy run beside any more; its reports stay", http.StatusOK, a.stopShadow)
	register(api, a.Log, http.MethodGet, "/v1/policies/shadow/reports", "list-shadow-reports", "Where the shadow that was started last and what happened differed, a day at a time, the newest first; without names", http.StatusOK, a.shadowReports)
	register(api, a.Log, http.MethodGet, "/v1/policies/shadow/reports/{day}", "get-shadow-report", "One day of the shadow that was started last: totals first, then names", http.StatusOK, a.shadowReport)
	register(api, a.Log, http.MethodGet, "/v1/policies/{policy}", "get-policy", "One policy that was ever put in force, with its file", http.StatusOK, a.policy)
}

// policyJSON is a policy as it was put in force.
type policyJSON struct {
	Policy      string    `json:"policy"`
	Title       string    `json:"title"`
	Status      string    `json:"status" doc:"of the law or contract that it follows"`
	Digest      string    `json:"digest" doc:"SHA-256 of its file, base64url"`
	ActivatedAt time.Time `json:"activated_at"`
	LeafIndex   int64     `json:"leaf_index"`
	InForce     bool      `json:"in_force"`
}

func policyOf(all []docket.Activation, i int) policyJSON {
	one := all[i]
	return policyJSON{Policy: one.Policy.ID(), Title: one.Policy.Title, Status: one.Policy.Status, Digest: one.Policy.Digest(), ActivatedAt: one.At,
		LeafIndex: one.LeafIndex, InForce: i == len(all)-1}
}

func (a API) policies(ctx context.Context, _ *struct{}) (*list[policyJSON], error) {
	all, err := a.Rehearsal.Policies(ctx)
	if err != nil {
		return nil, err
	}
	out := &list[policyJSON]{}
	out.Body.Items = make([]policyJSON, len(all))
	for i := range all {
		out.Body.Items[i] = policyOf(all, i)
	}
	return out, nil
}

type policyIn struct {
	Policy string `path:"policy" doc:"such as us-iaas-2024.4, or in-force"`
}

type policyOut struct {
	Body struct {
		policyJSON
		Document string `json:"document" doc:"the file itself"`
	}
}

func (a API) policy(ctx context.Context, in *policyIn) (*policyOut, error) {
	all, err := a.Rehearsal.Policies(ctx)
	if err != nil {
		return nil, err
	}
	for i := range slices.Backward(all) {
		if in.Policy == "in-force" || in.Policy == all[i].Policy.ID() {
			out := &policyOut{}
			out.Body.policyJSON, out.Body.Document = policyOf(all, i), all[i].Policy.Document()
			return out, nil
		}
	}
	return nil, fmt.Errorf("%w: wanted the id of a policy that was in force here, such as us-iaas-2024.4, or in-force. GET /v1/policies lists them", rehearsal.ErrNotFound)
}

type policyFileIn struct {
	Body struct {
		Document string `json:"document" minLength:"1" maxLength:"65536" doc:"the policy file, whole"`
	}
}

type movesOut struct {
	Body struct {
		backtest.Moves
		Proposal *pendingJSON `json:"proposal,omitempty" doc:"of this very file, by which it may be put in force; absent if it must be proposed first"`
	}
}

func (a API) consequences(ctx context.Context, in *policyFileIn) (*movesOut, error) {
	p, err := rehearsal.Document(in.Body.Document)
	if err != nil {
		return nil, err
	}
	moves, err := a.Rehearsal.Consequences(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &movesOut{}
	out.Body.Moves = moves
	out.Body.Proposal, err = a.pending(ctx, p, moves)
	return out, err
}

type activateIn struct {
	Body struct {
		Document string `json:"document" minLength:"1" maxLength:"65536" doc:"the policy file, whole"`
		Shown    string `json:"shown" minLength:"1" maxLength:"255" doc:"the member shown of what POST /v1/policies/consequences answered"`
		Reason   string `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

type activatedOut struct {
	Body struct {
		Policy    string    `json:"policy"`
		Digest    string    `json:"digest"`
		Replaces  string    `json:"replaces"`
		At        time.Time `json:"at"`
		LeafIndex int64     `json:"leaf_index"`
		Backtest  string    `json:"backtest,omitempty" doc:"jti of the backtest on record that it needed"`
		Moving    int       `json:"moving" doc:"resellers of which something moves"`
		Proposal  string    `json:"proposal" doc:"jti of the entry by which another person proposed it"`
		By        string    `json:"proposed_by"`
		Next      string    `json:"next_step"`
	}
}

func (a API) activate(ctx context.Context, in *activateIn) (*activatedOut, error) {
	p, err := rehearsal.Document(in.Body.Document)
	if err != nil {
		return nil, err
	}
	done, err := a.Rehearsal.Activate(ctx, officerIn(ctx), p, in.Body.Shown, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	out := &activatedOut{}
	out.Body.Policy, out.Body.Digest, out.Body.Replaces, out.Body.At, out.Body.LeafIndex = done.Policy, done.Digest, done.Replaces, done.At, done.LeafIndex
	out.Body.Backtest, out.Body.Moving, out.Body.Proposal, out.Body.By = done.Backtest, done.Moves.Moving, done.Proposal.ID, done.Proposal.By.Name
	out.Body.Next = "Every gateway on this ledger goes by it from here on. Cases that are open keep the policy that opened them."
	return out, nil
}

// backtestJSON is a backtest on record.
type backtestJSON struct {
	ID        string           `json:"id" doc:"also the jti of the entry that says what came of it"`
	Policy    string           `json:"policy"`
	Digest    string           `json:"digest" doc:"SHA-256 of the file that was tried, base64url"`
	By        string           `json:"by"`
	Reason    string           `json:"reason"`
	AskedAt   time.Time        `json:"asked_at"`
	State     rehearsal.State  `json:"state" enum:"asked,running,done,failed"`
	Done      int              `json:"resellers_done"`
	Of        int              `json:"resellers"`
	LeafIndex *int64           `json:"leaf_index,omitempty" doc:"of that entry; absent until it is made"`
	Failure   string           `json:"failure,omitempty"`
	Report    *backtest.Report `json:"report,omitempty"`
}

func backtestOf(b rehearsal.Backtest) backtestJSON {
	out := backtestJSON{ID: b.ID, Policy: b.Policy, Digest: b.Digest, By: b.By.Name, Reason: b.Reason, AskedAt: b.AskedAt, State: b.State, Done: b.Done, Of: b.Of,
		Failure: b.Failure, Report: b.Report}
	if b.Leaf >= 0 {
		out.LeafIndex = &b.Leaf
	}
	return out
}

type backtestOut struct {
	Body backtestJSON
}

type triedIn struct {
	Body struct {
		Document string `json:"document" minLength:"1" maxLength:"65536" doc:"the policy file, whole"`
		Reason   string `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

func (a API) askBacktest(ctx context.Context, in *triedIn) (*backtestOut, error) {
	p, err := rehearsal.Document(in.Body.Document)
	if err != nil {
		return nil, err
	}
	asked, err := a.Rehearsal.Ask(ctx, officerIn(ctx), p, in.Body.Reason)
	return &backtestOut{Body: backtestOf(asked)}, err
}

type backtestIn struct {
	Backtest string `path:"backtest"`
}

func (a API) backtest(ctx context.Context, in *backtestIn) (*backtestOut, error) {
	found, err := a.Rehearsal.Backtest(ctx, in.Backtest)
	if err != nil {
		return nil, err
	}
	return &backtestOut{Body: backtestOf(found)}, nil
}

type latest struct {
	Limit int `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (a API) backtests(ctx context.Context, in *latest) (*list[backtestJSON], error) {
	all, err := a.Rehearsal.Backtests(ctx, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[backtestJSON]{}
	out.Body.Items = make([]backtestJSON, len(all))
	for i, one := range all {
		out.Body.Items[i] = backtestOf(one)
	}
	return out, nil
}
