// Package edge is the server: limits, time-outs, drain, and which of two applications a request belongs to.
// It knows no statement and no page.
//
// There are two Fiber applications because Fiber's strings are reused memory. The one that takes
// submissions copies what it keeps and is fast; the one for everything else is Immutable and safe to
// program. Both share one fasthttp server, so one limit and one drain hold for all.
package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/valyala/fasthttp"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/problem"
)

const (
	// bodyLimit is what the server reads of a request before it gives up. It is above what a submission may
	// be, so that one slightly too large is answered in order instead of cut off.
	bodyLimit = 4 * envelope.MaxToken
	// headerLimit bounds a request's line and header fields.
	headerLimit = 32 << 10

	writeTimeout = 60 * time.Second
	idleTimeout  = 2 * time.Minute
)

// Server serves both applications on one listener.
type Server struct {
	http *fasthttp.Server

	mu      sync.Mutex
	serving net.Listener
	stopped bool
}

// New builds the server. A whole request has to come in within readTimeout: slow senders hold a connection no longer. submissions registers what takes SETs, under /events; rest everything else.
// refused is told of every request that was answered with an error; it may be nil.
func New(log *slog.Logger, readTimeout time.Duration, submissions, rest func(*fiber.App), refused func(problem.Problem, error)) *Server {
	counted := func(handler fiber.ErrorHandler) fiber.ErrorHandler {
		return func(c *fiber.Ctx, err error) error {
			if refused != nil {
				refused(problem.Of(err), err)
			}
			return handler(c, err)
		}
	}
	config := fiber.Config{DisableStartupMessage: true, BodyLimit: bodyLimit, CaseSensitive: true, StrictRouting: true}
	config.ErrorHandler = counted(problem.SET(log))
	events := fiber.New(config)
	events.Use(recover.New())
	submissions(events)

	config.Immutable = true
	config.ErrorHandler = counted(problem.Details(log))
	others := fiber.New(config)
	others.Use(recover.New())
	rest(others)

	takeEvents, takeOthers := events.Handler(), others.Handler()
	return &Server{http: &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			take, body := takeOthers, new(bytes.Buffer)
			if isEvents(ctx.Path()) {
				take, body = takeEvents, spare.Get().(*bytes.Buffer)
				defer putBack(body)
			}
			if !streamed(ctx.Path()) {
				if err := gather(ctx, body); err != nil {
					refuse(ctx, err, readTimeout)
					return
				}
			}
			take(ctx)
		},
		ErrorHandler:                 func(ctx *fasthttp.RequestCtx, err error) { unreadable(ctx, err, readTimeout) },
		MaxRequestBodySize:           bodyLimit,
		StreamRequestBody:            true,
		HeaderReceived:               headerReceived,
		ReadBufferSize:               headerLimit,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		DisablePreParseMultipartForm: true, // nothing here is a multipart form
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		CloseOnShutdown:              true,
		Logger:                       quiet{},
	}}
}

// isEvents says whether a path is /events or below it.
func isEvents(path []byte) bool {
	const events = "/events"
	return len(path) >= len(events) && string(path[:len(events)]) == events && (len(path) == len(events) || path[len(events)] == '/')
}

// unreadable answers what never became a request: a body or header over its limit, or bytes that are no HTTP.
func unreadable(ctx *fasthttp.RequestCtx, err error, readTimeout time.Duration) {
	status, text := fasthttp.StatusBadRequest, "the request is not well-formed HTTP/1.1. Send it with an HTTP client library"
	var timeout net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		status, text = fasthttp.StatusRequestEntityTooLarge, fmt.Sprintf("the body is over the limit: wanted at most %d bytes. Split it", envelope.MaxToken)
	case errors.As(err, new(*fasthttp.ErrSmallBuffer)):
		status, text = fasthttp.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("the header fields are over the limit: wanted at most %d bytes", headerLimit)
	case errors.As(err, &timeout) && timeout.Timeout():
		status, text = fasthttp.StatusRequestTimeout, fmt.Sprintf("the request did not arrive within %s. Send it again, faster", readTimeout)
	}
	ctx.Response.Reset()
	ctx.SetStatusCode(status)
	ctx.SetContentType(fiber.MIMEApplicationJSON)
	ctx.Response.Header.Set(fiber.HeaderContentLanguage, "en")
	ctx.SetBodyString(fmt.Sprintf(`{"err":"invalid_request","description":%q}`, text))
}

// Serve answers on the listener until Shutdown. Where that came before, it closes the listener and returns at once.
func (s *Server) Serve(listener net.Listener) error {
	once := &closedOnce{Listener: listener}
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return once.Close()
	}
	s.serving = once
	s.mu.Unlock()
	if err := s.http.Serve(once); err != nil {
		return fmt.Errorf("serving on %s: %w", listener.Addr(), err)
	}
	return nil
}

// Shutdown takes no new connection, answers what has begun, and returns when all is answered or ctx ends. A server that was about to
// serve does not: fasthttp knows of a listener only once it accepts on it, and would never close one that it is given after this.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	serving := s.serving
	s.mu.Unlock()
	if serving != nil {
		if err := serving.Close(); err != nil {
			return err
		}
	}
	if err := s.http.ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("draining connections: %w", err)
	}
	return nil
}

// closedOnce is a listener that may be closed by whoever wants it closed.
type closedOnce struct {
	net.Listener
	once   sync.Once
	failed error
}

// Close closes the listener, and says each time what came of it.
func (l *closedOnce) Close() error {
	l.once.Do(func() {
		if err := l.Listener.Close(); err != nil {
			l.failed = fmt.Errorf("closing the listener on %s: %w", l.Addr(), err)
		}
	})
	return l.failed
}

// quiet drops fasthttp's log of every connection that a client broke; what is ours is logged by problem.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
