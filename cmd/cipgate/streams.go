package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// streamShown is a stream as /v1/streams tells it.
type streamShown struct {
	ID        string     `json:"id"`
	Reseller  string     `json:"reseller,omitzero"`
	System    string     `json:"system,omitzero"`
	Method    string     `json:"method"`
	Host      string     `json:"host,omitzero"`
	Algorithm string     `json:"set_signing_alg"`
	Events    []string   `json:"events_delivered"`
	Status    string     `json:"status"`
	Reason    string     `json:"reason,omitzero"`
	Held      bool       `json:"held"`
	HeldBy    string     `json:"held_by,omitzero"`
	CreatedAt time.Time  `json:"created_at"`
	Waiting   int64      `json:"waiting"`
	Parked    int64      `json:"parked"`
	Tries     int        `json:"tries"`
	NextAt    *time.Time `json:"next_at"`
}

func streamsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "streams", Short: "Streams over which machines are told: list, pause, disable, enable, bring again", Args: cobra.NoArgs,
		Long: `Each reseller, and each system of the provider, has one stream (OpenID Shared Signals). Without a further word the streams are listed.
Whoever's stream is changed is told over it, and cannot undo it. What a reseller is told is mandatory: its stream can be paused, which
keeps everything, and never disabled.`,
		Example: `  cipgate streams
  cipgate streams pause ID --reason "Their receiver is being moved." --told "Paused as you asked."
  cipgate streams replay ID --since 2026-03-01T00:00:00Z`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := clientOf(cmd)
			if err != nil {
				return err
			}
			found := struct {
				Items []streamShown `json:"items"`
			}{Items: []streamShown{}}
			for after := ""; ; {
				var page struct {
					Items []streamShown `json:"items"`
					Next  string        `json:"next"`
				}
				if err := api.get(cmd.Context(), "/v1/streams?limit=100&after="+url.QueryEscape(after), &page); err != nil {
					return err
				}
				found.Items = append(found.Items, page.Items...)
				if after = page.Next; after == "" {
					break
				}
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd.OutOrStdout(), found)
			}
			tellStreams(cmd.OutOrStdout(), found.Items)
			return nil
		},
	}
	registerClient(cmd)
	cmd.AddCommand(streamStatusCommand("pause", "paused", "Send nothing more over a stream and keep everything"),
		streamStatusCommand("disable", "disabled", "Send nothing more to a system of the provider, and keep nothing for it"),
		streamStatusCommand("enable", "enabled", "Go on with a stream"), streamReplayCommand(), rotateKeyCommand())
	return cmd
}

// heldWords say why a receiver cannot change the status of its stream.
var heldWords = map[string]string{
	"officer":          " by an officer",
	"disabled-account": " since the account of its token is disabled (cipgate officer enable)",
	"expired-token":    " since its API token has expired (cipgate token extend)",
}

func tellStreams(out io.Writer, items []streamShown) {
	for _, s := range items {
		whose, way := s.Reseller, "polled"
		if s.System != "" {
			whose = "the provider's " + s.System
		}
		if s.Host != "" {
			way = "pushed to " + s.Host
		}
		status := s.Status + heldWords[s.HeldBy]
		fmt.Fprintf(out, "%s  %s\n  %s, %s, signed %s; %d wait, %d parked", s.ID, whose, status, way, s.Algorithm, s.Waiting, s.Parked)
		if s.Tries > 0 && s.NextAt != nil {
			fmt.Fprintf(out, "; %d pushes failed, next %s", s.Tries, s.NextAt.Format(time.RFC3339))
		}
		fmt.Fprintln(out)
	}
	if len(items) == 0 {
		fmt.Fprintln(out, "None: nobody has made a stream yet. How a receiver does is told at /docs/notices.")
	}
}

func streamStatusCommand(word, status, short string) *cobra.Command {
	wanted := struct {
		Status string `json:"status"`
		Told   string `json:"told,omitzero"`
		Reason string `json:"reason"`
	}{Status: status}
	cmd := &cobra.Command{
		Use: word + " ID", Short: short, Args: cobra.ExactArgs(1),
		Example: fmt.Sprintf("  cipgate streams %s 1f0c... --reason \"Their receiver is being moved.\"", word),
		RunE: func(cmd *cobra.Command, args []string) error {
			return postAct(cmd, "/v1/streams/"+url.PathEscape(args[0])+"/status", wanted)
		},
	}
	cmd.Flags().StringVar(&wanted.Told, "told", "", "what the receiver is told as the reason")
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}

func streamReplayCommand() *cobra.Command {
	return timed("replay ID", "Bring once more all that was addressed to a receiver since a time",
		"streams replay 1f0c... --since 2026-03-01T00:00:00Z", "since", "since when, RFC 3339", func(cmd *cobra.Command, args []string, at time.Time) error {
			var done struct {
				Notices int64 `json:"notices"`
			}
			return ask(cmd, http.MethodPost, "/v1/streams/"+url.PathEscape(args[0])+"/replay", map[string]time.Time{"since": at}, &done, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "%d notices wait again and are brought in order. What was proved stays proved.\n", done.Notices)
			})
		})
}

func rotateKeyCommand() *cobra.Command {
	var wanted struct {
		Reason string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: "rotate-key", Short: "Make a new key that signs for streams that ask for RS256", Args: cobra.NoArgs,
		Example: `  cipgate streams rotate-key --reason "Once a year."`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var done struct {
				KeyID     string `json:"kid"`
				LeafIndex int64  `json:"leaf_index"`
			}
			return ask(cmd, http.MethodPost, "/v1/streams/key", wanted, &done, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s signs for them from now on; other processes follow within a minute. Recorded as entry %d. /jwks.json shows it, and the one before for 90 days more.\n",
					done.KeyID, done.LeafIndex)
			})
		},
	}
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}

// outgoingShown is a notice or a mail as /v1/outbox tells it.
type outgoingShown struct {
	ID          string    `json:"id"`
	To          string    `json:"to"`
	Name        string    `json:"name"`
	About       string    `json:"about,omitzero"`
	Kind        string    `json:"kind,omitzero"`
	LeafIndex   *int64    `json:"leaf_index,omitzero"`
	State       string    `json:"state"`
	AddressedAt time.Time `json:"addressed_at"`
	Tries       int       `json:"tries"`
	Err         string    `json:"err,omitzero"`
	Description string    `json:"description,omitzero"`
	Attempts    []struct {
		At        time.Time `json:"at"`
		Method    string    `json:"method"`
		Status    int       `json:"status"`
		LatencyMS float64   `json:"latency_ms"`
		Problem   string    `json:"problem,omitzero"`
		Request   string    `json:"request,omitzero"`
		Response  string    `json:"response,omitzero"`
	} `json:"attempts"`
}

func outboxCommand() *cobra.Command {
	var state, after string
	cmd := &cobra.Command{
		Use: "outbox", Short: "Notices and mails that could not be brought, with every try; try one again", Args: cobra.NoArgs,
		Long: `outbox lists what is parked: what a receiver answered that it cannot take, and mail that a server refused for good. Nothing comes of it
by itself; once the cause is mended, it is tried again. With --state waiting it lists what waits, for its turn or for its next try.`,
		Example: `  cipgate outbox
  cipgate outbox --state waiting
  cipgate outbox retry ID`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var found struct {
				Items []outgoingShown `json:"items"`
				Next  string          `json:"next,omitzero"`
			}
			query := url.Values{"state": {state}, "after": {after}, "limit": {"100"}}
			return ask(cmd, http.MethodGet, "/v1/outbox?"+query.Encode(), nil, &found, func() {
				for _, one := range found.Items {
					tellOutgoing(cmd.OutOrStdout(), one)
				}
				switch {
				case found.Next != "":
					fmt.Fprintf(cmd.OutOrStdout(), "There is more. Next: cipgate outbox --state %s --after %s\n", state, found.Next)
				case len(found.Items) == 0:
					fmt.Fprintf(cmd.OutOrStdout(), "None is %s.\n", state)
				}
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "parked", "parked or waiting")
	cmd.Flags().StringVar(&after, "after", "", "where the page before ended")
	registerClient(cmd)
	retry := &cobra.Command{
		Use: "retry ID", Short: "Try a notice or a mail again now", Args: cobra.ExactArgs(1), Example: "  cipgate outbox retry aHR0cHM6Ly9yLmV4YW1wbGU.7",
		RunE: func(cmd *cobra.Command, args []string) error {
			var done outgoingShown
			return ask(cmd, http.MethodPost, "/v1/outbox/"+url.PathEscape(args[0])+"/retry", nil, &done, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "It is %s. Next, see what came of it: cipgate outbox\n", done.State)
			})
		},
	}
	registerClient(retry)
	cmd.AddCommand(retry)
	return cmd
}

func tellOutgoing(out io.Writer, one outgoingShown) {
	kind := one.Kind
	if kind == "" {
		kind = "an event of the stream itself"
	}
	fmt.Fprintf(out, "%s\n  %s to the %s %s, addressed %s, %s", one.ID, kind, one.To, one.Name, one.AddressedAt.Format(time.RFC3339), one.State)
	if one.Err != "" {
		fmt.Fprintf(out, ": %s: %s", one.Err, one.Description)
	}
	fmt.Fprintln(out)
	for _, a := range one.Attempts {
		fmt.Fprintf(out, "    %s  %s  status %d in %.0f ms  %s\n", a.At.Format(time.RFC3339), a.Method, a.Status, a.LatencyMS, strings.Join(nonEmpty(a.Problem, a.Request, a.Response), " | "))
	}
}

func nonEmpty(texts ...string) (some []string) {
	for _, text := range texts {
		if text != "" {
			some = append(some, text)
		}
	}
	return some
}
