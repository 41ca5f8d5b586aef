package events

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// linesOf reads a text to its end: each line, or "!" for one that is too long.
func linesOf(t *testing.T, from io.Reader, limit int64) (all []string, ended error) {
	t.Helper()
	in := newLines(from, limit)
	for {
		line, err := in.next()
		switch {
		case err != nil:
			return all, err
		case line.Err != nil:
			if !errors.Is(line.Err, envelope.ErrTooLarge) || line.Raw != nil {
				t.Fatalf("%v with %d bytes", line.Err, len(line.Raw))
			}
			all = append(all, "!")
		default:
			all = append(all, string(line.Raw))
		}
	}
}

func TestLinesAreTakenAsTheyEnd(t *testing.T) {
	full := strings.Repeat("x", envelope.MaxToken)
	broken := errors.New("broken off")
	for _, c := range []struct {
		name  string
		text  io.Reader
		limit int64
		want  []string
		ended error
	}{
		{"nothing", strings.NewReader(""), 10, nil, io.EOF},
		{"LF, CR LF, empty ones, and none at the end", strings.NewReader("a\n\r\n\nb\r\nc"), 100, []string{"a", "b", "c"}, io.EOF},
		{"a CR inside is no end", strings.NewReader("a\rb\n\r\r\n"), 100, []string{"a\rb", "\r"}, io.EOF},
		{"a line of blanks is not empty", strings.NewReader(" \n"), 100, []string{" "}, io.EOF},
		{"the longest line", strings.NewReader(full + "\r\nb\n"), 1 << 20, []string{full, "b"}, io.EOF},
		{"one byte more", strings.NewReader(full + "x\r\nb\n"), 1 << 20, []string{"!", "b"}, io.EOF},
		{"much more", strings.NewReader(full + full + "\nb"), 1 << 20, []string{"!", "b"}, io.EOF},
		{"byte by byte", iotest.OneByteReader(strings.NewReader("a\r\n\nb")), 100, []string{"a", "b"}, io.EOF},
		{"as long as may be", strings.NewReader("a\nb\n"), 4, []string{"a", "b"}, io.EOF},
		{"longer than may be", strings.NewReader("a\nb\n"), 3, []string{"a"}, errTooMuch},
		{"broken off inside a line", io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), 100, []string{"a"}, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ended := linesOf(t, c.text, c.limit)
			if strings.Join(got, "|") != strings.Join(c.want, "|") || !errors.Is(ended, c.ended) {
				t.Errorf("got %d lines, %v; wanted %d, %v", len(got), ended, len(c.want), c.ended)
			}
		})
	}
}

// FuzzLines holds the reader against cutting the whole text.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\n\r\n\nb\r\nc"))
	f.Add([]byte("\r\r\n\n\r"))
	f.Add(bytes.Repeat([]byte("x"), lineBuffer+1))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := linesOf(t, bytes.NewReader(text), int64(len(text)))
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		var want []string
		for _, line := range strings.Split(string(text), "\n") {
			line = strings.TrimSuffix(line, "\r")
			if len(line) > envelope.MaxToken {
				line = "!"
			}
			if line != "" {
				want = append(want, line)
			}
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Fatalf("got %q, wanted %q", got, want)
		}
	})
}
