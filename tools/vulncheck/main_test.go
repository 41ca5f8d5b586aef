package main

import (
	"strings"
	"testing"
)

const stream = `{"config":{"protocol_version":"v1.0.0"}}
{"osv":{"id":"GO-2026-0001","summary":"smuggles requests"}}
{"osv":{"id":"GO-2026-0002","summary":"accepts any certificate"}}
{"finding":{"osv":"GO-2026-0001","fixed_version":"v1.78.0","trace":[{"module":"example.org/http","version":"v1.51.0"}]}}
{"finding":{"osv":"GO-2026-0002","fixed_version":"v1.26.9","trace":[{"module":"stdlib","version":"v1.26.8","package":"crypto/tls","function":"Read","receiver":"Conn"},{"module":"m","package":"m/edge","function":"Serve","position":{"filename":"edge/serve.go","line":7}}]}}
`

const call = `{"finding":{"osv":"GO-2026-0001","fixed_version":"v1.78.0","trace":[{"module":"example.org/http","version":"v1.51.0","package":"example.org/http","function":"Parse"},{"module":"m","package":"m/edge","function":"Serve","position":{"filename":"edge/serve.go","line":9}}]}}
`

func TestOnlyADependencyThatIsReachedFails(t *testing.T) {
	for _, c := range []struct {
		name, stream   string
		dependencies   int
		printed, fails string
	}{
		{"required but not called", stream, 0, "warning: GO-2026-0002 in this Go's standard library (crypto/tls), fixed in v1.26.9: accepts any certificate\n", ""},
		{"called", stream + call + call, 1, "GO-2026-0001 in example.org/http@v1.51.0, fixed in v1.78.0: smuggles requests\n  edge/serve.go:9: m/edge.Serve reaches example.org/http.Parse\n", ""},
		{"cut off", stream + `{"finding":`, 0, "", "read govulncheck's output"},
	} {
		t.Run(c.name, func(t *testing.T) {
			report, err := read(strings.NewReader(c.stream))
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("got error %v, want %q", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(report.dependencies) != c.dependencies || len(report.standardLibrary) != 1 {
				t.Errorf("got %+v", report)
			}
			var printed strings.Builder
			report.print(&printed)
			if !strings.Contains(printed.String(), c.printed) {
				t.Errorf("printed\n%swant in it\n%s", printed.String(), c.printed)
			}
		})
	}
}
