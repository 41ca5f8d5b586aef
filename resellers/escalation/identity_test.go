package escalation

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

func TestTheSameDecisionHasTheSameIDWheneverAndFromWhateverItWasDecided(t *testing.T) {
	one := statement.Basis{Policy: "us-iaas-2024.1", Seen: 4, Now: on(30)}
	two := statement.Basis{Policy: "us-iaas-2024.1", Seen: 9, Now: on(30).Add(time.Second)}
	pairs := [][2]statement.Statement{
		{statement.FindingOpened{Basis: one, Finding: "f", Opened: one.Now}, statement.FindingOpened{Basis: two, Finding: "f", Opened: two.Now, Case: "c"}},
		{statement.FindingCured{Basis: one, Finding: "f", CuredBy: 1}, statement.FindingCured{Basis: two, Finding: "f", CuredBy: 2}},
		{statement.WarningIssued{Basis: one, Case: "c", CureBy: on(44)}, statement.WarningIssued{Basis: two, Case: "c", CureBy: on(45)}},
		{statement.RestrictionOrdered{Basis: one, Case: "c", Order: "o"}, statement.RestrictionOrdered{Basis: two, Case: "c", Order: "o", NextAt: on(51)}},
		{statement.ClosureOrdered{Basis: one, Case: "c", Scope: "s"}, statement.ClosureOrdered{Basis: two, Case: "c", Scope: "s", TerminatesAt: on(59)}},
		{statement.OrderWithdrawn{Basis: one, Case: "c", Order: "o"}, statement.OrderWithdrawn{Basis: two, Case: "c", Order: "o", Why: "w"}},
		{statement.RelationshipTerminated{Basis: one, Case: "c"}, statement.RelationshipTerminated{Basis: two, Case: "c", Why: "w"}},
		{statement.StandingChanged{Basis: one, Number: 3}, statement.StandingChanged{Basis: two, Number: 3, Why: "w"}},
	}
	seen := map[string]statement.Kind{}
	for _, pair := range pairs {
		id := ID(reseller, pair[0])
		if again := ID(reseller, pair[1]); again != id {
			t.Errorf("%s: %s and %s", pair[0].Kind(), id, again)
		}
		if other, taken := seen[id]; taken {
			t.Errorf("%s and %s share %s", pair[0].Kind(), other, id)
		}
		seen[id] = pair[0].Kind()
		parsed, err := uuid.Parse(id)
		if err != nil || parsed.Version() != 8 || parsed.Variant() != uuid.RFC4122 {
			t.Errorf("%s is no UUID of version 8: %v", id, err)
		}
	}
}

func TestAnotherDecisionHasAnotherID(t *testing.T) {
	decisions := []struct {
		about envelope.Entity
		said  statement.Statement
	}{
		{reseller, statement.FindingOpened{Finding: "f"}},
		{reseller, statement.FindingOpened{Finding: "g"}},
		{"https://other.example", statement.FindingOpened{Finding: "f"}},
		{reseller, statement.FindingCured{Finding: "f"}},
		{reseller, statement.WarningIssued{Case: "c"}},
		{reseller, statement.WarningIssued{Case: "d"}},
		{reseller, statement.RestrictionOrdered{Case: "c", Order: "o"}},
		{reseller, statement.RestrictionOrdered{Case: "d", Order: "o"}},
		{reseller, statement.OrderWithdrawn{Case: "c", Order: "o"}},
		{reseller, statement.OrderWithdrawn{Case: "c", Order: "p"}},
		{reseller, statement.ClosureOrdered{Case: "c", Scope: "o"}},
		{reseller, statement.StandingChanged{Number: 1}},
		{reseller, statement.StandingChanged{Number: 11}},
	}
	seen := map[string]int{}
	for i, d := range decisions {
		id := ID(d.about, d.said)
		if other, taken := seen[id]; taken {
			t.Errorf("decisions %d and %d share %s", other, i, id)
		}
		seen[id] = i
	}
}

// The jti of decisions that stand in ledgers must never change: another one would be stated a second time.
func TestIDsAreTheOnesThatStandInLedgersAlready(t *testing.T) {
	const want = "ac6a50f2-2b0d-83ba-b828-a14fbdfcf64e"
	if got := ID("https://reseller.example", statement.FindingOpened{Finding: "cip.missing.20260131T000000Z"}); got != want {
		t.Errorf("got %s, wanted %s", got, want)
	}
}
