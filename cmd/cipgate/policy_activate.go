package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/policy"
)

// activated is a policy that was put in force, as the gateway tells it.
type activated struct {
	Policy    string    `json:"policy"`
	Digest    string    `json:"digest"`
	Replaces  string    `json:"replaces"`
	At        time.Time `json:"at"`
	LeafIndex int64     `json:"leaf_index"`
	Backtest  string    `json:"backtest,omitzero"`
	Moving    int       `json:"moving"`
	Proposal  string    `json:"proposal"`
	By        string    `json:"proposed_by"`
	Next      string    `json:"next_step"`
}

func policyActivateCommand() *cobra.Command {
	var proposal string
	put := putting{does: "put it in force"}
	cmd := &cobra.Command{
		Use:   "activate [FILE]",
		Short: "Show what a proposed policy would move, and put it in force as a second person",
		Long: `A policy comes into force by two people: one proposes it, cipgate policy propose, and another activates the same file, byte for byte, while the
proposal is fresh: 14 days, unless the policy in force says less, and as long as no other policy came into force.

activate asks the running gateway what would move were this policy put in force now: totals first, then names, and what of that is not as
it was when it was proposed. It puts it in force once you typed the policy's name, or, for scripts, with --yes and what was shown: the last
line says which, and it holds as long as the same would move, and for the day. Cases that are open keep the policy that opened them.

A policy that does more by itself than the one in force, or sooner, needs a backtest of the same file on record that is newer than the
policy says, 7 days as shipped: cipgate policy backtest FILE --record. With --json and without --yes nothing is asked and nothing is done:
what would move is printed. FILE - is standard input; a name that cipgate policy show lists works too. With --proposal the file is the one
that was proposed; cipgate case proposals lists what waits.`,
		Example: `  cipgate policy activate --proposal ID --reason "The board decided on 3 March."
  cipgate policy activate ours.yaml --json > moves.json
  cipgate policy activate ours.yaml --reason "The board decided on 3 March." --yes "$(jq -r .shown moves.json)"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (proposal != "") {
				return wrong("wanted either FILE or --proposal ID, got %s. cipgate case proposals lists what waits for a second person", map[bool]string{true: "both", false: "neither"}[len(args) == 1])
			}
			ready, api, err := put.ready(cmd, args, proposal)
			if err != nil || !ready {
				return err
			}
			var done activated
			if err := api.post(cmd.Context(), "/v1/policies", put.body(), &done); err != nil {
				return err
			}
			if put.asJSON {
				return printJSON(cmd.OutOrStdout(), done)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is in force since %s, entry %d of the ledger. It replaces %s; %s proposed it.\n%s\n", done.Policy, done.At.Format(time.RFC3339), done.LeafIndex, done.Replaces, done.By, done.Next)
			return nil
		},
	}
	cmd.Flags().StringVar(&proposal, "proposal", "", "id of what was proposed, in place of FILE")
	put.register(cmd)
	return cmd
}

// longTimeout is how long the gateway may look at every reseller.
const longTimeout = 10 * time.Minute

// policyDocument reads a policy file as it is, or that of a policy that the program carries.
func policyDocument(cmd *cobra.Command, name string) (string, error) {
	p, err := namedPolicy(cmd, name)
	return p.Document(), err
}

// namesTold is how many resellers are told by name; --json lists more.
const namesTold = 20

func tellMoves(out io.Writer, m backtest.Moves) {
	fmt.Fprintf(out, "%s would replace %s. What it says otherwise:\n", m.Policy, m.Replaces)
	tellChanges(out, m.Changes, 20)
	if len(m.TurnsUp) > 0 {
		fmt.Fprintf(out, "\nIt does more by itself, or sooner, so it needs a backtest on record:\n")
		tellChanges(out, m.TurnsUp, 20)
	}
	fmt.Fprintf(out, "\nOf %d resellers, something moves of %d.\n", m.Resellers, m.Moving)
	for _, one := range officer.TellMoves(m) {
		fmt.Fprintf(out, "  %-46s %8d\n", one.What, one.Count)
	}
	for _, c := range m.Gateway {
		fmt.Fprintf(out, "Of this gateway: %s\n", officer.TellClock(c))
	}
	for _, held := range m.Guard {
		fmt.Fprintln(out, "The guard: "+held)
	}
	for _, one := range m.Names[:min(len(m.Names), namesTold)] {
		tellMove(out, one)
	}
	if m.Moving > namesTold {
		fmt.Fprintf(out, "\nand %d more: --json lists the first 1,000\n", m.Moving-namesTold)
	}
	fmt.Fprintf(out, "\nShown: %s\n", m.Shown)
}

func tellChanges(out io.Writer, changes []policy.Change, most int) {
	for _, change := range changes[:min(len(changes), most)] {
		fmt.Fprintf(out, "  %-44s %s -> %s\n", change.Field, inShort(change.Before), inShort(change.After))
	}
	if len(changes) > most {
		fmt.Fprintf(out, "  and %d more: cipgate policy diff\n", len(changes)-most)
	}
}

func inShort(value string) string {
	const most = 40
	if value == "" {
		return "nothing"
	}
	if runes := []rune(value); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return value
}

func tellMove(out io.Writer, m backtest.Move) {
	standing := "stays " + m.Before
	if m.Before != m.After {
		standing = m.Before + " -> " + m.After
	}
	fmt.Fprintf(out, "\n%s (%s): %s\n", m.Name, m.Entity, standing)
	for _, f := range m.Opens {
		fmt.Fprintf(out, "  opens    %s, %s; cured by %s\n", f.Rule, f.Severity, f.Cure)
	}
	for _, f := range m.Closes {
		fmt.Fprintf(out, "  no more  %s\n", f.Rule)
	}
	for _, training := range m.Covered {
		fmt.Fprintf(out, "  covered  the training %s, to be reported by %s\n", training.Transaction, training.ReportBy.Format(time.DateOnly))
	}
	for _, c := range m.Clocks {
		fmt.Fprintf(out, "  owed     %s\n", officer.TellClock(c))
	}
	if m.Steps != nil || m.Instead != nil {
		fmt.Fprintf(out, "  ahead    %s\n  instead  %s\n", aheadInWords(m.Steps), aheadInWords(m.Instead))
	}
}

func aheadInWords(steps []backtest.Ahead) string {
	words := make([]string, len(steps))
	for i, step := range steps {
		what, _, _ := strings.Cut(step.What, ":")
		words[i] = what
		if step.On != "" {
			words[i] += " " + step.On
		}
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

func policyListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "history", Short: "List the policies that the running gateway had in force, the oldest first", Args: cobra.NoArgs,
		Example: "  cipgate policy history",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var found struct {
				Items []struct {
					Policy      string    `json:"policy"`
					Digest      string    `json:"digest"`
					ActivatedAt time.Time `json:"activated_at"`
					LeafIndex   int64     `json:"leaf_index"`
					InForce     bool      `json:"in_force"`
				} `json:"items"`
			}
			return ask(cmd, http.MethodGet, "/v1/policies", nil, &found, func() {
				for _, one := range found.Items {
					state := ""
					if one.InForce {
						state = "  in force"
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%-26s since %s, entry %d, SHA-256 %s%s\n", one.Policy, one.ActivatedAt.Format(time.RFC3339), one.LeafIndex, one.Digest, state)
				}
			})
		},
	}
	registerClient(cmd)
	return cmd
}
