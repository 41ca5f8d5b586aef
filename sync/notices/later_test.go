package notices

import (
	"slices"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestTheLaterChannelsComeInTheOrderOfThePolicysTimes(t *testing.T) {
	stated := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rules := policy.Default().Case.Proof
	before := stated
	for _, channel := range Laters {
		at, taken := channel.From(rules, stated)
		if !taken || !at.After(before) {
			t.Errorf("%s comes at %s, taken %t, after %s", channel, at, taken, before)
		}
		before = at
		if at, taken := channel.From(policy.Proof{}, stated); taken {
			t.Errorf("a policy without the section takes %s at %s", channel, at)
		}
	}
}

func TestOnlyTheNoticesOfStepsThatAnotherStepFollowsTakeLaterChannels(t *testing.T) {
	var steps []statement.Kind
	for _, kind := range statement.Kinds() {
		if TakesLater(statement.Entry{About: reseller, By: self, Statement: said(kind)}, self) {
			steps = append(steps, kind)
		}
		if TakesLater(statement.Entry{About: reseller, By: reseller, Statement: said(kind)}, self) || TakesLater(statement.Entry{About: self, By: self, Statement: said(kind)}, self) {
			t.Errorf("%s by the reseller, or about the gateway, takes them", kind)
		}
		if _, ok := StepOf(said(kind)); ok != slices.Contains(steps, kind) {
			t.Errorf("%s: it is a step: %t", kind, ok)
		}
	}
	if want := []statement.Kind{statement.KindWarningIssued, statement.KindRestrictionOrdered, statement.KindClosureOrdered}; !slices.Equal(steps, want) {
		t.Errorf("they are taken by %v, want %v", steps, want)
	}
}

func TestOfAStepItsSuperiorSeesHowTheResellerStandsAndWhenTheNextIsDue(t *testing.T) {
	next := time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		said statement.Statement
		want Step
	}{
		{statement.WarningIssued{CureBy: next, Findings: []string{"secret"}}, Step{"warned", next}},
		{statement.RestrictionOrdered{NextAt: next}, Step{"restricted", next}},
		{statement.ClosureOrdered{TerminatesAt: next}, Step{"closing", next}},
	} {
		if got, ok := StepOf(c.said); !ok || got != c.want {
			t.Errorf("of a %s it sees %+v, %t, want %+v", c.said.Kind(), got, ok, c.want)
		}
	}
}
