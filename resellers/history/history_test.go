package history

import (
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

const (
	reseller envelope.Entity = "https://reseller.example"
	gateway  envelope.Entity = "https://gateway.example"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(leafIndex int64, by envelope.Entity, s statement.Statement) statement.Entry {
	return statement.Entry{LeafIndex: leafIndex, AcceptedAt: start.Add(time.Duration(leafIndex) * time.Hour), About: reseller, By: by, Statement: s}
}

func fold(entries ...statement.Entry) History {
	var h History
	for _, e := range entries {
		h = h.With(e)
	}
	return h
}

func enrolled(leafIndex int64, name string) statement.Entry {
	return at(leafIndex, gateway, statement.EntityEnrolled{Entity: reseller, Name: name, Country: "DE"})
}

func attested(leafIndex int64, occasion string) statement.Entry {
	return at(leafIndex, reseller, statement.CIPAttestation{Occasion: occasion})
}

func TestTheEmptyHistoryHasSeenNothingAndTakesTheVeryFirstLeaf(t *testing.T) {
	var h History
	if h.Seen() != -1 || h.Enrolled() {
		t.Errorf("got %+v", h)
	}
	if _, ok := h.Latest(); ok {
		t.Error("an attestation out of nothing")
	}
	h = h.With(enrolled(0, "Example"))
	if h.Seen() != 0 || !h.Enrolled() || h.EnrolledLeaf != 0 || !h.EnrolledAt.Equal(start) {
		t.Errorf("after leaf 0: %+v", h)
	}
}

func TestAHistoryHoldsWhatWasDoneAndWhen(t *testing.T) {
	got := fold(enrolled(3, "Example GmbH"), attested(5, "initial"), attested(9, "annual"))
	want := History{
		Entity: reseller, Name: "Example GmbH", Country: "DE", EnrolledAt: start.Add(3 * time.Hour), EnrolledLeaf: 3,
		Attestations: []Attestation{
			{LeafIndex: 5, AcceptedAt: start.Add(5 * time.Hour), Occasion: "initial"},
			{LeafIndex: 9, AcceptedAt: start.Add(9 * time.Hour), Occasion: "annual"},
		},
		AttestationCount: 2, Next: 10,
		Figures:  Figures{Statements: 2, LastStatedAt: start.Add(9 * time.Hour), LastStatedLeaf: 9},
		CopyOwed: Spell{Since: start.Add(5 * time.Hour), LeafIndex: 5},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwanted %+v", got, want)
	}
	if latest, ok := got.Latest(); !ok || latest.LeafIndex != 9 {
		t.Errorf("the latest is %+v, %t", latest, ok)
	}
	for after, want := range map[int64]int64{-1: 5, 4: 5, 5: 9, 8: 9} {
		if first, ok := got.FirstAfter(after); !ok || first.LeafIndex != want {
			t.Errorf("first after %d: %+v, %t", after, first, ok)
		}
	}
	if _, ok := got.FirstAfter(9); ok {
		t.Error("there is none after 9")
	}
}

func TestEnrollingAgainGivesNoNewTime(t *testing.T) {
	h := fold(enrolled(3, "Old name"), enrolled(700, "New name"))
	if h.Name != "New name" || h.EnrolledLeaf != 3 || !h.EnrolledAt.Equal(start.Add(3*time.Hour)) {
		t.Errorf("got %+v", h)
	}
}

func TestWhatIsStatedAfterATerminationIsEvidenceOnly(t *testing.T) {
	h := fold(enrolled(0, "Example"), attested(1, "initial"), at(2, gateway, statement.RelationshipTerminated{}), attested(3, "annual"),
		at(4, gateway, statement.RelationshipTerminated{}))
	if h.AttestationCount != 1 || h.AfterTermination != 1 || !h.TerminatedAt.Equal(start.Add(2*time.Hour)) || h.Seen() != 4 {
		t.Errorf("got %+v", h)
	}
}

func TestNobodyTerminatesItself(t *testing.T) {
	h := fold(enrolled(0, "Example"), at(1, reseller, statement.RelationshipTerminated{}))
	if !h.TerminatedAt.IsZero() {
		t.Error("a reseller's own statement terminated it")
	}
}

func TestAnEntryAboutAnotherEntityChangesNothing(t *testing.T) {
	h := fold(enrolled(0, "Example"))
	stranger := attested(1, "initial")
	stranger.About = "https://stranger.example"
	if got := h.With(stranger); !reflect.DeepEqual(got, h) {
		t.Errorf("got %+v", got)
	}
}

func TestAHistoryStaysSmallAndKeepsTheFirstAndTheLatestAttestations(t *testing.T) {
	h := fold(enrolled(0, "Example"))
	for leafIndex := int64(1); leafIndex <= 1000; leafIndex++ {
		h = h.With(attested(leafIndex, "change"))
	}
	if len(h.Attestations) != kept || h.AttestationCount != 1000 || h.Attestations[0].LeafIndex != 1 || h.Attestations[1].LeafIndex != 1000-kept+2 {
		t.Errorf("got %d of %d: %+v", len(h.Attestations), h.AttestationCount, h.Attestations)
	}
	text, err := json.Marshal(h)
	if err != nil || len(text) > 2048 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

// entries draws a ledger of entries about one reseller, some of kinds the history does not look at.
func entries(t *rapid.T) []statement.Entry {
	var all []statement.Entry
	leafIndex := int64(-1)
	for range rapid.IntRange(0, 40).Draw(t, "entries") {
		leafIndex += rapid.Int64Range(1, 3).Draw(t, "leaf")
		var s statement.Statement
		by := gateway
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			s = statement.EntityEnrolled{Name: rapid.SampledFrom([]string{"A", "B"}).Draw(t, "name"), Country: "FR"}
		case 1:
			s = statement.RelationshipTerminated{}
		case 2:
			s = statement.StandingChanged{Before: "pending", After: "good"}
		default:
			s, by = statement.CIPAttestation{Occasion: "annual"}, reseller
		}
		e := at(leafIndex, by, s)
		e.AcceptedAt = e.AcceptedAt.Add(time.Duration(rapid.IntRange(0, 999_999).Draw(t, "microseconds")) * time.Microsecond)
		all = append(all, e)
	}
	return all
}

func TestFoldingAnEntryAgainChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := entries(t)
		var h History
		for i, e := range all {
			h = h.With(e)
			for _, again := range all[:i+1] {
				if got := h.With(again); !reflect.DeepEqual(got, h) {
					t.Fatalf("entry %d folded again: got %+v, wanted %+v", again.LeafIndex, got, h)
				}
			}
		}
	})
}

func TestAHistoryReadsBackAsItWasAndGoesOnTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := entries(t)
		var kept, stored History
		for _, e := range all {
			kept = kept.With(e)
			text, err := json.Marshal(stored.With(e), json.Deterministic(true))
			if err != nil {
				t.Fatal(err)
			}
			stored = History{}
			if err := json.Unmarshal(text, &stored); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(stored, kept) {
				t.Fatalf("got %+v\nwanted %+v", stored, kept)
			}
		}
	})
}

func TestAHistoryIsAValue(t *testing.T) {
	before := fold(enrolled(0, "Example"), attested(1, "initial"), attested(2, "annual"))
	one, two := before.With(attested(3, "annual")), before.With(attested(4, "change"))
	if latest, _ := one.Latest(); latest.LeafIndex != 3 {
		t.Errorf("the first branch was overwritten by the second: %+v", one)
	}
	if latest, _ := two.Latest(); latest.LeafIndex != 4 || before.AttestationCount != 2 {
		t.Errorf("got %+v and %+v", two, before)
	}
}
