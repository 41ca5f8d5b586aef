package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/gateway/events"
)

func bulkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bulk FILE",
		Short: "Push many signed statements, one compact JWS a line",
		Long: `bulk streams FILE (- is standard input) to the gateway and prints its answer, a line for each, as it comes.
A stream that breaks off is sent again from the start: what was accepted comes back as a duplicate, with its first
receipt, and nothing is stated twice. One bad line spoils no other. Exit code 0: every line is in the ledger. 2: some
were refused. 3: the stream broke off, or the gateway asked for some lines again later.`,
		Example: `  cipgate bulk statements.ndjson > answers.ndjson`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, _ := cmd.Flags().GetString("home")
			r, err := openReseller(home)
			if err != nil {
				return err
			}
			from := cmd.InOrStdin()
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return wrong("FILE: %v", err)
				}
				defer func() { _ = file.Close() }() // it was only read
				from = file
			}
			return r.bulk(cmd, from)
		},
	}
	registerHome(cmd)
	return cmd
}

// bulk streams lines to the gateway while it prints the answer. It keeps neither.
func (r *reseller) bulk(cmd *cobra.Command, from io.Reader) error {
	request, err := http.NewRequestWithContext(cmd.Context(), http.MethodPost, r.about.Gateway+"/events/bulk", io.NopCloser(from))
	if err != nil {
		return wrong("%s: %v", r.about.Gateway, err)
	}
	request.Header.Set("Content-Type", events.BulkMediaType)
	response, err := (&http.Client{}).Do(request) // no time-out: a stream takes as long as it takes
	if err != nil {
		return later("%s does not answer: %v. Send the same again: what was accepted comes back as a duplicate", r.about.Gateway, err)
	}
	defer func() { _ = response.Body.Close() }() // nothing more can be learned from it
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // what cannot be read cannot be shown
		return answer{response.StatusCode, response.Header, text}.refusal(r.about.Gateway)
	}
	counts := map[string]int{}
	again := 0
	lines := bufio.NewReader(response.Body)
	for {
		text, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(text) == 0 {
			break
		}
		if err != nil {
			return later("the answer of %s broke off after %d lines: %v. Send the same again: what was accepted comes back as a duplicate",
				r.about.Gateway, counts[events.Accepted]+counts[events.Duplicate]+counts[events.Refused], err)
		}
		var line events.BulkLine
		if err := json.Unmarshal(text, &line); err != nil {
			return fmt.Errorf("reading the answer of %s: %w", r.about.Gateway, err)
		}
		counts[line.Status]++
		if line.Err == "temporarily_unavailable" || line.Err == "rate_limited" {
			again++
		}
		if _, err := cmd.OutOrStdout().Write(text); err != nil {
			return fmt.Errorf("printing the answer: %w", err)
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "cipgate: %d accepted, %d accepted before, %d refused\n", counts[events.Accepted], counts[events.Duplicate], counts[events.Refused])
	switch {
	case again > 0:
		return later("%d lines are to be sent again later; their descriptions say why", again)
	case counts[events.Refused] > 0:
		return wrong("%d lines were refused; their descriptions say why", counts[events.Refused])
	}
	return nil
}
