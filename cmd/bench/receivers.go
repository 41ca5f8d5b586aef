package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
)

// slowness is how long the slow receivers take for each SET.
const slowness = time.Second

// Paths of the receivers' program, each followed by the receiver's number where it has one.
const (
	quickPath = "/quick/"
	slowPath  = "/slow/"
	hungPath  = "/hung/" // takes the request and never answers
	countPath = "/count" // how many the quick ones took since the last that was asked with reset
)

// taken is what the receivers say of themselves.
type taken struct {
	Quick int64 `json:"quick"`
	Slow  int64 `json:"slow"`
}

// runReceivers is the receivers' side of the benchmark of delivery, a process of its own so that its memory and time are not counted as
// delivery's. It prints the address that it listens on and serves until it is told to stop.
func runReceivers(ctx context.Context, stdout io.Writer) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	var quick, slow atomic.Int64
	take := func(w http.ResponseWriter, r *http.Request, count *atomic.Int64) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the sender is gone
		}
		count.Add(1)
		w.WriteHeader(http.StatusAccepted)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+quickPath+"{n}", func(w http.ResponseWriter, r *http.Request) { take(w, r, &quick) })
	mux.HandleFunc("POST "+slowPath+"{n}", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(slowness):
		case <-r.Context().Done():
		}
		take(w, r, &slow)
	})
	mux.HandleFunc("POST "+hungPath+"{n}", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server sees that the sender gave up
		<-r.Context().Done()
	})
	mux.HandleFunc("GET "+countPath, func(w http.ResponseWriter, r *http.Request) {
		told := taken{quick.Load(), slow.Load()}
		if r.URL.Query().Has("reset") {
			quick.Store(0)
			slow.Store(0)
		}
		_ = json.MarshalWrite(w, told)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	fmt.Fprintln(stdout, listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// receivers are those that notices are pushed to.
type receivers struct {
	process  *process
	base     string
	shut     string // an address on which nobody listens
	count    int
	dead     int // half of them refuse the connection, half never answer
	slow     int
	counting *caller
}

// live is how many are neither dead nor slow.
func (r *receivers) live() int { return r.count - r.dead - r.slow }

// address is where one of them is reached: first the live, then the slow, then the dead.
func (r *receivers) address(n int) string {
	number := strconv.Itoa(n)
	switch {
	case n < r.live():
		return r.base + quickPath + number
	case n < r.live()+r.slow:
		return r.base + slowPath + number
	case n%2 == 0:
		return r.base + hungPath + number
	default:
		return r.shut + "/" + number
	}
}

// took asks how many SETs were taken.
func (r *receivers) took(ctx context.Context, reset bool) (told taken, err error) {
	path := countPath
	if reset {
		path += "?reset"
	}
	answer, err := r.counting.call(ctx, http.MethodGet, path, "", "", nil)
	if err != nil {
		return told, err
	}
	if err := json.Unmarshal(answer, &told); err != nil {
		return told, fmt.Errorf("read how many were taken: %w", err)
	}
	return told, nil
}

// glance is how often it is looked whether all are through.
const glance = 20 * time.Millisecond

// until waits until the live ones took so many, and says when that was; look is told each time how many they have.
func (r *receivers) until(ctx context.Context, wanted int64, look func(taken int64) error) (time.Time, error) {
	for {
		told, err := r.took(ctx, false)
		if err != nil {
			return time.Time{}, err
		}
		now := time.Now()
		if err := look(told.Quick); err != nil || told.Quick >= wanted {
			return now, err
		}
		select {
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case <-time.After(glance):
		}
	}
}
