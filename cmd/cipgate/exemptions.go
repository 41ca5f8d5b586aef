package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// exemptionTold is an exemption as the gateway tells it.
type exemptionTold struct {
	ID         string    `json:"id"`
	About      string    `json:"about"`
	Of         string    `json:"of"`
	GrantedBy  string    `json:"granted_by"`
	GrantedOn  string    `json:"granted_on"`
	Since      time.Time `json:"since"`
	Until      time.Time `json:"until"`
	Conditions string    `json:"conditions,omitzero"`
	Reference  string    `json:"reference"`
	InForce    bool      `json:"in_force"`
	Withdrawn  bool      `json:"withdrawn"`
	LeafIndex  int64     `json:"leaf_index"`
}

func exemptionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "exemptions", Short: "Exemptions that the Secretary granted the provider or a reseller", Args: cobra.NoArgs,
		Long: `An exemption (15 CFR 7.306, proposed) stands beside the standing until it ends. Until then the rules cip.* are not applied to whoever is
exempt; all others are, reports of AI training among them.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(exemptionsListCommand(), exemptionsGrantCommand(), exemptionsWithdrawCommand())
	return cmd
}

func exemptionsListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "Who is exempt, or was last", Args: cobra.NoArgs, Example: "  cipgate exemptions list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return tellEvery(cmd, "/v1/exemptions", url.Values{}, "Nobody is exempt, or ever was.", tellExemption)
		},
	}
	registerClient(cmd)
	return cmd
}

func tellExemption(out io.Writer, e exemptionTold) {
	state := "over"
	switch {
	case e.InForce:
		state = "in force"
	case e.Withdrawn:
		state = "withdrawn"
	}
	fmt.Fprintf(out, "%s: %s\n  of          %s (%s)\n  granted     by %s on %s; %s\n  holds       from %s until %s\n", e.ID, state, e.About, e.Of, e.GrantedBy, e.GrantedOn, e.Reference,
		e.Since.Format(time.RFC3339), e.Until.Format(time.RFC3339))
	if e.Conditions != "" {
		fmt.Fprintf(out, "  conditions  %s\n", e.Conditions)
	}
}

func exemptionsGrantCommand() *cobra.Command {
	var said struct {
		Reseller   string `json:"reseller,omitzero"`
		Provider   bool   `json:"provider,omitzero"`
		ID         string `json:"id"`
		GrantedBy  string `json:"granted_by"`
		GrantedOn  string `json:"granted_on"`
		Until      string `json:"until"`
		Conditions string `json:"conditions,omitzero"`
		Reference  string `json:"reference"`
	}
	cmd := &cobra.Command{
		Use: "grant", Short: "Record that the Secretary exempted a reseller or the provider; under a known --id, the extension", Args: cobra.NoArgs,
		Example: `  cipgate exemptions grant --reseller https://reseller.example --id ex-2027-1 --by "Secretary of Commerce" --on 2026-11-20 \
    --until 2027-12-31T00:00:00Z --conditions "A report every quarter." --reference BIS-2026-17`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var made exemptionTold
			return ask(cmd, http.MethodPost, "/v1/exemptions", said, &made, func() {
				tellExemption(cmd.OutOrStdout(), made)
				fmt.Fprintf(cmd.OutOrStdout(), "Recorded as entry %d. To end it early: cipgate exemptions withdraw %s\n", made.LeafIndex, quoted(made.ID))
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&said.Reseller, "reseller", "", "entity identifier of the reseller")
	flags.BoolVar(&said.Provider, "provider", false, "it is the provider that is exempt")
	flags.StringVar(&said.ID, "id", "", "yours; an extension carries the same")
	flags.StringVar(&said.GrantedBy, "by", "", "the Secretary, or to whom that was delegated")
	flags.StringVar(&said.GrantedOn, "on", "", "when it was granted, YYYY-MM-DD")
	flags.StringVar(&said.Until, "until", "", "the first moment at which it no longer holds, such as 2027-12-31T00:00:00Z")
	flags.StringVar(&said.Conditions, "conditions", "", "the conditions, in the words of the decision")
	flags.StringVar(&said.Reference, "reference", "", "of the Department's decision")
	registerClient(cmd)
	return cmd
}

func exemptionsWithdrawCommand() *cobra.Command {
	var said struct {
		Reseller  string `json:"reseller,omitzero"`
		Provider  bool   `json:"provider,omitzero"`
		Reason    string `json:"reason"`
		Reference string `json:"reference,omitzero"`
	}
	cmd := &cobra.Command{
		Use: "withdraw ID", Short: "Record that an exemption no longer holds", Args: cobra.ExactArgs(1),
		Example: `  cipgate exemptions withdraw ex-2027-1 --reseller https://reseller.example --reason "The conditions were not kept." --reference BIS-2027-3`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var made exemptionTold
			return ask(cmd, http.MethodPost, "/v1/exemptions/"+url.PathEscape(args[0])+"/withdraw", said, &made, func() {
				tellExemption(cmd.OutOrStdout(), made)
				fmt.Fprintln(cmd.OutOrStdout(), "Recorded. All rules are applied again from now on.")
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&said.Reseller, "reseller", "", "entity identifier of the reseller")
	flags.BoolVar(&said.Provider, "provider", false, "it is the provider's")
	flags.StringVar(&said.Reason, "reason", "", "why")
	flags.StringVar(&said.Reference, "reference", "", "of the Department's decision, if there is one")
	registerClient(cmd)
	return cmd
}
