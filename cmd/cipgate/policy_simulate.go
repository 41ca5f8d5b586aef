package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// foreseen is one step of a reseller's future, if nothing is done.
type foreseen struct {
	What   string     `json:"what"`
	At     *time.Time `json:"at"`
	Unless string     `json:"unless,omitzero"`
	Waits  string     `json:"waits_for,omitzero"`
}

// future is what policy simulate tells.
type future struct {
	Entity   string     `json:"entity"`
	Name     string     `json:"name"`
	Standing string     `json:"standing"`
	Until    time.Time  `json:"until"`
	Steps    []foreseen `json:"if_nothing_happens"`
	Later    int        `json:"later"` // steps after until
}

func policySimulateCommand() *cobra.Command {
	var reseller string
	var days int
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Show a reseller's future if nothing happens: each step with its date, what prevents it, and whom it waits for",
		Long: `simulate asks the running gateway what its deciders would state about a reseller if nobody did anything: neither the reseller nor an
officer. It is the same future that the reseller's page shows. Nothing is stated.`,
		Example: "  cipgate policy simulate --reseller https://reseller.example --days 60",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 {
				return wrong("--days: wanted at least 1, got %d", days)
			}
			path, err := ofReseller("")([]string{reseller})
			if err != nil {
				return err
			}
			api, err := clientOf(cmd)
			if err != nil {
				return err
			}
			var told future
			if err := api.get(cmd.Context(), path, &told); err != nil {
				return err
			}
			told.Until = endOfDay(gatewayNow(cmd.Context(), api).AddDate(0, 0, days))
			told.Steps, told.Later = within(told.Steps, told.Until)
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd.OutOrStdout(), told)
			}
			tellFuture(cmd.OutOrStdout(), told)
			return nil
		},
	}
	cmd.Flags().StringVar(&reseller, "reseller", "", "the reseller's entity identifier, or its id")
	cmd.Flags().IntVar(&days, "days", 60, "how far ahead")
	registerClient(cmd)
	return cmd
}

// within splits the steps at a time.
func within(steps []foreseen, until time.Time) (sooner []foreseen, later int) {
	sooner = []foreseen{}
	for _, step := range steps {
		if step.At != nil && step.At.After(until) {
			later++
			continue
		}
		sooner = append(sooner, step)
	}
	return sooner, later
}

// endOfDay is the last second of t's day in UTC. The future is told by dates, so a step on its last date is told.
func endOfDay(t time.Time) time.Time {
	return t.UTC().Truncate(24 * time.Hour).Add(24*time.Hour - time.Second)
}

// gatewayNow is the gateway's clock where it is a sandbox, and this machine's else.
func gatewayNow(ctx context.Context, api *client) time.Time {
	now, err := api.sandboxTime(ctx)
	if err != nil {
		return time.Now() // a gateway that is no sandbox has no such page
	}
	return now
}

func tellFuture(out io.Writer, told future) {
	fmt.Fprintf(out, "%s (%s) stands at %s. If nothing happens until %s:\n", told.Name, told.Entity, told.Standing, told.Until.UTC().Format(time.DateOnly))
	for _, step := range told.Steps {
		at := "no date"
		if step.At != nil {
			at = step.At.UTC().Format("2006-01-02 15:04")
		}
		fmt.Fprintf(out, "  %-16s  %s\n", at, step.What)
		if step.Waits != "" {
			fmt.Fprintf(out, "  %-16s  %s\n", "", step.Waits)
		}
		if step.Unless != "" {
			fmt.Fprintf(out, "  %-16s  unless %s\n", "", step.Unless)
		}
	}
	if len(told.Steps) == 0 {
		fmt.Fprintln(out, "  nothing")
	}
	if told.Later > 0 {
		fmt.Fprintf(out, "%d more after that: --days\n", told.Later)
	}
}
