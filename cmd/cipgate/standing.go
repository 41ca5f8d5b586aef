package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/gateway/standing"
	"github.com/cipgate/cipgate/resellers/escalation"
)

func standingCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "standing",
		Short: "Show how this reseller stands with the provider, what is due, and what comes next",
		Long: `standing asks the provider's gateway, signed in by this reseller's statement key. Nobody else's standing is shown. Programs of your
own read the same with an access token: GET /v1/me/standing, signed with Accept: application/standing+jwt.`,
		Example: "  cipgate standing\n  cipgate standing --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, _ := cmd.Flags().GetString("home")
			r, err := openReseller(home)
			if err != nil {
				return err
			}
			s := &subscriber{reseller: r, api: newClient(r.about.Gateway, "")}
			var got standing.Standing
			if err := s.ask(cmd.Context(), http.MethodGet, "/v1/me/standing", nil, &got); err != nil {
				return err
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd.OutOrStdout(), got)
			}
			tellStanding(cmd, r, got)
			return nil
		},
	}
	registerHome(cmd)
	return cmd
}

func tellStanding(cmd *cobra.Command, r *reseller, got standing.Standing) {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s stands at %s.\n", r.about.Entity, got.Standing)
	for _, of := range []struct {
		title string
		dues  []escalation.Due
	}{{"Past due", got.PastDue}, {"Due", got.CurrentlyDue}, {"Will be due", got.EventuallyDue}} {
		for _, due := range of.dues {
			fmt.Fprintf(out, "\n%s: %s (%s)\n  %s\n", of.title, due.What, due.Rule, due.Why)
			if !due.By.IsZero() {
				fmt.Fprintf(out, "  by %s\n", due.By.UTC().Format(time.RFC1123))
			}
			if due.Finding != "" {
				fmt.Fprintf(out, "  answer it with a remediation whose finding is %s\n", due.Finding)
			}
		}
	}
	for _, restriction := range got.Restrictions {
		fmt.Fprintf(out, "\nIn force since %s: %s\n", restriction.Since.UTC().Format(time.RFC1123), restriction.Words)
	}
	for _, span := range got.GivenBack {
		fmt.Fprintf(out, "\nTime given back, since the provider's gateway could take nothing in: from %s to %s\n", span.From.UTC().Format(time.RFC1123), span.To.UTC().Format(time.RFC1123))
	}
	if !got.NextStep.At.IsZero() {
		fmt.Fprintf(out, "\nNext: %s, on %s", got.NextStep.What, got.NextStep.At.UTC().Format(time.RFC1123))
		if got.NextStep.Unless != "" {
			fmt.Fprintf(out, ", unless %s", got.NextStep.Unless)
		}
		fmt.Fprintln(out)
	}
}
