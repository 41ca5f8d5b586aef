package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/proof"
)

func verifyCommand() *cobra.Command {
	var receiptFile, logKey, keysFile string
	cmd := &cobra.Command{
		Use:   "verify TOKEN-FILE --receipt FILE --log-key VKEY",
		Short: "Check a token and its receipt, without network or database",
		Long: `verify says whether the token in TOKEN-FILE stands in the log whose key is VKEY, by the receipt (C2SP
tlog-proof) in FILE. With --keys it also checks who signed it, by the issuer's statement keys (a JWK Set).`,
		Example: `  cipgate verify statement.jwt --receipt statement.tlog-proof --log-key 'cip.provider.example/log+1a2b3c4d+AT...'
  cipgate verify statement.jwt --receipt statement.tlog-proof --log-key log.vkey --keys issuer-jwks.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			token, err := os.ReadFile(args[0])
			if err != nil {
				return wrong("TOKEN-FILE: %v", err)
			}
			checked, err := verify(bytes.TrimSpace(token), receiptFile, logKey, keysFile)
			if err != nil {
				return err
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd.OutOrStdout(), checked)
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "digest     %s\nissuer     %s\nlog        %s, entry %d of %d: the token is in it, unchanged\n",
				checked.Digest, checked.Issuer, checked.Log, checked.LeafIndex, checked.Size)
			if checked.Signed {
				fmt.Fprintf(out, "signature  holds, by key %s of the set given\n", checked.KeyID)
			} else {
				fmt.Fprintln(out, "signature  not checked: give the issuer's statement keys with --keys")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&receiptFile, "receipt", "", "receipt file, as GET /receipts/{digest} gives it")
	cmd.Flags().StringVar(&logKey, "log-key", "", "the log's key (vkey), or a file that holds it")
	cmd.Flags().StringVar(&keysFile, "keys", "", "the issuer's statement keys, a JWK Set")
	return cmd
}

// checked is what was proved about a token.
type checked struct {
	Digest    string `json:"digest"`
	Issuer    string `json:"issuer"`
	Log       string `json:"log"`
	LeafIndex int64  `json:"leaf_index"`
	Size      int64  `json:"tree_size"`
	Signed    bool   `json:"signature_checked"`
	KeyID     string `json:"kid,omitempty"`
}

func verify(token []byte, receiptFile, logKey, keysFile string) (checked, error) {
	if receiptFile == "" || logKey == "" {
		return checked{}, wrong("wanted --receipt and --log-key: without a receipt nothing can be said about the log. See: cipgate verify --help")
	}
	parsed, err := envelope.Parse(token)
	if err != nil {
		return checked{}, wrong("TOKEN-FILE: %v", err)
	}
	if text, err := os.ReadFile(logKey); err == nil {
		logKey = strings.TrimSpace(string(text))
	}
	verifier, err := note.NewVerifier(logKey)
	if err != nil {
		return checked{}, wrong("--log-key: wanted a note key such as NAME+HASH+KEY, or a file that holds one: %v", err)
	}
	text, err := os.ReadFile(receiptFile)
	if err != nil {
		return checked{}, wrong("--receipt: %v", err)
	}
	receipt, err := proof.ParseReceipt(text)
	if err != nil {
		return checked{}, wrong("--receipt: %v", err)
	}
	digest := envelope.DigestOf(token)
	if err := proof.Check(receipt, digest, verifier); err != nil {
		return checked{}, &exitError{exitFailed, fmt.Errorf("NOT proved: %w", err)}
	}
	head, err := proof.OpenCheckpoint(receipt.Checkpoint, verifier)
	if err != nil {
		return checked{}, &exitError{exitFailed, fmt.Errorf("NOT proved: %w", err)}
	}
	got := checked{Digest: digest.String(), Issuer: string(parsed.Issuer()), Log: head.Origin, LeafIndex: receipt.LeafIndex, Size: head.Size}
	if keysFile == "" {
		return got, nil
	}
	set, err := os.ReadFile(keysFile)
	if err != nil {
		return checked{}, wrong("--keys: %v", err)
	}
	keys, err := envelope.ParseKeys(set)
	if err != nil {
		return checked{}, wrong("--keys: %v", err)
	}
	signed, err := envelope.ParseToken(token, "secevent+jwt")
	if err != nil {
		return checked{}, wrong("TOKEN-FILE: %v", err)
	}
	if err := signed.Verify(keys); err != nil {
		return checked{}, &exitError{exitFailed, fmt.Errorf("NOT signed by these keys: %w", err)}
	}
	got.Signed, got.KeyID = true, parsed.KeyID()
	return got, nil
}
