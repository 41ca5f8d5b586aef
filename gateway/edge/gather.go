package edge

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// streamed says whether a path's body is read by its handler as it comes in: streams of statements, and documents.
// fasthttp can only be told to hand out all bodies as streams or none, so every other body is gathered here first, and its
// handler finds it whole.
func streamed(path []byte) bool {
	return string(path) == "/events/bulk" || bytes.HasPrefix(path, []byte("/documents/"))
}

// headerReceived bounds what fasthttp reads of a body before it calls the handler: it waits for up to 8 KiB of a body of
// known length. The first answer to a stream must not wait for so much, nor the refusal of a body that is too long: for
// these it is one byte, the least that can be said. This limits nothing: a longer body is a stream all the same, and
// whoever reads it counts.
func headerReceived(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	path, _, _ := bytes.Cut(header.RequestURI(), []byte{'?'})
	if streamed(path) || header.ContentLength() > bodyLimit {
		return fasthttp.RequestConfig{MaxRequestBodySize: 1}
	}
	return fasthttp.RequestConfig{}
}

// firstRead is how much room is made for a body at once. Who announces more gets more as it comes, not before.
const firstRead = 64 << 10

// spare is memory for the bodies of submissions, of which nobody keeps a byte.
var spare = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func putBack(body *bytes.Buffer) {
	if body.Cap() <= firstRead { // larger ones are rare
		body.Reset()
		spare.Put(body)
	}
}

// gather reads a request's body into memory, at most bodyLimit bytes of it, so that handlers find it in Request.Body.
func gather(ctx *fasthttp.RequestCtx, body *bytes.Buffer) error {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return nil
	}
	length := ctx.Request.Header.ContentLength() // -1: in chunks, of any length
	if length > bodyLimit {
		return fasthttp.ErrBodyTooLarge
	}
	body.Grow(min(max(length, 0), firstRead) + bytes.MinRead) // MinRead more, or ReadFrom grows it to see the end
	if _, err := body.ReadFrom(io.LimitReader(stream, bodyLimit+1)); err != nil {
		return fmt.Errorf("reading a body: %w", err)
	}
	if body.Len() > bodyLimit {
		return fasthttp.ErrBodyTooLarge
	}
	if body.Len() < length {
		return fmt.Errorf("reading a body: %w", io.ErrUnexpectedEOF)
	}
	ctx.Request.SetBodyRaw(body.Bytes())
	return nil
}

// refuse answers what could not be read, and ends the connection: where the next request begins is not known.
func refuse(ctx *fasthttp.RequestCtx, err error, readTimeout time.Duration) {
	unreadable(ctx, err, readTimeout)
	ctx.SetConnectionClose()
}
