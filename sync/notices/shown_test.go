package notices

import (
	"slices"
	"testing"

	"github.com/cipgate/cipgate/attestations/statement"
)

func evidenceFor(audience string) statement.OfficerAction {
	return statement.OfficerAction{Action: "evidence.recorded", Details: []statement.Field{{Name: "audience", Value: audience}}}
}

// The provider's systems are told of evidence unless it is for those who need to know it, and then nothing at all.
func TestEvidenceForThoseWhoNeedToKnowIsToldToNoSystem(t *testing.T) {
	billing := OfSystem("billing")
	for audience, want := range map[string]bool{"reseller": true, "chain": true, "provider": true, "need-to-know": false} {
		told := Address(statement.Entry{About: reseller, By: self, Statement: evidenceFor(audience)}, Chain{Self: self, Systems: []Audience{billing}})
		if got := slices.ContainsFunc(told, func(n Notice) bool { return n.Audience == billing }); got != want || len(told) > 1 {
			t.Errorf("%s: told to %v", audience, told)
		}
	}
}

func TestAFindingIsToldWithTheEvidenceThatIsForTheAudience(t *testing.T) {
	said := statement.FindingOpened{Finding: "f", Rule: "evidence.recorded", Evidence: []int64{3, 4, 5}}
	entries := []statement.Entry{{LeafIndex: 3, Statement: evidenceFor("reseller")}, {LeafIndex: 4, Statement: evidenceFor("provider")}, {LeafIndex: 5, Statement: evidenceFor("need-to-know")}}
	for audience, want := range map[Audience][]int64{OfReseller(reseller): {3}, contact: {3}, OfSystem("billing"): {3, 4}, officer: {3, 4, 5}} {
		told, other := Shown(said, entries, audience)
		if got := told.(statement.FindingOpened); !slices.Equal(got.Evidence, want) || other != (len(want) < 3) || got.Finding != "f" {
			t.Errorf("%s is told %+v, %t", audience, got, other)
		}
	}
	if !slices.Equal(Evidence(said), said.Evidence) || len(said.Evidence) != 3 {
		t.Errorf("asked for %v", Evidence(said))
	}
	// Where nothing can be hidden nobody reads anything.
	for _, s := range []statement.Statement{statement.StandingChanged{}, statement.FindingOpened{Rule: "cip.missing", Evidence: []int64{9}}} {
		if told, other := Shown(s, nil, OfReseller(reseller)); other || len(Evidence(s)) > 0 || told == nil {
			t.Errorf("%+v: told %+v", s, told)
		}
	}
}
