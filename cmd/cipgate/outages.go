package main

import (
	"fmt"
	"io"
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
			return tellEvery(cmd, "/v1/outages", url.Values{"limit": {"1000"}}, "No outage stands in the ledger.", tellOutage)
		},
	}
	registerClient(cmd)
	return cmd
}

func tellOutage(out io.Writer, o officer.Outage) {
	fmt.Fprintf(out, "%s  to %s  %s\n  %s\n  entry %d, receipt /receipts/%s\n", o.From.Format(time.RFC3339), o.To.Format(time.RFC3339), o.To.Sub(o.From), o.Why, o.LeafIndex, o.Digest)
}
