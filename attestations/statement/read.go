package statement

import (
	"errors"
	"math/bits"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// The readers below take one JSON value each and refuse exactly what the schema of that member refuses: null, a member
// that is missing, unknown or of another type, a text that is empty, too long or of another form. The library's own
// decoding cannot tell an absent member from an empty one. What they answer is only that it does not fit; the schema
// says why.

var errForm = errors.New("not in the form that the schema asks for")

// reader is a submission's content that reads itself, zero until then.
type reader interface{ read(from *scan) error }

// pointerTo is such a reader of an S.
type pointerTo[S any] interface {
	*S
	reader
}

// decodeExactly reads an event whose kind has a reader of its own.
func decodeExactly[S Statement, P pointerTo[S]](event []byte) (Statement, error) {
	var s S
	if err := exactly(event, P(&s)); err != nil {
		return nil, err
	}
	return s, nil
}

// next reads the decoder's next value.
func next[S any, P pointerTo[S]](from *jsontext.Decoder, into P) error {
	value, err := from.ReadValue()
	if err != nil {
		return err
	}
	*into = *new(S)
	return exactly(value, into)
}

// exactly reads a value and nothing else.
func exactly(value []byte, into reader) error {
	from := scan{json: value}
	if err := into.read(&from); err != nil {
		return err
	}
	if len(from.rest()) > 0 {
		return errForm
	}
	return nil
}

// members names an object's members, the first of them required.
type members struct {
	names    []string
	required int
}

// object reads a JSON object and hands each member to read by its place in m. Every name is a known one and may stand once.
func (m members) object(from *scan, read func(i int) error) error {
	var seen uint64
	if !from.take('{') {
		return errForm
	}
	for i, more := -1, !from.take('}'); more; {
		name, ok := from.text()
		if !ok || !from.take(':') {
			return errForm
		}
		if i = m.place(name, i+1); i < 0 || seen&(1<<i) != 0 {
			return errForm
		}
		if err := read(i); err != nil {
			return err
		}
		seen |= 1 << i
		if more = from.take(','); !more && !from.take('}') {
			return errForm
		}
	}
	if bits.TrailingZeros64(^seen) < m.required {
		return errForm
	}
	return nil
}

// place finds a name; most senders write all members in the schema's order, so it looks first where the next one would stand.
func (m members) place(name []byte, expected int) int {
	if expected < len(m.names) && string(name) == m.names[expected] {
		return expected
	}
	for i, known := range m.names {
		if string(name) == known {
			return i
		}
	}
	return -1
}

// text reads a string of at most maxRunes characters that fits.
func text(from *scan, into *string, maxRunes int, fits func(string) bool) error {
	read, ok := from.text()
	if !ok || len(read) > maxRunes && utf8.RuneCount(read) > maxRunes {
		return errForm
	}
	s := string(read)
	if !fits(s) {
		return errForm
	}
	*into = s
	return nil
}

func flag(from *scan, into *bool) error {
	var ok bool
	*into, ok = from.flag()
	if !ok {
		return errForm
	}
	return nil
}

// count reads a whole number from 1 to 2^53-1, which is what every JSON library can hold (RFC 7493, section 2.2).
func count(from *scan, into *int64) error { return countTo(from, into, 1<<53-1) }

// countTo reads a whole number from 1 to most.
func countTo(from *scan, into *int64, most int64) error {
	spelling, ok := from.number()
	if !ok {
		return errForm
	}
	n, form := wholeNumber(spelling)
	if form != whole || n < 1 || n > most {
		return errForm
	}
	*into = n
	return nil
}

func day(from *scan, into *Date) error {
	var s string
	if err := text(from, &s, len("2006-01-02"), isThisCentury); err != nil {
		return err
	}
	d, err := ParseDate(s)
	if err != nil {
		return errForm
	}
	*into = d
	return nil
}

// moment reads a time in UTC, in whole seconds.
func moment(from *scan, into *time.Time) error {
	var s string
	if err := text(from, &s, len(secondsUTC), isMoment); err != nil {
		return err
	}
	t, err := time.Parse(secondsUTC, s)
	if err != nil {
		return errForm
	}
	*into = t
	return nil
}

// texts reads a list of 1 to maxItems strings, each as text does.
func texts(from *scan, into *[]string, maxItems, maxRunes int, fits func(string) bool) error {
	return list(from, maxItems, func() error {
		var s string
		err := text(from, &s, maxRunes, fits)
		*into = append(*into, s)
		return err
	})
}

// copies reads a list of documents that are named by their digests.
func copies(from *scan, into *[]Copy) error {
	return list(from, 100, func() error {
		var c Copy
		err := c.read(from)
		*into = append(*into, c)
		return err
	})
}

func list(from *scan, maxItems int, read func() error) error {
	if !from.take('[') {
		return errForm
	}
	for range maxItems {
		if err := read(); err != nil {
			return err
		}
		switch {
		case from.take(','):
		case from.take(']'):
			return nil
		default:
			return errForm
		}
	}
	return errForm
}
