package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/documents"
	"github.com/cipgate/cipgate/resellers/archive"
)

// handedIn is what the gateway said of a document.
type handedIn struct {
	Digest     string    `json:"digest"`
	MediaType  string    `json:"media_type"`
	Bytes      int64     `json:"bytes"`
	ReceivedAt time.Time `json:"received_at"`
}

// handIn sends a written program whose digest an accepted attestation names.
func (r *reseller) handIn(ctx context.Context, mediaType string, document []byte) (handedIn, error) {
	now, err := r.now(ctx)
	if err != nil {
		return handedIn{}, err
	}
	digest := envelope.Digest(sha256.Sum256(document))
	token, err := r.statements.SignToken(documents.Type, map[string]any{
		"iss": r.about.Entity, "aud": r.about.Audience, "iat": now.Unix(), "digest": digest.String()})
	if err != nil {
		return handedIn{}, fmt.Errorf("signing: %w", err)
	}
	got, err := newClient(r.about.Gateway, string(token)).send(ctx, http.MethodPut, "/documents/"+digest.String(), mediaType, document)
	if err != nil {
		return handedIn{}, err
	}
	var done handedIn
	if err := json.Unmarshal(got.body, &done); err != nil {
		return handedIn{}, fmt.Errorf("reading what the gateway answered: %w", err)
	}
	return done, nil
}

func documentCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "document FILE",
		Short: "Hand in the written program that an attestation names",
		Long: `FILE is the written Customer Identification Program, at most 20 MiB: PDF, Word, OpenDocument or text. Push the
cip-attestation first whose copy.sha256 is the file's digest; cipgate document FILE --digest prints it and sends nothing.`,
		Example: `  cipgate document program.pdf --digest
  cipgate document program.pdf`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			document, err := os.ReadFile(args[0])
			if err != nil {
				return wrong("%v", err)
			}
			if len(document) > archive.MaxDocument {
				return wrong("%s: wanted at most %d bytes, got %d. Leave scans out", args[0], archive.MaxDocument, len(document))
			}
			asJSON, _ := cmd.Flags().GetBool("json")
			if only, _ := cmd.Flags().GetBool("digest"); only {
				digest := envelope.Digest(sha256.Sum256(document)).String()
				if asJSON {
					return printJSON(cmd.OutOrStdout(), map[string]string{"digest": digest})
				}
				fmt.Fprintln(cmd.OutOrStdout(), digest)
				return nil
			}
			mediaType, _ := cmd.Flags().GetString("type")
			if mediaType == "" {
				mediaType, _, _ = mime.ParseMediaType(mime.TypeByExtension(filepath.Ext(args[0])))
			}
			if mediaType == "" {
				return wrong("--type: %s does not tell by its name what it is: wanted one of %q", args[0], archive.MediaTypes)
			}
			home, _ := cmd.Flags().GetString("home")
			r, err := openReseller(home)
			if err != nil {
				return err
			}
			done, err := r.handIn(cmd.Context(), mediaType, document)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), done)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The gateway has %s (%d bytes) in hand since %s.\n", args[0], done.Bytes, done.ReceivedAt.Format(time.RFC3339))
			return nil
		},
	}
	cmd.Flags().Bool("digest", false, "print the document's digest, for copy.sha256 of the attestation, and send nothing")
	cmd.Flags().String("type", "", "media type of the document (default: by the file's name)")
	registerHome(cmd)
	return cmd
}
