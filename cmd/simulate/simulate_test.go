package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cipgate/cipgate/cmd/simulate/audit"
	"github.com/cipgate/cipgate/cmd/simulate/life"
)

// lives are those of the tests: others than the program's by default.
var lives = plan{seed: 20_261_126, years: wantedYears, life: -1, policies: 40, workers: 2}

func TestNoLifeEndsInALedgerThatBreaksTheRules(t *testing.T) {
	r, err := lives.live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	r.tell(&told, 1)
	if len(r.violations) > 0 {
		t.Error(told.String())
	}
	// Lives that do not come to everything show nothing of it.
	for _, kind := range []string{
		"finding-opened", "finding-cured", "warning-issued", "restriction-ordered", "closure-ordered", "relationship-terminated", "order-withdrawn",
		"standing-changed", "limit-passed", "outage-recorded", "officer-action", "appeal-decided", "relationship-reinstated", "exemption-granted",
	} {
		if r.kinds[kind] == 0 {
			t.Errorf("in %.0f years no %s:\n%s", r.years, kind, told.String())
		}
	}
}

// The simulation is as fast as the deciders are: go test -run '^$' -bench Lives -cpuprofile cpu.out ./cmd/simulate
func BenchmarkLives(b *testing.B) {
	all, err := life.NewPolicies(lives.seed, 10)
	if err != nil {
		b.Fatal(err)
	}
	shelf, years, number := audit.NewShelf(), 0.0, uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		told, entries, err := one(lives.seed, number, all)
		if err != nil {
			b.Fatal(err)
		}
		a := audit.New(string(life.Gateway), shelf)
		a.Steady = told.Steady
		a.Check(entries, told.Watches)
		years, number = years+told.Years, number+1
	}
	b.ReportMetric(years/b.Elapsed().Seconds(), "years/s")
}

func TestTheSameSeedGivesTheSameLife(t *testing.T) {
	all, err := life.NewPolicies(lives.seed, 10)
	if err != nil {
		t.Fatal(err)
	}
	for number := range uint64(5) {
		_, before, err := one(lives.seed, number, all)
		if err != nil {
			t.Fatal(err)
		}
		_, again, err := one(lives.seed, number, all)
		if err != nil {
			t.Fatal(err)
		}
		if err := differ(before, again); err != nil {
			t.Errorf("life %d: %v", number, err)
		}
	}
}

func TestTheModelAndTheWholeGatewayStateTheSame(t *testing.T) {
	all, err := life.NewPolicies(lives.seed, 20)
	if err != nil {
		t.Fatal(err)
	}
	years, killed := 0.0, 0
	for number := uint64(0); years < wholeYears; number++ {
		told, deaths, err := both(t.Context(), lives.seed, number, all)
		if err != nil {
			t.Fatalf("life %d: %v", number, err)
		}
		years, killed = years+told.Years, killed+deaths
	}
	if killed == 0 {
		t.Error("no node was killed at a statement to the store: the faults do not reach them")
	}
}

func TestEachMutantBreaksOneLineThatIsThere(t *testing.T) {
	for _, m := range mutantList {
		folder := t.TempDir()
		if err := m.write(filepath.Join("..", ".."), folder, filepath.Join(folder, "overlay.json")); err != nil {
			t.Errorf("%s: %v", m.does, err)
		}
	}
}

// The auditor must be able to say no. Each forger changes a ledger that is in order.
func TestTheAuditorFindsWhatIsForged(t *testing.T) {
	all, err := life.NewPolicies(lives.seed, 40)
	if err != nil {
		t.Fatal(err)
	}
	change := func(kind, old, replacement string) func([]audit.Entry) bool {
		return func(entries []audit.Entry) bool {
			for i, e := range entries {
				if e.Kind == kind && bytes.Contains(e.JSON, []byte(old)) {
					entries[i].JSON = bytes.Replace(e.JSON, []byte(old), []byte(replacement), 1)
					return true
				}
			}
			return false
		}
	}
	for name, forge := range map[string]func([]audit.Entry) bool{
		"another standing":             change("standing-changed", `"after":"warned"`, `"after":"good"`),
		"another severity":             change("finding-opened", `"severity":"serious"`, `"severity":"critical"`),
		"a number left out":            change("standing-changed", `"number":2`, `"number":3`),
		"another order":                change("restriction-ordered", `"no-new-accounts"`, `"reseller-account"`),
		"a termination without a case": change("relationship-terminated", `"case":"`, `"case":"0`),
		"an approval of nothing":       change("officer-action", `"approval.granted"`, `"approval.given"`),
		"a cure by nothing":            change("finding-cured", `"cured_by":`, `"cured_by":1`),
		"another limit":                change("warning-issued", `"limit_at":"202`, `"limit_at":"203`),
		"more time":                    change("warning-issued", `"cure_by":"202`, `"cure_by":"203`),
	} {
		found, forged := 0, 0
		for number := uint64(0); found == 0 && number < 60; number++ {
			told, entries, err := one(lives.seed, number, all)
			if err != nil {
				t.Fatal(err)
			}
			judge := func(entries []audit.Entry) []audit.Violation {
				a := audit.New(string(life.Gateway), nil)
				a.Steady = told.Steady
				return a.Check(entries, told.Watches)
			}
			if len(judge(entries)) > 0 {
				continue
			}
			copied := slices.Clone(entries)
			if forge(copied) {
				forged++
				found += len(judge(copied))
			}
		}
		if found == 0 {
			t.Errorf("%s: forged in %d lives, and not found", name, forged)
		}
	}
}
