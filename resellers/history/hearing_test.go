package history

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cipgate/cipgate/attestations/statement"
)

// hears lets a hearing take an answer to a finding, which is opened if it is not open.
func hears(g Hearing, id, finding, kind, ground string) Hearing {
	g, _ = g.With(statement.Entry{By: gateway, About: reseller, Statement: statement.FindingOpened{Finding: finding, Severity: "serious"}})
	g, _ = g.With(statement.Entry{By: reseller, About: reseller, JTI: id, Statement: statement.Remediation{RemediationKind: kind, Finding: finding, Ground: ground}})
	return g
}

func waiting(g Hearing) (ids []string) {
	for _, a := range g.Answers {
		ids = append(ids, a.ID)
	}
	return ids
}

func TestWhoRepeatsAnAnswerLosesNoOtherForIt(t *testing.T) {
	var g Hearing
	for i := range keptAnswers {
		g = hears(g, fmt.Sprint("cure ", i), "f", answerCure, "")
	}
	full := g
	g = hears(g, "dispute", "g", answerDispute, "false-positive")
	g = hears(g, "severity", "g", answerDispute, groundOfSeverity)
	if len(g.Answers) != keptAnswers || g.Waits("cure 0") || g.Waits("cure 1") || !g.Waits("cure 2") || !g.Waits("dispute") || !g.Waits("severity") {
		t.Fatalf("waiting: %v", waiting(g))
	}
	if want := waiting(full); len(want) != keptAnswers || want[0] != "cure 0" {
		t.Errorf("the hearing that it came from changed: %v", want)
	}
	for i := range 3 * keptAnswers {
		g = hears(g, fmt.Sprint("again ", i), "f", answerCure, "")
	}
	if ids := waiting(g); len(ids) != keptAnswers || !g.Waits("dispute") || !g.Waits("severity") || ids[keptAnswers-1] != fmt.Sprint("again ", 3*keptAnswers-1) {
		t.Errorf("repeated for long: %v", ids)
	}
}

func TestOfMoreDifferentAnswersThanAreHeldTheNewestDoesNotWait(t *testing.T) {
	var g Hearing
	var want []string
	for i := range keptAnswers + 2 {
		id := fmt.Sprint("answer ", i)
		if g = hears(g, id, fmt.Sprint("finding ", i), answerDispute, "false-positive"); i < keptAnswers {
			want = append(want, id)
		}
	}
	if !slices.Equal(waiting(g), want) {
		t.Errorf("waiting: %v, wanted %v", waiting(g), want)
	}
}
