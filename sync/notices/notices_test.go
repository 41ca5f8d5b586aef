package notices

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

const (
	self     = envelope.Entity("https://provider.example")
	reseller = envelope.Entity("https://reseller.example")
)

// said is an entry whose statement is of a kind: what else it says is nothing to Address.
type said statement.Kind

func (s said) Kind() statement.Kind { return statement.Kind(s) }

func TestWhoHearsOfEachKind(t *testing.T) {
	systems := []Audience{OfSystem("billing"), OfSystem("accounts")}
	all := append([]Audience{OfReseller(reseller)}, systems...)
	hears := map[statement.Kind][]Audience{
		statement.KindFindingOpened: all, statement.KindFindingCured: all, statement.KindStandingChanged: all,
		statement.KindWarningIssued: all, statement.KindRestrictionOrdered: all, statement.KindClosureOrdered: all,
		statement.KindOrderWithdrawn: all, statement.KindRelationshipTerminated: all, statement.KindRelationshipReinstated: all,
		statement.KindAppealDecided: all, statement.KindInformationRequested: all, statement.KindCIPRequested: all,
		statement.KindDocumentReceived: all, statement.KindExemptionGranted: all, statement.KindExemptionWithdrawn: all,
		statement.KindSpecialMeasureImposed: systems, statement.KindSpecialMeasureLifted: systems,
		statement.KindPolicyActivated: systems, statement.KindEntityEnrolled: systems, statement.KindKeysChanged: systems,
		statement.KindOfficerAction: systems, statement.KindRecordErased: systems, statement.KindOutageRecorded: systems,
		statement.KindNoticeProved: systems, statement.KindStatedByLink: systems,
		statement.KindScreeningChanged: systems, statement.KindLimitPassed: systems, statement.KindPolicyShadowed: systems, statement.KindTransactionCovered: all,
		statement.KindHandOverOrdered: all, statement.KindSuperiorChanged: all,
		statement.KindSuperiorTold: all, // of one that names a superior that one hears, not the reseller: below
	}
	for _, kind := range statement.Kinds() {
		by, about := reseller, reseller
		if kind.ByGateway() {
			by = self
		}
		want, listed := hears[kind]
		if listed != kind.ByGateway() {
			t.Errorf("%s: who hears of it was not decided here", kind)
		}
		var got []Audience
		for _, notice := range Address(statement.Entry{About: about, By: by, Statement: said(kind)}, Chain{Self: self, Systems: systems}) {
			got = append(got, notice.Audience)
			if notice.Mandatory == notice.Audience.IsSystem() {
				t.Errorf("%s to %s: mandatory %t", kind, notice.Audience, notice.Mandatory)
			}
			if !slices.Contains(Kinds(notice.Audience), kind) {
				t.Errorf("%s hears of %s, which is not among what it may hear of", notice.Audience, kind)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is told to %v, want %v", kind, got, want)
		}
	}
}

func TestOfWhatTheSuperiorIsToldTheSuperiorHears(t *testing.T) {
	const superior = envelope.Entity("https://above.example")
	entry := statement.Entry{About: reseller, By: self, Statement: statement.SuperiorTold{Superior: superior}}
	chain := Chain{Self: self, Systems: []Audience{OfSystem("billing")}, Contacts: map[envelope.Entity][]Audience{
		reseller: {OfContact(reseller, "a@reseller.example")}, superior: {OfContact(superior, "b@above.example")}}}
	want := []Notice{
		{Audience: OfReseller(superior), About: superior, Mandatory: true},
		{Audience: OfSystem("billing"), About: reseller},
		{Audience: OfContact(superior, "b@above.example"), About: superior, Mandatory: true, Urgent: true},
	}
	if got := Address(entry, chain); !slices.Equal(got, want) {
		t.Errorf("it is told to %+v, want %+v", got, want)
	}
	entry.Statement = statement.SuperiorTold{Superior: self}
	if got := Address(entry, Chain{Self: self}); len(got) > 0 {
		t.Errorf("of what the provider itself would be told %v hear", got)
	}
}

func TestNobodyHearsOfAnotherNorOfWhatTheGatewayDidNotState(t *testing.T) {
	for name, entry := range map[string]statement.Entry{
		"about the gateway itself":             {About: self, By: self, Statement: said(statement.KindStandingChanged)},
		"a gateway's kind by somebody else":    {About: reseller, By: reseller, Statement: said(statement.KindWarningIssued)},
		"what a reseller stated":               {About: reseller, By: reseller, Statement: said(statement.KindSuspiciousActivity)},
		"an officer's action about a reseller": {About: reseller, By: self, Statement: said(statement.KindOfficerAction)},
	} {
		if got := Address(entry, Chain{Self: self}); len(got) > 0 {
			t.Errorf("%s is told to %v", name, got)
		}
	}
}

func TestATokenNamesItsAudience(t *testing.T) {
	if got := OfReseller(reseller).Entity(self); got != reseller {
		t.Errorf("a reseller is named %s", got)
	}
	if got := OfSystem("billing").Entity(self); got != self {
		t.Errorf("a system is named %s", got)
	}
}

func TestTheNextTryIsNeverSoonerNorLaterThanItShould(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		tries := rapid.IntRange(-1, 1<<40).Draw(t, "tries")
		jitter := rapid.Float64Range(-1, 2).Draw(t, "jitter")
		asked := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(1000*time.Hour)).Draw(t, "retryAfter"))
		wait := NextTry(tries, now, jitter, asked).Sub(now)
		if wait < FirstWait/2 || wait > LongestWait {
			t.Errorf("waits %s", wait)
		}
		if asked <= LongestWait && wait < asked {
			t.Errorf("waits %s, asked for %s", wait, asked)
		}
		if next := NextTry(tries+1, now, jitter, asked).Sub(now); next < wait {
			t.Errorf("after %d tries waits %s, after one more %s", tries, wait, next)
		}
	})
}

func TestTheWaitsBetweenTries(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		tries      int
		jitter     float64
		retryAfter time.Duration
		want       time.Duration
	}{
		{1, 0, 0, 10 * time.Second}, {1, 1, 0, 5 * time.Second}, {2, 0, 0, 20 * time.Second}, {7, 0, 0, 640 * time.Second},
		{14, 0, 0, 81920 * time.Second}, {15, 0, 0, 24 * time.Hour}, {31, 1, 0, 12 * time.Hour}, {100, 0.5, 0, 18 * time.Hour},
		{1, 0, time.Minute, time.Minute}, {7, 0, time.Minute, 640 * time.Second}, {1, 0, 1000 * time.Hour, 24 * time.Hour},
	} {
		if got := NextTry(c.tries, now, c.jitter, c.retryAfter).Sub(now); got != c.want {
			t.Errorf("after %d tries, jitter %g, Retry-After %s: %s, want %s", c.tries, c.jitter, c.retryAfter, got, c.want)
		}
	}
}
