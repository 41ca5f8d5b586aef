package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/resellers/backtest"
)

func policyBacktestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backtest FILE",
		Short: "Replay the ledger under another policy: whom it would have warned, closed and terminated, and when",
		Long: `backtest folds every reseller's entries again and asks the deciders that run live what they would have stated under this policy, beside
what the ledger says happened. It reads the store itself, beside a running gateway or without one, and writes nothing.

Each approval is taken as given when it is asked for, and holds, extensions and appeals of the past are left out: it shows the policy at
its sharpest. FILE - is standard input; a name that cipgate policy show lists works too.`,
		Example: `  cipgate policy backtest ours.yaml
  cipgate policy backtest contract-baseline --data /var/lib/cipgate --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := namedPolicy(cmd, args[0])
			if err != nil {
				return err
			}
			asJSON, _ := cmd.Flags().GetBool("json")
			return withCore(cmd, func(ctx context.Context, program *Program) error {
				began := time.Now()
				report, err := program.docket.Backtest(ctx, p, program.clock.Now(), progressOn(cmd.ErrOrStderr()))
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), report)
				}
				printBacktest(cmd.OutOrStdout(), report, time.Since(began))
				return nil
			})
		},
	}
	registerConfig(cmd.Flags())
	return cmd
}

// progressOn draws a bar where there is a person to see it.
func progressOn(w io.Writer) func(done, of int) {
	var bar *progressbar.ProgressBar
	return func(done, of int) {
		if bar == nil {
			bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("resellers"),
				progressbar.OptionShowCount(), progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set(done) // what cannot be drawn is no reason to stop
	}
}

func printBacktest(out io.Writer, r backtest.Report, took time.Duration) {
	fmt.Fprintf(out, "%d entries about %d resellers, replayed under %s up to %s in %s.\n\n",
		r.Entries, r.Resellers, r.Policy, r.Until.UTC().Format(time.RFC3339), took.Round(time.Second/10))
	fmt.Fprintf(out, "%-28s %10s %10s\n", "", "happened", "would have")
	row := func(name string, was, would int) { fmt.Fprintf(out, "%-28s %10d %10d\n", name, was, would) }
	row("warned", r.Was.Warned, r.Would.Warned)
	row("restricted", r.Was.Restricted, r.Would.Restricted)
	row("account ordered closed", r.Was.Closing, r.Would.Closing)
	row("terminated", r.Was.Terminated, r.Would.Terminated)
	rules := map[string]bool{}
	for rule := range r.Was.Findings {
		rules[rule] = true
	}
	for rule := range r.Would.Findings {
		rules[rule] = true
	}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		row("  "+rule, r.Was.Findings[rule], r.Would.Findings[rule])
	}
	if r.Differing == 0 {
		fmt.Fprintln(out, "\nNo reseller would have fared otherwise.")
		return
	}
	fmt.Fprintf(out, "\n%d resellers would have fared otherwise. --json lists them all; the first:\n", r.Differing)
	for _, d := range r.Differences[:min(len(r.Differences), 10)] {
		fmt.Fprintf(out, "\n%s\n", d.Entity)
		fmt.Fprintf(out, "  happened    %s\n  would have  %s\n", stepsInWords(d.Was), stepsInWords(d.Would))
	}
}

func stepsInWords(lines []backtest.Line) string {
	words := ""
	for i, line := range lines {
		if i > 0 {
			words += ", "
		}
		words += line.What + " " + line.At.UTC().Format(time.DateOnly)
	}
	if words == "" {
		return "nothing"
	}
	return words
}
