//go:build race

package escalation

import (
	"flag"
	"testing"
)

// TestMain draws a third of what plain `go test` draws for each property: the race detector makes these functions ten times as slow, and
// they are pure, so that it finds nothing in them. Whoever gives -rapid.checks decides.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	m.Run()
}
