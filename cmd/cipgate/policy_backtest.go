package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/policy"
)

func policyBacktestCommand() *cobra.Command {
	var record bool
	var reason string
	cmd := &cobra.Command{
		Use:   "backtest FILE",
		Short: "Replay the ledger under another policy: whom it would have warned, closed and terminated, and when",
		Long: `backtest folds every reseller's entries again and asks the deciders that run live what they would have stated under this policy, beside
what the ledger says happened. It reads the store itself, beside a running gateway or without one, and writes nothing.

With --record the running gateway does it instead, and keeps in its ledger who had it made and what came of it: putting a policy in force
that does more by itself needs that.

Each approval is taken as given when it is asked for, holds, extensions and appeals of the past are left out, and the guard holds nothing
back: it shows the policy at its sharpest. FILE - is standard input; a name that cipgate policy show lists works too.`,
		Example: `  cipgate policy backtest ours.yaml
  cipgate policy backtest contract-baseline --data /var/lib/cipgate --json
  cipgate policy backtest ours.yaml --record --reason "Before the board decides."`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := namedPolicy(cmd, args[0])
			if err != nil {
				return err
			}
			if record {
				return backtestOnRecord(cmd, p, reason)
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
	cmd.Flags().BoolVar(&record, "record", false, "let the running gateway do it, and keep what comes of it on record")
	cmd.Flags().StringVar(&reason, "reason", "", "with --record: why; it stands in the ledger")
	cmd.Flags().String("url", "http://127.0.0.1:8460", "with --record: address of the running gateway")
	cmd.Flags().String("token", "", "with --record: API token; default: admin.token in the data folder")
	registerConfig(cmd.Flags())
	return cmd
}

// backtestTold is a backtest that the gateway was asked for.
type backtestTold struct {
	ID        string           `json:"id"`
	Policy    string           `json:"policy"`
	Digest    string           `json:"digest"`
	By        string           `json:"by"`
	Reason    string           `json:"reason"`
	AskedAt   time.Time        `json:"asked_at"`
	State     string           `json:"state"`
	Done      int              `json:"resellers_done"`
	Of        int              `json:"resellers"`
	LeafIndex *int64           `json:"leaf_index,omitzero"`
	Failure   string           `json:"failure,omitzero"`
	Report    *backtest.Report `json:"report,omitzero"`
}

// lookAgain is how often is asked how far the gateway has come.
const lookAgain = 300 * time.Millisecond

// backtestOnRecord has the running gateway make a backtest, and waits for it.
func backtestOnRecord(cmd *cobra.Command, p policy.Policy, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return wrong("--reason: wanted why this is tried, got nothing. It stands in the ledger")
	}
	api, err := clientOf(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	var told backtestTold
	if err := api.post(ctx, "/v1/policies/backtests", map[string]string{"document": p.Document(), "reason": reason}, &told); err != nil {
		return err
	}
	began, progress := time.Now(), progressOn(cmd.ErrOrStderr())
	for told.State == "asked" || told.State == "running" {
		wait(ctx, lookAgain)
		if ctx.Err() != nil {
			return later("gave up waiting; the gateway goes on. See: GET /v1/policies/backtests/%s", told.ID)
		}
		if err := api.get(ctx, "/v1/policies/backtests/"+told.ID, &told); err != nil {
			return err
		}
		if told.Of > 0 {
			progress(told.Done, told.Of)
		}
	}
	if told.State != "done" {
		return fmt.Errorf("the gateway could not replay its ledger under %s: %s", told.Policy, told.Failure)
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd.OutOrStdout(), told)
	}
	printBacktest(cmd.OutOrStdout(), *told.Report, time.Since(began))
	fmt.Fprintf(cmd.OutOrStdout(), "\nOn record: entry %d of the ledger. SHA-256 of the file: %s\nNext: cipgate policy propose FILE --reason ...; then a second person: cipgate policy activate FILE --reason ...\n", *told.LeafIndex, told.Digest)
	return nil
}

// progressOn draws a bar where there is a person to see it, and writes a line from time to time where there is not.
func progressOn(w io.Writer) func(done, of int) {
	if !isTerminal(w) {
		return linesOn(w, time.Now)
	}
	var bar *progressbar.ProgressBar
	return func(done, of int) {
		if bar == nil {
			bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("resellers"),
				progressbar.OptionShowCount(), progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set(done) // what cannot be drawn is no reason to stop
	}
}

// isTerminal says whether a person may be looking.
func isTerminal(w io.Writer) bool {
	file, is := w.(*os.File)
	if !is {
		return false
	}
	about, err := file.Stat()
	return err == nil && about.Mode()&os.ModeCharDevice != 0
}

// lineEvery is how often a line is written, at most, of what is under way.
const lineEvery = 5 * time.Second

// linesOn writes how far something has come, in plain lines.
func linesOn(w io.Writer, now func() time.Time) func(done, of int) {
	last := now()
	return func(done, of int) {
		if at := now(); at.Sub(last) >= lineEvery {
			last = at
			fmt.Fprintf(w, "%d of %d resellers\n", done, of)
		}
	}
}

func printBacktest(out io.Writer, r backtest.Report, took time.Duration) {
	fmt.Fprintf(out, "%d entries about %d resellers, replayed under %s up to %s in %s, with %d MiB of memory at most.\n\n",
		r.Entries, r.Resellers, r.Policy, r.Until.UTC().Format(time.RFC3339), took.Round(time.Second/10), (r.Memory+1<<20-1)>>20)
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
	fmt.Fprintf(out, "\n%d resellers would have fared otherwise. --json lists the first 1,000; the first:\n", r.Differing)
	for _, d := range r.Differences[:min(len(r.Differences), 10)] {
		fmt.Fprintf(out, "\n%s\n", d.Entity)
		fmt.Fprintf(out, "  happened    %s\n  would have  %s\n", stepsInWords(d.Was), stepsInWords(d.Would))
	}
}

func stepsInWords(lines []backtest.Stated) string {
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
