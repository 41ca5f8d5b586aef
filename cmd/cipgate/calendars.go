package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// calendarShown is a feed of dates as /v1/calendars tells it.
type calendarShown struct {
	ID        string     `json:"id"`
	Reseller  string     `json:"reseller,omitzero"`
	MadeBy    string     `json:"made_by"`
	MadeAt    time.Time  `json:"made_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	URL       string     `json:"url,omitzero"`
}

func calendarsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "calendars", Short: "Calendars to subscribe to, for officers and for resellers: list, make, revoke", Args: cobra.NoArgs,
		Long: `A calendar (iCalendar, RFC 5545) shows the next step of every reseller, or what one reseller owes, by the day. Whoever has its address reads it,
without signing in: give it to one person, and revoke it when they leave. Without a further word the calendars are listed.`,
		Example: `  cipgate calendars
  cipgate calendars make
  cipgate calendars make --reseller https://reseller.example
  cipgate calendars revoke 0198...`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return tellEvery(cmd, "/v1/calendars", url.Values{"limit": {"1000"}}, "No calendar was given out.", tellCalendar)
		},
	}
	registerClient(cmd)
	cmd.AddCommand(makeCalendarCommand(), revokeCalendarCommand())
	return cmd
}

func makeCalendarCommand() *cobra.Command {
	reseller := ""
	cmd := &cobra.Command{
		Use: "make", Short: "Make a calendar; its address is shown once", Args: cobra.NoArgs,
		Example: "  cipgate calendars make --reseller https://reseller.example",
		RunE: func(cmd *cobra.Command, _ []string) error {
			wanted := map[string]string{}
			if reseller != "" {
				id, err := resellerID(reseller)
				if err != nil {
					return err
				}
				wanted["reseller"] = id
			}
			var made calendarShown
			return ask(cmd, http.MethodPost, "/v1/calendars", wanted, &made, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "Subscribe to  %s\nThe address is shown once, and whoever has it reads the calendar. To take it back: cipgate calendars revoke %s\n", made.URL, made.ID)
			})
		},
	}
	cmd.Flags().StringVar(&reseller, "reseller", "", "a reseller's entity identifier or id: its own dates, to be given to it (default the steps of all)")
	registerClient(cmd)
	return cmd
}

func revokeCalendarCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "revoke ID", Short: "Take a calendar back: its address shows nothing from now on", Args: cobra.ExactArgs(1),
		Example: "  cipgate calendars revoke 0198...",
		RunE: func(cmd *cobra.Command, args []string) error {
			var ended calendarShown
			return ask(cmd, http.MethodPost, "/v1/calendars/"+url.PathEscape(args[0])+"/revoke", nil, &ended, func() { tellCalendar(cmd.OutOrStdout(), ended) })
		},
	}
	registerClient(cmd)
	return cmd
}

func tellCalendar(out io.Writer, c calendarShown) {
	whose, state := "the steps of all resellers", ""
	if c.Reseller != "" {
		whose = c.Reseller
	}
	if c.RevokedAt != nil {
		state = ", revoked " + c.RevokedAt.Format(time.RFC3339)
	}
	fmt.Fprintf(out, "%s  %s\n  made %s by %s%s\n", c.ID, whose, c.MadeAt.Format(time.RFC3339), c.MadeBy, state)
}
