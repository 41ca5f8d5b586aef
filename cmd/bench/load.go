package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"github.com/cipgate/cipgate/gateway/events"
)

// load pushes statements from many clients at once, each on a connection that it keeps, the next as soon as the one before was
// acknowledged. The clock starts after the warm-up and stops after the window, or as soon as a client has no statement left.
type load struct {
	address string
	crowd   []reseller // one client each
	warmup  time.Duration
	window  time.Duration
	meter   func() usage // read when the clock starts and when it stops
}

// outcome is what came of a load.
type outcome struct {
	elapsed      time.Duration   // of the clock
	latencies    []time.Duration // of what was acknowledged while it ran
	used         usage           // while it ran
	acknowledged []int           // how many statements of each client, warm-up and end included
}

// ack is one acknowledged statement.
type ack struct {
	at   time.Duration // since the load began
	took time.Duration
}

// errUsedUp says that the clock could not start, or ran too shortly to tell anything.
var errUsedUp = errors.New("the statements that were signed beforehand were used up too soon. Sign more with --sign-for")

func (l load) run(ctx context.Context) (_ outcome, err error) {
	// One thread pushes for all: more would wake each other for every answer, and take the time from whom is measured.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	clients := make([]*client, len(l.crowd))
	for i := range clients {
		if clients[i], err = dial(ctx, l.address, l.crowd[i].tokens); err != nil {
			return outcome{}, err
		}
		defer clients[i].hangUp()
	}
	group, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, func() {
		for _, c := range clients {
			c.hangUp() // ends what they wait for
		}
	})()
	var stopped atomic.Bool
	usedUp := make(chan struct{})
	signal := sync.OnceFunc(func() { close(usedUp) })
	began := time.Now()
	for _, c := range clients {
		group.Go(func() error {
			defer signal()
			return c.pushAll(began, &stopped)
		})
	}

	o := outcome{acknowledged: make([]int, len(clients))}
	ranOut := l.pause(ctx, l.warmup, usedUp)
	before, start := l.meter(), time.Since(began)
	if !ranOut {
		l.pause(ctx, l.window, usedUp)
	}
	end, after := time.Since(began), l.meter()
	stopped.Store(true)
	if err := group.Wait(); err != nil {
		return outcome{}, err
	}
	if ranOut {
		return outcome{}, errUsedUp
	}
	o.elapsed, o.used = end-start, after.since(before)
	for i, c := range clients {
		o.acknowledged[i] = len(c.acks)
		for _, a := range c.acks {
			if a.at >= start && a.at < end {
				o.latencies = append(o.latencies, a.took)
			}
		}
	}
	return o, nil
}

// pause waits, and says whether it was cut short.
func (load) pause(ctx context.Context, d time.Duration, usedUp <-chan struct{}) bool {
	if d == 0 {
		return false
	}
	select {
	case <-time.After(d):
		return false
	case <-usedUp:
	case <-ctx.Done():
	}
	return true
}

// client is one sender with its connection.
type client struct {
	conn     net.Conn
	reader   *bufio.Reader
	head     []byte // of every request, up to the length of its body
	request  []byte // the last one, whose memory the next one uses again
	response fasthttp.Response
	tokens   [][]byte
	acks     []ack
}

// patience bounds a whole load, so that a server that does not answer ends it.
const patience = 5 * time.Minute

func dial(ctx context.Context, address string, tokens [][]byte) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	head := fmt.Sprintf("POST /events HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: ", address, events.MediaType)
	return &client{conn: conn, reader: bufio.NewReader(conn), head: []byte(head), tokens: tokens, acks: make([]ack, 0, len(tokens))}, nil
}

func (c *client) hangUp() { _ = c.conn.Close() } // nothing more is read from it or written to it

func (c *client) pushAll(began time.Time, stopped *atomic.Bool) error {
	for _, token := range c.tokens {
		if stopped.Load() {
			return nil
		}
		sent := time.Now()
		if err := c.push(token); err != nil {
			return err
		}
		answered := time.Now()
		c.acks = append(c.acks, ack{at: answered.Sub(began), took: answered.Sub(sent)})
	}
	return nil
}

// push sends one statement. Anything but 202 is an error.
func (c *client) push(token []byte) error {
	c.request = strconv.AppendInt(append(c.request[:0], c.head...), int64(len(token)), 10)
	c.request = append(append(c.request, "\r\n\r\n"...), token...)
	if _, err := c.conn.Write(c.request); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	if err := c.response.Read(c.reader); err != nil {
		return fmt.Errorf("push: read the answer: %w", err)
	}
	if status := c.response.StatusCode(); status != fasthttp.StatusAccepted {
		return fmt.Errorf("push: wanted 202, got %d: %s", status, bytes.TrimSpace(c.response.Body()))
	}
	return nil
}
