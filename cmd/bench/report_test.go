package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

func TestAQuantileIsAValueThatWasMeasured(t *testing.T) {
	values := []time.Duration{1, 2, 3, 4}
	for _, c := range []struct {
		of   []time.Duration
		q    float64
		want time.Duration
	}{{values, 0.5, 2}, {values, 0.99, 4}, {values, 0, 1}, {values, 1, 4}, {values[:1], 0.5, 1}, {nil, 0.5, 0}} {
		if got := quantile(c.of, c.q); got != c.want {
			t.Errorf("quantile %g of %v is %d, want %d", c.q, c.of, got, c.want)
		}
	}
}

func TestTheTablesCompareMediansAndSayWhetherTheyAreEnough(t *testing.T) {
	cpu, part := 100.0, 0.2
	r := results{Rounds: 3, Environment: environment{Postgres: "15.1"}}
	for _, rate := range []float64{4000, 4400, 9000} {
		r.Runs = append(r.Runs, measurement{Store: postgresName, Contender: gatewayName, Clients: 64, PerSecond: rate, Median: 10, P99: 20, Server: &cpu, Database: &cpu})
	}
	for _, rate := range []float64{900, 1000, 2000} {
		r.Runs = append(r.Runs, measurement{Store: postgresName, Contender: rivalName, Clients: 64, PerSecond: rate, Server: &cpu})
	}
	r.Runs = append(r.Runs, measurement{Store: postgresName, Contender: tunedName, Clients: 64, PerSecond: 2200})
	for _, contender := range []string{gatewayName, rivalName} {
		r.Runs = append(r.Runs, measurement{Store: sqliteName, Contender: contender, Clients: 64, PerSecond: 1000}, measurement{Store: sqliteName, Contender: contender, Clients: 1, PerSecond: 1, Others: &part})
	}
	var out bytes.Buffer
	if err := r.writeTables(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"### PostgreSQL 15.1", "| 64      | 4400 (4000-9000) | 1000 (900-2000) | 4.40  | 2200 (2200-2200) | 2.00  | >= 4: NO | 10.0, 20.0", "| 100 + 100      | 100",
		"### SQLite", "| 64      | 1000 (1000-1000) | 1000 (1000-1000) | 1.00  | >= 3: NO |", "| 1       | 1 (1-1)          | 1 (1-1)          | 1.00  |          |",
		"In 2 of 11 runs other programs took more than 10 % of the cores",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the tables hold no %q:\n%s", want, out.String())
		}
	}
}

func TestProcessorTimeIsThatOfTheProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc")
	}
	s, err := readStat(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if s.parent != os.Getppid() {
		t.Errorf("parent %d, want %d", s.parent, os.Getppid())
	}
	if own, family := processTime(os.Getpid()), familyTime(os.Getppid()); own < 0 || family < own {
		t.Errorf("this process has spent %s, its parent with all its children %s", own, family)
	}
	if got := processTime(-1); got != unknown {
		t.Errorf("of no process: got %s, want unknown", got)
	}
	if got := machineTime(); got < processTime(os.Getpid()) {
		t.Errorf("the machine has spent %s, less than this process", got)
	}
	if got := (usage{server: 5, database: 1, generator: 2, machine: 10}).others(); got != 2 {
		t.Errorf("others %d, want 2", got)
	}
	if got := (usage{database: unknown, machine: 10}).others(); got != unknown {
		t.Errorf("others %d, want unknown", got)
	}
	if got := (usage{server: 5, database: unknown}).since(usage{server: 3, database: 4}); got.server != 2 || got.database != unknown {
		t.Errorf("got %+v, want 2 and unknown", got)
	}
}
