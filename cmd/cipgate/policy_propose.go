package main

import (
	"bufio"
	"fmt"
	"io"

	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/rehearsal"
)

// proposedPolicy is a policy that an officer proposed to put in force, as the gateway tells it.
type proposedPolicy struct {
	ID        string `json:"id"`
	LeafIndex int64  `json:"leaf_index"`
	Policy    string `json:"policy"`
	Digest    string `json:"digest"`
	Replaces  string `json:"replaces"`
	By        struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"proposed_by"`
	At        time.Time         `json:"proposed_at"`
	Reason    string            `json:"reason"`
	ExpiresAt time.Time         `json:"expires_at"`
	Backtest  string            `json:"backtest,omitzero"`
	Counted   map[string]string `json:"counted"`
	Next      string            `json:"next_step,omitzero"`
	Document  string            `json:"document,omitzero"`
}

// policyShown is what a policy would move, and how its proposal stands for who asks.
type policyShown struct {
	backtest.Moves
	Proposal *struct {
		proposedPolicy
		Differs     []rehearsal.Drift `json:"differs"`
		MayActivate bool              `json:"may_activate"`
		WhyNot      string            `json:"why_not,omitzero"`
	} `json:"proposal,omitzero"`
}

func policyProposeCommand() *cobra.Command {
	put := putting{does: "propose it", proposes: true}
	cmd := &cobra.Command{
		Use:   "propose FILE",
		Short: "Show what a policy would move, and propose that a second person put it in force",
		Long: `A policy comes into force by two people. propose asks the running gateway what would move were it put in force now, and puts on record, once
you typed the policy's name, that you propose it: the file, your reason, what would move, and its backtest if it needs one. Nothing comes
into force by that. A second person, of the role administrator, runs: cipgate policy activate --proposal ID.

--yes, --json and FILE are as for cipgate policy activate.`,
		Example: `  cipgate policy propose ours.yaml --reason "The board decided on 3 March."`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ready, api, err := put.ready(cmd, args, "")
			if err != nil || !ready {
				return err
			}
			var done proposedPolicy
			if err := api.post(cmd.Context(), "/v1/policies/proposals", put.body(), &done); err != nil {
				return err
			}
			if put.asJSON {
				return printJSON(cmd.OutOrStdout(), done)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is proposed by %s, entry %d of the ledger, to replace %s.\n%s\n", done.Policy, done.By.Name, done.LeafIndex, done.Replaces, done.Next)
			return nil
		},
	}
	put.register(cmd)
	return cmd
}

// putting is what propose and activate share: what moves is shown and confirmed before anything is sent.
type putting struct {
	does     string
	proposes bool
	yes      string
	reason   string
	document string
	asJSON   bool
}

func (p *putting) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.yes, "yes", "", "what was shown, as the last line of it says: for scripts, which cannot approve what was not shown")
	cmd.Flags().StringVar(&p.reason, "reason", "", "why; it stands in the ledger")
	registerClient(cmd)
}

func (p *putting) body() map[string]string {
	return map[string]string{"document": p.document, "shown": p.yes, "reason": p.reason}
}

// ready gets the file, shows what it would move and asks the person. It is false where nothing more is to be done.
func (p *putting) ready(cmd *cobra.Command, args []string, proposal string) (ready bool, api *client, err error) {
	p.asJSON, _ = cmd.Flags().GetBool("json")
	if strings.TrimSpace(p.reason) == "" && (p.yes != "" || !p.asJSON) {
		return false, nil, wrong("--reason: wanted why this is done, in words that a court could read, got nothing. It stands in the ledger")
	}
	name := "--proposal " + proposal
	if proposal == "" {
		name = args[0]
		if p.document, err = policyDocument(cmd, name); err != nil {
			return false, nil, err
		}
	}
	if api, err = clientOf(cmd); err != nil {
		return false, nil, err
	}
	api.http.HTTPClient.Timeout = longTimeout
	if proposal != "" {
		var found proposedPolicy
		if err := api.get(cmd.Context(), "/v1/policies/proposals/"+url.PathEscape(proposal), &found); err != nil {
			return false, nil, err
		}
		p.document = found.Document
	}
	if p.yes != "" {
		return true, api, nil
	}
	var shown policyShown
	if err := api.post(cmd.Context(), "/v1/policies/consequences", map[string]string{"document": p.document}, &shown); err != nil {
		return false, nil, err
	}
	if p.asJSON {
		return false, nil, printJSON(cmd.OutOrStdout(), shown)
	}
	tellMoves(cmd.OutOrStdout(), shown.Moves)
	if err := p.stands(cmd.OutOrStdout(), name, shown); err != nil {
		return false, nil, err
	}
	p.yes = shown.Shown
	return true, api, p.confirmed(cmd, name, shown.Moves)
}

// stands tells how the policy's proposal stands, and refuses what cannot come of it.
func (p *putting) stands(out io.Writer, name string, shown policyShown) error {
	found := shown.Proposal
	if found == nil {
		if p.proposes {
			return nil
		}
		return wrong("%s is not proposed, and it takes two people. The first runs: cipgate policy propose %s --reason TEXT; a second person then: cipgate policy activate %s --reason TEXT", shown.Policy, name, name)
	}
	fmt.Fprintf(out, "\nProposed by %s on %s, until %s: %s\n", found.By.Name, found.At.Format(time.RFC3339), found.ExpiresAt.Format(time.RFC3339), found.Reason)
	for _, d := range found.Differs {
		fmt.Fprintf(out, "  otherwise than proposed: %s: %s then, %s now\n", d.What, d.Proposed, d.Now)
	}
	switch {
	case p.proposes:
		return wrong("%s is proposed by %s already; a second person runs: cipgate policy activate --proposal %s --reason TEXT", shown.Policy, found.By.Name, found.ID)
	case !found.MayActivate:
		return wrong("%s is proposed by %s; a second person runs: cipgate policy activate --proposal %s --reason TEXT. You may not: %s", shown.Policy, found.By.Name, found.ID, found.WhyNot)
	case len(found.Differs) == 0:
		fmt.Fprintln(out, "  What moves is what moved when it was proposed.")
	}
	return nil
}

// confirmed asks the person to type the policy's name.
func (p *putting) confirmed(cmd *cobra.Command, name string, moves backtest.Moves) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "\nType %s to %s, anything else to leave all as it is: ", moves.Policy, p.does)
	line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if strings.TrimSpace(line) == moves.Policy {
		return nil
	}
	if err != nil && line == "" {
		return wrong("nobody confirmed: standard input is at its end. A script says what it was shown: %s %s --reason ... --yes %s", cmd.CommandPath(), name, moves.Shown)
	}
	return wrong("not confirmed: wanted %s, got something else. Nothing was done", moves.Policy)
}

// tellProposal tells one of what waits for a second person, and how that confirms it.
func tellProposal(out io.Writer, p map[string]any) {
	by, _ := p["proposed_by"].(map[string]any)
	until := ""
	if p["ends_at"] != nil {
		until = fmt.Sprintf(" until %v", p["ends_at"])
	}
	fmt.Fprintf(out, "%v: %v %v%s, proposed by %v: %v\n  id %v, may be confirmed until %v\n", p["about"], p["action"], p["subject"], until, by["name"], p["reason"], p["id"], p["expires_at"])
	how := "cipgate case confirm"
	if p["action"] == rehearsal.ActionActivated {
		how = "cipgate policy activate --proposal"
	}
	fmt.Fprintf(out, "  a second person: %s %v --reason TEXT\n  who proposed it takes it back: cipgate case withdraw %v --reason TEXT\n", how, p["id"], p["id"])
}
