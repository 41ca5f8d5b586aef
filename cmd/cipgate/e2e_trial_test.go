package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestTheTrialTellsTheWholeStoryAndEndsWithZero(t *testing.T) {
	out := cipgate(t, "trial", "--exit").must(t)
	told := strings.Join(strings.Fields(out), " ") // lines are broken where they are long
	for _, wanted := range []string{
		"SANDBOX gateway at http://127.0.0.1:",
		"Nordlys Hosting AS states that its CIP is in place",
		"checked with the log's public key alone",
		"the same receipt does not hold for a token in which one character was changed",
		"Silent Cloud Pte Ltd signs a statement in the name of Nordlys Hosting AS",
		"invalid_key",
		"Brisa Dados Lda stands at WARNED",
		"Ada approves it herself: refused",
		"Brisa Dados Lda disputes the finding",
		"Brisa Dados Lda stands at GOOD",
		"Tardio Nuvens Ltda stands at WARNED",
		"Silent Cloud Pte Ltd stands at RESTRICTED",
		"Tardio Nuvens Ltda stands at GOOD",
		"A court stays what is done to Kestrel Bulut AS",
		"the guard tripped",
		"Silent Cloud Pte Ltd stands at CLOSING",
		"Mirage Hosting KK stands at CLOSING",
		"Ada Obi proposes to lift it, and may not lift it alone",
		"Kestrel Bulut AS stands at GOOD",
		"Mirage Hosting KK stands at GOOD",
		"the approval timed out",
		"Silent Cloud Pte Ltd stands at TERMINATED",
		"invalid_issuer",
		"have a receipt that verifies with the public key alone",
		"/log ", // the checkpoint's origin
		"Everything was as told",
	} {
		if rest := strings.Index(told, wanted); rest < 0 {
			t.Errorf("the story does not tell, in its order, %q:\n%s", wanted, out)
			return
		} else {
			told = told[rest+len(wanted):]
		}
	}
	if unlike := regexp.MustCompile(`(?m)^ *NOT `).FindString(out); unlike != "" {
		t.Errorf("something was not as told:\n%s", out)
	}
}
