package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// hitTold is somebody who falls under a special measure, or may, as the gateway tells it.
type hitTold struct {
	ID         string   `json:"id"`
	Measure    string   `json:"measure"`
	Version    int64    `json:"measure_leaf_index"`
	List       string   `json:"list"`
	Effect     string   `json:"effect"`
	Party      string   `json:"party"`
	ResellerID string   `json:"reseller_id"`
	Reseller   string   `json:"reseller"`
	Customer   string   `json:"customer,omitzero"`
	Owner      string   `json:"owner,omitzero"`
	Ground     string   `json:"ground"`
	Places     []string `json:"places,omitzero"`
	Score      int      `json:"score"`
	Decided    string   `json:"decided"`
	Decision   string   `json:"decision"`
	LeafIndex  int64    `json:"leaf_index"`
	Since      string   `json:"since"`
	InForce    bool     `json:"in_force"`
}

func hitsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "hits", Short: "Whom special measures hit: resellers, customers and owners", Args: cobra.NoArgs,
		Long: `A country is a fact. A name that is like one of a measure is a hint with a score, from which nothing follows until an officer says that it
is the person (confirm), or somebody else (clear): that ends it for this version of the measure and this party.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(hitsListCommand(),
		hitsDecideCommand("clear", "Say that a hint by name is somebody else", "It is over for this version of the measure and this party, until the party is stated by a name that is more alike."),
		hitsDecideCommand("confirm", "Say that a hint by name is the person that the measure names", "It counts from now on as a hit by country does."))
	return cmd
}

func hitsListCommand() *cobra.Command {
	var measure, reseller string
	var open, inForce, cleared bool
	cmd := &cobra.Command{
		Use: "list", Short: "Who falls under a special measure, or may", Args: cobra.NoArgs,
		Example: `  cipgate hits list --open
  cipgate hits list --measure sm-2027-1 --in-force --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"open": {strconv.FormatBool(open)}, "in_force": {strconv.FormatBool(inForce)}, "cleared": {strconv.FormatBool(cleared)}}
			if measure != "" {
				query.Set("measure", measure)
			}
			if reseller != "" {
				query.Set("reseller", reseller)
			}
			return tellEvery(cmd, "/v1/screening/hits", query, "Nobody.", tellHit)
		},
	}
	cmd.Flags().StringVar(&measure, "measure", "", "under this measure alone")
	cmd.Flags().StringVar(&reseller, "reseller", "", "of this reseller alone: base64url SHA-256 of its entity identifier")
	cmd.Flags().BoolVar(&open, "open", false, "hints alone that no officer has looked at")
	cmd.Flags().BoolVar(&inForce, "in-force", false, "under measures alone that are in force")
	cmd.Flags().BoolVar(&cleared, "cleared", false, "also hints that an officer cleared, which are over")
	registerClient(cmd)
	return cmd
}

func tellHit(out io.Writer, h hitTold) {
	who := []string{h.Reseller}
	if h.Customer != "" {
		who = append(who, "customer "+h.Customer)
	}
	if h.Owner != "" {
		who = append(who, "owner "+h.Owner)
	}
	why := "by its " + strings.Join(h.Places, ", ")
	if h.Ground == "name" {
		why = fmt.Sprintf("by a name, %d %% alike: %s", h.Score, h.Decision)
	}
	state := "not in force yet"
	switch {
	case h.Decision == "cleared":
		state = "over"
	case h.InForce:
		state = h.Effect + " since " + h.Since
	}
	fmt.Fprintf(out, "%s\n  who      %s\n  why      %s %s, %s\n  now      %s\n  list     %s; stated in entry %d\n", h.ID, strings.Join(who, ", "), h.Measure, why, h.Decided, state, h.List, h.LeafIndex)
}

func hitsDecideCommand(word, short, then string) *cobra.Command {
	var said struct {
		Reason string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: word + " HIT", Short: short, Args: cobra.ExactArgs(1),
		Example: fmt.Sprintf(`  cipgate hits %s HIT --reason "Another date of birth, seen in the register."`, word),
		RunE: func(cmd *cobra.Command, args []string) error {
			var made hitTold
			return ask(cmd, http.MethodPost, "/v1/screening/hits/"+url.PathEscape(args[0])+"/"+word, said, &made, func() {
				tellHit(cmd.OutOrStdout(), made)
				fmt.Fprintln(cmd.OutOrStdout(), "Recorded with your name.", then)
			})
		},
	}
	cmd.Flags().StringVar(&said.Reason, "reason", "", "why, in words that others understand later")
	registerClient(cmd)
	return cmd
}
