package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// results are all runs, and where they were made.
type results struct {
	Environment environment   `json:"environment"`
	Rounds      int           `json:"rounds"`
	Warmup      float64       `json:"warmup_seconds"`
	Window      float64       `json:"window_seconds"`
	Runs        []measurement `json:"runs"`
}

// measurement is one run of one contender.
type measurement struct {
	Store        string  `json:"store"`
	Contender    string  `json:"contender"`
	Clients      int     `json:"clients"`
	Round        int     `json:"round"`
	Acknowledged int     `json:"acknowledged"` // while the clock ran
	Seconds      float64 `json:"seconds"`      // that the clock ran
	PerSecond    float64 `json:"acknowledged_per_second"`
	Median       float64 `json:"latency_p50_ms"`
	P99          float64 `json:"latency_p99_ms"`
	// Processor time for each submission, microseconds; absent where the system does not tell.
	Server    *float64 `json:"cpu_server_us,omitempty"`
	Database  *float64 `json:"cpu_database_us,omitempty"`
	Generator *float64 `json:"cpu_generator_us,omitempty"`
	Others    *float64 `json:"cpu_others,omitempty"` // the part of all cores that other programs took meanwhile, 0 to 1
}

func newMeasurement(store, contender string, clients int, o outcome) measurement {
	count := len(o.latencies)
	slices.Sort(o.latencies)
	each := func(spent time.Duration) *float64 {
		if spent < 0 || count == 0 {
			return nil
		}
		us := float64(spent) / float64(time.Microsecond) / float64(count)
		return &us
	}
	m := measurement{
		Store: store, Contender: contender, Clients: clients, Acknowledged: count, Seconds: o.elapsed.Seconds(),
		PerSecond: float64(count) / o.elapsed.Seconds(),
		Median:    milliseconds(quantile(o.latencies, 0.5)), P99: milliseconds(quantile(o.latencies, 0.99)),
		Server: each(o.used.server), Generator: each(o.used.generator),
	}
	if store == postgresName { // SQLite is the server itself
		m.Database = each(o.used.database)
	}
	if others := o.used.others(); others >= 0 {
		part := others.Seconds() / o.elapsed.Seconds() / float64(runtime.NumCPU())
		m.Others = &part
	}
	return m
}

// quantile is the smallest value that at least the fraction q of the sorted values does not exceed; 0 of none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// String is one line of progress.
func (m measurement) String() string {
	others := ""
	if m.Others != nil {
		others = fmt.Sprintf("; other programs %.0f %%", *m.Others*100)
	}
	return fmt.Sprintf("%-8s %3d clients, round %d: %-11s %6.0f/s, p50 %.1f ms, p99 %.1f ms, CPU us: server %s, database %s, generator %s (%d in %.1f s%s)",
		m.Store, m.Clients, m.Round, m.Contender, m.PerSecond, m.Median, m.P99, us(m.Server), us(m.Database), us(m.Generator), m.Acknowledged, m.Seconds, others)
}

func us(value *float64) string {
	if value == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f", *value)
}

// required is how many times as fast as the rival, the tuned one where there is one, cipgate must be with 64 clients.
var required = map[string]float64{sqliteName: 3, postgresName: 4}

const requiredClients = 64

func (r *results) writeJSON(out io.Writer) error {
	if err := json.MarshalWrite(out, r, jsontext.WithIndent("  ")); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	_, err := fmt.Fprintln(out)
	return err
}

// writeTables writes Markdown that also reads well as it is.
func (r *results) writeTables(out io.Writer) error {
	to := bufio.NewWriter(out)
	fmt.Fprintf(to, "%s\n\nMedians of %d rounds of %g s, after %g s of warm-up; in brackets the least and the most.\n", r.Environment, r.Rounds, r.Window, r.Warmup)
	for _, store := range []string{sqliteName, postgresName} {
		lines := r.lines(store)
		if len(lines) == 1 { // the head alone: nothing was measured on it
			continue
		}
		fmt.Fprintf(to, "\n### %s\n\n", r.Environment.title(store))
		writeTable(to, lines)
	}
	if disturbed := r.disturbed(); disturbed > 0 {
		fmt.Fprintf(to, "\nIn %d of %d runs other programs took more than %.0f %% of the cores: measure again on a quiet machine.\n", disturbed, len(r.Runs), tolerated*100)
	}
	if err := to.Flush(); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	return nil
}

// tolerated is the part of the cores that other programs may take before a run says little.
const tolerated = 0.1

// disturbed counts the runs that other programs were in the way of. It hits the two unalike: the scheduler gives the rival with
// its many processes a larger share.
func (r *results) disturbed() (count int) {
	for _, m := range r.Runs {
		if m.Others != nil && *m.Others > tolerated {
			count++
		}
	}
	return count
}

// lines are the rows of a store's table, its head first.
func (r *results) lines(store string) [][]string {
	lines := [][]string{{"clients", "cipgate/s", "rival/s", "ratio", "wanted", "cipgate p50, p99 ms", "rival p50, p99 ms", "cipgate CPU us", "rival CPU us"}}
	if len(r.of(store, tunedName, 0)) > 0 {
		lines[0] = slices.Insert(lines[0], 4, "tuned rival/s", "ratio")
	}
	var counts []int
	for _, m := range r.Runs {
		if m.Store == store && !slices.Contains(counts, m.Clients) {
			counts = append(counts, m.Clients)
		}
	}
	for _, clients := range counts {
		gateway, rival, tuned := r.of(store, gatewayName, clients), r.of(store, rivalName, clients), r.of(store, tunedName, clients)
		ratio := median(gateway, perSecond) / median(rival, perSecond)
		line := []string{fmt.Sprint(clients), rates(gateway), rates(rival), fmt.Sprintf("%.2f", ratio)}
		if len(tuned) > 0 {
			ratio = median(gateway, perSecond) / median(tuned, perSecond)
			line = append(line, rates(tuned), fmt.Sprintf("%.2f", ratio))
		}
		wanted := ""
		if clients == requiredClients { // of the faster rival
			wanted = fmt.Sprintf(">= %g: yes", required[store])
			if ratio < required[store] {
				wanted = fmt.Sprintf(">= %g: NO", required[store])
			}
		}
		line = append(line, wanted, latencies(gateway), latencies(rival), cpu(gateway), cpu(rival))
		lines = append(lines, line)
	}
	return lines
}

// of are the runs of a contender with so many clients, with any number if that is 0.
func (r *results) of(store, contender string, clients int) (runs []measurement) {
	for _, m := range r.Runs {
		if m.Store == store && m.Contender == contender && (clients == 0 || m.Clients == clients) {
			runs = append(runs, m)
		}
	}
	return runs
}

func perSecond(m measurement) float64 { return m.PerSecond }

func rates(runs []measurement) string {
	least := slices.MinFunc(runs, func(a, b measurement) int { return cmp.Compare(a.PerSecond, b.PerSecond) })
	most := slices.MaxFunc(runs, func(a, b measurement) int { return cmp.Compare(a.PerSecond, b.PerSecond) })
	return fmt.Sprintf("%.0f (%.0f-%.0f)", median(runs, perSecond), least.PerSecond, most.PerSecond)
}

func latencies(runs []measurement) string {
	return fmt.Sprintf("%.1f, %.1f", median(runs, func(m measurement) float64 { return m.Median }), median(runs, func(m measurement) float64 { return m.P99 }))
}

// cpu is what a submission costs the server, and beside it the database's processes where there are any.
func cpu(runs []measurement) string {
	told := func(of func(measurement) *float64) string {
		for _, m := range runs {
			if of(m) == nil {
				return ""
			}
		}
		return fmt.Sprintf("%.0f", median(runs, func(m measurement) float64 { return *of(m) }))
	}
	server, database := told(func(m measurement) *float64 { return m.Server }), told(func(m measurement) *float64 { return m.Database })
	if database == "" {
		return server
	}
	return server + " + " + database
}

// median is the middle value, or the mean of the two middle ones.
func median(runs []measurement, of func(measurement) float64) float64 {
	values := make([]float64, len(runs))
	for i, m := range runs {
		values[i] = of(m)
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

// writeTable writes rows of cells, the head first, each column as wide as its widest cell.
func writeTable(to io.Writer, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	rule := make([]string, len(widths))
	for i, width := range widths {
		rule[i] = strings.Repeat("-", width)
	}
	for _, row := range slices.Insert(slices.Clone(rows), 1, rule) {
		for i, cell := range row {
			fmt.Fprintf(to, "| %-*s ", widths[i], cell)
		}
		fmt.Fprintln(to, "|")
	}
}

// environment is the machine that was measured on.
type environment struct {
	Go        string  `json:"go"`
	System    string  `json:"system"`
	Processor string  `json:"processor,omitempty"`
	Cores     int     `json:"cores"`
	Flush     float64 `json:"disk_flush_ms"` // median of writing 4 KiB and waiting until they are on disk
	Postgres  string  `json:"postgres,omitempty"`
}

func describe(folder string) environment {
	return environment{Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Processor: processor(), Cores: runtime.NumCPU(), Flush: milliseconds(flushTime(folder))}
}

// String says it in words.
func (e environment) String() string {
	name := e.Processor
	if name == "" {
		name = e.System
	}
	return fmt.Sprintf("%d cores (%s), %s; the load, the server and the database share them. Flushing 4 KiB to this disk takes %.2f ms.", e.Cores, name, e.Go, e.Flush)
}

func (e environment) title(store string) string {
	if store == postgresName {
		return "PostgreSQL " + e.Postgres
	}
	return "SQLite"
}

// processor is the processor's name, as Linux tells it.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// flushTime is what every commit waits for, and differs more from disk to disk than anything else. 0 if it cannot be measured.
func flushTime(folder string) time.Duration {
	file, err := os.Create(filepath.Join(folder, "flush"))
	if err != nil {
		return 0
	}
	defer file.Close()
	block := make([]byte, 4096)
	var times []time.Duration
	for range 101 {
		began := time.Now()
		if _, err := file.Write(block); err != nil {
			return 0
		}
		if err := file.Sync(); err != nil {
			return 0
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	return quantile(times, 0.5)
}
