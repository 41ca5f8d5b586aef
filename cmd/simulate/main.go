// Command simulate plays random lives of resellers to the gateway's real deciders, and lets an auditor that shares no code with them
// say whether the ledger that comes out is what standing.md asks for.
//
//	go run ./cmd/simulate                      2,000 years, some seconds
//	go run ./cmd/simulate --years 1000000      the proof; it says every minute how far it is
//	go run ./cmd/simulate --seed 1 --life 42   one life again
//	go run ./cmd/simulate real                 the same lives to the whole gateway on SQLite too, which must state the same
//	go run ./cmd/simulate mutants              the deciders with one line broken at a time: each must be found out
//
// It ends with 1 if the auditor found something, and tells it as a short story: what is wrong, and the entries that led to it. The same
// seed gives the same lives.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
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
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

// errFound is what the program ends with if the auditor found something. The stories say what.
var errFound = errors.New("the auditor found what must not stand in a ledger")

// command is one of those beside simulating.
type command func(ctx context.Context, p plan, out io.Writer) error

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var other command
	if len(args) > 0 && commands[args[0]] != nil {
		other, args = commands[args[0]], args[1:]
	}
	p := plan{progress: stderr}
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Uint64Var(&p.seed, "seed", 1, "what everything follows from")
	flags.Float64Var(&p.years, "years", 0, "years of resellers to live (default 2,000; of real 20; and as many as 12,000 in which a mutant is to be caught)")
	flags.Int64Var(&p.life, "life", -1, "live only the life of this `number`")
	flags.IntVar(&p.policies, "policies", 60, "random policies beside the shipped ones")
	flags.IntVar(&p.workers, "workers", runtime.GOMAXPROCS(0), "lives at once")
	flags.StringVar(&p.mutant, "mutant", "", "of the mutants only those in whose description this `text` stands")
	flags.BoolVar(&p.duties, "duties", false, "live only the lives in which orders are confirmed, notices proved and contacts asked: every eighth")
	flags.BoolVar(&p.first, "first", false, "end with the first violation, and print only of which kind it is")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("wanted flags, or first one of the words real and mutants; got %q. See: simulate --help", flags.Arg(0))
	}
	if p.years < 0 || p.workers < 1 || p.policies < 0 {
		return errors.New("--workers: wanted something above 0; --years and --policies: wanted 0 or more")
	}
	if other != nil {
		return other(ctx, p, stdout)
	}
	if p.years == 0 {
		p.years = 2000
	}
	begin := time.Now()
	r, err := p.live(ctx)
	if err != nil && len(r.violations) == 0 {
		return err
	}
	if p.first {
		for _, c := range r.classes() {
			fmt.Fprintln(stdout, c)
		}
	} else {
		r.tell(stdout, time.Since(begin))
	}
	if len(r.violations) > 0 {
		err = errors.Join(err, errFound) // whoever interrupts it is told what it found so far
	}
	return err
}
