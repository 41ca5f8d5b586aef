package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/attestations/statement"
)

func registerHome(cmd *cobra.Command) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	cmd.Flags().String("home", filepath.Join(home, ".cipgate"), "folder for the reseller's keys and receipts")
}

func joinCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "join URL#TOKEN",
		Short:   "Enrol as a reseller: makes keys, signs the entity configuration, sends it",
		Example: `  cipgate join 'https://cip.provider.example/enrol#TOKEN'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, _ := cmd.Flags().GetString("home")
			r, err := join(cmd.Context(), home, args[0])
			if err != nil {
				return err
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd.OutOrStdout(), r.about)
			}
			fmt.Fprintf(cmd.OutOrStdout(), `Enrolled as %s.

  keys       %s and statement.pem beside it; keep a copy
  provider   %s
  log key    %s

Next: state your Customer Identification Program:
  cipgate new cip-attestation > attestation.json     (then edit it until it is true)
  cipgate push attestation.json
`, r.about.Entity, filepath.Join(home, "federation.pem"), r.about.Audience, r.about.LogVkey)
			return nil
		},
	}
	registerHome(cmd)
	return cmd
}

func newCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "new KIND",
		Short:   "Print the smallest valid statement of a kind, to edit and push",
		Example: `  cipgate new cip-attestation > attestation.json`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, ok := statement.KindOf("urn:cipgate:event:" + args[0] + ":v1")
			if !ok || kind.ByGateway() {
				var names []string
				for _, one := range statement.Kinds() {
					if !one.ByGateway() {
						names = append(names, string(one))
					}
				}
				return wrong("KIND: wanted one of %s, got %q", strings.Join(names, ", "), args[0])
			}
			text, err := json.Marshal(map[string]jsontext.Value{kind.URI(): statement.Example(kind)}, jsontext.WithIndent("  "))
			if err != nil {
				return fmt.Errorf("writing the example: %w", err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", text)
			return err
		},
	}
}

func pushCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "push FILE",
		Short: "Sign a statement, push it, and keep the checked receipt",
		Long: `FILE holds the value of "events" as JSON, as cipgate new prints it, or a token that was signed already
(one compact JWS). The receipt is checked before this says anything was accepted.`,
		Example: `  cipgate push attestation.json`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, _ := cmd.Flags().GetString("home")
			r, err := openReseller(home)
			if err != nil {
				return err
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return wrong("FILE: %v", err)
			}
			var done pushed
			if token := strings.TrimSpace(string(text)); strings.Count(token, ".") == 2 && !strings.HasPrefix(token, "{") {
				done, err = r.send(cmd.Context(), []byte(token))
			} else {
				kind, event, wrongFile := readEvents(args[0], text)
				if wrongFile != nil {
					return wrongFile
				}
				done, err = r.push(cmd.Context(), kind, event)
			}
			if err != nil {
				return err
			}
			tokenPath, receiptPath, err := r.keep(done)
			if err != nil {
				return err
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]any{"digest": done.Digest.String(), "leaf_index": done.Receipt.LeafIndex, "token": tokenPath, "receipt": receiptPath})
			}
			fmt.Fprintf(cmd.OutOrStdout(), `Accepted as entry %d, on disk at the provider; the receipt was checked.

  token    %s
  receipt  %s

Anybody can check it without a network:
  cipgate verify %s --receipt %s --log-key '%s'
`, done.Receipt.LeafIndex, tokenPath, receiptPath, tokenPath, receiptPath, r.about.LogVkey)
			return nil
		},
	}
	registerHome(cmd)
	return cmd
}

// readEvents reads a file with the value of `events`: one member, named by the event type's URI.
func readEvents(name string, text []byte) (statement.Kind, jsontext.Value, error) {
	var events map[string]jsontext.Value
	if err := json.Unmarshal(text, &events); err != nil {
		return "", nil, wrong("%s: wanted JSON such as cipgate new prints, or one compact JWS: %v", name, err)
	}
	if len(events) != 1 {
		return "", nil, wrong("%s: wanted exactly one event, got %d", name, len(events))
	}
	for uri, event := range events {
		kind, ok := statement.KindOf(uri)
		if !ok {
			return "", nil, wrong("%s: no event type is called %q", name, uri)
		}
		return kind, event, nil
	}
	return "", nil, nil
}

// replaceMember returns a JSON object with one top-level member set to a string; the order is kept no better
// than JSON promises.
func replaceMember(object jsontext.Value, member, text string) (jsontext.Value, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, fmt.Errorf("reading an example: %w", err)
	}
	value, err := json.Marshal(text)
	if err != nil {
		return nil, fmt.Errorf("writing an example: %w", err)
	}
	members[member] = value
	return json.Marshal(members, json.Deterministic(true))
}
