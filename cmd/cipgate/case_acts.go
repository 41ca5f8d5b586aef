package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// timed is an act with a time among what it takes.
func timed(use, short, example, flag, about string, run func(cmd *cobra.Command, args []string, at time.Time) error) *cobra.Command {
	var text string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1), Example: "  cipgate " + example,
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := moment(flag, text)
			if err != nil {
				return err
			}
			return run(cmd, args, at)
		},
	}
	cmd.Flags().StringVar(&text, flag, "", about)
	registerClient(cmd)
	return cmd
}

func caseHoldCommand() *cobra.Command {
	var wanted struct {
		Kind      string    `json:"kind"`
		Authority string    `json:"authority,omitzero"`
		EndsAt    time.Time `json:"ends_at"`
		Reason    string    `json:"reason"`
	}
	cmd := timed("hold RESELLER", "Let the steps of a case wait until a time",
		`case hold https://reseller.example --kind stay --authority "District Court" --until 2026-03-20T12:00:00Z --reason "Order 26-1."`,
		"until", "when it ends, RFC 3339", func(cmd *cobra.Command, args []string, at time.Time) error {
			path, err := ofReseller("/case/holds")(args)
			if err != nil {
				return err
			}
			wanted.EndsAt = at
			return postAct(cmd, path, wanted)
		})
	cmd.Flags().StringVar(&wanted.Kind, "kind", "officer", "officer, customer-harm or stay")
	cmd.Flags().StringVar(&wanted.Authority, "authority", "", "of a stay: the court or authority that asked for it")
	registerReason(cmd, &wanted.Reason)
	return cmd
}

func caseExtendCommand() *cobra.Command {
	var wanted struct {
		Until       time.Time `json:"until"`
		Remediation string    `json:"remediation,omitzero"`
		Reason      string    `json:"reason"`
	}
	cmd := timed("extend RESELLER", "Move the next step of a case to a later time within its limit",
		`case extend https://reseller.example --until 2026-03-20T12:00:00Z --reason "The auditor comes on the 18th."`,
		"until", "when the next step is taken now, RFC 3339", func(cmd *cobra.Command, args []string, at time.Time) error {
			path, err := ofReseller("/case/extension")(args)
			if err != nil {
				return err
			}
			wanted.Until = at
			return postAct(cmd, path, wanted)
		})
	cmd.Flags().StringVar(&wanted.Remediation, "remediation", "", "jti of the extension-request that this answers, if one asked")
	registerReason(cmd, &wanted.Reason)
	return cmd
}

func caseLimitCommand() *cobra.Command {
	var wanted struct {
		LimitAt time.Time `json:"limit_at"`
		Reason  string    `json:"reason"`
	}
	cmd := timed("limit RESELLER", "Propose that the limit of a case be moved; another officer confirms it",
		`case limit https://reseller.example --until 2026-04-20T12:00:00Z --reason "The Department asked for it."`,
		"until", "the new limit, RFC 3339", func(cmd *cobra.Command, args []string, at time.Time) error {
			path, err := ofReseller("/case/limit")(args)
			if err != nil {
				return err
			}
			wanted.LimitAt = at
			return postAct(cmd, path, wanted)
		})
	registerReason(cmd, &wanted.Reason)
	return cmd
}

func casePolicyCommand() *cobra.Command {
	var wanted struct {
		Policy string `json:"policy"`
		Reason string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: "policy RESELLER POLICY", Short: "Pin a case to another version of the policy", Args: cobra.ExactArgs(2),
		Example: `  cipgate case policy https://reseller.example us-iaas-2024.4 --reason "It was opened by a rule that was wrong."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := ofReseller("/case/policy")(args[:1])
			if err != nil {
				return err
			}
			wanted.Policy = args[1]
			return postAct(cmd, path, wanted)
		},
	}
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}

func caseInquireCommand() *cobra.Command {
	var wanted struct {
		Question string     `json:"question"`
		DueAt    *time.Time `json:"due_at,omitzero"`
	}
	var due string
	cmd := &cobra.Command{
		Use: "inquire RESELLER", Short: "Ask a reseller a question that it must answer; no finding yet", Args: cobra.ExactArgs(1),
		Example: `  cipgate case inquire https://reseller.example --question "Which customer used 192.0.2.7 on 9 February?"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := ofReseller("/inquiries")(args)
			if err != nil {
				return err
			}
			if due != "" {
				at, err := moment("due", due)
				if err != nil {
					return err
				}
				wanted.DueAt = &at
			}
			var asked struct {
				Inquiry   string    `json:"inquiry"`
				DueAt     time.Time `json:"due_at"`
				LeafIndex int64     `json:"leaf_index"`
				Digest    string    `json:"digest"`
			}
			return ask(cmd, http.MethodPost, path, wanted, &asked, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "Asked as inquiry %s (entry %d). The reseller must answer by %s.\n", asked.Inquiry, asked.LeafIndex, asked.DueAt.Format(time.RFC3339))
			})
		},
	}
	cmd.Flags().StringVar(&wanted.Question, "question", "", "as it is sent to the reseller")
	cmd.Flags().StringVar(&due, "due", "", "by when, RFC 3339 (default: 5 days from now)")
	registerClient(cmd)
	return cmd
}

func caseToldCommand() *cobra.Command {
	var wanted struct {
		Notice  string    `json:"notice"`
		Channel string    `json:"channel"`
		Whom    string    `json:"whom"`
		At      time.Time `json:"at"`
		Reason  string    `json:"reason"`

		Unanswered bool `json:"unanswered,omitzero"`
	}
	cmd := timed("told RESELLER", "Record that a reseller was told of a notice by call, courier or in a meeting, or that nobody answered",
		`case told https://reseller.example --notice JTI --channel call --whom "head of compliance" --at 2026-03-01T12:00:00Z --reason "She read it back."`,
		"at", "when, RFC 3339", func(cmd *cobra.Command, args []string, at time.Time) error {
			path, err := ofReseller("/notices/record")(args)
			if err != nil {
				return err
			}
			wanted.At = at
			return postAct(cmd, path, wanted)
		})
	cmd.Flags().StringVar(&wanted.Notice, "notice", "", "jti of what the reseller was told")
	cmd.Flags().StringVar(&wanted.Channel, "channel", "call", "call, courier or meeting")
	cmd.Flags().StringVar(&wanted.Whom, "whom", "", "the role of whom was told; no name")
	cmd.Flags().BoolVar(&wanted.Unanswered, "unanswered", false, "nobody answered; so many tries on different days as the policy says (case.proof.unanswered) are proof")
	registerReason(cmd, &wanted.Reason)
	return cmd
}

func caseReinstateCommand() *cobra.Command {
	var wanted struct {
		WhoseError string `json:"whose_error"`
		Reason     string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: "reinstate RESELLER", Short: "Take a termination back; the ledger says whose error it was", Args: cobra.ExactArgs(1),
		Example: `  cipgate case reinstate https://reseller.example --whose-error gateway --reason "The statement had been accepted."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := ofReseller("/reinstatement")(args)
			if err != nil {
				return err
			}
			return postAct(cmd, path, wanted)
		},
	}
	cmd.Flags().StringVar(&wanted.WhoseError, "whose-error", "", "gateway, provider, superior, reseller or nobody")
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}

func evidenceCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "evidence", Short: "Evidence against a reseller", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	var wanted struct {
		Reseller    string    `json:"reseller"`
		Ground      string    `json:"ground"`
		Severity    string    `json:"severity"`
		Description string    `json:"description"`
		ReceivedAt  time.Time `json:"received_at"`
		Audience    string    `json:"audience,omitzero"`
	}
	record := timed("record RESELLER", "Record evidence; it opens a finding since it was received",
		`evidence record https://reseller.example --ground cip-failure --severity serious --received 2026-03-01T12:00:00Z --description "Two customers could not be named."`,
		"received", "when the provider had it, RFC 3339", func(cmd *cobra.Command, args []string, at time.Time) error {
			id, err := resellerID(args[0])
			if err != nil {
				return err
			}
			wanted.Reseller, wanted.ReceivedAt = id, at
			var done struct {
				Evidence  string `json:"evidence"`
				LeafIndex int64  `json:"leaf_index"`
				Digest    string `json:"digest"`
				Next      string `json:"next_step"`
			}
			return ask(cmd, http.MethodPost, "/v1/evidence", wanted, &done, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "Recorded as evidence %s (entry %d, receipt /receipts/%s).\n%s\n", done.Evidence, done.LeafIndex, done.Digest, done.Next)
			})
		})
	record.Flags().StringVar(&wanted.Ground, "ground", "", "cip-failure, no-good-faith-effort or increased-risk (15 CFR 7.303(d), proposed)")
	record.Flags().StringVar(&wanted.Severity, "severity", "serious", "serious or critical")
	record.Flags().StringVar(&wanted.Description, "description", "", "what was found; stands in the ledger, so name no person")
	record.Flags().StringVar(&wanted.Audience, "audience", "reseller", "who may read it: reseller, chain, provider or need-to-know")
	cmd.AddCommand(record)
	return cmd
}

func automationCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "automation", Short: "Let irreversible steps of all resellers wait, or go on", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	status := &cobra.Command{
		Use: "status", Short: "Say whether irreversible steps are taken", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var is struct {
				Paused   bool             `json:"paused"`
				Since    *time.Time       `json:"since"`
				By       map[string]any   `json:"by"`
				Reason   string           `json:"reason,omitzero"`
				Releases []map[string]any `json:"guard_releases"`
			}
			return ask(cmd, http.MethodGet, "/v1/automation", nil, &is, func() {
				if is.Paused {
					fmt.Fprintf(cmd.OutOrStdout(), "Paused since %s by %v: %s\n", is.Since.Format(time.RFC3339), is.By["name"], is.Reason)
				} else {
					fmt.Fprintln(cmd.OutOrStdout(), "Irreversible steps are taken as the policy says.")
				}
				for _, r := range is.Releases {
					fmt.Fprintf(cmd.OutOrStdout(), "The guard on %v is released until %v.\n", r["guard"], r["until"])
				}
			})
		},
	}
	registerClient(status)
	at := func(path string) func([]string) (string, error) {
		return func([]string) (string, error) { return path, nil }
	}
	var wanted struct {
		Guard  string    `json:"guard"`
		Until  time.Time `json:"until"`
		Reason string    `json:"reason"`
	}
	release := timed("release GUARD", "Propose that what the guard holds back go on until a time; another officer confirms it",
		`automation release closures --until 2026-03-02T12:00:00Z --reason "Each of them was looked at."`,
		"until", "at most 7 days from now, RFC 3339", func(cmd *cobra.Command, args []string, until time.Time) error {
			wanted.Guard, wanted.Until = args[0], until
			return postAct(cmd, "/v1/guard/releases", wanted)
		})
	release.Long = "GUARD is closures, terminations, accounts or findings. Confirm it as another person: cipgate case confirm."
	registerReason(release, &wanted.Reason)
	cmd.AddCommand(status, release,
		reasonCommand("pause", "Let every irreversible step wait, of all resellers", `automation pause --reason "A rule is wrong."`, 0, at("/v1/automation/pause")),
		reasonCommand("resume", "Let irreversible steps be taken again", `automation resume --reason "It was mended."`, 0, at("/v1/automation/resume")))
	return cmd
}
