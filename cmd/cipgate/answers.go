package main

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// answerTold is what a reseller answered and nobody has decided yet, as /v1/reviews tells it.
type answerTold struct {
	ID        string    `json:"id"`
	Reseller  string    `json:"reseller"`
	Name      string    `json:"name"`
	Kind      string    `json:"kind"`
	Finding   string    `json:"finding"`
	Ground    string    `json:"ground,omitzero"`
	Until     string    `json:"until,omitzero"`
	At        time.Time `json:"at"`
	MayDecide bool      `json:"you_may_decide"`
	WhyNot    string    `json:"why_not,omitzero"`
}

func caseAnswersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "answers", Short: "List what resellers answered and nobody has decided yet, the oldest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return tellEvery(cmd, "/v1/reviews", url.Values{"limit": {"1000"}}, "No answer waits to be decided.", tellAnswer)
		},
	}
	registerClient(cmd)
	return cmd
}

func tellAnswer(out io.Writer, a answerTold) {
	fmt.Fprintf(out, "%s  %s of %s (%s)\n  finding  %s\n", a.At.Format(time.RFC3339), a.Kind, a.Name, a.Reseller, a.Finding)
	if a.Ground != "" {
		fmt.Fprintf(out, "  ground   %s\n", a.Ground)
	}
	if a.Until != "" {
		fmt.Fprintf(out, "  asks for time until %s\n", a.Until)
	}
	deeds := [2]string{"accept", "reject"}
	if a.Kind == "dispute" {
		deeds = [2]string{"uphold", "dismiss"}
	}
	if a.MayDecide {
		fmt.Fprintf(out, "  next: cipgate case %s %s %s --reason ..., or %s\n", deeds[0], a.Reseller, a.ID, deeds[1])
		return
	}
	fmt.Fprintf(out, "  not yours to decide: %s\n", a.WhyNot)
}
