package notices

import (
	"reflect"
	"slices"
	"testing"
	"time"

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
		if got := Shown(said, entries, audience).(statement.FindingOpened); !slices.Equal(got.Evidence, want) || got.Finding != "f" {
			t.Errorf("%s is told %+v", audience, got)
		}
	}
	if !slices.Equal(Evidence(said), said.Evidence) || len(said.Evidence) != 3 {
		t.Errorf("asked for %v", Evidence(said))
	}
	// Where nothing can be hidden nobody reads anything.
	for _, s := range []statement.Statement{statement.StandingChanged{}, statement.FindingOpened{Rule: "cip.missing", Evidence: []int64{9}}} {
		if told := Shown(s, nil, OfReseller(reseller)); Apart(s) || len(Evidence(s)) > 0 || told == nil {
			t.Errorf("%+v: told %+v", s, told)
		}
	}
}

// A warning lists what it rests on as far as it is for the reader, with what it is; where nothing is, it reads as one that rests on nothing,
// and is signed apart all the same.
func TestAWarningListsTheEvidenceThatIsForTheAudience(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	recorded := evidenceFor("reseller")
	recorded.Details = append(recorded.Details, statement.Field{Name: "received_at", Value: "2026-02-20T08:00:00Z"})
	own := statement.Entry{LeafIndex: 2, AcceptedAt: at, About: reseller, By: reseller, JTI: "own-2", Statement: statement.CIPAttestation{}}
	entries := []statement.Entry{own, {LeafIndex: 3, AcceptedAt: at, About: reseller, By: self, JTI: "jti-3", Statement: recorded},
		{LeafIndex: 4, AcceptedAt: at, About: reseller, By: self, JTI: "jti-4", Statement: evidenceFor("need-to-know")}}
	said := statement.WarningIssued{Case: "c", Evidence: []statement.Evidence{{Entry: 2}, {Entry: 3}, {Entry: 4}, {Entry: 9}}}
	attested := statement.Evidence{Entry: 2, Kind: "cip-attestation", ReceivedAt: at, Digest: own.Digest.String(), JTI: "own-2"}
	given := statement.Evidence{Entry: 3, Kind: "officer-action", ReceivedAt: time.Date(2026, 2, 20, 8, 0, 0, 0, time.UTC), Digest: own.Digest.String()}
	kept := statement.Evidence{Entry: 4, Kind: "officer-action", ReceivedAt: at, Digest: own.Digest.String()}
	for audience, want := range map[Audience][]statement.Evidence{OfReseller(reseller): {attested, given}, contact: {attested, given}, OfSystem("billing"): {attested, given},
		officer: {attested, given, kept}} {
		if got := Shown(said, entries, audience).(statement.WarningIssued); !slices.Equal(got.Evidence, want) || got.Case != "c" {
			t.Errorf("%s is told %+v", audience, got)
		}
	}
	if len(said.Evidence) != 4 || said.Evidence[0].Kind != "" || !slices.Equal(Evidence(said), []int64{2, 3, 4, 9}) {
		t.Errorf("what was stated is changed: %+v", said)
	}
	hidden, none := said, said
	hidden.Evidence, none.Evidence = []statement.Evidence{{Entry: 4}}, nil
	if got := Shown(hidden, entries, OfReseller(reseller)); !reflect.DeepEqual(got, statement.Statement(none)) || !Apart(hidden) || !Apart(none) {
		t.Errorf("it tells that something is hidden: %+v", got)
	}
}
