package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// obligationShown is what the provider owes an authority, as /v1/obligations tells it.
type obligationShown struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	About     string     `json:"about"`
	Subject   string     `json:"subject,omitzero"`
	What      string     `json:"what"`
	Source    string     `json:"source"`
	Policy    string     `json:"policy"`
	State     string     `json:"state"`
	OpenedAt  time.Time  `json:"opened_at"`
	DueAt     time.Time  `json:"due_at"`
	Request   string     `json:"request,omitzero"`
	EndedAt   *time.Time `json:"ended_at"`
	Reference string     `json:"reference,omitzero"`
	Late      bool       `json:"late"`
}

func obligationsCommand() *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use: "obligations", Short: "List what is owed to an authority, the first that is due first; fulfil, waive or record one", Args: cobra.NoArgs,
		Example: `  cipgate obligations
  cipgate obligations --state overdue
  cipgate obligations fulfil ID --reference "IC3 I-2026-0815" --reason "Reported what was behind the closure."`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"limit": {"1000"}}
			if err := inState(query, state, "open", "overdue", "ended"); err != nil {
				return err
			}
			return tellEvery(cmd, "/v1/obligations", query, "Nothing of that is owed.", tellObligation)
		},
	}
	cmd.Flags().StringVar(&state, "state", "open", "open (what is overdue is among them), overdue, ended or all")
	registerClient(cmd)
	cmd.AddCommand(obligationFulfilCommand(), obligationRecordCommand(),
		reasonCommand("waive ID", "Propose that an obligation be waived; another officer confirms it with cipgate case confirm",
			`obligations waive ID --reason "The closure was a mistake of ours, and nothing was suspected."`, 1, func(args []string) (string, error) {
				return "/v1/obligations/" + url.PathEscape(args[0]) + "/waive", nil
			}))
	return cmd
}

func tellObligation(out io.Writer, o obligationShown) {
	fmt.Fprintf(out, "%s  %-9s  %s  %s\n  %s\n  source: %s (%s)\n", o.DueAt.Format(time.RFC3339), o.State, o.Kind, o.About, o.What, o.Source, o.Policy)
	if o.EndedAt != nil {
		late := ""
		if o.Late {
			late = ", after it was due"
		}
		fmt.Fprintf(out, "  ended %s%s %s\n  id %s\n", o.EndedAt.Format(time.RFC3339), late, o.Reference, o.ID)
		return
	}
	fmt.Fprintf(out, "  next: cipgate obligations fulfil %s --reference ... --reason ..., or waive\n", o.ID)
}

func obligationFulfilCommand() *cobra.Command {
	var wanted struct {
		Reference string `json:"reference"`
		Reason    string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: "fulfil ID", Short: "Record that an obligation was fulfilled", Args: cobra.ExactArgs(1),
		Example: `  cipgate obligations fulfil ID --reference "IC3 I-2026-0815" --reason "Reported what was behind the closure."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if wanted.Reference == "" {
				return wrong("--reference: wanted the reference of what was handed in, such as the number of the report, got nothing")
			}
			return postAct(cmd, "/v1/obligations/"+url.PathEscape(args[0])+"/fulfil", wanted)
		},
	}
	cmd.Flags().StringVar(&wanted.Reference, "reference", "", "of what was handed in, such as the number of the report")
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}

func obligationRecordCommand() *cobra.Command {
	var wanted struct {
		Kind       string    `json:"kind"`
		Reseller   string    `json:"reseller,omitzero"`
		Request    string    `json:"request"`
		What       string    `json:"what"`
		ReceivedAt time.Time `json:"received_at"`
	}
	cmd := timed("record", "Record that an authority asked for something",
		`obligations record --kind department-request --request BIS-2026-17 --reseller https://reseller.example --received 2026-03-01T12:00:00Z --reason "Its written CIP."`,
		"received", "when the request was received, RFC 3339: the time counts from there", func(cmd *cobra.Command, _ []string, at time.Time) error {
			body := wanted
			body.ReceivedAt = at
			if body.Reseller != "" {
				id, err := resellerID(body.Reseller)
				if err != nil {
					return err
				}
				body.Reseller = id
			}
			var done struct {
				Obligation string    `json:"obligation"`
				DueAt      time.Time `json:"due_at"`
				LeafIndex  int64     `json:"leaf_index"`
				Digest     string    `json:"digest"`
			}
			return ask(cmd, http.MethodPost, "/v1/obligations", body, &done, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "Recorded as entry %d (receipt /receipts/%s). It is due %s.\n  id %s\nNext: cipgate obligations fulfil %s --reference ... --reason ...\n",
					done.LeafIndex, done.Digest, done.DueAt.Format(time.RFC3339), done.Obligation, done.Obligation)
			})
		})
	cmd.Args = cobra.NoArgs
	cmd.Flags().StringVar(&wanted.Kind, "kind", "department-request", "department-request or follow-up")
	cmd.Flags().StringVar(&wanted.Reseller, "reseller", "", "whom it is about, if it is about one")
	cmd.Flags().StringVar(&wanted.Request, "request", "", "the authority's reference")
	registerReason(cmd, &wanted.What)
	return cmd
}

// noticeShown is how far it is proved that a reseller was told of the last step of its case, as /v1 tells it.
type noticeShown struct {
	Notice   string     `json:"notice"`
	For      string     `json:"for"`
	CallAt   time.Time  `json:"call_at"`
	CallBy   time.Time  `json:"call_by"`
	ProvedAt *time.Time `json:"proved_at"`
	Words    string     `json:"words"`
}

// callShown is a reseller that must be called, as /v1/calls tells it.
type callShown struct {
	Reseller string      `json:"reseller"`
	Name     string      `json:"name"`
	Notice   noticeShown `json:"notice"`
}

func caseCallsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "calls", Short: "List the resellers that an officer must call now, since nothing proves that they were told", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return tellEvery(cmd, "/v1/calls", url.Values{"limit": {"1000"}}, "Nobody need be called.", func(out io.Writer, c callShown) {
				fmt.Fprintf(out, "by %s  %s (%s)\n  %s\n  cipgate case told %s --notice %s --channel call --whom ROLE --at TIME --reason ... [--unanswered]\n",
					c.Notice.CallBy.Format(time.RFC3339), c.Name, c.Reseller, c.Notice.Words, c.Reseller, c.Notice.Notice)
			})
		},
	}
	registerClient(cmd)
	return cmd
}
