package edge

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// newServer is a server that answers 204, and its listener.
func newServer(t *testing.T) (*Server, net.Listener) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answer := func(app *fiber.App) { app.Use(func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusNoContent) }) }
	return New(slog.New(slog.DiscardHandler), time.Minute, answer, answer, nil), listener
}

func TestAServerThatIsStoppedBeforeItServesEnds(t *testing.T) {
	s, listener := newServer(t)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(listener); err != nil { // would take connections until the test ends
		t.Fatal(err)
	}
	if connection, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		_ = connection.Close()
		t.Error("it still listens")
	}
}

func TestAServerMayBeStoppedAtAnyMoment(t *testing.T) {
	const times = 100 // at each the two meet somewhere else
	ended := make(chan error, times)
	for range times {
		s, listener := newServer(t)
		go func() { ended <- s.Serve(listener) }()
		go func() {
			if err := s.Shutdown(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		}()
	}
	for range times {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestAServerAnswersUntilItIsStopped(t *testing.T) {
	s, listener := newServer(t)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	client := &http.Client{Timeout: time.Minute}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if _ = answer.Body.Close(); answer.StatusCode != http.StatusNoContent {
		t.Errorf("it answers %d", answer.StatusCode)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if answer, err := client.Do(request); err == nil {
		_ = answer.Body.Close()
		t.Error("it still answers")
	}
}
