package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// person is an officer as /v1/officers tells it.
type person struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Role       string     `json:"role"`
	Mail       string     `json:"mail,omitzero"`
	CreatedAt  time.Time  `json:"created_at"`
	DisabledAt *time.Time `json:"disabled_at"`
}

func officerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "officer", Short: "Officers: who may come in, and what they may do", Args: cobra.NoArgs,
		Long: `Each person at the provider has one account, with one role: a viewer reads; an officer acts on resellers; an approver also approves or
refuses the steps of a case; an administrator also manages officers, tokens and automation. What an officer does stands in the ledger
under its id and name. Where two people are asked for, they are two accounts: the first account, admin, is one.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(officerAddCommand(), officerLinkCommand(), officerListCommand(), officerChangeCommand(),
		officerReasonCommand("disable", "Shut an officer out at once", "is shut out: its sessions and links ended, its tokens are refused."),
		officerReasonCommand("enable", "Let an officer in again who was disabled", "may come in again. Next: cipgate officer link"))
	return cmd
}

func officerAddCommand() *cobra.Command {
	var wanted struct {
		Name string `json:"name"`
		Role string `json:"role"`
		Mail string `json:"mail,omitzero"`
	}
	cmd := &cobra.Command{
		Use: "add", Short: "Make an account for a person", Args: cobra.NoArgs,
		Example: `  cipgate officer add --name "Mara Lind" --role approver --mail mara@provider.example`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var made person
			return ask(cmd, http.MethodPost, "/v1/officers", wanted, &made, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "Made the account of %s with the role %s. In the ledger it is %s.\nNext, a sign-in link that holds once: cipgate officer link %s\n",
					made.Name, made.Role, made.ID, made.ID)
			})
		},
	}
	cmd.Flags().StringVar(&wanted.Name, "name", "", "the person's own name")
	cmd.Flags().StringVar(&wanted.Role, "role", "officer", "viewer, officer, approver or administrator")
	cmd.Flags().StringVar(&wanted.Mail, "mail", "", "mail address, where approvals that wait are told")
	registerClient(cmd)
	return cmd
}

// ask sends a request and prints the answer: as JSON for scripts, or as told.
func ask(cmd *cobra.Command, method, path string, value, into any, tell func()) error {
	api, err := clientOf(cmd)
	if err != nil {
		return err
	}
	if method == http.MethodGet {
		err = api.get(cmd.Context(), path, into)
	} else {
		err = api.post(cmd.Context(), path, value, into)
	}
	if err != nil {
		return err
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd.OutOrStdout(), into)
	}
	tell()
	return nil
}

func officerPath(name, action string) string {
	return "/v1/officers/" + url.PathEscape(name) + "/" + action
}

func officerLinkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "link NAME", Short: "Make a one-time sign-in link for an officer", Args: cobra.ExactArgs(1),
		Example: `  cipgate officer link "Mara Lind"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var made struct {
				URL     string `json:"url"`
				Officer person `json:"officer"`
				Holds   string `json:"expires_in"`
			}
			return ask(cmd, http.MethodPost, officerPath(args[0], "link"), nil, &made, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n\nIt signs %s in once, within 15 minutes. Whoever opens it acts under that name, so give it to nobody else.\n", made.URL, made.Officer.Name)
			})
		},
	}
	registerClient(cmd)
	return cmd
}

func officerListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the officers and their roles", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var found struct {
				Items []person `json:"items"`
			}
			return ask(cmd, http.MethodGet, "/v1/officers", nil, &found, func() {
				for _, o := range found.Items {
					state := ""
					if o.DisabledAt != nil {
						state = "  disabled since " + o.DisabledAt.Format(time.RFC3339)
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%-13s  %-32s %s%s\n", o.Role, o.Name, o.ID, state)
				}
			})
		},
	}
	registerClient(cmd)
	return cmd
}

func officerChangeCommand() *cobra.Command {
	var wanted struct {
		Role   string `json:"role,omitzero"`
		Mail   string `json:"mail,omitzero"`
		Reason string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: "change NAME", Short: "Give an officer another role or mail address", Args: cobra.ExactArgs(1),
		Example: `  cipgate officer change "Mara Lind" --role administrator --reason "Deputy of the head of compliance."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var changed person
			return ask(cmd, http.MethodPost, officerPath(args[0], "change"), wanted, &changed, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s has the role %s from the next request on.\n", changed.Name, changed.Role)
			})
		},
	}
	cmd.Flags().StringVar(&wanted.Role, "role", "", "viewer, officer, approver or administrator")
	cmd.Flags().StringVar(&wanted.Mail, "mail", "", "mail address")
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}

// registerReason adds the flag that every act of an officer asks for.
func registerReason(cmd *cobra.Command, reason *string) {
	cmd.Flags().StringVar(reason, "reason", "", "why; it stands in the ledger")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if strings.TrimSpace(*reason) == "" {
			return wrong("--reason: wanted why this is done, in words that a court could read, got nothing. It stands in the ledger")
		}
		return nil
	}
}

func officerReasonCommand(action, short, done string) *cobra.Command {
	var wanted struct {
		Reason string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: action + " NAME", Short: short, Args: cobra.ExactArgs(1),
		Example: `  cipgate officer ` + action + ` "Mara Lind" --reason "..."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var changed person
			return ask(cmd, http.MethodPost, officerPath(args[0], action), wanted, &changed, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", changed.Name, done)
			})
		},
	}
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}

// tokenShown is an API token as /v1/tokens tells it.
type tokenShown struct {
	Label     string     `json:"label"`
	Officer   string     `json:"officer"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	Secret    string     `json:"token,omitzero"`
}

func tokenCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "API tokens of officers and of the provider's systems", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(tokenCreateCommand(), tokenListCommand(), tokenExtendCommand(), tokenRevokeCommand())
	return cmd
}

func tokenCreateCommand() *cobra.Command {
	var wanted struct {
		Officer   string `json:"officer"`
		Label     string `json:"label"`
		ExpiresIn int64  `json:"expires_in,omitzero"`
	}
	var days int64
	cmd := &cobra.Command{
		Use: "create", Short: "Make an API token for an officer; its secret is shown once", Args: cobra.NoArgs,
		Example: `  cipgate token create --officer "Mara Lind" --label mara-laptop --days 30`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 || days > 400 {
				return wrong("--days: wanted 1 to 400, got %d", days)
			}
			wanted.ExpiresIn = days * 24 * 60 * 60
			var made tokenShown
			return ask(cmd, http.MethodPost, "/v1/tokens", wanted, &made, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n\nShown this once. It acts as %s until %s. End it: cipgate token revoke %q --reason ...\n",
					made.Secret, made.Officer, made.ExpiresAt.Format(time.RFC3339), made.Label)
			})
		},
	}
	cmd.Flags().StringVar(&wanted.Officer, "officer", "", "name or id of the officer that it acts as")
	cmd.Flags().StringVar(&wanted.Label, "label", "", "by which it is known; one that was used is not used again")
	cmd.Flags().Int64Var(&days, "days", 90, "how long it may be used")
	registerClient(cmd)
	return cmd
}

func tokenListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List API tokens, the newest first, those that ended too", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var found struct {
				Items []tokenShown `json:"items"`
			}
			return ask(cmd, http.MethodGet, "/v1/tokens", nil, &found, func() {
				for _, t := range found.Items {
					state := "never expires"
					switch {
					case t.RevokedAt != nil:
						state = "revoked " + t.RevokedAt.Format(time.RFC3339)
					case t.ExpiresAt != nil:
						state = "until " + t.ExpiresAt.Format(time.RFC3339)
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%-28s %-32s %s\n", t.Label, t.Officer, state)
				}
			})
		},
	}
	registerClient(cmd)
	return cmd
}

func tokenExtendCommand() *cobra.Command {
	var days int64
	var wanted struct {
		Label     string `json:"label"`
		ExpiresIn int64  `json:"expires_in"`
		Reason    string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: "extend LABEL", Short: "Let an API token last longer, also one that has expired", Args: cobra.ExactArgs(1),
		Example: `  cipgate token extend billing --days 365 --reason "The yearly look at who may read what."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if days < 1 || days > 400 {
				return wrong("--days: wanted 1 to 400, got %d", days)
			}
			wanted.Label, wanted.ExpiresIn = args[0], days*24*60*60
			var extended tokenShown
			return ask(cmd, http.MethodPost, "/v1/tokens/extend", wanted, &extended, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "The token %s of %s is good until %s.\n", extended.Label, extended.Officer, extended.ExpiresAt.Format(time.RFC3339))
			})
		},
	}
	cmd.Flags().Int64Var(&days, "days", 90, "how long from now it may be used")
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}

func tokenRevokeCommand() *cobra.Command {
	var wanted struct {
		Label  string `json:"label"`
		Reason string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: "revoke LABEL", Short: "End an API token at once", Args: cobra.ExactArgs(1),
		Example: `  cipgate token revoke mara-laptop --reason "The laptop was lost."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted.Label = args[0]
			var revoked tokenShown
			return ask(cmd, http.MethodPost, "/v1/tokens/revoke", wanted, &revoked, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "The token %s of %s is refused from now on.\n", revoked.Label, revoked.Officer)
			})
		},
	}
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}
