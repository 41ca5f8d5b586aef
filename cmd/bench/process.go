package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a server that runs beside this program.
type process struct {
	command *exec.Cmd
	words   *lastWords
	ended   chan struct{}
	err     error // how it ended; read it after ended is closed
}

// startProcess starts a server and waits for the first line that it prints: by then it listens.
func startProcess(ctx context.Context, folder, program string, args ...string) (_ *process, line string, _ error) {
	p := &process{command: exec.CommandContext(ctx, program, args...), words: &lastWords{}, ended: make(chan struct{})}
	p.command.Dir = folder
	p.command.Env = withoutSettings(os.Environ())
	p.command.Stderr = p.words
	p.command.Cancel = func() error { return p.command.Process.Signal(syscall.SIGTERM) }
	p.command.WaitDelay = stopTimeout
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, "", fmt.Errorf("start %s: %w", program, err)
	}
	if err := p.command.Start(); err != nil {
		return nil, "", fmt.Errorf("start %s: %w", program, err)
	}
	reader := bufio.NewReader(out)
	line, errRead := reader.ReadString('\n')
	go func() {
		defer close(p.ended)
		_, _ = io.Copy(io.Discard, reader) // whatever else it has to say; Wait must come after the last read
		p.err = p.command.Wait()
	}()
	if errRead != nil {
		return nil, "", errors.Join(fmt.Errorf("start %s: it said nothing: %w", program, errRead), p.stop())
	}
	return p, line, nil
}

// stopTimeout is how long a server may take to stop before it is killed.
const stopTimeout = 30 * time.Second

// stop ends the server in order and says how it ended.
func (p *process) stop() error {
	select {
	case <-p.ended:
	default:
		if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop %s: %w", p.command.Path, err)
		}
		select {
		case <-p.ended:
		case <-time.After(stopTimeout):
			return errors.Join(fmt.Errorf("stop %s: it did not end within %s. Its words: %s", p.command.Path, stopTimeout, p.words), p.command.Process.Kill())
		}
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w: %s", p.command.Path, p.err, p.words)
	}
	return nil
}

// withoutSettings drops what would set a cipgate up otherwise than its flags say.
func withoutSettings(environment []string) []string {
	var kept []string
	for _, variable := range environment {
		if !strings.HasPrefix(variable, "CIPGATE_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// lastWords keeps the end of what a process wrote to its standard error.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (w *lastWords) Write(text []byte) (int, error) {
	const kept = 4096
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, text...)
	w.text = w.text[max(0, len(w.text)-kept):]
	return len(text), nil
}

func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.text) == 0 {
		return "(none)"
	}
	return strings.TrimSpace(string(w.text))
}

// freeAddress is a loopback address on which nobody listens.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return address, nil
}
