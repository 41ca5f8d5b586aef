package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/gateway/officer"
)

func outagesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "outages", Short: "List the times in which the gateway could take no submissions: as much was given back", Args: cobra.NoArgs,
		Example: `  cipgate outages
  cipgate outages --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := clientOf(cmd)
			if err != nil {
				return err
			}
			all, err := everyPage[officer.Outage](cmd.Context(), api, "/v1/outages", url.Values{"limit": {"1000"}})
			if err != nil {
				return err
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd.OutOrStdout(), all)
			}
			for _, o := range all {
				fmt.Fprintf(cmd.OutOrStdout(), "%s  to %s  %s\n  %s\n  entry %d, receipt /receipts/%s\n", o.From.Format(time.RFC3339), o.To.Format(time.RFC3339), o.To.Sub(o.From), o.Why, o.LeafIndex, o.Digest)
			}
			if len(all) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "No outage stands in the ledger.")
			}
			return nil
		},
	}
	registerClient(cmd)
	return cmd
}
