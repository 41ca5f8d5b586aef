// Command bench measures how many submissions a second cipgate acknowledges, beside what one would write by hand: the rival, a
// server of Fiber, go-jose and GORM with the same checks, one transaction a request and no Merkle tree. On PostgreSQL it runs twice: with
// the connection pool that GORM's documentation shows, and tuned, with the pool that was the fastest of those tried.
//
// All run as processes of their own, in turns, each time on a fresh database, under the same load from this program: clients
// that each have one connection and one key, and push the next statement as soon as the one before was acknowledged. What was
// acknowledged is then looked for in the database; a run that lost one is no result.
//
//	go run ./cmd/bench            all of it, some minutes
//	go run ./cmd/bench --quick    whether it works, some seconds
//	go run ./cmd/bench delivery   how fast notices that wait reach their receivers, beside a bare loop of the same HTTP client
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "rival" {
		return runRival(ctx, args[1:], stdout, stderr)
	}
	if len(args) > 0 && args[0] == "delivery" {
		return runDelivery(ctx, args[1:], stdout, stderr)
	}
	if len(args) > 0 && args[0] == "receivers" {
		return runReceivers(ctx, stdout)
	}
	p, err := readPlan(args, stderr)
	if err != nil {
		return err
	}
	if p.wants(postgresName) && p.postgres == "" {
		if !hasPostgres() {
			fmt.Fprintln(stderr, "bench: PostgreSQL is left out: this machine has none (Debian: apt-get install postgresql), and --postgres names no other")
			p.leaveOut(postgresName)
		} else if err := withPostgres(ctx, args); err != nil {
			return err
		}
	}
	results, err := p.carryOut(ctx, stderr)
	if err != nil {
		return err
	}
	if p.asJSON {
		return results.writeJSON(stdout)
	}
	return results.writeTables(stdout)
}

// plan is what to measure, as the flags say.
type plan struct {
	stores   []string
	clients  []int
	rounds   int
	warmup   time.Duration
	window   time.Duration
	signFor  int    // submissions a second for which statements are signed beforehand
	postgres string // URL of a server on which databases may be made
	folder   string // where everything is written, the SQLite stores too
	cipgate  string // a binary to measure; built from this repository if empty
	asJSON   bool
}

func readPlan(args []string, stderr io.Writer) (*plan, error) {
	p := &plan{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	stores := flags.String("stores", sqliteName+","+postgresName, "stores to measure on")
	clients := flags.String("clients", "1,8,64,256", "numbers of clients")
	quick := flags.Bool("quick", false, "one short round with 1 and 64 clients, to see whether it works")
	flags.IntVar(&p.rounds, "rounds", 3, "rounds; a figure is the median over them")
	flags.DurationVar(&p.warmup, "warmup", time.Second, "time under load before the clock starts")
	flags.DurationVar(&p.window, "time", 4*time.Second, "time under load that counts")
	flags.IntVar(&p.signFor, "sign-for", 12000, "submissions a second for which statements are signed beforehand; a faster server ends its run earlier")
	flags.StringVar(&p.postgres, "postgres", os.Getenv("CIPGATE_TEST_POSTGRES"), "postgres:// `URL` of a server on which databases may be made (default: a temporary one)")
	flags.StringVar(&p.folder, "folder", os.TempDir(), "folder to work in, on the disk to measure")
	flags.StringVar(&p.cipgate, "cipgate", "", "`file` of a cipgate to measure (default: built from this repository)")
	flags.BoolVar(&p.asJSON, "json", false, "print every run as JSON")
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("flags: %w", err)
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("wanted flags, or first the word rival; got %q. See: bench --help", flags.Arg(0))
	}
	if *quick {
		*clients, p.rounds, p.warmup, p.window = "1,64", 1, 200*time.Millisecond, time.Second
	}
	for _, name := range strings.Split(*stores, ",") {
		if name != sqliteName && name != postgresName {
			return nil, fmt.Errorf("--stores: wanted %s or %s or both with a comma between, got %q", sqliteName, postgresName, name)
		}
		p.stores = append(p.stores, name)
	}
	for _, number := range strings.Split(*clients, ",") {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > 9999 {
			return nil, fmt.Errorf("--clients: wanted numbers from 1 to 9999 with commas between, got %q", number)
		}
		p.clients = append(p.clients, n)
	}
	if p.rounds < 1 || p.window <= 0 || p.warmup < 0 || p.signFor < 1 {
		return nil, errors.New("--rounds, --time and --sign-for: wanted something above 0")
	}
	var err error
	if p.folder, err = filepath.Abs(p.folder); err != nil {
		return nil, fmt.Errorf("--folder: %w", err)
	}
	return p, nil
}
