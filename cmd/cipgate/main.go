// Command cipgate is the reseller-chain federation gateway: one program for the provider that runs it, the
// resellers that push to it, and whoever checks what it proves.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker for releases.
var version = ""

// Exit codes that scripts may rely on (cli.md).
const (
	exitDone    = 0
	exitFailed  = 1
	exitRefused = 2
	exitRetry   = 3
)

// exitError carries the exit code that an error ends the program with.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// wrong is wrong usage or a refusal: exit code 2.
func wrong(format string, args ...any) error {
	return &exitError{exitRefused, fmt.Errorf(format, args...)}
}

// later is a failure that trying again may mend: exit code 3.
func later(format string, args ...any) error {
	return &exitError{exitRetry, fmt.Errorf(format, args...)}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program but for the process it runs in; tests call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "cipgate",
		Short: "Reseller-chain federation gateway for Customer Identification Programs",
		Long: `cipgate takes signed statements from foreign resellers, proves what it received and when, keeps each
reseller's standing, and runs the escalation: warn, restrict, close account, terminate.

Begin with:  cipgate trial     the main job in one go, on this machine, with nothing to set up`,
		Version:       programVersion(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.PersistentFlags().Bool("json", false, "print JSON for scripts")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return wrong("%v. See: %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(trialCommand(), serveCommand(), inviteCommand(), rebuildCommand(), ledgerCommand(),
		configCommand(), joinCommand(), keysCommand(), confirmCommand(), noticesCommand(), standingCommand(), listenCommand(), newCommand(), checkCommand(), pushCommand(), bulkCommand(), documentCommand(), verifyCommand(), policyCommand(),
		officerCommand(), tokenCommand(), approvalsCommand(), caseCommand(), ordersCommand(), obligationsCommand(), outagesCommand(), evidenceCommand(), automationCommand(), streamsCommand(), outboxCommand(),
		contactsCommand(), calendarsCommand(), measuresCommand(), hitsCommand(), exemptionsCommand())
	refuseWrongArguments(root)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(stderr, "cipgate:", err)
	if coded := (*exitError)(nil); errors.As(err, &coded) {
		return coded.code
	}
	return exitFailed
}

// refuseWrongArguments makes a wrong number of arguments wrong usage, exit code 2.
func refuseWrongArguments(command *cobra.Command) {
	for _, below := range command.Commands() {
		refuseWrongArguments(below)
	}
	check := command.Args
	if check == nil {
		return
	}
	command.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return wrong("%v. See: %s --help", err, cmd.CommandPath())
		}
		return nil
	}
}

func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
