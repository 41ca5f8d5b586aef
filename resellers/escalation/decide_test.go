package escalation

import (
	"crypto/ed25519"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

func on(days float64) time.Time { return start.Add(time.Duration(days * float64(day))) }

// silent is a reseller enrolled on day 0 that the gateway judged at each of these times.
func silent(t tester, judged ...time.Time) *life {
	l := newLife(t)
	l.enrol(start)
	for _, at := range judged {
		l.settle(at)
	}
	return l
}

func kinds(state []statement.Statement) []statement.Kind {
	var kinds []statement.Kind
	for _, s := range state {
		kinds = append(kinds, s.Kind())
	}
	return kinds
}

func TestEachStepIsTakenExactlyAtItsTimeAndNotASecondBefore(t *testing.T) {
	for name, c := range map[string]struct {
		judged []time.Time
		at     time.Time
		states []statement.Kind
	}{
		"warned":     {[]time.Time{start}, on(30), []statement.Kind{"finding-opened", "warning-issued", "standing-changed"}},
		"restricted": {[]time.Time{on(30)}, on(44), []statement.Kind{"restriction-ordered", "standing-changed"}},
		"closing":    {[]time.Time{on(30), on(44)}, on(51), []statement.Kind{"closure-ordered", "standing-changed"}},
		"terminated": {[]time.Time{on(30), on(44), on(51)}, on(59), []statement.Kind{"closure-ordered", "relationship-terminated", "standing-changed"}},
		"warned late, restricted after the cure floor":  {[]time.Time{on(55)}, on(58), []statement.Kind{"restriction-ordered", "standing-changed"}},
		"restricted late, closing after the step floor": {[]time.Time{on(30), on(52)}, on(53), []statement.Kind{"closure-ordered", "standing-changed"}},
		"closing late, terminated after the step floor": {[]time.Time{on(30), on(44), on(58.5)}, on(59.5), []statement.Kind{"closure-ordered", "relationship-terminated", "standing-changed"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, early := range []time.Duration{time.Nanosecond, time.Second, time.Hour} {
				if state := silent(t, c.judged...).settle(c.at.Add(-early)); len(state) > 0 {
					t.Errorf("%v early: %v", early, kinds(state))
				}
			}
			l := silent(t, c.judged...)
			if !l.wake.Equal(c.at) {
				t.Errorf("asked to be woken at %v, wanted %v", l.wake, c.at)
			}
			if got := kinds(l.settle(c.at)); !slices.Equal(got, c.states) {
				t.Errorf("stated %v, wanted %v", got, c.states)
			}
			want, err := ParseStanding(strings.Fields(name)[0])
			if strings.Contains(name, ", ") {
				want, err = ParseStanding(strings.Fields(strings.Split(name, ", ")[1])[0])
			}
			if err != nil || l.c.Standing != want {
				t.Errorf("stands %s, wanted %s, %v", l.c.Standing, want, err)
			}
		})
	}
}

func TestTheStatementsOfASilentReseller(t *testing.T) {
	l := silent(t, on(30), on(44), on(51), on(59))
	basis := func(seen int64, days float64) statement.Basis {
		return statement.Basis{Policy: "us-iaas-2024.5", Seen: seen, Now: on(days)}
	}
	const finding = "cip.missing.20260131T000000Z"
	words := policy.Default().Rules.CIPMissing.Finding
	open := "cip.missing, since 2026-01-31 00:00:00 UTC (" + words + ": 30 days)"
	opened := statement.FindingOpened{Basis: basis(2, 30), Finding: finding, Rule: "cip.missing", Severity: "serious", Since: on(30), Opened: on(30),
		Evidence: []int64{2}, Cure: "an accepted cip-attestation"}
	opened.Case = ID(reseller, opened)
	caseID := opened.Case
	want := []statement.Statement{
		opened,
		statement.WarningIssued{Basis: basis(2, 30), Case: caseID, Findings: []string{finding}, CureBy: on(44), LimitAt: on(60),
			ToCure: []string{"an accepted cip-attestation (cures cip.missing)"}, Dispute: dispute, Evidence: []statement.Evidence{{Entry: 2}}},
		statement.StandingChanged{Basis: basis(2, 30), Number: 1, Before: "pending", After: "warned",
			Why: "Open: " + open + ". If it is not cured, no new accounts may be opened from 2026-02-14 00:00:00 UTC on."},
		statement.RestrictionOrdered{Basis: basis(11, 44), Case: caseID, Order: "no-new-accounts", Findings: []string{finding},
			Next: willClose, NextAt: on(51), LimitAt: on(60)},
		statement.StandingChanged{Basis: basis(11, 44), Number: 2, Before: "warned", After: "restricted",
			Why: "The cure time ended at 2026-02-14 00:00:00 UTC. Still open: " + open + ". No new accounts may be opened. If it is not cured, the reseller's account is ordered closed at 2026-02-21 00:00:00 UTC."},
		statement.ClosureOrdered{Basis: basis(17, 51), Case: caseID, Scope: "reseller-account", Findings: []string{finding}, TerminatesAt: on(59), LimitAt: on(60)},
		statement.StandingChanged{Basis: basis(17, 51), Number: 3, Before: "restricted", After: "closing",
			Why: "The restriction since 2026-02-14 00:00:00 UTC brought no cure. Still open: " + open + ". The reseller's account is ordered closed. If it is not cured, the relationship is terminated at 2026-03-01 00:00:00 UTC."},
		statement.ClosureOrdered{Basis: basis(23, 59), Case: caseID, Scope: "remaining-accounts", Findings: []string{finding}, TerminatesAt: on(59), LimitAt: on(60)},
		statement.RelationshipTerminated{Basis: basis(23, 59), Case: caseID, Findings: []string{finding}, LimitAt: on(60),
			Why: "Warned at 2026-01-31 00:00:00 UTC, restricted at 2026-02-14 00:00:00 UTC, account ordered closed at 2026-02-21 00:00:00 UTC; not cured by 2026-03-01 00:00:00 UTC: " + open + ". The limit of the case was 2026-03-02 00:00:00 UTC. Every account that is left is ordered closed."},
		statement.StandingChanged{Basis: basis(23, 59), Number: 4, Before: "closing", After: "terminated",
			Why: "Warned at 2026-01-31 00:00:00 UTC, restricted at 2026-02-14 00:00:00 UTC, account ordered closed at 2026-02-21 00:00:00 UTC; not cured by 2026-03-01 00:00:00 UTC: " + open + ". The limit of the case was 2026-03-02 00:00:00 UTC."},
	}
	var got []statement.Statement
	for _, e := range l.entries[1:] {
		got = append(got, e.Statement)
	}
	for i := range want {
		if i >= len(got) || !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("statement %d\ngot    %+v\nwanted %+v", i, got[min(i, len(got)-1)], want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d statements, wanted %d", len(got), len(want))
	}
}

func TestWhatDecideStatesIsWhatItsSchemasTake(t *testing.T) {
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	cured := silent(t, on(30), on(44), on(51))
	cured.attest(on(52), "initial")
	cured.settle(on(52))
	late := silent(t, on(99), on(102), on(103), on(104))
	seen := map[statement.Kind]bool{}
	for _, e := range slices.Concat(cured.entries[1:], late.entries[1:]) {
		if e.By != gateway {
			continue
		}
		seen[e.Statement.Kind()] = true
		signed, err := signer.Sign(envelope.Draft{Issuer: gateway, Audience: gateway, IssuedAt: e.AcceptedAt, JTI: e.JTI,
			EventURI: e.Statement.Kind().URI(), Event: e.Statement, Subject: envelope.Subject{Format: "uri", URI: string(reseller)}})
		if err != nil {
			t.Fatal(err)
		}
		back, err := statement.Decode(signed)
		if err != nil {
			t.Errorf("%s: %v", e.Statement.Kind(), err)
			continue
		}
		if !reflect.DeepEqual(back, e.Statement) {
			t.Errorf("signed %+v\nread   %+v", e.Statement, back)
		}
	}
	if len(seen) != 9 {
		t.Errorf("only %v were stated", seen)
	}
}

func TestACureEndsTheCaseAndTheNextOneStartsAfresh(t *testing.T) {
	l := silent(t, on(30), on(44), on(51))
	first := l.c.ID
	l.attest(on(52), "initial")
	cure := l.history.Seen()
	if got, want := kinds(l.settle(on(52))), []statement.Kind{"finding-cured", "order-withdrawn", "order-withdrawn", "standing-changed"}; !slices.Equal(got, want) {
		t.Errorf("stated %v, wanted %v", got, want)
	}
	want := []Past{{ID: first, Policy: "us-iaas-2024.5", OpenedAt: on(30), Reached: Closing, EndedAt: on(52), Seen: cure}}
	if l.c.ID != "" || l.c.Standing != Good || len(l.c.Orders) > 0 || !l.c.LimitAt.IsZero() || !reflect.DeepEqual(l.c.Past, want) || l.c.PastCount != 1 {
		t.Errorf("got %+v", l.c)
	}
	l.run(on(52), on(52+365))
	if l.c.ID == "" || l.c.ID == first || l.c.Standing != Warned || !l.c.CureBy.Equal(on(52+365+14)) || !l.c.LimitAt.Equal(on(52+365+30)) {
		t.Errorf("the second case: %+v", l.c)
	}
}

func TestPastCasesAreCountedAndTheLatestKept(t *testing.T) {
	l := silent(t, start)
	var now time.Time
	for range pastKept + 3 {
		l.settle(l.wake) // warned
		now = l.c.WarnedAt.Add(day)
		l.attest(now, "annual")
		l.settle(now)
	}
	if l.c.PastCount != pastKept+3 || len(l.c.Past) != pastKept || !l.c.Past[pastKept-1].EndedAt.Equal(now) {
		t.Errorf("%d past cases, %d kept: %+v", l.c.PastCount, len(l.c.Past), l.c.Past)
	}
}

func TestAMinorFindingPutsOnWatchAndOpensNoCase(t *testing.T) {
	l := newLife(t)
	l.policy.Rules.CIPStale.Severity = policy.Minor
	l.enrol(start)
	l.attest(on(1), "initial")
	l.settle(on(1))
	if l.next.What != "watch: a minor finding is opened (cip.stale)" || !l.next.At.Equal(on(366)) {
		t.Errorf("next: %+v", l.next)
	}
	if got, want := kinds(l.settle(on(366))), []statement.Kind{"finding-opened", "standing-changed"}; !slices.Equal(got, want) {
		t.Errorf("stated %v, wanted %v", got, want)
	}
	if l.c.Standing != Watch || l.c.ID != "" || !l.wake.IsZero() {
		t.Errorf("%s, case %q, wakes at %v", l.c.Standing, l.c.ID, l.wake)
	}
	l.attest(on(500), "annual")
	l.settle(on(500))
	if l.c.Standing != Good || len(l.c.Findings) > 0 {
		t.Errorf("%s with %+v", l.c.Standing, l.c.Findings)
	}
}

func TestWithTheClockOfAwarenessTheLimitCountsFromTheFinding(t *testing.T) {
	l := newLife(t)
	l.policy.Case.ClockStart = policy.FromAwareness
	l.enrol(start)
	l.settle(on(70)) // forty days late
	if !l.c.LimitAt.Equal(on(100)) || !l.c.CureBy.Equal(on(84)) || l.next.LimitPassed {
		t.Errorf("limit %v, cure by %v, next %+v", l.c.LimitAt, l.c.CureBy, l.next)
	}
	l.run(on(70), on(200))
	if !l.c.TerminatedAt.Equal(on(99)) {
		t.Errorf("terminated at %v", l.c.TerminatedAt)
	}
}

func TestAClockThatIsBehindTakesNothingBack(t *testing.T) {
	l := silent(t, on(30), on(44))
	for _, now := range []time.Time{on(43), on(30).Add(-time.Second), start} {
		if state := l.settle(now); len(state) > 0 {
			t.Errorf("at %v: %v", now, kinds(state))
		}
	}
}

func TestDecideRefusesWhatDoesNotBelongTogether(t *testing.T) {
	l := silent(t, on(30))
	other := policy.Default()
	other.Version = 6
	for name, c := range map[string]struct {
		decide func() error
		want   error
	}{
		"a case under another policy than it is pinned to": {func() error {
			_, _, err := Decide(&other, reseller, l.c, l.history, House{}, nil, on(44))
			return err
		}, ErrPolicy},
		"a history that saw less": {func() error {
			_, _, err := Decide(&l.policy, reseller, l.c, history.History{}.With(l.entries[0]), House{}, nil, on(44))
			return err
		}, ErrFile},
		"another reseller's history": {func() error {
			_, _, err := Decide(&l.policy, "https://other.example", l.c, l.history, House{}, nil, on(44))
			return err
		}, ErrFile},
		"no time": {func() error {
			_, _, err := Decide(&l.policy, reseller, l.c, l.history, House{}, nil, time.Time{})
			return err
		}, errNoTime},
		"an outlook of the same": {func() error {
			_, err := Outlook(other, reseller, l.c, l.history, House{}, on(44))
			return err
		}, ErrPolicy},
	} {
		if err := c.decide(); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, wanted %v", name, err, c.want)
		}
	}
}

func TestWithoutACaseTheNextOneFollowsTheNewPolicy(t *testing.T) {
	l := silent(t, on(30))
	l.attest(on(31), "initial")
	l.settle(on(31))
	l.policy.Version = 6
	l.run(on(31), on(31+365))
	if l.c.Policy != "us-iaas-2024.6" || l.c.Past[0].Policy != "us-iaas-2024.5" {
		t.Errorf("case under %s, the past one under %s", l.c.Policy, l.c.Past[0].Policy)
	}
}

func TestEveryStepAfterTheLimitSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		judged []time.Time
		passed bool
	}{
		"on time":                              {[]time.Time{on(30), on(44), on(51)}, false},
		"terminated in the limit's second":     {[]time.Time{on(55), on(58), on(59)}, false}, // each floor holds, and it ends on day 60
		"terminated a second after it":         {[]time.Time{on(55), on(58), on(59).Add(time.Second)}, true},
		"closing after it":                     {[]time.Time{on(57), on(60)}, true},
		"restricted after it":                  {[]time.Time{on(58)}, true},
		"restricted in time, closing too late": {[]time.Time{on(30), on(59.5)}, true},
	} {
		l := silent(t, c.judged...)
		prospect, err := Outlook(l.policy, reseller, l.c, l.history, House{}, c.judged[len(c.judged)-1])
		if err != nil {
			t.Fatal(err)
		}
		if l.next.LimitPassed != c.passed || strings.Contains(l.next.What, ", after the limit of 2026-03-02 00:00:00 UTC") != c.passed || prospect.LimitPassed != c.passed {
			t.Errorf("%s: next %+v, outlook says %t, wanted %t", name, l.next, prospect.LimitPassed, c.passed)
		}
	}
}

func TestWhatIsStillFoundIsNotCuredByWhatWasAccepted(t *testing.T) {
	l := silent(t, on(30))
	found, _ := findings.Assess(&l.policy, &l.history, on(31))
	l.attest(on(31), "change") // a later rule may find the same in it
	state, _, err := Decide(&l.policy, reseller, l.c, l.history, House{}, found, on(31))
	if err != nil || len(state) > 0 {
		t.Errorf("stated %v, %v", kinds(state), err)
	}
}

func TestWhatAResellerSaysAboutItselfIsNoDecision(t *testing.T) {
	l := silent(t, on(30), on(44))
	before := l.c
	for _, s := range []statement.Statement{
		statement.OrderWithdrawn{Case: l.c.ID, Order: NoNewAccounts},
		statement.FindingCured{Finding: l.c.Findings[0].ID},
		statement.StandingChanged{Number: 3, Before: "restricted", After: "good"},
		statement.RelationshipTerminated{Case: l.c.ID},
	} {
		l.take(reseller, on(45), "jti", s)
	}
	before.Next = l.c.Next
	if !reflect.DeepEqual(l.c, before) {
		t.Errorf("got %+v\nwanted %+v", l.c, before)
	}
}

func TestAStepOfACaseThatIsNotOpenChangesNothing(t *testing.T) {
	l := silent(t, on(30))
	before := l.c
	basis := statement.Basis{Policy: "us-iaas-2024.5", Now: on(31)}
	for _, s := range []statement.Statement{
		statement.WarningIssued{Basis: basis, Case: l.c.ID, CureBy: on(99)}, // warned already
		statement.WarningIssued{Basis: basis, Case: "another", CureBy: on(99)},
		statement.RestrictionOrdered{Basis: basis, Case: "another", Order: NoNewAccounts},
		statement.ClosureOrdered{Basis: basis, Case: "another", Scope: CloseAccount},
		statement.OrderWithdrawn{Basis: basis, Case: "another", Order: NoNewAccounts},
		statement.FindingCured{Basis: basis, Finding: "another"},
		statement.FindingOpened{Basis: basis, Finding: l.c.Findings[0].ID, Case: "another"},
		statement.StandingChanged{Basis: basis, Number: 9, After: "excellent"},
		statement.EntityEnrolled{},
	} {
		l.take(gateway, on(31), "jti", s)
	}
	before.Next = l.c.Next
	if !reflect.DeepEqual(l.c, before) {
		t.Errorf("got %+v\nwanted %+v", l.c, before)
	}
}

func TestAnEntryFoldedBeforeChangesNothingWhateverItSays(t *testing.T) {
	l := silent(t, on(30))
	for leafIndex := range l.c.Next {
		e := statement.Entry{LeafIndex: leafIndex, About: reseller, By: gateway,
			Statement: statement.RelationshipTerminated{Basis: statement.Basis{Now: on(31)}}}
		if got := l.c.With(e); !reflect.DeepEqual(got, l.c) {
			t.Errorf("entry %d: %+v", leafIndex, got)
		}
	}
}
