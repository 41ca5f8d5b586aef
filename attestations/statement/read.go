package statement

import (
	"bytes"
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

// members names an object's members, the first of them required.
type members struct {
	names    []string
	required int
}

// object reads a JSON object and hands each member to read by its place in m. Every name is a known one and may stand once.
func (m members) object(from *jsontext.Decoder, read func(i int) error) error {
	var seen uint64
	if err := token(from, '{'); err != nil {
		return err
	}
	for from.PeekKind() != '}' {
		name, err := from.ReadValue()
		if err != nil {
			return err
		}
		i := m.place(name)
		if i < 0 || seen&(1<<i) != 0 {
			return errForm
		}
		if err := read(i); err != nil {
			return err
		}
		seen |= 1 << i
	}
	if err := token(from, '}'); err != nil {
		return err
	}
	if bits.TrailingZeros64(^seen) < m.required {
		return errForm
	}
	return nil
}

// place finds a name as it stands in the token, with its quotes.
func (m members) place(quoted []byte) int {
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') >= 0 { // an escape may spell the same name
		unquoted, err := jsontext.AppendUnquote(nil, quoted)
		if err != nil {
			return -1
		}
		name = unquoted
	}
	for i, known := range m.names {
		if string(name) == known {
			return i
		}
	}
	return -1
}

func token(from *jsontext.Decoder, kind jsontext.Kind) error {
	t, err := from.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != kind {
		return errForm
	}
	return nil
}

// text reads a string of at most maxRunes characters that fits.
func text(from *jsontext.Decoder, into *string, maxRunes int, fits func(string) bool) error {
	t, err := from.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != '"' {
		return errForm
	}
	s := t.String()
	if len(s) > maxRunes && utf8.RuneCountInString(s) > maxRunes || !fits(s) {
		return errForm
	}
	*into = s
	return nil
}

func flag(from *jsontext.Decoder, into *bool) error {
	t, err := from.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != 't' && t.Kind() != 'f' {
		return errForm
	}
	*into = t.Bool()
	return nil
}

// count reads a whole number from 1 to 2^53-1, which is what every JSON library can hold (RFC 7493, section 2.2).
func count(from *jsontext.Decoder, into *int64) error { return countTo(from, into, 1<<53-1) }

// countTo reads a whole number from 1 to most.
func countTo(from *jsontext.Decoder, into *int64, most int64) error {
	v, err := from.ReadValue()
	if err != nil {
		return err
	}
	if v.Kind() != '0' {
		return errForm
	}
	n, form := wholeNumber(string(v))
	if form != whole || n < 1 || n > most {
		return errForm
	}
	*into = n
	return nil
}

func day(from *jsontext.Decoder, into *Date) error {
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
func moment(from *jsontext.Decoder, into *time.Time) error {
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
func texts(from *jsontext.Decoder, into *[]string, maxItems, maxRunes int, fits func(string) bool) error {
	return list(from, maxItems, func() error {
		var s string
		err := text(from, &s, maxRunes, fits)
		*into = append(*into, s)
		return err
	})
}

// copies reads a list of documents that are named by their digests.
func copies(from *jsontext.Decoder, into *[]Copy) error {
	return list(from, 100, func() error {
		var c Copy
		err := c.read(from)
		*into = append(*into, c)
		return err
	})
}

func list(from *jsontext.Decoder, maxItems int, read func() error) error {
	if err := token(from, '['); err != nil {
		return err
	}
	items := 0
	for ; from.PeekKind() != ']'; items++ {
		if items == maxItems {
			return errForm
		}
		if err := read(); err != nil {
			return err
		}
	}
	if items == 0 {
		return errForm
	}
	return token(from, ']')
}
