package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// invited is what POST /v1/invitations answers.
type invited struct {
	URL       string    `json:"url"`
	Token     string    `json:"token"`
	Entity    string    `json:"entity"`
	ExpiresAt time.Time `json:"expires_at"`
}

func inviteCommand() *cobra.Command {
	var wanted struct {
		Name     string `json:"name"`
		Country  string `json:"country"`
		Contact  string `json:"contact"`
		Superior string `json:"superior,omitempty"`
		LEI      string `json:"lei,omitempty"`
		Approval bool   `json:"approval,omitempty"`
	}
	cmd := &cobra.Command{
		Use:     "invite",
		Short:   "Invite a reseller; prints the enrolment address with its one-time token",
		Example: `  cipgate invite --name "Example Cloud GmbH" --country DE --contact compliance@example.com`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := clientOf(cmd)
			if err != nil {
				return err
			}
			var made invited
			if err := api.post(cmd.Context(), "/v1/invitations", wanted, &made); err != nil {
				return err
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd.OutOrStdout(), made)
			}
			fmt.Fprintf(cmd.OutOrStdout(), `Invited %s (%s).

  enrolment  %s
  entity     %s
  until      %s

The token after # works once. Send the address to %s by a way you trust. There they type:
  cipgate join '%s'
or follow the page behind the address with tools of their own.
`, wanted.Name, wanted.Country, made.URL, made.Entity, made.ExpiresAt.Format(time.RFC1123), wanted.Contact, made.URL)
			return nil
		},
	}
	cmd.Flags().StringVar(&wanted.Name, "name", "", "legal name")
	cmd.Flags().StringVar(&wanted.Country, "country", "", "country, ISO 3166-1 alpha-2")
	cmd.Flags().StringVar(&wanted.Contact, "contact", "", "e-mail address of a person at the reseller")
	cmd.Flags().StringVar(&wanted.Superior, "superior", "", "entity identifier of the superior (default: the gateway itself)")
	cmd.Flags().StringVar(&wanted.LEI, "lei", "", "Legal Entity Identifier, ISO 17442")
	cmd.Flags().BoolVar(&wanted.Approval, "approval", false, "an officer must approve the enrolment before it counts")
	registerClient(cmd)
	cmd.AddCommand(inviteUnderCommand())
	return cmd
}
