package proof

import (
	"strings"
	"testing"
)

// FuzzParseCheckpoint looks for a text that is read as a head and, written again, is read as another.
func FuzzParseCheckpoint(f *testing.F) {
	f.Add("gateway.example/log\n3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
	f.Add("gateway.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextra\n")
	f.Add("x\n99999999999999999999\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		head, err := parseCheckpoint(text)
		if err != nil {
			return
		}
		if head.Size < 0 || head.Size > maxSize || head.Origin == "" || strings.Contains(head.Origin, "\n") {
			t.Fatalf("%q is read as %+v", text, head)
		}
	})
}
