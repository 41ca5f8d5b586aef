package events

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
)

// lineBuffer is how much of a stream is read at once.
const lineBuffer = 16 << 10

// errTooMuch ends a stream that is longer than it may be.
var errTooMuch = errors.New("over the limit of a stream")

// lines reads application/x-ndjson: lines that end with LF or CR LF, the last one perhaps with nothing. It holds no
// more than one line, and of one that is too long no more than a token may have.
type lines struct {
	from *bufio.Reader
	left int64 // how many bytes may still come
}

func newLines(from io.Reader, limit int64) *lines {
	return &lines{from: bufio.NewReaderSize(from, lineBuffer), left: limit}
}

// next returns the next line that is not empty. A line that is too long is passed over and comes back refused. Errors
// are io.EOF at the end, errTooMuch, or what the stream answered; what was read of a line that is cut off is no line.
func (l *lines) next() (intake.Line, error) {
	for {
		line, length, err := l.read()
		switch {
		case err != nil:
			return intake.Line{}, err
		case length > envelope.MaxToken:
			return intake.Line{Err: tooLong(length)}, nil
		case length > 0:
			return intake.Line{Raw: line}, nil
		}
	}
}

// read returns one line without its end, and how long it is; the line itself only if it may be that long.
func (l *lines) read() (line []byte, length int64, err error) {
	const longest = envelope.MaxToken + 1 // with the CR that may stand behind
	for {
		part, err := l.from.ReadSlice('\n')
		if l.left -= int64(len(part)); l.left < 0 {
			return nil, 0, errTooMuch
		}
		ended := err == nil
		if ended {
			part = part[:len(part)-1]
		}
		length += int64(len(part))
		if length <= longest {
			line = append(line, part...)
		} else {
			line = nil
		}
		switch {
		case ended, errors.Is(err, io.EOF) && length > 0:
			if n := len(line); n > 0 && line[n-1] == '\r' {
				line, length = line[:n-1], length-1
			}
			return line, length, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, 0, err
		}
	}
}

func tooLong(length int64) error {
	return &envelope.Fault{
		Reason: envelope.ErrTooLarge,
		Wanted: fmt.Sprintf("a line of at most %d bytes, one compact JWS", envelope.MaxToken),
		Got:    fmt.Sprintf("%d bytes", length),
		Fix:    "Send less in one statement: refer to long documents by their digest. Each JWS stands in a line of its own.",
	}
}
