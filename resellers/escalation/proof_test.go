package escalation

import (
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// proving is a reseller whose steps ask nobody and wait for proof of notice, settled on these days.
func proving(t tester, atLimit string, days ...time.Time) *life {
	l := newLife(t)
	l.policy.Case.Proof = policy.Default().Case.Proof
	l.policy.Case.Proof.AtLimit.Value = atLimit
	l.enrol(start)
	l.settle(start)
	for _, at := range days {
		l.settle(at)
	}
	return l
}

// notice is the jti of the step's statement that was taken last.
func (l *life) notice() string { return l.c.Told.Notices[0] }

func (l *life) acknowledge(at time.Time) {
	l.take(gateway, at, "proof", statement.NoticeProved{Notice: l.notice(), Channel: statement.ChannelSETAcknowledged, AddressedAt: l.c.Told.At, ProvedAt: at})
}

// calls records a call of an officer's, to tell of the last step.
func (l *life) calls(at time.Time, answered string) {
	l.take(gateway, at, "call", statement.OfficerAction{Action: ActionNotified, On: statement.Target{Type: "notice", ID: l.notice()}, Officer: officer("Mara"),
		Reason: "As told.", Details: []statement.Field{{Name: "channel", Value: "call"}, {Name: "whom", Value: "head of compliance"},
			{Name: "at", Value: at.Format(time.RFC3339)}, {Name: "answered", Value: answered}}})
}

// Restricted on day 44, closing due on day 51, its last moment day 57; the limit is day 60.
func TestAClosureWaitsUntilTheRestrictionIsProved(t *testing.T) {
	for name, c := range map[string]struct {
		atLimit string
		prove   func(*life)
		closed  float64
	}{
		"acknowledged at once":                        {policy.Waits, func(l *life) { l.acknowledge(on(44)) }, 51},
		"acknowledged in its last day":                {policy.Waits, func(l *life) { l.acknowledge(on(50.5)) }, 51.5},
		"acknowledged while it waits":                 {policy.Waits, func(l *life) { l.acknowledge(on(53)) }, 54},
		"acknowledged an hour before the last moment": {policy.Waits, func(l *life) { l.acknowledge(on(56.5)) }, 57},
		"acknowledged behind the last moment":         {policy.Waits, func(l *life) { l.acknowledge(on(58)) }, 58},
		"acknowledged after the limit":                {policy.Waits, func(l *life) { l.acknowledge(on(70)) }, 71},
		"by the standing that was stated with it":     {policy.Waits, func(l *life) { l.proves(on(45), l.c.Told.Notices[1]) }, 51},
		"by the warning before, which proves nothing": {policy.GoesOn, func(l *life) { l.proves(on(45), ID(reseller, statement.WarningIssued{Case: l.c.ID})) }, 57},
		"by confirming the order":                     {policy.Waits, func(l *life) { l.confirms(on(46), reseller) }, 51},
		"by an order that somebody else confirmed":    {policy.GoesOn, func(l *life) { l.confirms(on(46), gateway) }, 57},
		"by a call":                                     {policy.Waits, func(l *life) { l.calls(on(52), "yes") }, 53},
		"by one call in vain":                           {policy.GoesOn, func(l *life) { l.calls(on(49), "no") }, 57},
		"by two calls in vain on one day":               {policy.GoesOn, func(l *life) { l.calls(on(49), "no"); l.calls(on(49.5), "no") }, 57},
		"by two calls in vain":                          {policy.Waits, func(l *life) { l.calls(on(49), "no"); l.calls(on(50), "no") }, 51},
		"by two calls in vain, the second late":         {policy.Waits, func(l *life) { l.calls(on(49), "no"); l.calls(on(52.5), "no") }, 53.5},
		"by two calls in vain before calling is due":    {policy.Waits, func(l *life) { l.calls(on(44.2), "no"); l.calls(on(45), "no") }, 51},
		"by nothing, and the limit is inside the rule":  {policy.GoesOn, func(*life) {}, 57},
		"after the wait has ended, which moves nothing": {policy.GoesOn, func(l *life) { l.run(on(44), on(58)); l.acknowledge(on(58.5)) }, 57},
	} {
		t.Run(name, func(t *testing.T) {
			l := proving(t, c.atLimit, on(30), on(44))
			c.prove(l)
			l.run(on(44), on(90))
			if !l.c.ClosingAt.Equal(on(c.closed)) {
				t.Errorf("closing at %v, wanted %s\n%s", onDay(l.c.ClosingAt), onDay(on(c.closed)), lines(l.told()))
			}
		})
	}
}

func (l *life) proves(at time.Time, notice string) {
	l.take(gateway, at, "proof", statement.NoticeProved{Notice: notice, Channel: statement.ChannelLinkOpened, ProvedAt: at, Link: "l"})
}

func (l *life) confirms(at time.Time, by envelope.Entity) {
	l.take(by, at, "confirmation", statement.OrderConfirmation{Order: l.notice(), Outcome: "cannot", On: statement.DateOf(at), Reason: "No."})
}

// The closure is ordered on day 51, the termination due on day 59, its last moment day 59.5.
func TestATerminationWaitsInsideTheLimitAndSaysWhatWasNotProved(t *testing.T) {
	l := proving(t, policy.GoesOn, on(30), on(44))
	l.acknowledge(on(45))
	l.run(on(45), on(51))
	l.stands(Closing, on(59.5))
	if n, waits := NoticeOf(&l.policy, reseller, l.c, l.history, l.house, on(52)); !waits || n.For != StepTerminate || n.Of != StepClose || !n.Missing() ||
		!n.CallAt.Equal(on(56)) || !n.CallBy.Equal(on(59)) || !n.EndsAt.Equal(on(59.5)) || n.Task(on(55)) || !n.Task(on(56)) || !n.Turns(on(52)).Equal(on(56)) {
		t.Errorf("%+v", n)
	}
	if !l.next.At.Equal(on(59.5)) || l.next.Waits != "" || !strings.Contains(l.next.What, onDayWords(on(59))+" already if by then it is proved") {
		t.Errorf("announced %+v", l.next)
	}
	l.run(on(51), on(59.4))
	l.stands(Closing, on(59.5))
	l.run(on(59.4), on(70))
	if l.c.Standing != Terminated || !l.c.TerminatedAt.Equal(on(59.5)) || !l.c.PassedLimit.IsZero() {
		t.Fatalf("%s\n%s", l.c.Standing, lines(l.told()))
	}
	for _, e := range l.entries {
		if s, is := e.Statement.(statement.RelationshipTerminated); is && !strings.Contains(s.Why, "That the reseller was told of the order to close its account was proved by no channel.") {
			t.Errorf("stated %q", s.Why)
		}
	}
	if why := Why(l.policy, l.c); !strings.Contains(why, "proved by no channel") {
		t.Error(why)
	}
}

func TestAStepThatWaitsForProofPastTheLimitSaysSoLoudly(t *testing.T) {
	l := proving(t, policy.Waits, on(30), on(44))
	l.run(on(44), on(200))
	l.stands(Restricted, on(51))
	if !l.next.LimitPassed || !strings.Contains(l.next.Waits, "told of its restriction") || !l.wake.IsZero() {
		t.Errorf("next %+v, wakes %v", l.next, l.wake)
	}
	said, _ := l.entries[len(l.entries)-1].Statement.(statement.LimitPassed)
	if !strings.Contains(said.Why, "or a call or courier that an officer records") {
		t.Errorf("stated last %+v", said)
	}
	n, _ := NoticeOf(&l.policy, reseller, l.c, l.history, l.house, on(200))
	if !n.EndsAt.IsZero() || !strings.Contains(n.Words, "Call, or send a courier, now, and record it, also if nobody answers.") {
		t.Errorf("%+v", n)
	}
	// It is always in the hands of an officer, and never in those of the reseller.
	l.calls(on(200), "no")
	l.calls(on(201), "no")
	l.run(on(201), on(300))
	if !l.c.ClosingAt.Equal(on(202)) {
		t.Errorf("closing at %s", onDay(l.c.ClosingAt))
	}
}

func TestApprovalAndProofAreBothSaidToBeMissing(t *testing.T) {
	l := proving(t, policy.GoesOn, on(30), on(44))
	l.policy.Case.Approvals = policy.Default().Case.Approvals
	l.run(on(44), on(52))
	l.stands(Restricted, on(51))
	if !strings.Contains(l.next.Waits, "approval of one officer") || !strings.Contains(l.next.Waits, "told of its restriction") {
		t.Errorf("waits for %q", l.next.Waits)
	}
	l.approve(on(52), "Mara", StepClose)
	l.run(on(52), on(57))
	if !l.c.ClosingAt.Equal(on(57)) {
		t.Errorf("closing at %s", onDay(l.c.ClosingAt))
	}
	for _, e := range l.entries {
		if s, is := e.Statement.(statement.StandingChanged); is && s.After == "closing" && !strings.Contains(s.Why, "told of its restriction was proved by no channel") {
			t.Errorf("stated %q", s.Why)
		}
	}
}

// Whoever is found late has its steps close behind one another, and the limit behind it: no step is taken unproved before every channel
// was tried, and the case still ends.
func TestACaseThatIsFoundAfterItsLimitWaitsUntilEveryChannelWasTried(t *testing.T) {
	l := proving(t, policy.GoesOn)
	l.run(on(100), on(200))
	if c := l.c; c.Standing != Terminated || !c.RestrictedAt.Equal(on(103)) || !c.ClosingAt.Equal(on(110)) || !c.TerminatedAt.Equal(on(117)) {
		t.Errorf("restricted %s, closing %s, terminated %s", onDay(l.c.RestrictedAt), onDay(l.c.ClosingAt), onDay(l.c.TerminatedAt))
	}
}

func TestAClosureAtOnceWaitsForNoProofAndItsTerminationDoes(t *testing.T) {
	l := proving(t, policy.GoesOn)
	l.attest(on(1), "initial")
	l.take(gateway, on(10), "evidence", statement.OfficerAction{Action: ActionEvidence, On: statement.Target{Type: "reseller", ID: string(reseller)}, Officer: officer("Mara"),
		Reason: "Seen.", Details: []statement.Field{{Name: "evidence", Value: "e"}, {Name: "ground", Value: "cip-failure"}, {Name: "severity", Value: "serious"},
			{Name: "received_at", Value: on(10).Format(time.RFC3339)}}})
	l.run(on(10), on(39.4))
	if !l.c.ClosingAt.Equal(on(10)) {
		t.Fatalf("closing at %s", onDay(l.c.ClosingAt))
	}
	l.stands(Closing, on(39.5))
	l.run(on(39.4), on(60))
	if !l.c.TerminatedAt.Equal(on(39.5)) {
		t.Errorf("terminated at %s", onDay(l.c.TerminatedAt))
	}
}

// What an officer records before the step, or of another case, proves nothing; what it is said to have been before the step is held to
// be of its second.
func TestOnlyWhatTellsOfTheLastStepProvesIt(t *testing.T) {
	l := proving(t, policy.Waits, on(30))
	l.calls(on(31), "yes") // of the warning
	l.settle(on(44))
	if !l.c.Told.Proved.At.IsZero() || l.c.Told.Untold != "" || l.c.Told.Step != StepRestrict {
		t.Fatalf("%+v", l.c.Told)
	}
	l.take(gateway, on(45), "proof", statement.NoticeProved{Notice: l.notice(), Channel: statement.ChannelMailAnswered, ProvedAt: on(2), Link: "l"})
	if got := l.c.Told.Proved; !got.At.Equal(on(44)) || got.Channel != statement.ChannelMailAnswered {
		t.Errorf("%+v", got)
	}
	l.calls(on(46), "yes") // the first proof stands
	if l.c.Told.Proved.Channel != statement.ChannelMailAnswered {
		t.Errorf("%+v", l.c.Told.Proved)
	}
}

func TestAPolicyWithoutProofLetsNothingWait(t *testing.T) {
	l := proving(t, policy.Waits, on(30))
	l.policy.Case.Proof = policy.Proof{}
	l.run(on(30), on(70))
	if !l.c.ClosingAt.Equal(on(51)) || !l.c.TerminatedAt.Equal(on(59)) {
		t.Error(lines(l.told()))
	}
	if _, waits := NoticeOf(&l.policy, reseller, l.c, l.history, l.house, on(52)); waits {
		t.Error("it shows a notice that nothing waits for")
	}
	if why := Why(l.policy, l.c); strings.Contains(why, "told of") {
		t.Error(why)
	}
}

func onDayWords(at time.Time) string { return moment(at) }
