package audit

import (
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// An auditor that asks the deciders what is right finds nothing wrong.
func TestTheAuditorSharesNoCodeWithTheDeciders(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range syntax.Imports {
			if strings.Contains(spec.Path.Value, "github.com/cipgate/cipgate") {
				t.Errorf("%s imports %s: the auditor is written from standing.md alone", file.Name(), spec.Path.Value)
			}
		}
	}
}
