package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// mutant is a decider with one line broken.
type mutant struct {
	does     string
	file     string // from the project's root
	old, new string // old stands in the file once
}

// mutantList are broken deciders. A line that is changed there is changed here too: then the text is not found, and that is said.
var mutantList = []mutant{
	{"a step is taken only after its time, not at it", "resellers/escalation/moves.go",
		`return why == "" && !s.now.Before(at)`, `return why == "" && s.now.After(at)`},
	{"a step is taken a second early", "resellers/escalation/moves.go",
		`return why == "" && !s.now.Before(at)`, `return why == "" && !s.now.Before(at.Add(-time.Second))`},
	{"one approval is dropped", "resellers/escalation/moves.go",
		`len(given) < n && rule.Silence`, `len(given) < n-1 && rule.Silence`},
	{"the same person approves twice", "resellers/escalation/may.go",
		`case c.hasGranted(approval, officer):`, `case false:`},
	{"a refusal does nothing", "resellers/escalation/moves.go",
		`case refused != nil:`, `case false:`},
	{"one person lifts a stay", "resellers/escalation/people.go",
		`h.LiftProposedBy.ID != s.Officer.ID`, `h.LiftProposedBy.ID != ""`},
	{"the cure time has no floor", "resellers/policy/schedule.go",
		`return later(c.CureFloor.From(warned), earlier(c.Cure.From(warned), c.CureMargin.Before(limit)))`,
		`return earlier(c.Cure.From(warned), c.CureMargin.Before(limit))`},
	{"a termination follows a closure at once", "resellers/policy/schedule.go",
		`return later(c.StepFloor.From(closed), c.TerminationMargin.Before(limit))`, `return c.TerminationMargin.Before(limit)`},
	{"nothing is left after a hold", "resellers/escalation/times.go",
		`resumed = latter(resumed, back.From(stop.To))`, `_ = back`},
	{"a finding opens a part of a second early", "resellers/findings/findings.go",
		`	if whole.Before(t) {`, `	if false {`},
	{"a finding is cured by what was stated while it fell short", "resellers/findings/cured.go",
		`|| owed && (same || !short.since.After(last.AcceptedAt))`, `|| owed && same`},
	{"what an entity says of itself is taken for the gateway's", "resellers/escalation/case.go",
		`if e.By != e.About {`, `if true {`},
	{"the limit passes silently", "resellers/escalation/moves.go",
		`return !s.c.LimitAt.IsZero() && len(s.c.Behind()) > 0 && !s.now.Before(s.c.LimitAt)`, `return false && !s.now.Before(s.c.LimitAt)`},
	{"an exemption exempts from nothing", "resellers/findings/exemption.go",
		`!exempt.Until.After(from)`, `true`},
	{"who repeats is treated like anybody", "resellers/escalation/moves.go",
		`cases >= repeat.Count.Value`, `cases > repeat.Count.Value`},
	{"whoever decided decides the appeal", "resellers/history/hearing.go",
		`slices.Contains(g.Judged, Judged{Finding: a.Finding, By: officer.ID})`, `false`},
	{"a decision after the termination counts", "resellers/history/hearing.go",
		`return waits && !g.Over`, `return waits`},
	{"a finding that comes again is the one that was cured", "resellers/escalation/again.go",
		`	if !before {`, `	if true {`},
	{"an approval of a closure at once is one of any closure", "resellers/escalation/people.go",
		`c.Grants[i].Lapsed || which(c.Grants[i].Urgent)`, `c.Grants[i].Lapsed`},
	{"a step that is not known yet is approved", "resellers/escalation/people.go",
		`s.On.Type != "approval" || !known || c.mayApprove`, `s.On.Type != "approval" || c.ID == "" || c.mayApprove`},
	{"a case that begins where another one ends is pinned to its policy", "resellers/escalation/decide.go",
		`s.pinned != "" && s.c.ID != s.pinned`, `false`},
	{"a spell that began again did not end", "resellers/history/spell.go",
		`if end.LeafIndex > leafIndex {`, `if false {`},
	{"a case ends with an open finding behind it", "resellers/escalation/case.go",
		`len(c.Behind()) > 0 ||`, `len(c.Behind()) > 1 ||`},
	{"a verification that came late overrides what is known", "resellers/history/party.go",
		`v.CheckedOn.After(said.CheckedOn)`, `false`},
}

// mutants builds the simulation with each mutant in turn, by go's -overlay, and runs it: the auditor must find what it does not find in
// the deciders as they are.
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
	if p.years > mutantYears {
		p.years = mutantYears
	}
	known, err := p.foundBy(ctx, root, folder, nil)
	if err != nil {
		return fmt.Errorf("the deciders as they are: %w", err)
	}
	for _, class := range known {
		fmt.Fprintf(out, "found without any mutant: %s\n", class)
	}
	escaped := 0
	for i, m := range mutantList {
		found, err := p.foundBy(ctx, root, folder, &mutantList[i])
		if err != nil {
			return fmt.Errorf("mutant %q: %w", m.does, err)
		}
		found = slices.DeleteFunc(found, func(class string) bool { return slices.Contains(known, class) })
		if len(found) == 0 {
			escaped++
			fmt.Fprintf(out, "ESCAPED  %s (%s)\n", m.does, m.file)
			continue
		}
		fmt.Fprintf(out, "caught   %s: %s\n", m.does, found[0])
	}
	fmt.Fprintf(out, "%d of %d mutants were caught\n", len(mutantList)-escaped, len(mutantList))
	if escaped > 0 {
		return fmt.Errorf("%d mutants escaped: the auditor does not look at what they break, or the lives do not come there", escaped)
	}
	return nil
}

// mutantYears are how many years a mutant has in which to be caught.
const mutantYears = 1500

// mutantTime is how long a mutant may take. Some do not come to an end, and are found out by that.
const mutantTime = 3 * time.Minute

func moduleRoot(ctx context.Context) (string, error) {
	said, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("ask go where the module is: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(said))), nil
}

// foundBy returns the kinds of violations that a simulation of a mutant finds; of the deciders as they are if m is nil.
func (p plan) foundBy(ctx context.Context, root, folder string, m *mutant) ([]string, error) {
	program, overlay := filepath.Join(folder, "simulate"), filepath.Join(folder, "overlay.json")
	args := []string{"build", "-o", program}
	if m != nil {
		if err := m.write(root, folder, overlay); err != nil {
			return nil, err
		}
		args = append(args, "-overlay", overlay)
	}
	build := exec.CommandContext(ctx, "go", append(args, "./cmd/simulate")...)
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build it: %w: %s", err, said)
	}
	ctx, cancel := context.WithTimeout(ctx, mutantTime)
	defer cancel()
	said, err := exec.CommandContext(ctx, program, "--kinds", "--seed", fmt.Sprint(p.seed), "--years", fmt.Sprint(p.years),
		"--policies", fmt.Sprint(p.policies), "--workers", fmt.Sprint(p.workers)).Output()
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return nil, nil
	case !ended:
		return nil, fmt.Errorf("run it: %w", err)
	case ctx.Err() != nil:
		return []string{"it does not come to an end"}, nil
	case len(said) == 0: // it did not come to an end: a decider that never ends is found out too
		return []string{strings.TrimSpace(string(exit.Stderr))}, nil
	}
	return strings.Split(strings.TrimSpace(string(said)), "\n"), nil
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
