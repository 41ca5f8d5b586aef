package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/resellers/backtest"
)

// shadowTold is the policy that runs beside, as the gateway tells it.
type shadowTold struct {
	Running bool       `json:"running"`
	Policy  string     `json:"policy,omitzero"`
	Digest  string     `json:"digest,omitzero"`
	Since   *time.Time `json:"since,omitzero"`
	Leaf    *int64     `json:"leaf_index,omitzero"`
	By      string     `json:"by,omitzero"`
	Reason  string     `json:"reason,omitzero"`
	Latest  *dayTold   `json:"latest,omitzero"`
	Next    string     `json:"next_step"`
}

// dayTold is a day of a shadow.
type dayTold struct {
	MadeAt time.Time `json:"made_at"`
	backtest.Day
}

func policyShadowCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "shadow FILE",
		Short: "Let a policy run beside the one in force: each day is told where the two differ",
		Long: `shadow lets a policy run beside the one in force from now on, as if it had been put in force at this moment. It decides nothing and reaches
no reseller; who started it stands in the ledger. When a day is over, UTC, the gateway reports whom it would have warned, restricted,
closed and terminated on that day and the policy in force did not, and the other way round.

What people do about a case counts for the shadow as long as the case runs there as it runs live; from where they part each approval is
taken as given when it is asked for. FILE - is standard input; a name that cipgate policy show lists works too.`,
		Example: `  cipgate policy shadow ours.yaml --reason "To see whom a shorter cure time would hit."
  cipgate policy shadow show
  cipgate policy shadow show --day 2027-03-01 --json
  cipgate policy shadow stop --reason "It was put in force."`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return wrong("--reason: wanted why this is tried, got nothing. It stands in the ledger")
			}
			document, err := policyDocument(cmd, args[0])
			if err != nil {
				return err
			}
			var told shadowTold
			return ask(cmd, http.MethodPost, "/v1/policies/shadow", map[string]string{"document": document, "reason": reason}, &told, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s runs beside the policy in force since %s, entry %d of the ledger. It decides nothing.\nThe first report comes when the day is over, UTC: cipgate policy shadow show\n",
					told.Policy, told.Since.Format(time.RFC3339), *told.Leaf)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; it stands in the ledger")
	registerClient(cmd)
	cmd.AddCommand(policyShadowShowCommand(), policyShadowStopCommand())
	return cmd
}

func policyShadowStopCommand() *cobra.Command {
	var said struct {
		Reason string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: "stop", Short: "Let no policy run beside any more; its reports stay", Args: cobra.NoArgs,
		Example: `  cipgate policy shadow stop --reason "It was put in force."`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var told shadowTold
			return ask(cmd, http.MethodPost, "/v1/policies/shadow/stop", &said, &told, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s runs no more. What it would have done: cipgate policy shadow show\n", told.Policy)
			})
		},
	}
	registerReason(cmd, &said.Reason)
	registerClient(cmd)
	return cmd
}

func policyShadowShowCommand() *cobra.Command {
	var day string
	cmd := &cobra.Command{
		Use: "show", Short: "Tell which policy runs beside, and where the two differed, a day at a time", Args: cobra.NoArgs,
		Example: "  cipgate policy shadow show\n  cipgate policy shadow show --day latest",
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := clientOf(cmd)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			asJSON, _ := cmd.Flags().GetBool("json")
			if day != "" {
				var told dayTold
				if err := api.get(cmd.Context(), "/v1/policies/shadow/reports/"+day, &told); err != nil {
					return err
				}
				if asJSON {
					return printJSON(out, told)
				}
				tellDay(out, told)
				return nil
			}
			var told struct {
				shadowTold
				Reports []dayTold `json:"reports"`
			}
			if err := api.get(cmd.Context(), "/v1/policies/shadow", &told.shadowTold); err != nil {
				return err
			}
			var reports struct {
				Items []dayTold `json:"items"`
			}
			if err := api.get(cmd.Context(), "/v1/policies/shadow/reports", &reports); err != nil && told.Running {
				return err
			}
			told.Reports = append([]dayTold{}, reports.Items...)
			if asJSON {
				return printJSON(out, told)
			}
			if told.Running {
				fmt.Fprintf(out, "%s runs beside the policy in force since %s. %s started it: %s\n", told.Policy, told.Since.Format(time.RFC3339), told.By, told.Reason)
			} else {
				fmt.Fprintln(out, "No policy runs beside the one in force. Start one: cipgate policy shadow FILE --reason ...")
			}
			for _, one := range told.Reports {
				fmt.Fprintf(out, "%s  %s: %d resellers differ; only in the shadow %s; only live %s; %d stand otherwise\n",
					one.Day.Day, one.Policy, one.Differing, stepsCounted(one.OnlyShadow), stepsCounted(one.OnlyLive), one.Apart)
			}
			if len(told.Reports) > 0 {
				fmt.Fprintln(out, "Names of a day: cipgate policy shadow show --day YYYY-MM-DD")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&day, "day", "", "one day with its names: YYYY-MM-DD, UTC, or latest")
	registerClient(cmd)
	return cmd
}

// stepsCounted says how many resellers came to which standing.
func stepsCounted(t backtest.Totals) string {
	words := []string{}
	for _, step := range []struct {
		name string
		n    int
	}{{"warned", t.Warned}, {"restricted", t.Restricted}, {"closing", t.Closing}, {"terminated", t.Terminated}} {
		if step.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", step.n, step.name))
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

func tellDay(out io.Writer, d dayTold) {
	fmt.Fprintf(out, "%s: %s beside %s, %d resellers.\n\n%-28s %10s %10s %12s %12s\n", d.Day.Day, d.Policy, d.InForce, d.Resellers, "", "happened", "would have", "only live", "only shadow")
	row := func(name string, was, would, live, shadow int) {
		fmt.Fprintf(out, "%-28s %10d %10d %12d %12d\n", name, was, would, live, shadow)
	}
	row("warned", d.Was.Warned, d.Would.Warned, d.OnlyLive.Warned, d.OnlyShadow.Warned)
	row("restricted", d.Was.Restricted, d.Would.Restricted, d.OnlyLive.Restricted, d.OnlyShadow.Restricted)
	row("account ordered closed", d.Was.Closing, d.Would.Closing, d.OnlyLive.Closing, d.OnlyShadow.Closing)
	row("terminated", d.Was.Terminated, d.Would.Terminated, d.OnlyLive.Terminated, d.OnlyShadow.Terminated)
	rules := map[string]bool{}
	for rule := range d.Was.Findings {
		rules[rule] = true
	}
	for rule := range d.Would.Findings {
		rules[rule] = true
	}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		fmt.Fprintf(out, "  %-26s %10d %10d\n", rule, d.Was.Findings[rule], d.Would.Findings[rule])
	}
	fmt.Fprintf(out, "%d resellers differ on this day; %d stand otherwise in the shadow.\n", d.Differing, d.Apart)
	for _, one := range d.Names[:min(len(d.Names), namesTold)] {
		fmt.Fprintf(out, "\n%s stands at %s, in the shadow at %s\n  only in the shadow  %s\n  only live           %s\n", one.Entity, one.Live, one.Shadow, stepsInWords(one.OnlyShadow), stepsInWords(one.OnlyLive))
	}
	if d.Differing > namesTold {
		fmt.Fprintf(out, "\nand %d more: --json lists the first 1,000\n", d.Differing-namesTold)
	}
}
