package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/attestations/envelope"
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
		Use:   "join URL#TOKEN",
		Short: "Enrol as a reseller: makes keys, signs the entity configuration, sends it",
		Example: `  cipgate join 'https://cip.provider.example/enrol#TOKEN'
  cipgate join 'https://cip.provider.example/enrol#TOKEN' --entity https://reseller.example`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, _ := cmd.Flags().GetString("home")
			own, _ := cmd.Flags().GetString("entity")
			if _, err := envelope.ParseEntity(own); own != "" && err != nil {
				return wrong("--entity: %v", err)
			}
			r, err := joinAs(cmd.Context(), home, args[0], envelope.Entity(own))
			if err != nil {
				return err
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd.OutOrStdout(), r.about)
			}
			state := ""
			if r.about.Pending {
				state = "\nAn officer of the provider has yet to approve it; until then what you push is refused.\n"
			}
			fmt.Fprintf(cmd.OutOrStdout(), `Enrolled as %s.
%s
  keys       %s and statement.pem beside it; keep a copy
  provider   %s
  log key    %s

Next: state your Customer Identification Program:
  cipgate new cip-attestation > attestation.json     (then edit it until it is true)
  cipgate push attestation.json
`, r.about.Entity, state, filepath.Join(home, "federation.pem"), r.about.Audience, r.about.LogVkey)
			return nil
		},
	}
	cmd.Flags().String("entity", "", "your own entity identifier, an https URL whose well-known address you serve (default: the one that the gateway hosts)")
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
(one compact JWS). The receipt is checked before this says anything was accepted. With --dry-run nothing is stated:
the gateway says everything that is wrong with it, and what it would change if it were pushed now.`,
		Example: `  cipgate push attestation.json --dry-run
  cipgate push attestation.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, _ := cmd.Flags().GetString("home")
			r, err := openReseller(home)
			if err != nil {
				return err
			}
			customer, _ := cmd.Flags().GetString("customer")
			token, err := r.tokenIn(cmd.Context(), args[0], customer)
			if err != nil {
				return err
			}
			if dry, _ := cmd.Flags().GetBool("dry-run"); dry {
				verdict, err := r.dryRun(cmd.Context(), token)
				if err != nil {
					return err
				}
				return tellVerdict(cmd, verdict)
			}
			done, err := r.send(cmd.Context(), token)
			if err != nil {
				return err
			}
			return tellPushed(cmd, r, done)
		},
	}
	cmd.Flags().Bool("dry-run", false, "state nothing; say what is wrong and what it would change")
	registerCustomer(cmd)
	registerHome(cmd)
	return cmd
}

// tellPushed keeps the receipt and says where.
func tellPushed(cmd *cobra.Command, r *reseller, done pushed) error {
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
}

// registerCustomer adds the flag of commands that sign a statement.
func registerCustomer(cmd *cobra.Command) {
	cmd.Flags().String("customer", "", "your opaque id of the customer that the statement is about (sub_id); never a name or an address")
}

// tokenIn reads a token from a file, or signs the statement that the file holds.
func (r *reseller) tokenIn(ctx context.Context, name, customer string) ([]byte, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, wrong("FILE: %v", err)
	}
	if token := strings.TrimSpace(string(text)); isToken(token) {
		return []byte(token), nil
	}
	kind, event, err := readEvents(name, text)
	if err != nil {
		return nil, err
	}
	return r.sign(ctx, kind, event, customer)
}

// isToken says whether a text is meant to be a compact JWS.
func isToken(text string) bool { return strings.Count(text, ".") == 2 && !strings.HasPrefix(text, "{") }

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
