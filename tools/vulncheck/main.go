// Command vulncheck runs govulncheck and says whether the code may land:
//
//	vulncheck -db URL PACKAGE...
//
// A vulnerable function of a dependency that our code reaches is a failure: go.mod chose the version. One of Go's own standard
// library is told and fails nothing: which Go builds the program is chosen where it is built, and no change here can mend it.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"golang.org/x/vuln/scan"
)

func main() {
	db := flag.String("db", "", "the vulnerability database, a URL")
	flag.Parse()
	if *db == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: vulncheck -db URL PACKAGE...")
		os.Exit(2)
	}
	report, err := run(context.Background(), *db, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "vulncheck:", err)
		os.Exit(1)
	}
	report.print(os.Stdout)
	if len(report.dependencies) > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, db string, packages []string) (report, error) {
	var output, words bytes.Buffer
	command := scan.Command(ctx, append([]string{"-format=json", "-db", db}, packages...)...)
	command.Stdout, command.Stderr, command.Env = &output, &words, os.Environ()
	if err := command.Start(); err != nil {
		return report{}, fmt.Errorf("start govulncheck: %w", err)
	}
	if err := command.Wait(); err != nil {
		return report{}, fmt.Errorf("govulncheck: %w\n%s", err, words.String())
	}
	return read(&output)
}

// message is one value of govulncheck's JSON stream, as far as it matters here.
type message struct {
	OSV *struct {
		ID      string `json:"id"`
		Summary string `json:"summary"`
	} `json:"osv"`
	Finding *struct {
		OSV          string  `json:"osv"`
		FixedVersion string  `json:"fixed_version"`
		Trace        []frame `json:"trace"`
	} `json:"finding"`
}

// frame is a step of the way from our code, the last frame, to the vulnerable function, the first.
type frame struct {
	Module   string `json:"module"`
	Version  string `json:"version"`
	Package  string `json:"package"`
	Function string `json:"function"`
	Receiver string `json:"receiver"`
	Position struct {
		Filename string `json:"filename"`
		Line     int    `json:"line"`
	} `json:"position"`
}

func (f frame) symbol() string {
	if f.Receiver != "" {
		return f.Package + "." + f.Receiver + "." + f.Function
	}
	return f.Package + "." + f.Function
}

// reached is a vulnerable function that our code calls, with one way to it.
type reached struct {
	id, summary, fixed string
	vulnerable, caller frame
}

// report holds what is reached, one way for each vulnerability, in the order of the identifiers.
type report struct{ dependencies, standardLibrary []reached }

// read makes the report of govulncheck's JSON stream. A finding without a function is about what is required or imported
// and never called.
func read(stream io.Reader) (report, error) {
	summaries := make(map[string]string)
	found := make(map[string]reached)
	decoder := json.NewDecoder(stream)
	for {
		var m message
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return report{}, fmt.Errorf("read govulncheck's output: %w", err)
		}
		if m.OSV != nil {
			summaries[m.OSV.ID] = m.OSV.Summary
		}
		if f := m.Finding; f != nil && len(f.Trace) > 0 && f.Trace[0].Function != "" {
			if _, known := found[f.OSV]; !known {
				found[f.OSV] = reached{id: f.OSV, fixed: f.FixedVersion, vulnerable: f.Trace[0], caller: f.Trace[len(f.Trace)-1]}
			}
		}
	}
	var all report
	for _, id := range slices.Sorted(maps.Keys(found)) {
		r := found[id]
		r.summary = summaries[id]
		if r.vulnerable.Module == "stdlib" {
			all.standardLibrary = append(all.standardLibrary, r)
		} else {
			all.dependencies = append(all.dependencies, r)
		}
	}
	return all, nil
}

func (r report) print(to io.Writer) {
	for _, v := range r.dependencies {
		fmt.Fprintf(to, "%s in %s@%s, fixed in %s: %s\n", v.id, v.vulnerable.Module, v.vulnerable.Version, cmp.Or(v.fixed, "no version yet"), v.summary)
		fmt.Fprintf(to, "  %s:%d: %s reaches %s\n", v.caller.Position.Filename, v.caller.Position.Line, v.caller.symbol(), v.vulnerable.symbol())
	}
	for _, v := range r.standardLibrary {
		fmt.Fprintf(to, "warning: %s in this Go's standard library (%s), fixed in %s: %s\n", v.id, v.vulnerable.Package, cmp.Or(v.fixed, "no version yet"), v.summary)
	}
	fmt.Fprintf(to, "vulncheck: our code reaches %d vulnerabilities of dependencies, %d of this Go's standard library\n", len(r.dependencies), len(r.standardLibrary))
}
