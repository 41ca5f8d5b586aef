package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/sync/delivery"
)

func listenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "listen URL",
		Short: "Bring each notice to a program of yours as it comes",
		Long: `listen waits for notices (a long poll; nothing has to be open to the internet), checks each against the keys that the gateway
publishes, and pushes it to URL as RFC 8935 has it: POST, application/secevent+jwt. What URL answers with 202 is acknowledged; 400 with
{"err", "description"} tells the provider that it cannot be taken; after anything else it is pushed again, and the next ones wait, so
that they come in order. It runs until it is interrupted.`,
		Example: `  cipgate listen http://127.0.0.1:9000/notices`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := url.Parse(args[0])
			if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
				return wrong("URL: wanted the address of your program, such as http://127.0.0.1:9000/notices, got %.200q", args[0])
			}
			home, _ := cmd.Flags().GetString("home")
			r, err := openReseller(home)
			if err != nil {
				return err
			}
			s, err := r.subscribe(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "Listening for notices to %s; each goes to %s. Interrupt to stop.\n", r.about.Entity, args[0])
			tell := func(one received) {
				fmt.Fprintf(cmd.OutOrStdout(), "%4d  %s  %s\n", one.Sequence, one.claims.IssuedAt.Format(time.RFC3339), one.kind())
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				tell = func(one received) { _ = printJSON(cmd.OutOrStdout(), one) } // what nobody reads was brought all the same
			}
			return s.listen(cmd.Context(), args[0], tell, cmd.ErrOrStderr())
		},
	}
	registerHome(cmd)
	return cmd
}

// breath is how long listen waits after something that failed.
const breath = 5 * time.Second

// listen brings notices to a program until ctx ends.
func (s *subscriber) listen(ctx context.Context, to string, tell func(received), problems io.Writer) error {
	var answer said
	for ctx.Err() == nil {
		got, _, faults, err := s.poll(ctx, answer)
		if ctx.Err() != nil {
			break
		}
		if again := (*exitError)(nil); errors.As(err, &again) && again.code == exitRetry {
			fmt.Fprintln(problems, "cipgate:", err)
			wait(ctx, breath)
			continue
		}
		if err != nil {
			return err
		}
		// What this said of earlier ones the gateway knows now.
		answer = said{SetErrs: faults}
		for _, one := range got {
			if err := s.forward(ctx, to, one, &answer); err != nil {
				if ctx.Err() == nil {
					fmt.Fprintf(problems, "cipgate: %v\n", err)
					// What was brought is acknowledged before the rest comes again.
					answer.AtOnce = true
					wait(ctx, breath)
				}
				break
			}
			tell(one)
		}
	}
	if len(answer.Ack)+len(answer.SetErrs) == 0 {
		return nil
	}
	// Interrupted: what was brought is still acknowledged.
	none := 0
	answer.MaxEvents, answer.AtOnce = &none, true
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), breath)
	defer cancel()
	_, _, _, err := s.poll(last, answer)
	return err
}

// forward pushes one notice and adds to the answer what the program said of it. An error says that it said neither yes nor no.
func (s *subscriber) forward(ctx context.Context, to string, one received, answer *said) error {
	a, err := newClient(to, "").send(ctx, http.MethodPost, "", events.MediaType, []byte(one.Token))
	switch {
	case err == nil && a.status == http.StatusAccepted:
		answer.Ack = append(answer.Ack, one.JTI)
		return nil
	case a.status == http.StatusBadRequest:
		var fault delivery.Fault
		if json.Unmarshal(a.body, &fault) == nil && fault.Err != "" {
			if answer.SetErrs == nil {
				answer.SetErrs = map[string]delivery.Fault{}
			}
			answer.SetErrs[one.JTI] = fault
			return nil
		}
	case err == nil:
		err = fmt.Errorf("%s answered %d, wanted 202", to, a.status)
	}
	return fmt.Errorf("notice %d was not taken, and is brought again: %w", one.Sequence, err)
}
