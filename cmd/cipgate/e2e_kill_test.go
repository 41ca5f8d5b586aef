package main

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// killRuns is how often the gateway is killed on each store, each time after another number of acknowledgements.
func killRuns(t *testing.T) int {
	t.Helper()
	text, set := os.LookupEnv("CIPGATE_KILL_RUNS")
	if !set {
		return 1
	}
	runs, err := strconv.Atoi(text)
	if err != nil || runs < 1 {
		t.Fatalf("CIPGATE_KILL_RUNS: wanted a number above 0, got %q", text)
	}
	return runs
}

func TestAGatewayKilledUnderLoadKeepsAllItAcknowledgedAndNothingTwice(t *testing.T) {
	t.Parallel()
	const count = 20 * pushers
	runs := killRuns(t)
	for _, store := range migrationstest.Stores {
		for run := range runs {
			t.Run(fmt.Sprintf("%s/%d", store, run+1), func(t *testing.T) {
				p := newProcess(t, migrationstest.URL(t, store))
				p.start()
				tokens := p.signMany(t, "Example Cloud GmbH", count)

				kept := acknowledged{}
				clients := p.push(t, tokens)
				kept.takeUntil(count*(run+1)/(runs+1), clients)
				seen := p.checkpoint() // what the log has signed by now binds it
				p.kill()
				kept.takeAll(clients)
				rest := kept.others(tokens)
				t.Logf("killed with %d of %d acknowledged", len(kept), count)
				if len(rest) == 0 {
					t.Fatal("nothing was under way when the gateway was killed")
				}

				cipgate(t, p.store("ledger", "check")...).must(t)
				p.start()
				p.stand(kept.list())

				again := p.push(t, rest)
				kept.takeAll(again)
				if missing := kept.others(tokens); len(missing) > 0 {
					t.Fatalf("%d were not acknowledged by a gateway that nobody killed\n%s", len(missing), again.stderr)
				}
				audited := p.audit(seen)
				p.provable(tokens, p.stand(tokens), audited)
				p.stop()
				cipgate(t, p.store("ledger", "check")...).must(t)
			})
		}
	}
}
