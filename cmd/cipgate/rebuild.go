package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// withCore runs do on the store itself, without a server.
func withCore(cmd *cobra.Command, do func(ctx context.Context, p *Program) error) (err error) {
	config, _, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	// Only serve begins a gateway: with a misspelt folder another command would look after a new, empty one.
	if _, err := os.Stat(filepath.Join(config.Data, "keys")); err != nil {
		return wrong("--data: wanted the folder of a gateway, with its keys in it: %v. Give the folder that cipgate serve was started with", err)
	}
	ctx := cmd.Context()
	p, err := core(ctx, config, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close(context.WithoutCancel(ctx))) }()
	return do(ctx, p)
}

func rebuildCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Drop the read models and fold the ledger again",
		Long: `rebuild drops everything that is folded from the ledger (resellers' files, entities, keys) and folds it
again. The ledger itself is only read. Stop every gateway on this store first.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withCore(cmd, func(ctx context.Context, p *Program) error {
				if err := p.registry.Rebuild(ctx); err != nil {
					return err
				}
				if err := p.docket.Rebuild(ctx); err != nil {
					return err
				}
				if err := p.screener.Rebuild(ctx); err != nil {
					return err
				}
				if err := p.archive.Rebuild(ctx); err != nil {
					return err
				}
				if err := p.desk.Rebuild(ctx); err != nil {
					return err
				}
				if err := p.rehearsal.Rebuild(ctx); err != nil {
					return err
				}
				size, err := p.ledger.Size(ctx)
				if err != nil {
					return err
				}
				if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
					return printJSON(cmd.OutOrStdout(), map[string]int64{"entries": size})
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Folded %d entries again. Start the gateway: cipgate serve\n", size)
				return nil
			})
		},
	}
	registerConfig(cmd.Flags())
	return cmd
}

func ledgerCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "ledger", Short: "Check the ledger", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	check := &cobra.Command{
		Use:   "check",
		Short: "Read all entries again: the tree against every kept hash and the signed checkpoint, each signature by the keys of then",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withCore(cmd, func(ctx context.Context, p *Program) error {
				size, err := p.ledger.Size(ctx)
				if err != nil {
					return err
				}
				if err := p.ledger.Check(ctx); err != nil {
					return err
				}
				if err := p.registry.CatchUp(ctx); err != nil {
					return err
				}
				signed, err := p.registry.Audit(ctx)
				if err != nil {
					return err
				}
				if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
					return printJSON(cmd.OutOrStdout(), map[string]int64{"entries": size, "submissions": signed.Submissions, "decisions": signed.Decisions, "marked": signed.Marked, "erased": signed.Erased})
				}
				fmt.Fprintf(cmd.OutOrStdout(), `The ledger holds: at least %d entries, each body, tile and the checkpoint agree.
Signatures: %d submissions by keys in force when they were accepted, %d decisions by this gateway's key.
`, size, signed.Submissions, signed.Decisions)
				if signed.Marked > 0 {
					fmt.Fprintf(cmd.OutOrStdout(), "Marked: %d submissions were signed by a key after it was compromised. See /v1/resellers/{id}/marked.\n", signed.Marked)
				}
				if signed.Erased > 0 {
					fmt.Fprintf(cmd.OutOrStdout(), "Erased: %d erased submissions are in the tree, each as the ledger states it; their signatures went with their text.\n", signed.Erased)
				}
				return nil
			})
		},
	}
	registerConfig(check.Flags())
	cmd.AddCommand(check)
	return cmd
}
