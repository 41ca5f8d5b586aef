package officer

import (
	"fmt"
	"strings"

	"github.com/cipgate/cipgate/attestations/statement"
)

// mostRestsOn is how many pieces of evidence a sentence names; the notice's SET lists all.
const mostRestsOn = 5

// restsOn says what a warning rests on, as far as the reader may be shown it; nothing where nothing of it was described.
func restsOn(evidence []statement.Evidence) string {
	var words []string
	for _, e := range evidence {
		if e.Kind == "" {
			continue // as the ledger holds it, named by its entry alone: nobody said who reads
		}
		called := "SHA-256 " + e.Digest
		if e.JTI != "" {
			called = "jti " + e.JTI
		}
		words = append(words, fmt.Sprintf("%s, received %s (%s)", evidenceCalled(e.Kind), When(e.ReceivedAt), called))
	}
	if len(words) == 0 {
		return ""
	}
	if more := len(words) - mostRestsOn; more > 0 {
		words = append(words[:mostRestsOn], fmt.Sprintf("and %d more", more))
	}
	return "It rests on: " + strings.Join(words, "; ") + "."
}

func evidenceCalled(kind string) string {
	if kind == string(statement.KindOfficerAction) {
		return "evidence that an officer recorded"
	}
	return kind
}
