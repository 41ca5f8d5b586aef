package reseller

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/waiting"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

const (
	self   = envelope.Entity("https://provider.example")
	entity = envelope.Entity("https://provider.example/e/a")
)

var now = time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)

func days(n int) time.Time { return now.AddDate(0, 0, n) }

func entry(leafIndex int64, said statement.Statement) statement.Entry {
	return statement.Entry{LeafIndex: leafIndex, AcceptedAt: days(int(leafIndex) - 10), About: entity, By: self, Statement: said}
}

// warned is a reseller whose case is open.
func warned() (docket.File, escalation.Prospect, []statement.Entry) {
	file := docket.File{
		Entity:  entity,
		History: history.History{Entity: entity, Name: "Aurora", Country: "DE", EnrolledAt: days(-40), Next: 4},
		Case: escalation.Case{Standing: escalation.Warned, Policy: "us-iaas-2024.1", LimitAt: days(20), CureBy: days(4),
			Findings: []escalation.Open{{ID: "f", Rule: "cip.missing", Severity: "serious", Since: days(-10), Evidence: []int64{0}, Cure: "an accepted cip-attestation"}}},
	}
	ahead := escalation.Prospect{
		Standing: escalation.Warned, LimitAt: days(20),
		NextStep:     escalation.Step{What: "restricted: no new accounts", At: days(4), Unless: "a cure"},
		CurrentlyDue: []escalation.Due{{Finding: "f", By: days(4)}},
		Future:       []escalation.Step{{What: "restricted: no new accounts", At: days(4), Unless: "a cure"}, {What: "closing: the account", At: days(11), Unless: "a cure"}},
	}
	return file, ahead, []statement.Entry{entry(0, statement.EntityEnrolled{Name: "Aurora", Country: "DE"}), entry(3, statement.WarningIssued{})}
}

func TestAnExemptionIsShownBesideTheStanding(t *testing.T) {
	file, ahead, entries := warned()
	if v := fill(policy.Default(), self, file, ahead, entries, now); v.Exempt != (exemption{}) {
		t.Errorf("exempt by nothing: %+v", v.Exempt)
	}
	ahead.Exempt = history.Exemption{ID: "e", Until: days(90), Conditions: "A report every quarter.", Reference: "BIS-1"}
	v := fill(policy.Default(), self, file, ahead, entries, now)
	if want := (exemption{Until: frame.MomentOf(days(90), now), Conditions: "A report every quarter.", Reference: "BIS-1"}); v.Exempt != want || v.Standing.Word != "warned" {
		t.Errorf("got %+v beside %s, wanted %+v", v.Exempt, v.Standing.Word, want)
	}
}

func TestThePageShowsTheCaseTheFutureBackwardsAndThePastBackwards(t *testing.T) {
	file, ahead, entries := warned()
	v := fill(policy.Default(), self, file, ahead, entries, now)
	rule, _ := policy.Default().Rule("cip.missing")
	wantFindings := []finding{{
		Words: officer.Sentence(rule.Finding), Severity: "serious", Cure: "An accepted cip-attestation.", By: frame.MomentOf(days(4), now),
		Since: frame.MomentOf(days(-10), now), Rule: "cip.missing", Source: rule.Source, Evidence: []int64{0},
	}}
	if !reflect.DeepEqual(v.Findings, wantFindings) {
		t.Errorf("findings\n got %+v\nwant %+v", v.Findings, wantFindings)
	}
	if wanted := []future{futureOf(policy.Default(), ahead.Future[1], now), futureOf(policy.Default(), ahead.Future[0], now)}; !reflect.DeepEqual(v.Future, wanted) || wanted[0].When == "" {
		t.Errorf("future\n got %+v\nwant %+v", v.Future, wanted)
	}
	wantPast := []past{
		{Telling: officer.Tell(entries[1], self), Why: whyOf(policy.Default(), entries[1].Statement), At: frame.MomentOf(days(-7), now), LeafIndex: 3, Receipt: "/receipts/" + entries[1].Digest.String(), Tone: "warned"},
		{Telling: officer.Tell(entries[0], self), Why: why{}, At: frame.MomentOf(days(-10), now), LeafIndex: 0, Receipt: "/receipts/" + entries[0].Digest.String(), Tone: "pending"},
	}
	if !reflect.DeepEqual(v.Past, wantPast) {
		t.Errorf("past\n got %+v\nwant %+v", v.Past, wantPast)
	}
	if v.Next != frame.StepOf(ahead.NextStep, now) || v.Limit != frame.MomentOf(days(20), now) || v.Policy != "us-iaas-2024.1" || v.Ended != (frame.Moment{}) {
		t.Errorf("next %+v, limit %+v, policy %q, ended %+v", v.Next, v.Limit, v.Policy, v.Ended)
	}
}

func TestWithoutACaseWhatComesNextIsWhatIsOwed(t *testing.T) {
	file, ahead, _ := warned()
	ahead.LimitAt = time.Time{}
	if v := fill(policy.Default(), self, file, ahead, nil, now); v.Next != frame.DueOf(ahead.NextStep, now) {
		t.Errorf("next is %+v", v.Next)
	}
}

func TestAnEntrysMarkHasTheColourOfTheStandingItLedTo(t *testing.T) {
	for _, c := range []struct {
		said statement.Statement
		want string
	}{
		{statement.EntityEnrolled{}, "pending"}, {statement.PolicyActivated{}, "pending"},
		{statement.CIPAttestation{}, "good"}, {statement.FindingCured{}, "good"}, {statement.OrderWithdrawn{}, "good"},
		{statement.FindingOpened{}, "warned"}, {statement.WarningIssued{}, "warned"}, {statement.RestrictionOrdered{}, "restricted"},
		{statement.ClosureOrdered{}, "closing"}, {statement.RelationshipTerminated{}, "terminated"},
		{statement.StandingChanged{After: "watch"}, "watch"}, {statement.StandingChanged{After: "of another version"}, "pending"},
	} {
		if got := tone(c.said); got != c.want {
			t.Errorf("%s: %q, wanted %q", c.said.Kind(), got, c.want)
		}
	}
}

func TestAnEntrySaysByWhichRuleEvidenceAndPolicyItWasStatedAndWhatItLeadsTo(t *testing.T) {
	p := policy.Default()
	rule, _ := p.Rule("cip.missing")
	basis := statement.Basis{Policy: "us-iaas-2024.1"}
	got := whyOf(p, statement.FindingOpened{Basis: basis, Rule: "cip.missing", Evidence: []int64{4}, Cure: "an accepted cip-attestation"})
	row, _ := rowOf(p, statement.KindFindingOpened)
	want := why{Rule: "cip.missing", When: row.When, Source: rule.Source, Evidence: []int64{4}, Policy: "us-iaas-2024.1", Next: "Cured by an accepted cip-attestation."}
	if !reflect.DeepEqual(got, want) || row.When == "" {
		t.Errorf("got %+v, wanted %+v", got, want)
	}
	for _, said := range []statement.Statement{
		statement.FindingCured{Basis: basis}, statement.StandingChanged{Basis: basis}, statement.WarningIssued{Basis: basis}, statement.RestrictionOrdered{Basis: basis},
		statement.ClosureOrdered{Basis: basis}, statement.OrderWithdrawn{Basis: basis}, statement.RelationshipTerminated{Basis: basis}, statement.LimitPassed{Basis: basis},
	} {
		if got := whyOf(p, said); got.Policy != basis.Policy || got.When == "" || got.Source == "" {
			t.Errorf("%s: %+v", said.Kind(), got)
		}
	}
	if got := whyOf(p, statement.CIPAttestation{}); !reflect.DeepEqual(got, why{}) {
		t.Errorf("what the reseller stated: %+v", got)
	}
}

func TestTheTemplateTakesFullAndEmptyViews(t *testing.T) {
	file, ahead, entries := warned()
	full := fill(policy.Default(), self, file, ahead, entries, now)
	full.Newest, full.Older, full.LimitPassed, full.Done, full.MayHold = true, "/resellers/x?before=1", true, "Done.", true
	full.Approvals = []waiting.Approval{{Key: "k", May: true, Refused: "r"}, {WhyNot: "no"}}
	full.Reviews = []waiting.Review{{May: true, Dispute: true}, {May: true, Time: true}, {May: true}, {WhyNot: "no"}}
	full.Holds = []hold{{Lift: true, Proposed: "Jon"}, {Propose: true}, {}}
	ended := full
	ended.Ended, ended.Next.Otherwise = frame.MomentOf(days(-1), now), "Otherwise."
	f := frame.Frame{Entity: self, Sandbox: true, Version: "1", Now: func() time.Time { return now }}
	for i, v := range []view{{}, {Newest: true}, full, ended} {
		if _, err := f.Render(frame.Page{Title: "Aurora", Template: page, View: v}, "jane", "1 entry"); err != nil {
			t.Errorf("view %d: %v", i, err)
		}
	}
}

// pages is a ledger of entries about one entity, at every third leaf index.
type pages int64

// Latest gives short pages, as the ledger does where entries are large.
func (p pages) Latest(_ context.Context, _ envelope.ID, before int64, limit int) ([]statement.Entry, error) {
	var read []statement.Entry
	for leafIndex := (min(before, int64(p)*3) - 1) / 3 * 3; before > 0 && p > 0 && leafIndex >= 0 && len(read) < min(limit, 7); leafIndex -= 3 {
		read = append(read, statement.Entry{LeafIndex: leafIndex})
	}
	return read, nil
}

func TestTheNewestEntriesAreFoundBehindAnyNumberOfOlderOnes(t *testing.T) {
	for _, c := range []struct {
		entries     pages
		before      int64
		first, last int64
		count       int
		older       bool
	}{
		{0, end, 0, 0, 0, false},
		{1, end, 0, 0, 1, false},
		{shownEntries, end, 0, 3 * (shownEntries - 1), shownEntries, false},
		{shownEntries + 1, end, 3, 3 * shownEntries, shownEntries, true},
		{1000, end, 3 * (1000 - shownEntries), 3 * 999, shownEntries, true},
		{1000, 0, 0, 0, 0, false},
		{1000, 3, 0, 0, 1, false},
		{1000, 1503, 3 * (501 - shownEntries), 1500, shownEntries, true},
	} {
		got, older, err := newest(t.Context(), c.entries, entity.ID(), c.before)
		if err != nil || len(got) != c.count || older != c.older {
			t.Errorf("%+v: %d entries, older %t, %v", c, len(got), older, err)
			continue
		}
		if c.count > 0 && (got[0].LeafIndex != c.first || got[c.count-1].LeafIndex != c.last) {
			t.Errorf("%+v: from %d to %d", c, got[0].LeafIndex, got[c.count-1].LeafIndex)
		}
	}
}
