package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// TestMain lets this test binary be the program: a benchmark starts itself again as the rival, and as receivers.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "rival" || os.Args[1] == "receivers") {
		main()
		return
	}
	migrationstest.Main(m)
}

func TestAWholeBenchmarkMeasuresBothAndFindsWhatTheyAcknowledged(t *testing.T) {
	if testing.Short() {
		t.Skip("builds cipgate")
	}
	program, err := buildGateway(t.Context(), t.TempDir()) // as this test was, from what is compiled already
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = run(t.Context(), []string{"--stores=sqlite", "--clients=3", "--rounds=2", "--warmup=0s", "--time=200ms", "--folder=" + t.TempDir(),
		"--cipgate=" + program, "--json"}, &out, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	var r results
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, m := range r.Runs {
		order = append(order, m.Contender)
		if m.Acknowledged == 0 || m.Acknowledged > 0 && m.PerSecond <= 0 {
			t.Errorf("nothing was measured: %+v", m)
		}
	}
	if got, want := strings.Join(order, " "), "cipgate rival rival cipgate"; got != want {
		t.Errorf("measured %s, want %s", got, want)
	}
}

func TestEachWrongFlagIsNamed(t *testing.T) {
	for _, c := range []struct{ arg, want string }{
		{"--stores=mysql", "--stores"},
		{"--clients=0", "--clients"},
		{"--clients=many", "--clients"},
		{"--rounds=0", "--rounds"},
		{"--time=0s", "--time"},
		{"--sign-for=0", "--sign-for"},
		{"--nonsense", "nonsense"},
		{"serve", "serve"},
	} {
		if _, err := readPlan([]string{c.arg}, io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error that names %s", c.arg, err, c.want)
		}
	}
}

func TestAServerThatForgetsIsNotMeasured(t *testing.T) {
	c, err := openCluster(t.Context(), migrationstest.URL(t, "postgres"))
	if err == nil {
		// A test cluster keeps nothing (fsync off); one that CIPGATE_TEST_POSTGRES names may.
		if err := c.close(); err != nil {
			t.Error(err)
		}
		t.Skip("this server keeps what it commits")
	}
	if !strings.Contains(err.Error(), "fsync off") {
		t.Errorf("got %v, want a refusal that says what is off", err)
	}
}
