package statement

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// scan walks through JSON that was read strictly before: package envelope lets no event through that is none, or that has a name twice.
// To prove it once more was nearly half of what reading an attestation cost. Of what is no JSON it may take one or the other thing for a
// value, but it never reads past the end.
type scan struct {
	json []byte
	at   int
}

// take passes over a bracket, comma, colon or quote, if it comes next.
func (s *scan) take(c byte) bool {
	if s.at < len(s.json) && s.json[s.at] == c { // what most senders write has no white space
		s.at++
		return true
	}
	return s.takeBehindSpace(c)
}

func (s *scan) takeBehindSpace(c byte) bool {
	if len(s.rest()) == 0 || s.json[s.at] != c {
		return false
	}
	s.at++
	return true
}

// rest is all that is left, without white space before it.
func (s *scan) rest() []byte {
	for s.at < len(s.json) && s.json[s.at] <= ' ' {
		s.at++
	}
	return s.json[s.at:]
}

// text reads a string. What it returns may be part of what is scanned.
func (s *scan) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	rest := s.json[s.at:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return nil, false
	}
	if bytes.IndexByte(rest[:end], '\\') < 0 {
		s.at += end + 1
		return rest[:end], true
	}
	for end = 0; end < len(rest) && rest[end] != '"'; end++ {
		if rest[end] == '\\' {
			end++
		}
	}
	if end >= len(rest) {
		return nil, false
	}
	quoted := s.json[s.at-1 : s.at+end+1]
	s.at += end + 1
	text, err := jsontext.AppendUnquote(nil, quoted)
	return text, err == nil
}

// flag reads true or false.
func (s *scan) flag() (value, ok bool) {
	rest := s.rest()
	switch {
	case bytes.HasPrefix(rest, []byte("true")):
		s.at += len("true")
		return true, true
	case bytes.HasPrefix(rest, []byte("false")):
		s.at += len("false")
		return false, true
	}
	return false, false
}

// number reads a number's spelling.
func (s *scan) number() (string, bool) {
	rest := s.rest()
	end := bytes.IndexAny(rest, ",]} \t\r\n")
	if end < 0 {
		end = len(rest)
	}
	s.at += end
	spelling := string(rest[:end])
	return spelling, end > 0 && (isDigits(spelling) || jsontext.Value(spelling).IsValid() && jsontext.Value(spelling).Kind() == '0')
}
