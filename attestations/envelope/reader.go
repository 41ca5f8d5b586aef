package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep arrays and objects may be nested, the outermost counted.
const MaxDepth = 64

// maxNames is the most names that one object is read by.
const maxNames = 20

// object is a JSON object read strictly: valid UTF-8, no name twice at any depth, nothing behind it. It keeps the raw
// values of the members it was asked for; the others were checked and are passed over.
type object struct {
	pointer string
	names   []string
	data    []byte
	values  [maxNames]jsontext.Value // by place in names; nil is absent
	members int                      // how many members there are, asked for or not
	isSET   bool                     // names are claimNames, and what stands in `events` is read in the same pass
	events  events
}

// readObject reads data in one pass. A member whose name differs from a known one in letter case alone is an error:
// two readers must never take a different one of "iss" and "Iss".
func readObject(data []byte, pointer string, names []string) (*object, error) {
	o := &object{pointer: pointer, names: names, data: data}
	return o, o.read()
}

// readSET reads the claims of a SET, as readObject does.
func readSET(data []byte) (*object, error) {
	o := &object{pointer: "/claims", names: claimNames, data: data, isSET: true}
	return o, o.read()
}

func (o *object) read() error {
	if tooDeep(o.data) {
		return &Fault{
			Reason:  ErrMalformed,
			Pointer: o.pointer,
			Wanted:  fmt.Sprintf("JSON nested at most %d deep", MaxDepth),
			Got:     "deeper JSON",
			Fix:     "Use fewer arrays and objects inside one another.",
		}
	}
	if err := json.Unmarshal(o.data, o); err != nil {
		return notStrictJSON(o.pointer, err)
	}
	return nil
}

// UnmarshalJSONFrom is how the json package hands its pooled decoder to us: one pass, no reflection on the members.
func (o *object) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return o.notAnObject(d)
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return err
		}
		place, err := o.place(name)
		if err != nil {
			return err
		}
		value, err := o.value(d, o.isSET && place == claimEvents)
		if err != nil {
			return err
		}
		if place >= 0 {
			o.values[place] = value
		}
		o.members++
	}
	_, err := d.ReadToken()
	return err
}

// value reads a value. That of `events` is read member by member: otherwise the longest part of a token would be read twice.
func (o *object) value(d *jsontext.Decoder, isEvents bool) (jsontext.Value, error) {
	if !isEvents || d.PeekKind() != '{' {
		return o.next(d)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	begin := d.InputOffset() - 1
	for d.PeekKind() != '}' {
		var err error
		if o.events.name, err = o.next(d); err != nil {
			return nil, err
		}
		if o.events.value, err = o.next(d); err != nil {
			return nil, err
		}
		o.events.count++
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	end := d.InputOffset()
	return o.data[begin:end:end], nil
}

// next is the next value or name: the decoder's own is good until it reads on, the same bytes of our data for ever.
func (o *object) next(d *jsontext.Decoder) (jsontext.Value, error) {
	value, err := d.ReadValue()
	if err != nil {
		return nil, err
	}
	end := d.InputOffset()
	return o.data[end-int64(len(value)) : end : end], nil
}

// place finds a member's name, a JSON string, among the known ones; -1 is not there.
func (o *object) place(quoted jsontext.Value) (int, error) {
	name := quoted[1 : len(quoted)-1]
	for i, known := range o.names {
		if string(name) == known {
			return i, nil
		}
	}
	text := []byte(name)
	if bytes.IndexByte(name, '\\') >= 0 {
		var err error
		if text, err = jsontext.AppendUnquote(nil, quoted); err != nil {
			return -1, fmt.Errorf("read a member's name: %w", err)
		}
	}
	for i, known := range o.names {
		if string(text) == known {
			return i, nil
		}
		if bytes.EqualFold(text, []byte(known)) {
			return -1, &Fault{
				Reason:  ErrMalformed,
				Pointer: o.pointer + "/" + known,
				Wanted:  "the name " + known,
				Got:     "the name " + short(string(text)),
				Fix:     "Write the name as " + known + ". Letter case counts.",
			}
		}
	}
	return -1, nil
}

func (o *object) notAnObject(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	return &Fault{
		Reason:  ErrMalformed,
		Pointer: o.pointer,
		Wanted:  "a JSON object",
		Got:     kindOf(value),
		Fix:     "Put the members between { and }.",
	}
}

// tooDeep counts brackets outside of strings. Most objects have too few brackets to be too deep, and counting bytes
// is fast.
func tooDeep(data []byte) bool {
	if bytes.Count(data, []byte{'{'})+bytes.Count(data, []byte{'['}) <= MaxDepth {
		return false
	}
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// notStrictJSON words a reader's error. The library's own text is not passed on: it can repeat what the token says.
func notStrictJSON(pointer string, err error) error {
	if fault := (*Fault)(nil); errors.As(err, &fault) {
		return fault
	}
	fault := &Fault{
		Reason:  ErrMalformed,
		Pointer: pointer,
		Wanted:  "one JSON object in valid UTF-8, with no name twice and nothing behind it",
		Got:     "text that is not JSON",
		Fix:     "Let a JSON library write it, and sign exactly what it wrote.",
	}
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		fault.Got = "a name that stands twice in one object"
		fault.Fix = "Remove one of the two: two readers could take a different one."
	case errors.Is(err, io.EOF):
		fault.Got = "nothing"
	case errors.Is(err, io.ErrUnexpectedEOF):
		fault.Got = "JSON that ends too early"
	case errors.As(err, &syntax):
		fault.Got = fmt.Sprintf("something else at byte %d", syntax.ByteOffset)
	}
	if errors.As(err, &syntax) && plain(string(syntax.JSONPointer)) {
		fault.Pointer += string(syntax.JSONPointer)
	}
	return fault
}

// readText reads a JSON string that must be there.
func readText(value jsontext.Value, pointer, wanted string) (string, error) {
	if value.Kind() != '"' {
		return "", &Fault{
			Reason:  ErrMalformed,
			Pointer: pointer,
			Wanted:  wanted,
			Got:     kindOf(value),
			Fix:     "Set " + lastName(pointer) + " to a JSON string.",
		}
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), nil
	}
	text, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return "", notStrictJSON(pointer, err)
	}
	return string(text), nil
}

// kindOf names what a JSON value is, without repeating it.
func kindOf(value jsontext.Value) string {
	switch value.Kind() {
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "nothing"
}

// lastName is the last member a pointer names.
func lastName(pointer string) string { return pointer[strings.LastIndexByte(pointer, '/')+1:] }

// maxShown is how many bytes of a foreign value an error repeats.
const maxShown = 60

// short quotes a foreign value for an error: printable ASCII, and cut if long.
func short(s string) string {
	if len(s) > maxShown {
		return strconv.QuoteToASCII(s[:maxShown]) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// plain says whether a foreign pointer may be shown as it is.
func plain(s string) bool {
	return len(s) <= maxShown && printable(s)
}

// printable says whether s is made of printable ASCII characters only.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
