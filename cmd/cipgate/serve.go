package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway: intake, fold, escalation, dashboard",
		Example: `  cipgate serve
  cipgate serve --database postgres://cipgate@db.internal/cipgate --listen 0.0.0.0:8460 --public-url https://cip.provider.example
  cipgate serve --sandbox --data sandbox-data`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			asJSON, _ := cmd.Flags().GetBool("json")
			return serve(cmd.Context(), config, asJSON, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	registerConfig(cmd.Flags())
	return cmd
}

func serve(ctx context.Context, config Config, asJSON bool, stdout, stderr io.Writer) (err error) {
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return later("--listen %s: %v. Is another gateway running there? Choose another port with --listen", config.Listen, err)
	}
	if os.Getenv("GOGC") == "" {
		// What lives long is some 20 MiB: collecting less often costs memory that is not missed, and the submissions' road a tenth less.
		debug.SetGCPercent(300)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		// Go asks the network for news once a thread of its own has nothing else to do. With as many threads as cores, the committer's
		// answer waits behind all the submissions that wait for it; with twice as many, the kernel shares out the cores.
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
	program, err := open(ctx, config, slog.New(slog.NewTextHandler(stderr, nil)))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, program.Close(context.WithoutCancel(ctx))) }()
	link, err := program.auth.NewLink(ctx, firstOfficer)
	if err != nil {
		return err
	}
	program.tell(stdout, asJSON, config.PublicURL+"/sign-in#"+link)
	if err := program.Serve(ctx, listener); err != nil {
		return err
	}
	if !asJSON {
		fmt.Fprintln(stdout, "Stopped: every submission that was answered is committed.")
	}
	return nil
}

// tell prints what was made, where it lies, and what to do next.
func (p *Program) tell(out io.Writer, asJSON bool, signIn string) {
	if asJSON {
		line, err := json.Marshal(struct {
			Entity  string `json:"entity"`
			Listen  string `json:"listen"`
			SignIn  string `json:"sign_in"`
			LogVkey string `json:"log_vkey"`
			Sandbox bool   `json:"sandbox"`
		}{p.config.PublicURL, p.config.Listen, signIn, p.vkey, p.config.Sandbox})
		if err == nil {
			fmt.Fprintf(out, "%s\n", line)
		}
		return
	}
	kind := p.config.name()
	if p.config.Sandbox {
		kind += " (its clock can be moved; nothing here is real)"
	}
	fmt.Fprintf(out, "%s %s, process %d\n", kind, programVersion(), os.Getpid())
	if len(p.made) > 0 {
		fmt.Fprintln(out, "\nMade on this first start:")
		for _, line := range p.made {
			fmt.Fprintln(out, "  "+line)
		}
	}
	fmt.Fprintf(out, `
  gateway    %s
  store      %s
  log key    %s
  dashboard  %s   (opens once, for 15 minutes)

Next: invite a reseller:
  cipgate invite --name "Example Cloud GmbH" --country DE --contact compliance@example.com --data %s
`, p.config.PublicURL, withoutPassword(p.config.store()), p.vkey, signIn, p.config.Data)
}

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show the configuration", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	show := &cobra.Command{
		Use: "print", Short: "Print each setting, its value and where it came from", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, values, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd.OutOrStdout(), values)
			}
			for _, one := range values {
				fmt.Fprintf(cmd.OutOrStdout(), "%-14s %-40s (%s)\n", one.Key, one.Value, one.Source)
			}
			return nil
		},
	}
	registerConfig(show.Flags())
	cmd.AddCommand(show)
	return cmd
}

func printJSON(out io.Writer, value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n", line)
	return err
}
