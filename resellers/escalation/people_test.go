package escalation

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestAStepThatAsksPeopleIsTakenOnceTheyApprovedItAndNotBeforeItsTime(t *testing.T) {
	for name, c := range map[string]struct {
		approved float64 // by one officer, on this day
		closed   float64
	}{
		"in time":                {46, 51},
		"in the step's second":   {51, 51},
		"late":                   {53, 53},
		"after the limit passed": {61, 61},
	} {
		t.Run(name, func(t *testing.T) {
			l := asking(t, on(30), on(44))
			l.run(on(44), on(c.approved))
			l.stands(Restricted, on(51))
			l.approve(on(c.approved), "Mara", StepClose)
			l.run(on(c.approved), on(c.closed).Add(-time.Second))
			if c.closed > c.approved {
				l.stands(Restricted, on(51))
			}
			l.settle(on(c.closed))
			if l.c.Standing != Closing || !l.c.ClosingAt.Equal(on(c.closed)) {
				t.Fatalf("%s\n%s", l.c.Standing, lines(l.told()))
			}
		})
	}
}

func TestNobodysSilenceTakesWhatCannotBeTakenBack(t *testing.T) {
	l := asking(t, on(30), on(44))
	l.run(on(44), on(500))
	l.stands(Restricted, on(51))
	if !strings.Contains(l.next.Waits, "approval of one officer") || !l.next.LimitPassed || !l.wake.IsZero() {
		t.Errorf("next %+v, wakes at %v", l.next, l.wake)
	}
	said := l.entries[len(l.entries)-1].Statement
	passed, ok := said.(statement.LimitPassed)
	if !ok || !passed.LimitAt.Equal(on(60)) || !passed.Basis.Now.Equal(on(60)) || !strings.Contains(passed.Why, "it waits for the approval of one officer") {
		t.Errorf("stated last %+v", said)
	}
}

func TestTwoApprovalsAreOfTwoPeople(t *testing.T) {
	l := asking(t, on(30), on(44))
	l.approve(on(45), "Mara", StepClose)
	l.run(on(45), on(51))
	l.stands(Closing, on(59))
	for range 2 {
		l.approve(on(52), "Mara", StepTerminate)
	}
	l.run(on(52), on(59.5))
	if l.c.Standing != Closing || !strings.Contains(l.next.Waits, "one more officer") {
		t.Fatalf("%s, next %+v", l.c.Standing, l.next)
	}
	if err := MayApprove(l.policy, reseller, l.c, officer("Mara"), l.approval(StepTerminate)); !errors.Is(err, ErrTwice) || !errors.Is(err, ErrMayNot) {
		t.Errorf("a second time: %v", err)
	}
	if err := MayApprove(l.policy, reseller, l.c, officer("Jon"), l.approval(StepTerminate)); err != nil {
		t.Error(err)
	}
	l.approve(on(59.5), "Jon", StepTerminate)
	l.settle(on(59.5))
	if l.c.Standing != Terminated || !strings.Contains(Why(l.policy, l.c), "two different officers") {
		t.Errorf("%s: %s", l.c.Standing, Why(l.policy, l.c))
	}
	terminated, _ := l.entries[len(l.entries)-2].Statement.(statement.RelationshipTerminated)
	if !strings.Contains(terminated.Why, "Approved by 2 of the provider's officers.") {
		t.Errorf("stated %+v", terminated)
	}
}

func TestARefusedStepWaitsUntilAnotherOfficerApprovesIt(t *testing.T) {
	l := asking(t, on(30), on(44))
	l.approve(on(45), "Mara", StepClose)
	l.refuse(on(46), "Mara", StepClose) // she thinks better of it
	l.run(on(46), on(51))
	l.stands(Restricted, on(51))
	if !strings.Contains(l.next.Waits, "refused") {
		t.Errorf("next %+v", l.next)
	}
	if err := MayApprove(l.policy, reseller, l.c, officer("Mara"), l.approval(StepClose)); !errors.Is(err, ErrOwnRefusal) {
		t.Error(err)
	}
	l.approve(on(52), "Mara", StepClose) // whatever came into the ledger
	l.settle(on(52))
	l.stands(Restricted, on(51))
	l.approve(on(53), "Jon", StepClose)
	l.settle(on(53))
	if l.c.Standing != Closing {
		t.Errorf("%s", l.c.Standing)
	}
}

func TestARefusalOutweighsSilenceThatWouldAct(t *testing.T) {
	l := asking(t)
	l.policy.Case.Approvals.Restrict = policy.Approval{People: 1, Silence: policy.SilenceActs}
	l.run(start, on(40))
	l.refuse(on(41), "Mara", StepRestrict)
	l.run(on(41), on(50))
	l.stands(Warned, on(44))
	silent := asking(t)
	silent.policy.Case.Approvals.Restrict = policy.Approval{People: 1, Silence: policy.SilenceActs}
	silent.run(start, on(44))
	silent.stands(Restricted, on(51))
}

func TestWhatPeopleAreAskedIsKnownAsSoonAsTheStepBeforeIsStated(t *testing.T) {
	l := asking(t, on(30))
	if asked := Approvals(&l.policy, reseller, l.c, l.history, l.house, on(30)); len(asked) > 0 {
		t.Errorf("about an automatic restriction: %+v", asked)
	}
	l.settle(on(44))
	asked := Approvals(&l.policy, reseller, l.c, l.history, l.house, on(44))
	if len(asked) != 1 {
		t.Fatalf("asked %+v", asked)
	}
	a := asked[0]
	closure := statement.ClosureOrdered{Case: l.c.ID, Scope: CloseAccount}
	if a.ID != ID(reseller, closure) || a.Step != StepClose || a.People != 1 || !a.AskedAt.Equal(on(48)) || !a.DeputyAt.Equal(on(50)) ||
		!a.AdministratorAt.Equal(on(52)) || !a.StepAt.Equal(on(51)) || !a.LimitAt.Equal(on(60)) || !a.Pending() || a.Silence != policy.SilenceHolds {
		t.Errorf("asked %+v", a)
	}
	for day, want := range map[float64]string{44: "", 48: "approver", 49.9: "approver", 50: "deputy", 52: "administrator", 90: "administrator"} {
		if whose := a.Whose(on(day)); whose != want {
			t.Errorf("on day %v it is put before %q, wanted %q", day, whose, want)
		}
	}
	for day, want := range map[float64]time.Time{44: on(48), 48: on(50), 50: on(52), 52: {}} {
		if turns := a.Turns(on(day)); !turns.Equal(want) {
			t.Errorf("after day %v it turns at %v, wanted %v", day, turns, want)
		}
	}
	l.approve(on(45), "Mara", StepClose)
	if asked := Approvals(&l.policy, reseller, l.c, l.history, l.house, on(45)); len(asked) != 1 || asked[0].Pending() {
		t.Errorf("approved, and asked %+v", asked)
	}
	l.run(on(45), on(51))
	if state := l.entries[len(l.entries)-2]; state.JTI != a.ID {
		t.Errorf("the closure has the jti %s, and %s was approved", state.JTI, a.ID)
	}
	if err := MayApprove(l.policy, reseller, l.c, officer("Jon"), a.ID); !errors.Is(err, ErrNotAsked) || !errors.Is(err, ErrUnknown) {
		t.Errorf("the case has moved on: %v", err)
	}
}

func TestWhoRecordedTheEvidenceApprovesNothingThatFollowsFromIt(t *testing.T) {
	l := asking(t, start)
	l.act(on(1), "Mara", ActionEvidence, "reseller", string(reseller), time.Time{}, "evidence", "e-1", "severity", "critical")
	l.take(gateway, on(1), "opened", statement.FindingOpened{Basis: statement.Basis{Policy: l.policy.ID(), Now: on(1)}, Finding: "evidence.recorded.1",
		Rule: EvidenceRecorded, Severity: "critical", Since: on(1), Opened: on(1), Evidence: []int64{l.history.Seen()}, Cure: "an officer", Case: "case"})
	l.assess = noFindings
	l.settle(on(1))
	if l.c.Standing != Warned || !strings.Contains(l.next.Waits, "") || l.next.At.IsZero() {
		t.Fatalf("%s, next %+v", l.c.Standing, l.next)
	}
	if err := MayApprove(l.policy, reseller, l.c, officer("Mara"), l.approval(StepClose)); !errors.Is(err, ErrProposed) {
		t.Error(err)
	}
	l.approve(on(2), "Mara", StepClose)
	if state := l.settle(on(2)); len(state) > 0 {
		t.Errorf("stated %v", kinds(state))
	}
	if asked := Approvals(&l.policy, reseller, l.c, l.history, l.house, on(2)); len(asked) != 1 || len(asked[0].Given) > 0 || !slices.Equal(asked[0].Barred, []statement.Officer{officer("Mara")}) {
		t.Errorf("asked %+v", asked)
	}
	l.approve(on(3), "Jon", StepClose)
	l.settle(on(3))
	if l.c.Standing != Closing || !l.c.RestrictedAt.IsZero() || !l.c.TerminatesAt.Equal(on(30)) {
		t.Errorf("%+v", l.c)
	}
	if why := Why(l.policy, l.c); !strings.Contains(why, "so grave that the account is closed at once") {
		t.Error(why)
	}
}

func TestAHoldGivesTheUnusedTimeBackAndNeverLessThanThreeDays(t *testing.T) {
	for name, c := range map[string]struct {
		kind         HoldKind
		placed, ends float64
		lifted       float64 // 0: it is not
		restricted   float64
	}{
		"two days before the deadline":           {HoldOfficer, 42, 45, 0, 48},
		"eight days before it":                   {HoldCustomerHarm, 36, 40, 0, 48},
		"lifted sooner":                          {HoldOfficer, 36, 50, 38, 46},
		"the unused time ends five days before":  {HoldOfficer, 32, 50, 0, 55},
		"a stay that ends late: three days then": {HoldStay, 40, 54, 0, 57},
		"too long for one officer":               {HoldOfficer, 40, 59, 0, 55}, // as if it ended three days before that
		"a stay past the limit":                  {HoldStay, 40, 70, 0, 73},
	} {
		t.Run(name, func(t *testing.T) {
			l := silent(t, on(30))
			l.run(on(30), on(c.placed))
			id := l.hold(on(c.placed), "Mara", c.kind, on(c.ends))
			l.settle(on(c.placed))
			if c.lifted > 0 {
				l.run(on(c.placed), on(c.lifted))
				l.act(on(c.lifted), "Jon", ActionLifted, "hold", id, time.Time{})
				l.settle(on(c.lifted))
			}
			l.run(l.wake.Add(-time.Second), on(c.restricted).Add(-time.Second))
			l.stands(Warned, on(c.restricted))
			l.settle(on(c.restricted))
			if l.c.Standing != Restricted {
				t.Errorf("%s", l.c.Standing)
			}
		})
	}
}

func TestHoldsThatOverlapStopTheClockOnce(t *testing.T) {
	l := silent(t, on(30))
	l.hold(on(34), "Mara", HoldOfficer, on(37))
	l.hold(on(36), "Jon", HoldOfficer, on(38))
	l.outage(on(37.5), on(38.5))
	l.settle(on(38.5))
	l.stands(Warned, on(48.5))
}

func TestAStayIsLiftedByTwo(t *testing.T) {
	l := silent(t, on(30))
	id := l.hold(on(34), "Mara", HoldStay, on(80))
	if err := MayLift(l.c, id, officer("Mara"), on(35)); !errors.Is(err, ErrOneOfTwo) {
		t.Error(err)
	}
	l.act(on(35), "Mara", ActionLifted, "hold", id, time.Time{})
	l.act(on(35), "Mara", ActionLiftProposed, "hold", id, time.Time{})
	l.act(on(36), "Mara", ActionLifted, "hold", id, time.Time{})
	if err := MayLift(l.c, id, officer("Mara"), on(36)); !errors.Is(err, ErrOneOfTwo) || l.c.Holds[0].End() != on(80) {
		t.Errorf("%v, %+v", err, l.c.Holds)
	}
	if err := MayLift(l.c, id, officer("Jon"), on(36)); err != nil {
		t.Error(err)
	}
	l.act(on(36), "Jon", ActionLifted, "hold", id, time.Time{})
	l.settle(on(36))
	l.stands(Warned, on(46))
	if err := MayLift(l.c, id, officer("Jon"), on(37)); !errors.Is(err, ErrNoHold) {
		t.Error(err)
	}
}

func TestAHoldOverTheLimitIsRefusedAndSaysUntilWhenItMayBe(t *testing.T) {
	l := silent(t, on(30))
	if err := MayHold(l.policy, reseller, l.c, l.house, HoldOfficer, on(52), on(31)); err != nil {
		t.Error(err)
	}
	err := MayHold(l.policy, reseller, l.c, l.house, HoldOfficer, on(52).Add(time.Second), on(31))
	if !errors.Is(err, ErrOverLimit) || !strings.Contains(err.Error(), "2026-02-22 00:00:00 UTC at the latest") || !strings.Contains(err.Error(), "two officers extend the limit") {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"a stay":  MayHold(l.policy, reseller, l.c, l.house, HoldStay, on(99), on(31)),
		"in past": MayHold(l.policy, reseller, l.c, l.house, HoldOfficer, on(31), on(31)),
		"no kind": MayHold(l.policy, reseller, l.c, l.house, "whim", on(40), on(31)),
		"no case": MayHold(l.policy, reseller, Case{}, l.house, HoldOfficer, on(40), on(31)),
		"extended": func() error {
			c := l.c
			c.LimitAt = on(80)
			return MayHold(l.policy, reseller, c, l.house, HoldOfficer, on(60), on(31))
		}(),
	} {
		if allowed := name == "a stay" || name == "extended"; (err == nil) != allowed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnOutageIsGivenBack(t *testing.T) {
	l := silent(t, on(30))
	l.outage(on(29), on(31)) // a day of it since the warning
	l.outage(on(40), on(40.5))
	l.settle(on(41))
	l.stands(Warned, on(45.5))
	l.outage(on(45), on(47)) // the deadline passed in it
	l.settle(on(47))
	l.stands(Warned, on(47.5))
	l.settle(on(47.5))
	l.stands(Restricted, on(54.5)) // what follows is counted from where the cure time ended at last
}

// Nobody has to wonder why a step comes later than the warning announced.
func TestTheTimeThatIsGivenBackIsNamed(t *testing.T) {
	l := silent(t, on(30))
	l.outage(on(29), on(31)) // a day of it since the warning
	l.outage(on(40), on(40.5))
	l.settle(on(41))
	got, err := Outlook(l.policy, reseller, l.c, l.history, l.house, on(41))
	if err != nil {
		t.Fatal(err)
	}
	if wanted := []Span{{on(30), on(31)}, {on(40), on(40.5)}}; !slices.Equal(got.GivenBack, wanted) {
		t.Errorf("given back: %v", got.GivenBack)
	}
	const words = " Time given back, since the gateway could take no submissions: from 2026-01-31 00:00:00 UTC to 2026-02-01 00:00:00 UTC (24h0m0s); " +
		"from 2026-02-10 00:00:00 UTC to 2026-02-10 12:00:00 UTC (12h0m0s)."
	if !strings.HasSuffix(got.Why, words) {
		t.Errorf("why: %s", got.Why)
	}
	if len(got.CurrentlyDue) != 1 || !got.CurrentlyDue[0].By.Equal(on(45.5)) {
		t.Errorf("due: %+v", got.CurrentlyDue)
	}
	l.outage(on(45), on(47))
	l.settle(on(47))
	l.settle(on(47.5))
	if got, err = Outlook(l.policy, reseller, l.c, l.history, l.house, on(48)); err != nil || len(got.GivenBack) != 0 {
		t.Errorf("of the stage before nothing moves this one: %v, %v", got.GivenBack, err)
	}
}

func TestAFindingThatBecameTrueInAnOutageIsOpenedOnceItsTimeWasGivenBack(t *testing.T) {
	l := silent(t, start)
	l.outage(on(29), on(32))
	l.settle(on(32))
	if l.c.Standing != Pending || !l.wake.Equal(on(33)) {
		t.Fatalf("%s, wakes at %v", l.c.Standing, l.wake)
	}
	l.settle(l.wake)
	if l.c.Standing != Warned || !l.c.LimitAt.Equal(on(60)) {
		t.Errorf("%+v", l.c)
	}
}

func TestTimeThatIsGivenBackAndRunsIntoTheNextOutageIsGivenBackAgain(t *testing.T) {
	l := silent(t, start)
	l.outage(on(29), on(32))   // a day is left, until day 33
	l.outage(on(32.5), on(34)) // of which half is lost
	l.settle(on(34))
	if l.c.Standing != Pending || !l.wake.Equal(on(34.5)) {
		t.Errorf("%s, wakes at %v", l.c.Standing, l.wake)
	}
}

// What is put on record had no time that an outage could take from it: a critical fact must not wait for one that was over long ago.
func TestEvidenceThatCameInInAnOutageIsFoundAtOnce(t *testing.T) {
	l := silent(t, start)
	l.outage(on(5), on(15))
	l.act(on(16), "Mara", ActionEvidence, "reseller", string(reseller), time.Time{}, "evidence", "e-1", "ground", "cip-failure", "severity", "critical",
		"audience", "reseller", "received_at", on(8).Format(time.RFC3339))
	l.settle(on(16))
	if behind := l.c.Behind(); len(behind) != 1 || behind[0].Rule != EvidenceRecorded || !behind[0].OpenedAt.Equal(on(16)) {
		t.Errorf("%+v", l.c.Findings)
	}
}

func TestADisputeKeepsWhatCannotBeTakenBackWaitingUntilItIsDecided(t *testing.T) {
	l := silent(t, on(30))
	finding := l.c.Findings[0].ID
	id := l.dispute(on(40), finding, "compensating-control")
	l.run(on(40), on(44))
	l.stands(Restricted, on(57)) // the restriction came all the same; the closure would have been on day 51
	l.decide(on(54), "Mara", id, finding, "rejected")
	l.settle(on(54))
	l.stands(Restricted, on(55))
	again := l.dispute(on(54.5), finding, "compensating-control")
	l.settle(on(54.5))
	l.stands(Restricted, on(57))
	if err := l.c.MayDecide(officer("Mara"), again); !errors.Is(err, ErrOwnDecision) {
		t.Error(err)
	}
	l.decide(on(55), "Mara", again, finding, "upheld") // whatever came into the ledger
	l.settle(on(55))
	l.stands(Restricted, on(57))
	l.decide(on(55), "Jon", again, finding, "rejected")
	l.settle(on(55))
	l.stands(Restricted, on(56))
	third := l.dispute(on(55.5), finding, "false-positive")
	l.settle(on(55.5))
	l.stands(Restricted, on(56)) // it is decided, and keeps nothing waiting
	prospect, err := Outlook(l.policy, reseller, l.c, l.history, l.house, on(55.5))
	if err != nil || len(prospect.PendingReview) != 1 || prospect.PendingReview[0].ID != third || !prospect.PendingReview[0].DecideBy.Equal(on(60.5)) {
		t.Errorf("pending %+v, %v", prospect.PendingReview, err)
	}
	if len(prospect.Errors) != 2 || prospect.Errors[0].Answer != again || prospect.Errors[0].Why == "" {
		t.Errorf("errors %+v", prospect.Errors)
	}
}

func TestNobodysSilenceOnADisputePassesTheLimit(t *testing.T) {
	l := silent(t, on(30))
	l.dispute(on(40), l.c.Findings[0].ID, "false-positive")
	l.run(on(40), on(100))
	if l.c.Standing != Terminated || !l.c.ClosingAt.Equal(on(57)) || !l.c.TerminatedAt.Equal(on(59)) {
		t.Errorf("%s", lines(l.told()))
	}
}

func TestAnUpheldDisputeCuresWhateverTheFactsSayAndIsNotFoundAgain(t *testing.T) {
	l := silent(t, on(30), on(44))
	finding := l.c.Findings[0].ID
	id := l.dispute(on(45), finding, "false-positive")
	l.decide(on(46), "Mara", id, finding, "upheld")
	if got, want := kinds(l.settle(on(46))), []statement.Kind{"finding-cured", "order-withdrawn", "standing-changed"}; !slices.Equal(got, want) {
		t.Errorf("stated %v, wanted %v", got, want)
	}
	if l.c.Standing != Pending || l.c.ID != "" || !l.c.Past[0].Wrong {
		t.Errorf("%s: %+v", l.c.Standing, l.c.Past)
	}
	before := len(l.entries)
	l.run(on(46), on(400))
	for _, e := range l.entries[before:] {
		if opened, ok := e.Statement.(statement.FindingOpened); ok && (opened.Finding == finding || opened.Opened.Before(on(76))) {
			t.Errorf("found again, and without new time: %+v", opened)
		}
	}
}

func TestAnUpheldDisputeOfTheSeverityLowersItByOne(t *testing.T) {
	l := silent(t, on(30), on(44))
	finding := l.c.Findings[0].ID
	id := l.dispute(on(45), finding, "wrong-severity")
	l.decide(on(46), "Mara", id, finding, "upheld")
	if got, want := kinds(l.settle(on(46))), []statement.Kind{"order-withdrawn", "standing-changed"}; !slices.Equal(got, want) {
		t.Errorf("stated %v, wanted %v", got, want)
	}
	if l.c.Standing != Watch || l.c.Findings[0].Severity != "minor" || l.c.ID != "" {
		t.Errorf("%+v", l.c)
	}
}

func TestAnExtensionMovesTheNextStepAndNeverPastItsLast(t *testing.T) {
	l := silent(t, on(30))
	asked := l.answer(on(40), statement.Remediation{RemediationKind: AnswerExtension, Text: "More time.", Finding: l.c.Findings[0].ID,
		Until: statement.DateOf(on(50))})
	if len(l.c.Reviews) != 1 || l.c.Reviews[0].Until != "2026-02-20" {
		t.Fatalf("reviews %+v", l.c.Reviews)
	}
	if err := MayExtend(l.policy, reseller, l.c, l.house, on(50), on(41)); err != nil {
		t.Error(err)
	}
	if err := MayExtend(l.policy, reseller, l.c, l.house, on(56), on(41)); !errors.Is(err, ErrOverLimit) || !strings.Contains(err.Error(), "2026-02-25") {
		t.Error(err)
	}
	if err := MayExtend(l.policy, reseller, l.c, l.house, on(44), on(41)); !errors.Is(err, ErrNotLater) {
		t.Error(err)
	}
	l.act(on(41), "Mara", ActionExtended, "case", l.c.ID, on(50), "remediation", asked)
	l.settle(on(41))
	l.stands(Warned, on(50))
	if len(l.c.Reviews) > 0 {
		t.Errorf("still to review %+v", l.c.Reviews)
	}
	l.act(on(42), "Mara", ActionExtended, "case", l.c.ID, on(59)) // whatever came into the ledger
	l.settle(on(42))
	l.stands(Warned, on(55))
	l.settle(on(55))
	l.stands(Restricted, on(57)) // the extension was of the stage before
}

func TestOnlyTwoPeopleMoveTheLimit(t *testing.T) {
	l := silent(t, on(30))
	mara, jon := officer("Mara"), officer("Jon")
	for name, c := range map[string]struct {
		by       statement.Officer
		proposed *statement.Officer
		to       time.Time
		want     error
	}{
		"alone":            {mara, nil, on(70), ErrOneOfTwo},
		"her own":          {mara, &mara, on(70), ErrOneOfTwo},
		"not later":        {mara, &jon, on(60), ErrNotLater},
		"two and in order": {mara, &jon, on(70), nil},
	} {
		if err := MayExtendLimit(l.c, c.by, c.proposed, c.to); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	l.act(on(40), "Mara", ActionLimitExtended, "case", l.c.ID, on(70))
	l.act(on(40), "Mara", ActionLimitExtended, "case", l.c.ID, on(70), "proposed", "Mara")
	if !l.c.LimitAt.Equal(on(60)) {
		t.Errorf("one moved it to %v", l.c.LimitAt)
	}
	l.act(on(40), "Mara", ActionLimitExtended, "case", l.c.ID, on(70), "proposed", "Jon")
	if !l.c.LimitAt.Equal(on(70)) || len(l.c.LimitExtensions) != 1 || !l.c.LimitExtensions[0].From.Equal(on(60)) {
		t.Errorf("two moved it to %v: %+v", l.c.LimitAt, l.c.LimitExtensions)
	}
	l.run(on(40), on(100))
	if !l.c.TerminatedAt.Equal(on(69)) {
		t.Errorf("terminated at %v", l.c.TerminatedAt)
	}
}

func TestAThirdCaseInAYearStartsAtRestrictedWithHalfTheTime(t *testing.T) {
	l := newLife(t)
	l.enrol(start)
	l.policy.Rules.CIPStale.After.Value = 60 * policy.Day
	now := start
	for range 2 {
		l.settle(now)
		for l.c.ID == "" {
			l.settle(l.wake)
		}
		now = l.c.WarnedAt.Add(day)
		l.attest(now, "annual")
		l.settle(now)
		if l.c.ID != "" {
			t.Fatalf("%+v", l.c)
		}
	}
	state := l.settle(l.wake)
	if got, want := kinds(state), []statement.Kind{"finding-opened", "warning-issued", "restriction-ordered", "standing-changed"}; !slices.Equal(got, want) {
		t.Fatalf("stated %v, wanted %v", got, want)
	}
	if warned := l.c.WarnedAt; !l.c.CureBy.Equal(warned.Add(7*day)) || !l.c.ClosesAt.Equal(warned.Add(14*day)) {
		t.Errorf("warned at %v, cure by %v, closes at %v", warned, l.c.CureBy, l.c.ClosesAt)
	}
	if why := Why(l.policy, l.c); !strings.Contains(why, "3 serious cases or more within 365 days") {
		t.Error(why)
	}
}

func TestATerminationTakenBackWithdrawsItsOrdersAndStartsTheClockAnew(t *testing.T) {
	l := silent(t, on(30), on(44), on(51), on(59))
	if err := MayReinstate(l.c); err != nil {
		t.Fatal(err)
	}
	terminated := l.c.ID
	l.take(gateway, on(70), "reinstated", statement.RelationshipReinstated{Why: "The gateway erred.", WhoseError: "gateway", By: officer("Mara"), Case: terminated})
	state := l.settle(on(70))
	if got, want := kinds(state), []statement.Kind{"order-withdrawn", "order-withdrawn", "order-withdrawn", "warning-issued", "standing-changed"}; !slices.Equal(got, want) {
		t.Fatalf("stated %v, wanted %v", got, want)
	}
	if l.c.Standing != Warned || l.c.ID != "reinstated" || !l.c.LimitAt.Equal(on(100)) || !l.c.CureBy.Equal(on(84)) || len(l.c.Orders) > 0 {
		t.Errorf("%+v", l.c)
	}
	if past := l.c.Past[0]; past.ID != terminated || past.WhoseError != "gateway" || !past.Wrong || past.Reached != Terminated {
		t.Errorf("%+v", past)
	}
	l.attest(on(71), "initial")
	l.settle(on(71))
	if l.c.Standing != Good || l.c.ID != "" || MayReinstate(l.c) == nil {
		t.Errorf("%s: %+v", l.c.Standing, l.c)
	}
}

func TestACaseIsJudgedByThePolicyThatAnOfficerMovedItTo(t *testing.T) {
	l := silent(t, on(30))
	l.act(on(31), "Mara", ActionPolicyMoved, "case", l.c.ID, time.Time{}, "policy", "us-iaas-2024.9")
	if _, _, err := Decide(&l.policy, reseller, l.c, l.history, l.house, nil, on(44)); !errors.Is(err, ErrPolicy) {
		t.Error(err)
	}
	l.policy.Version = 9
	l.run(on(31), on(44))
	if l.c.Standing != Restricted {
		t.Errorf("%s", l.c.Standing)
	}
}

func TestWhatIsPausedWaitsAndIsTakenWhenItIsResumed(t *testing.T) {
	l := silent(t, on(30))
	pause := statement.OfficerAction{Officer: officer("Mara"), Action: ActionPaused, On: statement.Target{Type: "gateway", ID: string(gateway)}, Reason: "r"}
	l.house = l.house.With(statement.Entry{AcceptedAt: on(40), About: gateway, By: gateway, Statement: pause})
	l.run(on(40), on(70))
	l.stands(Restricted, on(51)) // a restriction can be taken back
	if !strings.Contains(l.next.Waits, "automation is paused since 2026-02-10") || !l.c.PassedLimit.Equal(on(60)) {
		t.Errorf("next %+v, passed %v", l.next, l.c.PassedLimit)
	}
	pause.Action = ActionResumed
	l.house = l.house.With(statement.Entry{AcceptedAt: on(70), About: gateway, By: gateway, Statement: pause})
	l.settle(on(70))
	l.stands(Closing, on(71))
}

func TestTheGuardHoldsWhatIsOneTooManyUntilTheNextDayOrTwoPeopleReleaseIt(t *testing.T) {
	l := silent(t, on(30), on(44))
	l.house.Counts = Counts{Resellers: 1000, Day: on(51), Closures: 20}
	held := func(now time.Time) GuardKind {
		return Guarded(l.policy, reseller, l.c, l.history, l.house, now)
	}
	if got := held(on(50)); got != "" {
		t.Errorf("before the step is due the guard on %s holds it back", got)
	}
	l.settle(on(51))
	l.stands(Restricted, on(52))
	if got := held(on(51)); got != GuardClosures {
		t.Errorf("the guard on %q holds it back", got)
	}
	released := l.house.With(statement.Entry{AcceptedAt: on(51.25), About: gateway, By: gateway, Statement: statement.OfficerAction{
		Officer: officer("Mara"), Action: ActionGuardReleased, On: statement.Target{Type: "gateway", ID: string(gateway)}, Reason: "r",
		EndsAt: on(51.5), Details: []statement.Field{{Name: "guard", Value: "closures"}}}})
	if len(released.Releases) > 0 {
		t.Error("one officer released it")
	}
	jon := officer("Jon")
	l.house = l.house.With(statement.Entry{AcceptedAt: on(51.25), About: gateway, By: gateway, Statement: statement.OfficerAction{
		Officer: officer("Mara"), ProposedBy: &jon, Action: ActionGuardReleased, On: statement.Target{Type: "gateway", ID: string(gateway)}, Reason: "r",
		EndsAt: on(51.5), Details: []statement.Field{{Name: "guard", Value: "closures"}}}})
	l.settle(on(51.25))
	l.stands(Closing, on(59))
}

func TestWhatTheGuardAllowsIsTheSmallerOfCountAndShareAndOneAtLeast(t *testing.T) {
	g := policy.Default().Guard
	for _, c := range []struct{ resellers, closures, terminations, findings int }{
		{0, 1, 1, 20}, {10, 1, 1, 20}, {100, 5, 1, 20}, {250, 12, 2, 20}, {399, 19, 3, 20}, {400, 20, 3, 20}, {1000, 20, 3, 50}, {100_000, 20, 3, 5000},
	} {
		if a, b, f := g.Closures.Allowed(c.resellers), g.Terminations.Allowed(c.resellers), g.Findings.Allowed(c.resellers); a != c.closures || b != c.terminations || f != c.findings {
			t.Errorf("of %d resellers %d closures, %d terminations, %d with findings; wanted %+v", c.resellers, a, b, f, c)
		}
	}
	counts := func(c Counts) House { return House{Counts: c} }
	for name, c := range map[string]struct {
		house    House
		step     string
		accounts int
		at       time.Time
		kind     GuardKind
		until    time.Time
	}{
		"nothing used":                       {House{}, StepClose, 1000, on(1), "", time.Time{}},
		"one closure of one":                 {counts(Counts{Resellers: 10, Day: on(1), Closures: 1}), StepClose, 0, on(1.9), GuardClosures, on(2)},
		"tomorrow":                           {counts(Counts{Resellers: 10, Day: on(1), Closures: 1}), StepClose, 0, on(2), "", time.Time{}},
		"closures do not count terminations": {counts(Counts{Resellers: 10, Day: on(1), Closures: 1}), StepTerminate, 0, on(1), "", time.Time{}},
		"terminations":                       {counts(Counts{Resellers: 400, Day: on(1), Terminations: 3}), StepTerminate, 0, on(1), GuardTerminations, on(2)},
		"accounts of several":                {counts(Counts{Resellers: 400, Day: on(1), Accounts: 600}), StepClose, 401, on(1), GuardAccounts, on(2)},
		"accounts just fit":                  {counts(Counts{Resellers: 400, Day: on(1), Accounts: 600}), StepClose, 400, on(1), "", time.Time{}},
		"more accounts than any day takes":   {House{}, StepClose, 1001, on(1), GuardAccounts, time.Time{}},
	} {
		if kind, until := c.house.Guard(g, c.step, c.accounts, c.at); kind != c.kind || !until.Equal(c.until) {
			t.Errorf("%s: %q until %v, wanted %q until %v", name, kind, until, c.kind, c.until)
		}
	}
}

func TestFindingsAboutTooManyResellersAreNotOpenedUntilTwoPeopleSaySo(t *testing.T) {
	l := silent(t, start)
	l.house.Counts = Counts{Resellers: 100, Opened: 20}
	if state := l.settle(on(30)); len(state) > 0 || !strings.Contains(l.next.Waits, "until two officers release them") {
		t.Errorf("stated %v, next %+v", kinds(state), l.next)
	}
	l.house.Releases = []Release{{Guard: GuardFindings, From: on(31), Until: on(32)}}
	l.settle(on(31))
	if l.c.Standing != Warned || !l.c.Since.Equal(on(30)) || !l.c.LimitAt.Equal(on(60)) {
		t.Errorf("%+v", l.c)
	}
}

func TestIrreversibleStepsFallInWorkingHoursAndSaySoFromTheStart(t *testing.T) {
	l := newLife(t)
	l.policy.Hours = policy.Hours{On: true, Zone: "UTC-5", Weekdays: []string{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "17:00",
		Blackout: []string{"2026-02-23"}}
	l.enrol(start)
	l.run(start, on(44))
	// Day 51 is Saturday, 21 February 2026; Monday is blacked out.
	want := time.Date(2026, 2, 24, 14, 0, 0, 0, time.UTC)
	l.stands(Restricted, want)
	if !l.c.ClosesAt.Equal(want) {
		t.Errorf("announced %v", l.c.ClosesAt)
	}
	l.run(on(44), want)
	// Day 59 is Sunday, 1 March, and the limit is Monday before work: it is taken at its time.
	l.stands(Closing, on(59))
}

func TestAStepThatIsLateIsNotTakenAtNight(t *testing.T) {
	l := newLife(t)
	l.policy.Hours = policy.Hours{On: true, Zone: "UTC-5", Weekdays: []string{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "17:00"}
	l.policy.Case.Approvals.Close = policy.Approval{People: 1, Critical: 1, Silence: "holds"}
	l.enrol(start)
	l.run(start, on(44))
	l.stands(Restricted, time.Date(2026, 2, 23, 14, 0, 0, 0, time.UTC))
	night, morning := time.Date(2026, 2, 25, 3, 0, 0, 0, time.UTC), time.Date(2026, 2, 25, 14, 0, 0, 0, time.UTC)
	l.run(on(44), night)
	l.approve(night, "Ada", StepClose)
	l.settle(night)
	l.stands(Restricted, morning)
	if !l.wake.Equal(morning) {
		t.Errorf("it wakes at %v", l.wake)
	}
	l.settle(morning)
	if l.c.Standing != Closing {
		t.Errorf("%s in the morning", l.c.Standing)
	}
}

func noFindings(policy.Policy, history.History, time.Time) ([]findings.Finding, time.Time) {
	return nil, time.Time{}
}

func TestACriticalFindingGoesToClosingAtOnceAndStillHasTheTimeOfTheLimit(t *testing.T) {
	l := newLife(t)
	l.enrol(start)
	critical := findings.Finding{ID: "custom.c", Rule: "custom.c", Severity: policy.Critical, Since: on(10), Evidence: []int64{2}, Cures: "a cure"}
	l.assess = func(policy.Policy, history.History, time.Time) ([]findings.Finding, time.Time) {
		return []findings.Finding{critical}, time.Time{}
	}
	state := l.settle(on(10))
	if got, want := kinds(state), []statement.Kind{"finding-opened", "warning-issued", "closure-ordered", "standing-changed"}; !slices.Equal(got, want) {
		t.Fatalf("stated %v, wanted %v", got, want)
	}
	l.stands(Closing, on(39))
	l.run(on(10), on(39))
	if l.c.Standing != Terminated || !l.c.RestrictedAt.IsZero() {
		t.Errorf("%+v", l.c)
	}
	terminated, _ := l.entries[len(l.entries)-2].Statement.(statement.RelationshipTerminated)
	if strings.Contains(terminated.Why, "restricted at") || !strings.Contains(terminated.Why, "Warned at 2026-01-11 00:00:00 UTC, account ordered closed") {
		t.Error(terminated.Why)
	}
}

func TestWhileACriticalClosureWaitsForItsApprovalTheOrdinaryStepsGoOn(t *testing.T) {
	l := asking(t)
	critical := findings.Finding{ID: "custom.c", Rule: "custom.c", Severity: policy.Critical, Since: on(10), Evidence: []int64{2}, Cures: "a cure"}
	l.assess = func(policy.Policy, history.History, time.Time) ([]findings.Finding, time.Time) {
		return []findings.Finding{critical}, time.Time{}
	}
	l.settle(on(10))
	l.stands(Warned, on(24))
	asked := Approvals(&l.policy, reseller, l.c, l.history, l.house, on(10))
	if len(asked) != 1 || asked[0].Step != StepClose || !asked[0].AskedAt.Equal(on(10)) || !asked[0].StepAt.Equal(on(10)) {
		t.Fatalf("asked %+v", asked)
	}
	l.run(on(10), on(26))
	l.stands(Restricted, on(10))
	l.approve(on(26), "Mara", StepClose)
	l.settle(on(26))
	l.stands(Closing, on(39))
}
