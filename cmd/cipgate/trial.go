package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func trialCommand() *cobra.Command {
	var data, listen string
	var exit bool
	cmd := &cobra.Command{
		Use:   "trial",
		Short: "The main job in one go, on this machine, with nothing to set up",
		Long: `trial starts a sandbox gateway, enrols six foreign resellers over HTTP and pushes real signed statements. Three officers of the
provider record evidence, decide a dispute, place a stay and approve what cannot be undone; the sandbox's clock moves, and trial tells what
happens, with the mail that everybody in the story gets: a mail server of its own takes it, and nothing leaves this machine. Then it stays up with the dashboard. With --exit it ends instead, with exit code 1 if anything was not as told.`,
		Example: "  cipgate trial\n  cipgate trial --exit",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return trial(cmd.Context(), trialWish{data: data, listen: listen, exit: exit}, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "folder to keep what the trial makes (default: a temporary one, removed at the end)")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address and port for the sandbox gateway; port 0 takes a free one")
	cmd.Flags().BoolVar(&exit, "exit", false, "end after the story")
	return cmd
}

type trialWish struct {
	data, listen string
	exit         bool
}

// trial runs the story against a gateway in this process, over real HTTP.
func trial(ctx context.Context, wish trialWish, stdout, stderr io.Writer) (err error) {
	began := time.Now()
	kept := wish.data != ""
	if _, port, err := net.SplitHostPort(wish.listen); err != nil || port == "" {
		return wrong("--listen: wanted ADDRESS:PORT such as 127.0.0.1:8460, got %q", wish.listen)
	}
	if !kept {
		if wish.data, err = os.MkdirTemp("", "cipgate-trial-"); err != nil {
			return fmt.Errorf("making a folder for the trial: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(wish.data)) }()
	}
	listener, err := net.Listen("tcp", wish.listen)
	if err != nil {
		return later("--listen %s: %v. Choose another port", wish.listen, err)
	}
	box, err := openPostOffice(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	config := defaults()
	config.SMTP, config.MailFrom = box.url, "cip@provider.example"
	config.Data, config.Listen, config.Sandbox = filepath.Join(wish.data, "gateway"), listener.Addr().String(), true
	if err := config.check(); err != nil {
		return errors.Join(err, listener.Close())
	}
	program, err := open(ctx, config, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- program.Serve(serving, listener) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served, program.Close(context.WithoutCancel(ctx)))
	}()

	token, err := os.ReadFile(filepath.Join(config.Data, "admin.token"))
	if err != nil {
		return fmt.Errorf("reading the admin token: %w", err)
	}
	s := &story{
		teller:  teller{out: stdout, start: program.clock.Now()},
		ctx:     ctx,
		officer: newClient(config.PublicURL, strings.TrimSpace(string(token))),
		gateway: config.PublicURL, folder: wish.data, box: box,
	}
	if err := s.morning(program); err != nil {
		return err
	}
	if err := s.tellAll(program); err != nil {
		return fmt.Errorf("the story broke off: %w", err)
	}
	s.chapter("The end")
	if s.failed > 0 {
		s.line("%d things were NOT as told; see above.", s.failed)
		return &exitError{exitFailed, fmt.Errorf("%d things were not as told", s.failed)}
	}
	s.line("Everything was as told, in %s. Real keys, real HTTP, a real store; only the clock was moved.", time.Since(began).Round(10*time.Millisecond))
	if wish.exit {
		return nil
	}
	link, err := program.auth.NewLink(ctx, firstOfficer)
	if err != nil {
		return err
	}
	s.line("")
	s.line("Look at it:  %s/sign-in#%s", s.gateway, link)
	ends := "is removed then"
	if kept {
		ends = "stays"
	}
	s.line("Stop with Ctrl-C; what the trial made in %s %s.", wish.data, ends)
	select {
	case <-ctx.Done():
		return nil
	case err := <-served:
		served <- err // the deferred function waits for it
		return err
	}
}
