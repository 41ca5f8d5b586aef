package main

import (
	"bytes"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// mailGate stands before a mailbox and lets only so many mails be answered as it was told. What is not answered was taken all the same:
// the worst moment at which whoever sent it may be killed.
type mailGate struct {
	t    *testing.T
	url  string
	more chan struct{} // told of each change, while there is room

	mu    sync.Mutex
	may   int  // be answered
	open  bool // all may
	held  int  // connections that wait for an answer now
	lost  int  // mails that were taken, and whose sender went before it was told
	taken int
	lines [][]byte // what the mailbox took
	pass  *sync.Cond
}

func newMailGate(t *testing.T, box *mailbox) *mailGate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	g := &mailGate{t: t, url: "smtp://" + listener.Addr().String(), more: make(chan struct{}, 1)}
	g.pass = sync.NewCond(&g.mu)
	go func() {
		for line := range box.lines {
			g.change(func() { g.lines = append(g.lines, line) })
		}
	}()
	go func() {
		for {
			sender, err := listener.Accept()
			if err != nil {
				return // closed
			}
			server, err := net.Dial("tcp", strings.TrimPrefix(box.url, "smtp://"))
			if err != nil {
				_ = sender.Close()
				continue
			}
			go g.carry(sender, server)
		}
	}()
	return g
}

// change changes the gate, and tells whoever waits.
func (g *mailGate) change(how func()) {
	g.mu.Lock()
	how()
	g.mu.Unlock()
	g.pass.Broadcast()
	select {
	case g.more <- struct{}{}:
	default:
	}
}

// carry carries one connection until either side ends it.
func (g *mailGate) carry(sender, server net.Conn) {
	gone := false // guarded by mu: the sender's side ended
	whole := make(chan struct{}, 100)
	go func() {
		defer func() {
			g.change(func() { gone = true })
			_ = server.Close()
		}()
		buffer, end := make([]byte, 64<<10), []byte(nil)
		for {
			n, err := sender.Read(buffer)
			if n > 0 {
				end = append(end, buffer[:n]...)
				end = bytes.Clone(end[max(0, len(end)-5):])
				if string(end) == "\r\n.\r\n" {
					whole <- struct{}{} // before the server can answer it
				}
				if _, err := server.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	defer func() { _ = sender.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		select {
		case <-whole:
			if !g.answers(&gone) {
				return
			}
		default:
		}
		if _, err := sender.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// answers waits until a mail may be answered; false if its sender went before.
func (g *mailGate) answers(gone *bool) bool {
	g.change(func() { g.taken++; g.held++ })
	g.mu.Lock()
	for !g.open && g.may == 0 && !*gone {
		g.pass.Wait()
	}
	stays := !*gone
	g.held--
	switch { // under the same lock: else another that waits is answered by the same permission
	case !stays:
		g.lost++
	case !g.open:
		g.may--
	}
	g.mu.Unlock()
	g.change(func() {})
	return stays
}

// until waits until this is so.
func (g *mailGate) until(what string, is func() bool) {
	g.t.Helper()
	late := time.After(patience)
	for {
		g.mu.Lock()
		so := is()
		g.mu.Unlock()
		if so {
			return
		}
		select {
		case <-g.more:
		case <-late:
			g.t.Fatalf("%s: not within %s; %d mails were taken, %d of their senders lost, %d wait", what, patience, g.taken, g.lost, g.held)
		}
	}
}

// letters are all mails that the mailbox took, by their Message-ID, each with its text as often as it came.
func (g *mailGate) letters() (by map[string][]string, count int) {
	g.t.Helper()
	g.until("reading what was mailed", func() bool { return len(g.lines) == g.taken })
	by = map[string][]string{}
	for _, line := range g.lines {
		var taken struct {
			Data string `json:"data"`
		}
		if err := json.Unmarshal(line, &taken); err != nil {
			g.t.Fatal(err)
		}
		message, err := mail.ReadMessage(strings.NewReader(taken.Data))
		if err != nil {
			g.t.Fatal(err)
		}
		id := message.Header.Get("Message-ID")
		by[id] = append(by[id], taken.Data)
	}
	return by, len(g.lines)
}
