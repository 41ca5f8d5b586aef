package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// contactTold is one of a reseller's contacts as the gateway tells it.
type contactTold struct {
	Order       string     `json:"order"`
	Contact     string     `json:"contact"`
	ConfirmedAt *time.Time `json:"confirmed_at"`
}

func contactsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "contacts", Short: "Whom a reseller's notices are mailed to", Args: cobra.NoArgs,
		Long: `The first contact is mailed what concerns its reseller, at once. The second one is mailed a step's notice if nothing proves in time that it came
(policy case.proof.second_contact). Nobody is mailed anything before confirming, over a link that you give out, that mail reaches them.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(contactsListCommand(), contactsAskCommand(), contactsSecondCommand(), contactsTakeOffCommand())
	return cmd
}

func contactsListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list RESELLER", Short: "The contacts of a reseller", Args: cobra.ExactArgs(1),
		Example: "  cipgate contacts list https://reseller.example",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := ofReseller("/contacts")(args)
			if err != nil {
				return err
			}
			return tellEvery(cmd, path, url.Values{}, "None.", tellContact)
		},
	}
	registerClient(cmd)
	return cmd
}

func tellContact(out io.Writer, one contactTold) {
	state := "not confirmed: mailed nothing"
	if one.ConfirmedAt != nil {
		state = "confirmed " + one.ConfirmedAt.Format(time.RFC3339)
	}
	fmt.Fprintf(out, "%-6s  %s  %s\n", one.Order, one.Contact, state)
}

// confirmationTold is a link by which a contact confirms that it is reached.
type confirmationTold struct {
	URL       string    `json:"url"`
	Token     string    `json:"token"`
	Contact   string    `json:"contact"`
	ExpiresAt time.Time `json:"expires_at"`
}

// askForConfirmation posts, and tells the link that comes back.
func askForConfirmation(cmd *cobra.Command, path string, body any) error {
	var made confirmationTold
	return ask(cmd, http.MethodPost, path, body, &made, func() {
		fmt.Fprintf(cmd.OutOrStdout(), "Give this link to %s; it holds until %s and is not shown again:\n  %s\n", made.Contact, made.ExpiresAt.Format(time.RFC3339), made.URL)
	})
}

func contactsAskCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "ask RESELLER", Short: "Make a link by which the first contact confirms that it is reached", Args: cobra.ExactArgs(1),
		Example: "  cipgate contacts ask https://reseller.example",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := ofReseller("/contact/ask")(args)
			if err != nil {
				return err
			}
			return askForConfirmation(cmd, path, nil)
		},
	}
	registerClient(cmd)
	return cmd
}

func contactsSecondCommand() *cobra.Command {
	var wanted struct {
		Contact string `json:"contact"`
	}
	cmd := &cobra.Command{
		Use: "second RESELLER ADDRESS", Short: "Name a second contact, and make the link by which it confirms that it is reached", Args: cobra.ExactArgs(2),
		Example: "  cipgate contacts second https://reseller.example legal@reseller.example",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := ofReseller("/second-contact")(args[:1])
			if err != nil {
				return err
			}
			wanted.Contact = args[1]
			return askForConfirmation(cmd, path, wanted)
		},
	}
	registerClient(cmd)
	return cmd
}

func contactsTakeOffCommand() *cobra.Command {
	var wanted struct {
		Reason string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: "take-off RESELLER", Short: "Forget the second contact and its address", Args: cobra.ExactArgs(1),
		Example: `  cipgate contacts take-off https://reseller.example --reason "She left the company."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := ofReseller("/second-contact/take-off")(args)
			if err != nil {
				return err
			}
			var left struct {
				Items []contactTold `json:"items"`
			}
			return ask(cmd, http.MethodPost, path, wanted, &left, func() { fmt.Fprintln(cmd.OutOrStdout(), "The second contact is forgotten.") })
		},
	}
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}
