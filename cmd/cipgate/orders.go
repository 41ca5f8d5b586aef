package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// orderShown is an order, as /v1/orders tells it.
type orderShown struct {
	ID        string     `json:"id"`
	Reseller  string     `json:"reseller"`
	Order     string     `json:"order"`
	What      string     `json:"what"`
	Case      string     `json:"case"`
	Policy    string     `json:"policy"`
	State     string     `json:"state"`
	OrderedAt time.Time  `json:"ordered_at"`
	DueAt     *time.Time `json:"due_at"`
	Overdue   *time.Time `json:"overdue_since"`

	Delivered      *time.Time `json:"delivered_at"`
	Acknowledged   *time.Time `json:"acknowledged_at"`
	AcknowledgedBy string     `json:"acknowledged_by,omitzero"`
	Confirmed      *time.Time `json:"confirmed_at"`
	ConfirmedBy    string     `json:"confirmed_by,omitzero"`
	ConfirmedAs    string     `json:"confirmed_as,omitzero"`
	CarriedOutOn   string     `json:"carried_out_on,omitzero"`
	Answer         *struct {
		Outcome   string    `json:"outcome"`
		By        string    `json:"by"`
		As        string    `json:"as"`
		At        time.Time `json:"at"`
		On        string    `json:"on,omitzero"`
		LeafIndex int64     `json:"leaf_index"`
	} `json:"answer"`
	Withdrawn *time.Time `json:"withdrawn_at"`
	Successor string     `json:"successor,omitzero"`
	Accounts  int        `json:"accounts,omitzero"`
	Part      int        `json:"part,omitzero"`
	Parts     int        `json:"parts,omitzero"`
	Total     int        `json:"total_accounts,omitzero"`
	LeafIndex int64      `json:"leaf_index"`
}

func ordersCommand() *cobra.Command {
	var state, reseller, order string
	cmd := &cobra.Command{
		Use: "orders", Short: "List the gateway's orders and what became of them, the newest first; show or confirm one", Args: cobra.NoArgs,
		Example: `  cipgate orders
  cipgate orders --state overdue --json
  cipgate orders confirm ID --reason "Closed in billing, ticket 4711."`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"limit": {"1000"}}
			if err := inState(query, state, "open", "overdue", "confirmed", "withdrawn"); err != nil {
				return err
			}
			if reseller != "" {
				id, err := resellerID(reseller)
				if err != nil {
					return err
				}
				query.Set("reseller", id)
			}
			if order != "" {
				query.Set("order", order)
			}
			return tellEvery(cmd, "/v1/orders", query, "There is no such order. With --state all every one is listed.", tellOrder)
		},
	}
	cmd.Flags().StringVar(&state, "state", "open", "open (what is overdue is among them), overdue, confirmed, withdrawn or all")
	cmd.Flags().StringVar(&reseller, "reseller", "", "of this reseller alone: its entity identifier or its id")
	cmd.Flags().StringVar(&order, "order", "", "no-new-accounts, reseller-account, customer-accounts, remaining-accounts or hand-over")
	registerClient(cmd)
	cmd.AddCommand(orderShowCommand(), orderConfirmCommand())
	return cmd
}

func tellOrder(out io.Writer, o orderShown) {
	line := fmt.Sprintf("%s  %s  %s\n  %s", o.OrderedAt.Format(time.RFC3339), o.State, o.Reseller, o.What)
	if o.Total > 0 {
		line += fmt.Sprintf(" (%d of %d accounts, part %d of %d)", o.Accounts, o.Total, o.Part, o.Parts)
	}
	if o.Successor != "" {
		line += " " + o.Successor
	}
	switch {
	case o.Withdrawn != nil:
		line += "\n  withdrawn " + o.Withdrawn.Format(time.RFC3339)
	case o.Confirmed != nil:
		line += fmt.Sprintf("\n  confirmed %s by the %s %s", o.Confirmed.Format(time.RFC3339), o.ConfirmedAs, o.ConfirmedBy)
	case o.Overdue != nil:
		line += "\n  OVERDUE since " + o.Overdue.Format(time.RFC3339)
	case o.DueAt != nil:
		line += "\n  to be confirmed by " + o.DueAt.Format(time.RFC3339)
	default:
		line += "\n  holds until it is withdrawn"
	}
	if o.Answer != nil && o.Answer.Outcome != "done" {
		line += fmt.Sprintf("; the %s %s said %q, see cipgate orders show", o.Answer.As, o.Answer.By, o.Answer.Outcome)
	}
	fmt.Fprintf(out, "%s\n  id %s\n", line, o.ID)
}

func orderShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show one order, with the accounts that it names", Args: cobra.ExactArgs(1), Example: "  cipgate orders show ID",
		RunE: func(cmd *cobra.Command, args []string) error {
			var shown struct {
				orderShown
				Names []struct {
					Customer string `json:"customer"`
					Account  string `json:"account"`
				} `json:"names"`
				Why string `json:"answer_why,omitzero"`
			}
			return ask(cmd, http.MethodGet, "/v1/orders/"+url.PathEscape(args[0]), nil, &shown, func() {
				out := cmd.OutOrStdout()
				tellOrder(out, shown.orderShown)
				for _, way := range []struct {
					words string
					at    *time.Time
				}{{"delivered", shown.Delivered}, {"acknowledged (" + shown.AcknowledgedBy + ")", shown.Acknowledged}} {
					if way.at != nil {
						fmt.Fprintf(out, "  %s %s\n", way.words, way.at.Format(time.RFC3339))
					}
				}
				if shown.Why != "" {
					fmt.Fprintf(out, "  answer: %s\n", shown.Why)
				}
				for _, n := range shown.Names {
					fmt.Fprintf(out, "  customer %s  account %s\n", n.Customer, n.Account)
				}
			})
		},
	}
	registerClient(cmd)
	return cmd
}

func orderConfirmCommand() *cobra.Command {
	var wanted struct {
		Outcome string `json:"outcome"`
		On      string `json:"on,omitzero"`
		Reason  string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: "confirm ID", Short: "State that an order was carried out, or why it cannot be, for the provider's own people and systems", Args: cobra.ExactArgs(1),
		Example: `  cipgate orders confirm ID --reason "Closed in billing, ticket 4711."
  cipgate orders confirm ID --outcome cannot --reason "A court ordered the account to be kept."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return postAct(cmd, "/v1/orders/"+url.PathEscape(args[0])+"/confirm", wanted)
		},
	}
	cmd.Flags().StringVar(&wanted.Outcome, "outcome", "done", "done, partly or cannot")
	cmd.Flags().StringVar(&wanted.On, "on", "", "the day, YYYY-MM-DD (default: today)")
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}

// caseSuccessorCommand names who takes the verified customers.
func caseSuccessorCommand() *cobra.Command {
	var wanted struct {
		Successor string    `json:"successor,omitzero"`
		Until     time.Time `json:"until"`
		Reason    string    `json:"reason"`
	}
	cmd := timed("successor RESELLER", "Name who takes the verified customers if the relationship ends; every other account is ordered closed then",
		`case successor https://reseller.example --to https://other.example --until 2026-06-30T12:00:00Z --reason "Agreed on the phone."`,
		"until", "until when it takes them, after the limit of the case, RFC 3339", func(cmd *cobra.Command, args []string, at time.Time) error {
			path, err := ofReseller("/case/successor")(args)
			if err != nil {
				return err
			}
			wanted.Until = at
			return postAct(cmd, path, wanted)
		})
	cmd.Flags().StringVar(&wanted.Successor, "to", "", "entity identifier of the reseller that takes them (default: the provider itself)")
	registerReason(cmd, &wanted.Reason)
	cmd.AddCommand(reasonCommand("withdraw RESELLER", "Take that back: every account is ordered closed then", `case successor withdraw https://reseller.example --reason "..."`, 1,
		ofReseller("/case/successor/withdraw")))
	return cmd
}

// inviteUnderCommand invites an enrolled reseller under another superior.
func inviteUnderCommand() *cobra.Command {
	var wanted struct {
		Superior string `json:"superior,omitzero"`
		Reason   string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: "move RESELLER", Short: "Invite an enrolled reseller under another superior; it keeps its identifier, its keys and all that it stated", Args: cobra.ExactArgs(1),
		Example: `  cipgate invite move https://reseller.example --superior https://other.example --reason "Its superior is closing."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := ofReseller("/superior")(args)
			if err != nil {
				return err
			}
			var made invited
			return ask(cmd, http.MethodPost, path, wanted, &made, func() {
				fmt.Fprintf(cmd.OutOrStdout(), `Invited %s under another superior.

  enrolment  %s
  until      %s

The token after # works once. There they type, with the folder that holds their keys:
  cipgate join '%s'
`, made.Entity, made.URL, made.ExpiresAt.Format(time.RFC1123), made.URL)
			})
		},
	}
	cmd.Flags().StringVar(&wanted.Superior, "superior", "", "entity identifier of the new superior (default: the gateway itself)")
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}
