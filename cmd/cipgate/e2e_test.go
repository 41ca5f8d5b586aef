package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// The end-to-end tests start the program as its users do: the binary that `go build` makes, by its command line, over real HTTP.
// Nothing in them waits for time to pass; patience only bounds how long something that must happen may take.
const patience = 5 * time.Minute

// binary is the program, built once for all tests and as they are: GOFLAGS says so, and what they were compiled from is not compiled
// again. Under `make test` the race detector watches the program too. removeBinary takes it away.
var binary = sync.OnceValues(func() (path string, err error) {
	if binaryFolder, err = os.MkdirTemp("", "cipgate-e2e-"); err != nil {
		return "", fmt.Errorf("making a folder for the binary: %w", err)
	}
	path = filepath.Join(binaryFolder, "cipgate")
	build := exec.CommandContext(context.Background(), "go", "build", "-buildvcs=false", "-o", path, ".")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the binary: %w\n%s", err, out)
	}
	return path, nil
})

var binaryFolder string

func removeBinary() {
	if binaryFolder == "" {
		return
	}
	if err := os.RemoveAll(binaryFolder); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// ended is a program that has run to its end.
type ended struct {
	code        int
	out, errors string
}

// cipgate runs the binary to its end.
func cipgate(t *testing.T, args ...string) ended {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return runToEnd(t, nil, path, args...)
}

// runToEnd runs a program with lines on its standard input.
func runToEnd(t *testing.T, input []string, program string, args ...string) ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	var out, said bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(strings.Join(input, "\n")), &out, &said
	command.Env = environment()
	err := command.Run()
	if failed := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &failed) || ctx.Err() != nil) {
		t.Fatalf("%s %s: %v, %v\n%s", program, strings.Join(args, " "), err, ctx.Err(), &said)
	}
	return ended{command.ProcessState.ExitCode(), out.String(), said.String()}
}

// environment is this machine's without what would configure cipgate, or lead a client to a proxy.
func environment() []string {
	kept := []string{"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "CIPGATE_") && !strings.HasPrefix(strings.ToUpper(variable), "NO_PROXY=") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// must fails the test unless the program ended with exit code 0, and returns what it printed.
func (e ended) must(t *testing.T) string {
	t.Helper()
	if e.code != exitDone {
		t.Fatalf("exit code %d: %s%s", e.code, e.out, e.errors)
	}
	return e.out
}

// read decodes the one JSON value that a program printed, which shows that it printed nothing else.
func (e ended) read(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.must(t)), into); err != nil {
		t.Fatalf("wanted JSON, got %q: %v", e.out, err)
	}
}

// process is a gateway that runs as `cipgate serve`. It may be started again after it ended.
type process struct {
	t     *testing.T
	base  string   // its address
	data  string   // its folder
	flags []string // of serve, beside --json

	running *exec.Cmd
	ended   chan error
	stdout  *os.File
	log     *os.File // stderr of all its starts
	vkey    string
}

// newProcess makes a gateway on a store. It is its own entity unless flags say otherwise.
func newProcess(t *testing.T, database string, flags ...string) *process {
	t.Helper()
	listen := freePort(t)
	p := &process{t: t, base: "http://" + listen, data: filepath.Join(t.TempDir(), "data")}
	p.flags = append([]string{"--data", p.data, "--listen", listen, "--database", database}, flags...)
	var err error
	if p.log, err = os.Create(filepath.Join(t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.running != nil {
			p.kill()
		}
		said, err := os.ReadFile(p.log.Name())
		token, _ := os.ReadFile(filepath.Join(p.data, "admin.token")) // where the test did not begin without it
		if told := secretIn(said, strings.TrimSpace(string(token))); told != "" {
			t.Errorf("the log of %s tells %s", p.base, told)
		}
		if t.Failed() {
			t.Logf("the log of %s: %s %v", p.base, said, err)
		}
		_ = p.log.Close() // it was only written to for this
	})
	return p
}

// within is the same running gateway for a subtest.
func (p *process) within(t *testing.T) *process {
	same := *p
	same.t = t
	return &same
}

// freePort is an address nobody listens on. It lies below the ports that Linux gives to clients (32768 on): one of those could be
// taken by any connection of this machine while the gateway is down.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if listener, err := net.Listen("tcp", address); err == nil {
			_ = listener.Close() // it never took a connection
			return address
		}
	}
	t.Fatal("of 100 ports each was taken")
	return ""
}

// start runs the gateway and returns when it is ready. It prints its line of JSON when its port is open; the first request then
// waits in the port's queue until it is served.
func (p *process) start() {
	p.t.Helper()
	path, err := binary()
	if err != nil {
		p.t.Fatal(err)
	}
	stdout, child, err := os.Pipe()
	if err != nil {
		p.t.Fatal(err)
	}
	// Not ended with the test's context: stop lets it drain.
	command := exec.CommandContext(context.WithoutCancel(p.t.Context()), path, append([]string{"serve", "--json"}, p.flags...)...)
	command.Stdout, command.Stderr, command.Env = child, p.log, environment()
	if err := command.Start(); err != nil {
		p.t.Fatal(err)
	}
	_ = child.Close() // the gateway holds it now
	p.running, p.stdout, p.ended = command, stdout, make(chan error, 1)
	go func() { p.ended <- command.Wait() }()

	if err := stdout.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("the gateway did not start: %v", err)
	}
	var told struct {
		LogVkey string `json:"log_vkey"`
	}
	if err := json.Unmarshal(line, &told); err != nil || told.LogVkey == "" {
		p.t.Fatalf("serve --json printed %q: %v", line, err)
	}
	p.vkey = told.LogVkey
	if status, text := p.fetch("/readyz", ""); status != http.StatusOK {
		p.t.Fatalf("/readyz: %d %s", status, text)
	}
}

// wait returns the exit code of the gateway; -1 if a signal ended it.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("the gateway did not end within %s", patience)
	}
	code := p.running.ProcessState.ExitCode()
	_ = p.stdout.Close() // its line was read
	p.running = nil
	return code
}

// kill is the end that nobody sees coming.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	p.wait()
}

// stop lets the gateway drain, which must end with exit code 0.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != exitDone {
		p.t.Fatalf("after SIGTERM the gateway ended with exit code %d", code)
	}
}

func (p *process) signal(signal os.Signal) {
	p.t.Helper()
	if err := p.running.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// admin speaks to /v1 as the administrator.
func (p *process) admin() *client {
	p.t.Helper()
	token, err := os.ReadFile(filepath.Join(p.data, "admin.token"))
	if err != nil {
		p.t.Fatal(err)
	}
	return newClient(p.base, strings.TrimSpace(string(token)))
}

// get reads /v1 as the administrator.
func (p *process) get(path string, into any) {
	p.t.Helper()
	if err := p.admin().get(p.t.Context(), path, into); err != nil {
		p.t.Fatal(err)
	}
}

// fetch reads what anybody may read.
func (p *process) fetch(path, accept string) (status int, text string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, body.String()
}

// store are the flags of commands that open this gateway's store themselves.
func (p *process) store(command ...string) []string { return append(command, p.flags...) }

// invite returns an enrolment address, as an officer gets it from the command line.
func (p *process) invite(name string) string {
	p.t.Helper()
	var made invited
	cipgate(p.t, "invite", "--json", "--url", p.base, "--data", p.data, "--name", name, "--country", "DE", "--contact", "compliance@example.com").read(p.t, &made)
	return made.URL
}
