package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
)

// mutantYears are how many years a mutant has in which to be caught.
const mutantYears = 12000

// mutants builds the simulation with each mutant, by go's -overlay and side by side, and runs it: the auditor must find something, where
// it finds nothing in the deciders as they are.
func mutants(ctx context.Context, p plan, out io.Writer) (err error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if p.years == 0 {
		p.years = mutantYears
	}
	asTheyAre, err := p.live(ctx)
	if err != nil {
		return fmt.Errorf("the deciders as they are: %w", err)
	}
	if len(asTheyAre.violations) > 0 {
		return fmt.Errorf("%d violations without any mutant, so that finding one shows nothing. See them with: go run ./cmd/simulate --seed %d --years %.0f",
			len(asTheyAre.violations), p.seed, p.years)
	}
	var mu sync.Mutex
	var failed error
	escaped := 0
	next := make(chan int)
	var wait sync.WaitGroup
	for range p.workers {
		wait.Go(func() {
			for i := range next {
				m := &mutantList[i]
				found, err := p.foundBy(ctx, root, filepath.Join(folder, strconv.Itoa(i)), m)
				mu.Lock()
				switch {
				case err != nil:
					failed = errors.Join(failed, fmt.Errorf("mutant %q: %w", m.does, err))
				case found == "":
					escaped++
					fmt.Fprintf(out, "ESCAPED  %s (%s)\n", m.does, m.file)
				default:
					fmt.Fprintf(out, "caught   %s: %s\n", m.does, found)
				}
				mu.Unlock()
			}
		})
	}
	tried := 0
	for i := range mutantList {
		if strings.Contains(mutantList[i].does, p.mutant) {
			tried++
			next <- i
		}
	}
	close(next)
	wait.Wait()
	if failed != nil {
		return failed
	}
	if tried == 0 {
		return fmt.Errorf("no mutant's description holds %q. They are listed in cmd/simulate/mutated.go", p.mutant)
	}
	fmt.Fprintf(out, "%d of %d mutants were caught\n", tried-escaped, tried)
	if escaped > 0 {
		return fmt.Errorf("%d mutants escaped: the auditor does not look at what they break, or the lives do not come there", escaped)
	}
	return nil
}

func moduleRoot(ctx context.Context) (string, error) {
	said, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("ask go where the module is: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(said))), nil
}

// foundBy returns the first kind of violation that a simulation of a mutant finds; "" if it finds none.
func (p plan) foundBy(ctx context.Context, root, folder string, m *mutant) (string, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	program, overlay := filepath.Join(folder, "simulate"), filepath.Join(folder, "overlay.json")
	if err := m.write(root, folder, overlay); err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-tags", "mutant", "-ldflags", "-w", "-o", program, "-overlay", overlay, "./cmd/simulate")
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build it: %w: %s", err, said)
	}
	said, err := exec.CommandContext(ctx, program, "--first", "--seed", fmt.Sprint(p.seed), "--years", fmt.Sprint(p.years),
		"--policies", fmt.Sprint(p.policies), "--workers", "1", fmt.Sprintf("--duties=%t", p.duties)).Output()
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return "", nil
	case !ended:
		return "", fmt.Errorf("run it: %w", err)
	case len(said) == 0: // a decider that gives errors is found out too
		return strings.TrimSpace(string(exit.Stderr)), nil
	}
	first, _, _ := strings.Cut(string(said), "\n")
	return first, nil
}

// write writes the broken file, and the overlay that puts it in the place of the true one.
func (m *mutant) write(root, folder, overlay string) error {
	name := filepath.Join(root, filepath.FromSlash(m.file))
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read what is broken: %w", err)
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		return fmt.Errorf("%s has %d times what is to be broken, wanted once: %s. Write the mutant anew (cmd/simulate/mutants.go)", m.file, n, m.old)
	}
	broken := filepath.Join(folder, "broken.go")
	if err := os.WriteFile(broken, []byte(strings.Replace(string(text), m.old, m.new, 1)), 0o600); err != nil {
		return fmt.Errorf("write what is broken: %w", err)
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {name: broken}})
	if err != nil {
		return fmt.Errorf("write the overlay: %w", err)
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return fmt.Errorf("write the overlay: %w", err)
	}
	return nil
}
