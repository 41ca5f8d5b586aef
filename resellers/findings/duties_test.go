package findings

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestTheFactsThatOfficersSettleAreThoseOfTheRulesThatAskForOne(t *testing.T) {
	for of, is := range map[string]string{history.RuleEvidence: policy.EvidenceRecorded, history.RuleLate: policy.ReportLate,
		history.RuleUnanswered: policy.AbuseUnanswered, history.RuleCopy: policy.CIPCopyMissing, history.RuleOrder: policy.OrderOverdue} {
		if of != is {
			t.Errorf("history calls %q what is %q in a policy", of, is)
		}
	}
}

func (b *book) suspect(at, discovered time.Duration, audience, supersedes string) int64 {
	return b.say(at, "", statement.SuspiciousActivity{Certainty: "suspected", DiscoveredAt: start.Add(discovered), Audience: audience, Supersedes: supersedes})
}

func (b *book) officer(at time.Duration, action string, details ...string) int64 {
	said := statement.OfficerAction{Action: action}
	for i := 0; i < len(details); i += 2 {
		said.Details = append(said.Details, statement.Field{Name: details[i], Value: details[i+1]})
	}
	return b.say(at, "", said)
}

func (b *book) evidence(at time.Duration, id, severity string, received time.Duration, audience string) int64 {
	return b.officer(at, "evidence.recorded", "evidence", id, "ground", "cip-failure", "severity", severity,
		"received_at", start.Add(received).Format(time.RFC3339), "audience", audience)
}

func (b *book) inquire(at time.Duration, id string, due time.Duration) int64 {
	return b.say(at, "", statement.InformationRequested{Inquiry: id, DueAt: start.Add(due)})
}

func (b *book) proved(at time.Duration) int64 {
	return b.say(at, "", statement.NoticeProved{Notice: "n"})
}

func (b *book) answer(at time.Duration, inquiry string) int64 {
	return b.say(at, "", statement.Remediation{RemediationKind: "explanation", Inquiry: inquiry})
}

func (b *book) order(at time.Duration, name string) int64 {
	return b.say(at, "", statement.ClosureOrdered{Scope: name})
}

func (b *book) confirm(at time.Duration, order int64, outcome string) int64 {
	return b.say(at, "", statement.OrderConfirmation{Order: fmt.Sprint(order), Outcome: outcome})
}

// correct confirms an order another way than a confirmation before.
func (b *book) correct(at time.Duration, order, confirmation int64, outcome string) int64 {
	return b.say(at, "", statement.OrderConfirmation{Order: fmt.Sprint(order), Outcome: outcome, Supersedes: fmt.Sprint(confirmation)})
}

func (b *book) request(at time.Duration, id string, due time.Duration) int64 {
	return b.say(at, "", statement.CIPRequested{Request: id, DueAt: start.Add(due)})
}

func (b *book) covered(at time.Duration, ground string, knew, reported time.Duration) int64 {
	return b.say(at, "", statement.TransactionCovered{Transaction: "t", Ground: ground, KnewAt: start.Add(knew), ReportedAt: start.Add(reported)})
}

func TestEachRuleAboutDutiesOpensAtItsMomentAndNotBefore(t *testing.T) {
	for name, c := range map[string]struct {
		rule     string
		life     func(b *book)
		since    time.Duration
		evidence int64 // 0: nothing ever opens
	}{
		"prohibited": {"customer.prohibited", func(b *book) {
			b.say(9*day, "", statement.ScreeningChanged{Number: 1, Customers: 1, Since: start.Add(8 * day), Evidence: []int64{3}})
		}, 8 * day, 10},
		"more of them are the same finding": {"customer.prohibited", func(b *book) {
			b.say(9*day, "", statement.ScreeningChanged{Number: 1, Customers: 1, Since: start.Add(9 * day)})
			b.say(11*day, "", statement.ScreeningChanged{Number: 2, Customers: 2, Since: start.Add(9 * day)})
		}, 9 * day, 10},
		"nobody any more": {"customer.prohibited", func(b *book) {
			b.say(9*day, "", statement.ScreeningChanged{Number: 1, Itself: true, Since: start.Add(9 * day)})
			b.say(11*day, "", statement.ScreeningChanged{Number: 2})
		}, 0, 0},
		"what was overtaken": {"customer.prohibited", func(b *book) {
			b.say(9*day, "", statement.ScreeningChanged{Number: 2})
			b.say(11*day, "", statement.ScreeningChanged{Number: 1, Customers: 2, Since: start.Add(9 * day)})
		}, 0, 0},

		"suspicion in time": {"report.late", func(b *book) { b.suspect(9*day, 6*day, "provider", "") }, 0, 0},
		"suspicion late":    {"report.late", func(b *book) { b.suspect(9*day, 6*day-time.Microsecond, "provider", "") }, 9 * day, 10},
		"the first late one": {"report.late", func(b *book) {
			b.suspect(9*day, 8*day, "provider", "")
			b.suspect(10*day, 6*day, "provider", "")
			b.suspect(11*day, 0, "provider", "")
		}, 10 * day, 11},
		"a correction in time": {"report.late", func(b *book) { b.suspect(9*day, 6*day, "provider", ""); b.suspect(30*day, 6*day, "provider", "10") }, 0, 0},
		"a correction that knew earlier": {"report.late", func(b *book) { b.suspect(9*day, 6*day, "provider", ""); b.suspect(30*day, 5*day, "provider", "10") },
			30 * day, 11},
		"a correction that knew later": {"report.late", func(b *book) { b.suspect(9*day, 5*day, "provider", ""); b.suspect(30*day, 8*day, "provider", "10") },
			9 * day, 10},
		"a training in time":             {"report.late", func(b *book) { b.covered(20*day, "reported", 5*day, 20*day) }, 0, 0},
		"a training late":                {"report.late", func(b *book) { b.covered(20*day, "reported", 5*day-time.Second, 20*day) }, 20 * day, 10},
		"a training that is covered now": {"report.late", func(b *book) { b.covered(20*day, "definition-moved", 0, day) }, 35 * day, 10},
		"and reported again in time": {"report.late", func(b *book) {
			b.covered(20*day, "definition-moved", 0, day)
			b.say(35*day, "c", statement.AITraining{Transaction: "t", State: "occurred"})
		}, 0, 0},

		"an inquiry":                {"abuse.unanswered", func(b *book) { b.inquire(day, "i", 2*day) }, 6 * day, 10},
		"that gave more time":       {"abuse.unanswered", func(b *book) { b.inquire(day, "i", 9*day) }, 9 * day, 10},
		"answered":                  {"abuse.unanswered", func(b *book) { b.inquire(day, "i", 2*day); b.answer(5*day, "i") }, 0, 0},
		"another one answered":      {"abuse.unanswered", func(b *book) { b.inquire(day, "i", 2*day); b.answer(5*day, "j") }, 6 * day, 10},
		"asked twice by one id":     {"abuse.unanswered", func(b *book) { b.inquire(day, "i", 2*day); b.inquire(4*day, "i", 20*day) }, 6 * day, 10},
		"the one that is due first": {"abuse.unanswered", func(b *book) { b.inquire(day, "i", 9*day); b.inquire(2*day, "j", 3*day) }, 7 * day, 11},

		"an order":                             {"order.overdue", func(b *book) { b.order(day, "reseller-account") }, 4 * day, 10},
		"a restriction, which asks for no act": {"order.overdue", func(b *book) { b.say(day, "", statement.RestrictionOrdered{Order: "no-new-accounts"}) }, 0, 0},
		"carried out":                          {"order.overdue", func(b *book) { b.confirm(3*day, b.order(day, "reseller-account"), "done") }, 0, 0},
		"in part":                              {"order.overdue", func(b *book) { b.confirm(3*day, b.order(day, "reseller-account"), "partly") }, 4 * day, 10},
		"that cannot be":                       {"order.overdue", func(b *book) { b.confirm(3*day, b.order(day, "reseller-account"), "cannot") }, 4 * day, 10},
		"done, and then only in part": {"order.overdue", func(b *book) {
			order := b.order(day, "o")
			b.correct(9*day, order, b.confirm(2*day, order, "done"), "partly")
		}, 4 * day, 10},
		"done, on another day": {"order.overdue", func(b *book) {
			order := b.order(day, "o")
			b.correct(9*day, order, b.confirm(2*day, order, "done"), "done")
		}, 0, 0},
		"done, on another day, and then not at all": {"order.overdue", func(b *book) {
			order := b.order(day, "o")
			b.correct(9*day, order, b.correct(3*day, order, b.confirm(2*day, order, "done"), "done"), "cannot")
		}, 4 * day, 10},
		"done, not wholly, and done": {"order.overdue", func(b *book) {
			order := b.order(day, "o")
			b.confirm(3*day, order, "partly")
			b.correct(9*day, order, b.correct(8*day, order, b.confirm(7*day, order, "done"), "partly"), "done")
		}, 0, 0},
		"done, and in part without a correction": {"order.overdue", func(b *book) {
			order := b.order(day, "o")
			b.confirm(2*day, order, "done")
			b.confirm(3*day, order, "partly")
		}, 0, 0},
		"withdrawn, and what was said of it corrected": {"order.overdue", func(b *book) {
			order := b.order(day, "o")
			said := b.confirm(2*day, order, "done")
			b.say(2*day, "", statement.OrderWithdrawn{Order: "o"})
			b.correct(3*day, order, said, "partly")
		}, 0, 0},
		"withdrawn":             {"order.overdue", func(b *book) { b.order(day, "o"); b.say(2*day, "", statement.OrderWithdrawn{Order: "o"}) }, 0, 0},
		"another one withdrawn": {"order.overdue", func(b *book) { b.order(day, "o"); b.say(2*day, "", statement.OrderWithdrawn{Order: "p"}) }, 4 * day, 10},

		"a notice that is not proved": {"contact.unreachable", func(b *book) { b.proved(0); b.inquire(day, "i", 2*day) }, 8 * day, 11},
		"proved":                      {"contact.unreachable", func(b *book) { b.proved(0); b.inquire(day, "i", 2*day); b.proved(7 * day) }, 0, 0},
		"by an officer's call":        {"contact.unreachable", func(b *book) { b.proved(0); b.inquire(day, "i", 2*day); b.officer(7*day, "notice.recorded") }, 0, 0},
		"answered is proved":          {"contact.unreachable", func(b *book) { b.proved(0); b.inquire(day, "i", 2*day); b.answer(7*day, "j") }, 0, 0},
		"a feed proves nothing":       {"contact.unreachable", func(b *book) { b.proved(0); b.inquire(day, "i", 2*day); b.account(7*day, "c", "opened") }, 8 * day, 11},
		"since the first of two":      {"contact.unreachable", func(b *book) { b.proved(0); b.inquire(day, "i", 2*day); b.order(3*day, "o") }, 8 * day, 11},
		"since the one after a proof": {"contact.unreachable", func(b *book) { b.inquire(day, "i", 2*day); b.proved(2 * day); b.order(3*day, "o") }, 10 * day, 12},
		"by no channel that is known": {"contact.unreachable", func(b *book) { b.inquire(day, "i", 2*day) }, 0, 0},
		"called in vain, which is one": {"contact.unreachable", func(b *book) {
			b.inquire(day, "i", 2*day)
			b.officer(6*day, "notice.recorded", "answered", "no")
			b.officer(9*day, "notice.recorded", "answered", "no")
		}, 13 * day, 11},
		"over a stream that we paused": {"contact.unreachable", func(b *book) { b.proved(0); b.inquire(day, "i", 2*day); b.officer(2*day, "stream.paused") }, 0, 0},
		"and enabled again": {"contact.unreachable", func(b *book) {
			b.proved(0)
			b.inquire(day, "i", 2*day)
			b.officer(2*day, "stream.paused")
			b.officer(4*day, "stream.enabled")
		}, 11 * day, 13},
		"enabled, where none proved anything": {"contact.unreachable", func(b *book) { b.inquire(day, "i", 2*day); b.officer(4*day, "stream.enabled") }, 0, 0},

		"never confirmed": {"contact.unconfirmed", func(*book) {}, 90 * day, 7},
		"once":            {"contact.unconfirmed", func(b *book) { b.officer(5*day, "contact.confirmed") }, 95 * day, 10},

		"requested":      {"cip.copy-missing", func(b *book) { b.request(day, "r", 2*day) }, 8 * day, 10},
		"with more time": {"cip.copy-missing", func(b *book) { b.request(day, "r", 11*day) }, 11 * day, 10},
		"given by its id": {"cip.copy-missing", func(b *book) {
			b.request(day, "r", 2*day)
			b.say(2*day, "", statement.DocumentReceived{Document: statement.Copy{SHA256: "Z"}, Request: "r"})
		}, 0, 0},
		"another document":         {"cip.copy-missing", func(b *book) { b.request(day, "r", 2*day); b.document(2*day, "Z") }, 8 * day, 10},
		"the program in force":     {"cip.copy-missing", func(b *book) { b.attest(0, "own", "A", true); b.request(day, "r", 2*day); b.document(2*day, "A") }, 0, 0},
		"the attested comes later": {"cip.copy-missing", func(b *book) { b.attest(0, "own", "A", true); b.request(day, "r", 2*day) }, 8 * day, 11},

		"evidence":                       {"evidence.recorded", func(b *book) { b.evidence(9*day, "e", "serious", 5*day, "provider") }, 5 * day, 10},
		"received after it was recorded": {"evidence.recorded", func(b *book) { b.evidence(9*day, "e", "serious", 50*day, "provider") }, 9 * day, 10},
		"the same evidence once more": {"evidence.recorded", func(b *book) {
			b.evidence(9*day, "e", "serious", 5*day, "provider")
			b.evidence(11*day, "e", "critical", 6*day, "provider")
		}, 5 * day, 10},
		"what a reseller says of itself is": {"evidence.recorded", func(b *book) { b.account(day, "c", "opened") }, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook()
			c.life(b)
			p := only(t, c.rule)
			if c.evidence == 0 {
				if open, turns := assess(p, b.h, start.Add(3000*day)); len(open) > 0 || !turns.IsZero() {
					t.Fatalf("open: %+v, turns %v", open, turns)
				}
				return
			}
			since := start.Add(c.since)
			if open, turns := assess(p, b.h, since.Add(-time.Nanosecond)); len(open) > 0 || !turns.Equal(since) {
				t.Errorf("a nanosecond before: %+v, turns %v", open, turns)
			}
			open, turns := assess(p, b.h, since)
			if len(open) != 1 || open[0].Evidence[0] != c.evidence || !open[0].Since.Equal(since) || !turns.IsZero() {
				t.Fatalf("at %v: %+v, turns %v", since, open, turns)
			}
			if ahead := aheadOf(p, b.h, since.Add(-time.Nanosecond)); len(ahead) != 1 || ahead[0].ID != open[0].ID {
				t.Errorf("ahead of it: %+v", ahead)
			}
		})
	}
}

func TestNobodyGetsNewTimeByClosingAndOpeningAccounts(t *testing.T) {
	p := only(t, "customer.unverified")
	b := newBook()
	b.account(0, "c", "opened")
	for i := range 20 { // closed for an hour each day, just before anybody looks
		b.account(time.Duration(i+1)*day-time.Hour, "c", "closed")
		b.account(time.Duration(i+1)*day, "c", "opened")
	}
	// Twenty times twenty-three hours had run by day 20.
	want := start.Add(20*day + 30*day - 20*23*time.Hour)
	if open, turns := assess(p, b.h, start.Add(20*day)); len(open) > 0 || !turns.Equal(want) {
		t.Fatalf("open %+v, turns %v, wanted %v", open, turns, want)
	}
	b.account(29*day, "c", "closed") // 28 days and 4 hours
	last := b.account(90*day, "c", "opened")
	open, _ := assess(p, b.h, start.Add(95*day))
	if len(open) != 1 || !open[0].Since.Equal(start.Add(90*day+30*day-28*day-4*time.Hour)) || open[0].Evidence[0] != last {
		t.Fatalf("opened again after a long time: %+v", open)
	}
	b.account(96*day, "c", "closed")
	if _, cured := curedOf(p, b.h, open[0].Rule, open[0].Since, open[0].Evidence); !cured {
		t.Error("closing cures it, as it says")
	}
	b.account(200*day, "c", "opened")
	if open, _ := assess(p, b.h, start.Add(200*day)); len(open) != 1 || !open[0].Since.Equal(start.Add(200*day)) {
		t.Errorf("whose time was up falls short from the account on, and not before: %+v", open)
	}
	b.verify(201*day, "c", "low")
	b.say(202*day, "c", statement.CustomerVerification{Party: "customer", Form: "individual", Result: "not-verified", CheckedOn: dayOf(202 * day), RiskTier: "low"})
	if open, turns := assess(p, b.h, start.Add(203*day)); len(open) > 0 || !turns.Equal(start.Add(232*day)) {
		t.Errorf("verified in between: %+v, %v", open, turns)
	}
}

func TestWhatOnlyAnOfficerSettlesIsSettledByNothingElse(t *testing.T) {
	p := policy.Default()
	b := newBook()
	b.attest(0, "adopted", "", true)
	first := b.evidence(day, "e-1", "serious", 0, "provider")
	b.evidence(day, "e-2", "critical", 0, "reseller")
	b.suspect(9*day, 0, "need-to-know", "")
	now := start.Add(10 * day)
	open, _ := assess(p, b.h, now)
	if len(open) != 3 || open[0].Rule != "report.late" || open[1].Severity != policy.Serious || open[2].Severity != policy.Critical {
		t.Fatalf("found %+v", open)
	}
	cured := func(f Finding) bool {
		_, is := curedOf(p, b.h, f.Rule, f.Since, f.Evidence)
		return is
	}
	b.attest(11*day, "adopted", "", true)
	b.suspect(11*day, 11*day, "provider", "")
	b.officer(11*day, "remediation.accepted", "finding", "cip.missing.20260131T000000Z")
	b.officer(11*day, "remediation.rejected", "finding", open[0].ID)
	b.say(11*day, "", statement.AppealDecided{Finding: open[1].ID, Decision: "rejected"})
	for _, f := range open {
		if cured(f) {
			t.Errorf("cured: %+v", f)
		}
	}
	b.officer(12*day, "remediation.accepted", "finding", open[0].ID)
	b.say(13*day, "", statement.AppealDecided{Finding: open[1].ID, Decision: "upheld"})
	if !cured(open[0]) || !cured(open[1]) || cured(open[2]) {
		t.Error("what was settled, and what was not")
	}
	by, _ := curedOf(p, b.h, open[1].Rule, open[1].Since, open[1].Evidence)
	if by.LeafIndex != b.leaf || !by.AcceptedAt.Equal(start.Add(13*day)) {
		t.Errorf("cured by %+v", by)
	}
	if again, _ := assess(p, b.h, start.Add(20*day)); len(again) != 1 || again[0].ID != open[2].ID {
		t.Errorf("found again: %+v", again)
	}
	b.suspect(30*day, 20*day, "provider", "") // another one, less late than the first was
	if again, _ := assess(p, b.h, start.Add(30*day)); len(again) != 2 || again[0].Rule != "report.late" || again[0].ID == open[0].ID {
		t.Errorf("the next late report: %+v", again)
	}
	if b.h.AudienceOf(first) != "" || len(b.h.Evidence) != 1 {
		t.Errorf("settled evidence is held: %+v", b.h.Evidence)
	}
}

func TestADisputeDecidedForTheResellerEndsAnyFindingAndItIsNotFoundAgain(t *testing.T) {
	p := policy.Default()
	b := newBook()
	b.account(0, "c", "opened")
	open, _ := assess(p, b.h, start.Add(30*day))
	if len(open) != 2 {
		t.Fatalf("found %+v", open)
	}
	for _, f := range open { // cip.missing and customer.unverified
		leaf := b.say(31*day, "", statement.AppealDecided{Finding: f.ID, Decision: "upheld"})
		if by, cured := curedOf(p, b.h, f.Rule, f.Since, f.Evidence); !cured || by.LeafIndex != leaf {
			t.Errorf("%s: %+v, %t", f.Rule, by, cured)
		}
	}
	for _, now := range []time.Duration{30 * day, 32 * day, 61*day - 1} {
		if again, turns := assess(p, b.h, start.Add(now)); len(again) > 0 || !turns.Equal(start.Add(61*day)) {
			t.Errorf("found again: %+v, %v", again, turns)
		}
	}
	// Thirty days after it was settled it is found anew if it still is so.
	anew, _ := assess(p, b.h, start.Add(61*day))
	if len(anew) != 2 || anew[0].ID == open[0].ID || anew[1].ID == open[1].ID {
		t.Fatalf("for ever: %+v", anew)
	}
	for _, f := range anew {
		if _, cured := curedOf(p, b.h, f.Rule, f.Since, f.Evidence); cured {
			t.Errorf("cured by the settlement before: %+v", f)
		}
	}
	b.account(61*day, "d", "opened")
	b.verify(62*day, "c", "low", everything...)
	attested := b.attest(63*day, "adopted", "", true)
	for i, leaf := range []int64{attested, attested} { // what was stated last, of everything
		f := anew[i]
		if by, cured := curedOf(p, b.h, f.Rule, f.Since, f.Evidence); !cured || by.LeafIndex != leaf {
			t.Errorf("%s: %+v, %t", f.Rule, by, cured)
		}
	}
	if again, _ := assess(p, b.h, start.Add(91*day)); len(again) != 1 || again[0].Rule != "customer.unverified" {
		t.Errorf("another customer is another finding: %+v", again)
	}
}

func TestAnAcceptanceBehindAnUpheldDisputeTakesNothingOfIt(t *testing.T) {
	for _, by := range []policy.CuredBy{policy.ByFacts, policy.ByOfficer} {
		p := only(t, "contact.unconfirmed")
		p.Rules.ContactUnconfirmed.CuredBy = by
		b := newBook()
		open, _ := assess(p, b.h, start.Add(90*day))
		if len(open) != 1 {
			t.Fatalf("found %+v", open)
		}
		f := open[0]
		upheld := b.say(91*day, "", statement.AppealDecided{Finding: f.ID, Decision: "upheld"})
		b.officer(91*day, "remediation.accepted", "finding", f.ID) // nobody has stated the cure yet
		if cure, cured := curedOf(p, b.h, f.Rule, f.Since, f.Evidence); !cured || cure.LeafIndex != upheld {
			t.Errorf("by %s: cured %t by %+v, wanted by the appeal", by, cured, cure)
		}
		if again, turns := assess(p, b.h, start.Add(181*day-1)); len(again) > 0 || !turns.Equal(start.Add(181*day)) {
			t.Errorf("by %s: before the time that the rule gives: %+v, %v", by, again, turns)
		}
		anew, _ := assess(p, b.h, start.Add(181*day))
		if len(anew) != 1 || anew[0].ID == f.ID || !anew[0].Since.Equal(start.Add(181*day)) {
			t.Errorf("by %s: found %+v, wanted it anew", by, anew)
		}
	}
}

func TestADisputeOfTheSeverityAloneLeavesTheFactsAsTheyAre(t *testing.T) {
	p := only(t, "customer.unverified")
	b := newBook()
	b.account(0, "c", "opened")
	open, _ := assess(p, b.h, start.Add(30*day))
	b.say(30*day, "", statement.FindingOpened{Finding: open[0].ID, Severity: "serious"})
	dispute := b.say(30*day, "", statement.Remediation{RemediationKind: "dispute", Ground: "wrong-severity", Finding: open[0].ID})
	b.say(31*day, "", statement.AppealDecided{Remediation: fmt.Sprint(dispute), Finding: open[0].ID, Decision: "upheld"})
	if again, _ := assess(p, b.h, start.Add(31*day)); len(again) != 1 || again[0].ID != open[0].ID {
		t.Errorf("found %+v", again)
	}
	if _, cured := curedOf(p, b.h, open[0].Rule, open[0].Since, open[0].Evidence); cured {
		t.Error("it was cured")
	}
}

func TestASettledDisputeHidesNothingThatComesBehindIt(t *testing.T) {
	b := newBook()
	first := b.order(0, "o")
	b.order(2*day, "p")
	p := only(t, "order.overdue")
	open, _ := assess(p, b.h, start.Add(3*day))
	b.say(3*day, "", statement.AppealDecided{Finding: open[0].ID, Decision: "upheld"})
	if by, cured := curedOf(p, b.h, open[0].Rule, open[0].Since, open[0].Evidence); open[0].Evidence[0] != first || !cured || by.LeafIndex != b.leaf {
		t.Errorf("the order was wrong: %+v, %t", by, cured)
	}
	if open, _ := assess(p, b.h, start.Add(5*day)); len(open) != 1 || open[0].Evidence[0] == first {
		t.Errorf("the other order: %+v", open)
	}

	b, p = newBook(), only(t, "customer.prohibited")
	b.say(0, "", statement.ScreeningChanged{Number: 1, Customers: 2, Since: start})
	open, _ = assess(p, b.h, start)
	b.say(day, "", statement.AppealDecided{Finding: open[0].ID, Decision: "upheld"})
	b.say(2*day, "", statement.ScreeningChanged{Number: 2, Customers: 1, Since: start})
	if open, _ := assess(p, b.h, start.Add(900*day)); len(open) > 0 {
		t.Errorf("fewer of them: %+v", open)
	}
	grew := b.say(3*day, "", statement.ScreeningChanged{Number: 3, Customers: 2, Since: start})
	open, _ = assess(p, b.h, start.Add(4*day))
	if len(open) != 1 || !open[0].Since.Equal(start.Add(3*day)) || open[0].Evidence[1] != grew {
		t.Fatalf("one more: %+v", open)
	}
	if _, cured := curedOf(p, b.h, open[0].Rule, open[0].Since, open[0].Evidence); cured {
		t.Error("one more, and cured")
	}
	b.say(5*day, "", statement.ScreeningChanged{Number: 4})
	if by, cured := curedOf(p, b.h, open[0].Rule, open[0].Since, open[0].Evidence); !cured || by.LeafIndex != b.leaf {
		t.Errorf("nobody: %+v, %t", by, cured)
	}
}

func TestADisputeOfOneRuleEndsNothingUnderAnotherThatFollowsFromTheSameEntry(t *testing.T) {
	p := policy.Default()
	for asked, ask := range map[string]func(b *book){
		policy.AbuseUnanswered: func(b *book) { b.inquire(day, "i", day) },
		policy.OrderOverdue:    func(b *book) { b.order(day, "o") },
	} {
		for _, disputed := range []string{policy.ContactUnreachable, asked} {
			b := newBook()
			b.attest(0, "adopted", "", true)
			b.proved(0)
			ask(b)
			open := map[string]Finding{}
			all, _ := assess(p, b.h, start.Add(9*day))
			for _, f := range all {
				open[f.Rule] = f
			}
			if len(all) != 2 || open[asked].Evidence[0] != open[policy.ContactUnreachable].Evidence[0] {
				t.Fatalf("%s: found %+v, wanted two of one entry", asked, all)
			}
			b.say(9*day, "", statement.AppealDecided{Finding: open[disputed].ID, Decision: "upheld"})
			for rule, f := range open {
				if _, cured := curedOf(p, b.h, f.Rule, f.Since, f.Evidence); cured != (rule == disputed) {
					t.Errorf("%s was disputed: %s cured: %t", disputed, rule, cured)
				}
			}
		}
	}
}

func TestARuleThatAsksForAnOfficerStaysOpenWhenTheFactsCease(t *testing.T) {
	p := only(t, "cip.missing")
	p.Rules.CIPMissing.CuredBy = policy.ByOfficer
	b := newBook()
	open, _ := assess(p, b.h, start.Add(30*day))
	f := open[0]
	b.attest(31*day, "adopted", "", true)
	if _, cured := curedOf(p, b.h, f.Rule, f.Since, f.Evidence); cured {
		t.Error("the attestation cured it")
	}
	leaf := b.officer(32*day, "remediation.accepted", "finding", f.ID)
	if by, cured := curedOf(p, b.h, f.Rule, f.Since, f.Evidence); !cured || by.LeafIndex != leaf {
		t.Errorf("%+v, %t", by, cured)
	}
}

func TestEachReaderSeesOnlyTheEvidenceThatIsForIt(t *testing.T) {
	f := Finding{ID: "f", Evidence: []int64{1, 2, 3, 4, 5}, Audiences: []Audience{ToReseller, ToChain, ToProvider, ToNeedToKnow, "nobody knows this word"}}
	for reader, want := range map[Audience][]int64{ToReseller: {1}, ToChain: {1, 2}, ToProvider: {1, 2, 3}, ToNeedToKnow: {1, 2, 3, 4, 5}} {
		if got := f.For(reader); !reflect.DeepEqual(got.Evidence, want) || len(got.Audiences) != len(want) || got.ID != "f" {
			t.Errorf("to %s: %+v", reader, got)
		}
	}
	if len(f.Evidence) != 5 {
		t.Error("showing it changed it")
	}
	b := newBook()
	late := b.suspect(9*day, 0, "need-to-know", "")
	open, _ := assess(only(t, "report.late"), b.h, start.Add(9*day))
	if len(open) != 1 || len(open[0].For(ToReseller).Evidence) != 0 || len(open[0].For(ToProvider).Evidence) != 0 || len(open[0].For(ToNeedToKnow).Evidence) != 1 {
		t.Errorf("a report of suspicious activity: %+v", open)
	}
	if got := Visible(b.h, []int64{7, late}, ToChain); !reflect.DeepEqual(got, []int64{7}) {
		t.Errorf("of what was stated: %v", got)
	}
	// What was stated stays as it is told when the facts are settled, and the history knows them no more.
	said := statement.FindingOpened{Finding: "f", Rule: "report.late", Evidence: []int64{7, late, 9}}
	named := []statement.Entry{{LeafIndex: 7, Statement: statement.CIPAttestation{}}, {LeafIndex: late, Statement: statement.SuspiciousActivity{Audience: "need-to-know"}}}
	for reader, want := range map[Audience][]int64{ToReseller: {7}, ToChain: {7}, ToProvider: {7}, ToNeedToKnow: {7, late}} {
		if got, less := Told(said, named, reader); !less || !reflect.DeepEqual(got.Evidence, want) || got.Finding != "f" {
			t.Errorf("told to %s: %+v, %t", reader, got, less)
		}
	}
	if got, less := Told(statement.FindingOpened{Evidence: []int64{7}}, named, ToReseller); less || len(got.Evidence) != 1 {
		t.Errorf("told whole: %+v, %t", got, less)
	}
	if got, _ := Told(statement.FindingOpened{Evidence: []int64{late}}, named, ToReseller); got.Evidence == nil || len(got.Evidence) != 0 {
		t.Errorf("nothing is told as it is where there is nothing: %+v", got)
	}
	if plain := (Finding{Evidence: []int64{1}}); !reflect.DeepEqual(plain.For(ToReseller), plain) {
		t.Error("evidence that nothing restricts is shown to everybody")
	}
}

func TestEveryRuleWithADateAheadRemindsAsItsPolicySays(t *testing.T) {
	b := newBook()
	b.inquire(0, "i", day)
	ahead := aheadOf(only(t, "abuse.unanswered"), b.h, start)
	if len(ahead) != 1 || !reflect.DeepEqual(ahead[0].Reminders, []time.Time{start.Add(4 * day)}) {
		t.Errorf("ahead %+v", ahead)
	}
	if ahead := aheadOf(only(t, "abuse.unanswered"), b.h, start.Add(4*day)); ahead[0].Reminders != nil {
		t.Errorf("reminded of already: %+v", ahead)
	}
}

func TestAReinstatedResellerOwesNothingOfWhatWasAskedBefore(t *testing.T) {
	b := newBook()
	b.inquire(0, "i", day)
	b.order(0, "o")
	b.say(day, "", statement.RelationshipTerminated{})
	if open, turns := assess(all(t), b.h, start.Add(300*day)); len(open) > 0 || !turns.IsZero() {
		t.Fatalf("terminated, and owes %+v", open)
	}
	b.say(2*day, "", statement.RelationshipReinstated{})
	open, _ := assess(all(t), b.h, start.Add(29*day))
	if len(open) > 0 {
		t.Errorf("reinstated, and owes %+v", open)
	}
	if open, _ := assess(all(t), b.h, start.Add(30*day)); len(open) != 1 || open[0].Rule != "cip.missing" {
		t.Errorf("its program it owes all the same: %+v", open)
	}
}
