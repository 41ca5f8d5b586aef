package events

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/gateway/problem"
)

// BulkMediaType is that of a stream of SETs, one compact JWS a line, and of the answer.
const BulkMediaType = "application/x-ndjson"

// bulkLimit is how long one stream may be, in bytes.
const bulkLimit = 64 << 20

// BulkLine is one line of the answer to a stream.
type BulkLine struct {
	JTI         string `json:"jti,omitzero"`
	Status      string `json:"status"`                // Accepted, Duplicate or Refused
	Receipt     string `json:"receipt,omitzero"`      // where the receipt is served, /receipts/{digest}
	Err         string `json:"err,omitzero"`          // as in the answer of POST /events
	Description string `json:"description,omitempty"` // likewise
}

// What became of a line of a stream.
const (
	Accepted  = "accepted"
	Duplicate = "duplicate"
	Refused   = "refused"
)

// bulk answers POST /events/bulk. The server's own goroutine writes the answer while one of ours reads the request: the
// answer's body is a stream that the server reads from, and whose Close it waits for before it touches the request
// again.
func (d Doors) bulk(c *fiber.Ctx) error {
	if err := RequireMediaType(c, BulkMediaType); err != nil {
		return err
	}
	ctx := c.Context()
	if !ctx.Request.Header.IsHTTP11() {
		return fmt.Errorf("%w: wanted HTTP/1.1, which can answer while it is asked, got an older version", problem.ErrRequest)
	}
	if length := ctx.Request.Header.ContentLength(); length > bulkLimit {
		ctx.SetConnectionClose()
		return tooMuch()
	}
	e := &exchange{Doors: d, conn: ctx.Conn(), draining: ctx.Done(), ended: make(chan struct{})}
	// The server is told that the deadlines are ours from here on.
	err := errors.Join(ctx.SetReadDeadline(d.Now().Add(d.LineTimeout)), ctx.SetWriteDeadline(d.Now().Add(d.LineTimeout)))
	if err != nil {
		return fmt.Errorf("setting a stream's deadlines: %w", err)
	}
	c.Set(fiber.HeaderContentType, BulkMediaType)
	e.answer, e.written = io.Pipe()
	ctx.Response.ImmediateHeaderFlush = true
	ctx.Response.SetBodyStream(e, -1)
	go e.run(bodyOf(ctx))
	return nil
}

// bodyOf is the request's body as it comes in.
func bodyOf(ctx *fasthttp.RequestCtx) io.Reader {
	if stream := ctx.RequestBodyStream(); stream != nil {
		return stream
	}
	return strings.NewReader("")
}

func tooMuch() error {
	return &envelope.Fault{Reason: envelope.ErrTooLarge,
		Wanted: fmt.Sprintf("at most %d bytes in one stream", bulkLimit), Got: "more",
		Fix: "Send the lines from here on in another request. What was answered stands."}
}

// exchange is one stream and its answer. The server reads the answer from it.
type exchange struct {
	Doors
	conn     net.Conn
	draining <-chan struct{}
	answer   *io.PipeReader
	written  *io.PipeWriter
	ended    chan struct{} // closed once nothing of ours uses the request any more

	mu      sync.Mutex
	stopped bool // nothing more is read
}

// Read gives the server the next part of the answer, which the client then has LineTimeout to take.
func (e *exchange) Read(into []byte) (int, error) {
	n, err := e.answer.Read(into)
	if n > 0 {
		if err := e.conn.SetWriteDeadline(e.Now().Add(e.LineTimeout)); err != nil {
			return 0, fmt.Errorf("setting a stream's deadline: %w", err)
		}
	}
	return n, err
}

// Close ends the stream if it has not ended: the server does not write any more. It returns when the request is no
// longer used.
func (e *exchange) Close() error {
	err := e.answer.Close() // from here on, what is answered fails
	e.stop()
	<-e.ended
	return err
}

// longAgo is a deadline that wakes whoever waits.
var longAgo = time.Unix(1, 0)

// stop wakes whoever waits for the client, and lets nobody wait for it again.
func (e *exchange) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	_ = e.conn.SetReadDeadline(longAgo) // an error says that the connection is closed, which wakes everybody too
}

// extend gives the client its time for the next line.
func (e *exchange) extend() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return errStopped
	}
	return e.conn.SetReadDeadline(e.Now().Add(e.LineTimeout))
}

var errStopped = errors.New("nothing more is read")

// run takes the stream in. It ends when the client has sent everything, when it is too slow, when it takes no answers,
// or when the gateway shuts down.
func (e *exchange) run(body io.Reader) {
	defer close(e.ended)
	finished := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-e.draining:
			e.stop()
		case <-finished:
		}
	})
	in := newLines(body, bulkLimit)
	var cut error
	err := e.Stream.Bulk(context.Background(), e.draining, func() (intake.Line, error) {
		if cut = e.extend(); cut != nil {
			return intake.Line{}, cut
		}
		var line intake.Line
		line, cut = in.next()
		return line, cut
	}, e.tell)
	if err == nil && !errors.Is(cut, io.EOF) {
		err = e.tell([]intake.Outcome{{Err: e.why(cut)}})
	}
	close(finished)
	watching.Wait()
	_ = e.written.CloseWithError(err) // never fails
}

// why words, for the one line that follows the others, why the rest of the stream was not read.
func (e *exchange) why(cut error) error {
	var timeout net.Error
	select {
	case <-e.draining:
		return fmt.Errorf("%w: the lines from here on were not read", ledger.ErrClosed)
	default:
	}
	switch {
	case errors.Is(cut, errTooMuch):
		return tooMuch()
	case errors.As(cut, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: no whole line arrived within %s. Send the lines from here on again, faster, or end the stream", problem.ErrRequest, e.LineTimeout)
	default:
		return fmt.Errorf("%w: the stream broke off, or is no well-formed HTTP/1.1. Send the lines from here on again", problem.ErrRequest)
	}
}

// tell writes one line for each outcome.
func (e *exchange) tell(outcomes []intake.Outcome) error {
	var text []byte
	for _, outcome := range outcomes {
		line, err := json.Marshal(e.line(outcome))
		if err != nil {
			return fmt.Errorf("writing a line: %w", err)
		}
		text = append(append(text, line...), '\n')
	}
	if _, err := e.written.Write(text); err != nil {
		return fmt.Errorf("answering a stream: %w", err)
	}
	return nil
}

func (e *exchange) line(outcome intake.Outcome) BulkLine {
	if outcome.Err != nil {
		p := problem.Of(outcome.Err)
		if p.Ours {
			e.Log.Error("a line of a stream failed", "error", outcome.Err)
		}
		e.Counts.Refused(p, outcome.Err)
		return BulkLine{Status: Refused, Err: p.Code, Description: p.Description}
	}
	e.Counts.Accepted(outcome.Receipt.Duplicate)
	line := BulkLine{JTI: outcome.JTI, Status: Accepted, Receipt: "/receipts/" + outcome.Receipt.Digest.String()}
	if outcome.Receipt.Duplicate {
		line.Status = Duplicate
	}
	return line
}
