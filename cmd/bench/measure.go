package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// server is a contender that runs and knows the crowd.
type server struct {
	process *process
	address string
	stored  func(ctx context.Context) ([]envelope.Digest, error) // the digests of all that it has kept
}

// contender is one of those that are measured.
type contender struct {
	name  string
	only  string // the store it is measured on; all if empty
	start func(ctx context.Context, folder, database string, crowd []reseller) (*server, error)
}

const (
	gatewayName = "cipgate"
	rivalName   = "rival"
	tunedName   = "tuned rival"
)

func (p *plan) wants(store string) bool { return slices.Contains(p.stores, store) }

func (p *plan) leaveOut(store string) {
	p.stores = slices.DeleteFunc(p.stores, func(name string) bool { return name == store })
}

// carryOut measures everything, and tells progress one line a run.
func (p *plan) carryOut(ctx context.Context, progress io.Writer) (_ *results, err error) {
	folder, err := os.MkdirTemp(p.folder, "cipgate-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder to work in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	all, err := p.contenders(ctx, folder, progress)
	if err != nil {
		return nil, err
	}
	r := &results{Environment: describe(folder), Rounds: p.rounds, Window: p.window.Seconds(), Warmup: p.warmup.Seconds()}
	var server *cluster
	if p.wants(postgresName) {
		if server, err = openCluster(ctx, p.postgres); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, server.close()) }()
		r.Environment.Postgres = server.version
	}
	for _, count := range p.clients {
		crowd, err := p.crowd(count)
		if err != nil {
			return nil, err
		}
		for _, store := range p.stores {
			for round := range p.rounds {
				inTurn := slices.DeleteFunc(slices.Clone(all), func(c contender) bool { return c.only != "" && c.only != store })
				if round%2 == 1 {
					slices.Reverse(inTurn) // who comes later finds the machine warmer
				}
				for _, c := range inTurn {
					m, err := p.measure(ctx, folder, c, store, server, crowd)
					if err != nil {
						return nil, fmt.Errorf("%s on %s with %d clients: %w", c.name, store, count, err)
					}
					m.Round = round + 1
					r.Runs = append(r.Runs, m)
					fmt.Fprintln(progress, m)
				}
			}
		}
	}
	return r, nil
}

func (p *plan) contenders(ctx context.Context, folder string, progress io.Writer) ([]contender, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	gateway := p.cipgate
	if gateway == "" {
		fmt.Fprintln(progress, "bench: builds cipgate")
		if gateway, err = buildGateway(ctx, folder, shipped); err != nil {
			return nil, err
		}
	}
	rival := func(connections int) func(context.Context, string, string, []reseller) (*server, error) {
		return func(ctx context.Context, folder, database string, crowd []reseller) (*server, error) {
			return startRival(ctx, self, folder, database, connections, crowd)
		}
	}
	return []contender{
		{gatewayName, "", func(ctx context.Context, folder, database string, crowd []reseller) (*server, error) {
			return startGateway(ctx, gateway, folder, database, crowd)
		}},
		{rivalName, "", rival(0)},
		{tunedName, postgresName, rival(tunedConnections * runtime.NumCPU())}, // SQLite has one writer
	}, nil
}

// crowd makes as many resellers, each with its share of the statements that the fastest server could take.
func (p *plan) crowd(count int) ([]reseller, error) {
	crowd, err := newResellers(count)
	if err != nil {
		return nil, err
	}
	seconds := (p.warmup + p.window).Seconds()
	share := float64(p.signFor) * seconds / float64(count)
	return crowd, signAll(crowd, int(share*1.25)+1, time.Now()) // a quarter more: not all get on equally fast
}

// measure runs one contender once, on a database of its own, and makes sure that it kept what it acknowledged.
func (p *plan) measure(ctx context.Context, folder string, c contender, store string, postgres *cluster, crowd []reseller) (m measurement, err error) {
	if folder, err = os.MkdirTemp(folder, "run-"); err != nil {
		return m, fmt.Errorf("make a folder to work in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	database := ""
	if store == postgresName {
		var drop func(context.Context) error
		if database, drop, err = postgres.fresh(ctx); err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx))) }()
	}
	s, err := c.start(ctx, folder, database, crowd)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, s.process.stop()) }()
	meter := func() usage {
		u := usage{server: processTime(s.process.command.Process.Pid), generator: processTime(os.Getpid()), machine: machineTime()}
		if database != "" {
			u.database = postgres.time()
		}
		return u
	}
	o, err := load{address: s.address, crowd: crowd, warmup: p.warmup, window: p.window, meter: meter}.run(ctx)
	if err != nil {
		return m, fmt.Errorf("%w. The server's words: %s", err, s.process.words)
	}
	if o.elapsed < p.window/4 {
		return m, errUsedUp
	}
	kept, err := s.stored(ctx)
	if err != nil {
		return m, err
	}
	if err := keptAll(kept, crowd, o.acknowledged); err != nil {
		return m, err
	}
	return newMeasurement(store, c.name, len(crowd), o), nil
}

// keptAll says whether each acknowledged statement stands among what a server has kept, once.
func keptAll(kept []envelope.Digest, crowd []reseller, acknowledged []int) error {
	times := make(map[envelope.Digest]int, len(kept))
	for _, digest := range kept {
		times[digest]++
	}
	for i, count := range acknowledged {
		for _, token := range crowd[i].tokens[:count] {
			if n := times[envelope.DigestOf(token)]; n != 1 {
				return fmt.Errorf("a statement of %s was acknowledged and is kept %d times, not once", crowd[i].entity, n)
			}
		}
	}
	return nil
}
