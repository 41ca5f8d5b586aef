package desk

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
)

func each(t *testing.T, test func(t *testing.T, w *world)) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) { test(t, newWorld(t, db)) })
}

// refuses checks that what was asked is refused for this reason, in words that say it.
func refuses(t *testing.T, err, reason error, words string) {
	t.Helper()
	if !errors.Is(err, reason) || !strings.Contains(err.Error(), words) {
		t.Errorf("got %v, wanted %v with %q", err, reason, words)
	}
}

func TestAStepIsTakenOnceAsManyPeopleAsThePolicyAsksHaveApprovedIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		w.until(escalation.Restricted)
		w.told()
		closure := w.approval()
		if closure.Step != escalation.StepClose || closure.People != 1 {
			t.Fatalf("%+v", closure)
		}
		_, err := w.Approve(ctx, mara, id, "another", "r")
		refuses(t, err, ErrNotFound, "read the approvals that are pending again")
		_, err = w.Approve(ctx, mara, id, closure.ID, " ")
		refuses(t, err, ErrRefused, "reason")
		w.pass(closure.StepAt.Sub(w.at) + day24)
		if got := w.file().Case.Standing; got != escalation.Restricted {
			t.Fatalf("closed without anybody: %s", got)
		}
		acted, err := w.Approve(ctx, mara, id, closure.ID, "They had their time.")
		w.must(err)
		if said := w.last(); said.Officer != mara || said.On.ID != closure.ID || said.Reason != "They had their time." || acted.JTI == "" {
			t.Errorf("%+v", said)
		}
		_, err = w.Approve(ctx, mara, id, closure.ID, "again")
		refuses(t, err, ErrMayNot, "approved this step already")
		w.pass(0)
		if got := w.file().Case.Standing; got != escalation.Closing {
			t.Fatalf("it is %s, wanted closing at once", got)
		}
		end := w.approval()
		if end.Step != escalation.StepTerminate || end.People != 2 || end.ID == closure.ID {
			t.Fatalf("%+v", end)
		}
		_, err = w.Approve(ctx, mara, id, end.ID, "first")
		w.must(err)
		_, err = w.Approve(ctx, mara, id, end.ID, "second, by the same person")
		refuses(t, err, ErrMayNot, "two people")
		w.pass(40 * day24)
		if got := w.file().Case.Standing; got != escalation.Closing {
			t.Fatalf("one person ended it: %s", got)
		}
		_, err = w.Approve(ctx, jon, id, end.ID, "second")
		w.must(err)
		w.pass(0)
		if got := w.file().Case.Standing; got != escalation.Terminated {
			t.Fatalf("it is %s, wanted terminated", got)
		}
		if ended := said(t, w.log, statement.KindRelationshipTerminated); len(ended) != 1 || ended[0].JTI != end.ID {
			t.Errorf("the step has another jti than its approval: %+v", ended)
		}
	})
}

func TestARefusedStepWaitsForAnotherOfficer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		w.until(escalation.Restricted)
		step := w.approval()
		_, err := w.Refuse(ctx, mara, id, step.ID, "We have new papers.")
		w.must(err)
		_, err = w.Refuse(ctx, mara, id, step.ID, "again")
		refuses(t, err, ErrMayNot, "refused this step already")
		_, err = w.Approve(ctx, mara, id, step.ID, "on second thoughts")
		refuses(t, err, ErrMayNot, "another officer must approve it")
		w.pass(60 * day24)
		if got := w.file().Case.Standing; got != escalation.Restricted {
			t.Fatalf("it was refused, and it is %s", got)
		}
		if asked := w.approval(); asked.Refused == nil || asked.Refused.By != mara {
			t.Errorf("%+v", asked)
		}
		_, err = w.Approve(ctx, jon, id, step.ID, "They are forged.")
		w.must(err)
		w.pass(0)
		if got := w.file().Case.Standing; got != escalation.Closing {
			t.Errorf("it is %s, wanted closing", got)
		}
	})
}

func TestOfManyWhoApproveAtOnceEachIsHeardOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.until(escalation.Restricted)
		step := w.approval()
		officers := []statement.Officer{mara, jon, ida, mara, jon, ida}
		failed := make([]error, len(officers))
		var wait sync.WaitGroup
		for i, by := range officers {
			wait.Go(func() {
				for {
					_, failed[i] = w.Approve(t.Context(), by, aurora.ID(), step.ID, "r")
					if !errors.Is(failed[i], ErrMoved) {
						return
					}
				}
			})
		}
		wait.Wait()
		twice := 0
		for _, err := range failed {
			if errors.Is(err, ErrMayNot) {
				twice++
			} else {
				w.must(err)
			}
		}
		if given := w.approval().Given; twice != 3 || len(given) != 3 {
			t.Errorf("%d refused, %d given; wanted 3 and 3", twice, len(given))
		}
	})
}

func TestAHoldLetsStepsWaitAndGivesTheTimeBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		hold := Hold{Kind: escalation.HoldOfficer, EndsAt: w.at.Add(day24), Reason: "r"}
		_, err := w.PlaceHold(ctx, mara, id, hold)
		refuses(t, err, ErrRefused, "no such case is open")
		file := w.until(escalation.Warned)
		before := file.Case.CureBy
		for words, wrong := range map[string]Hold{
			"authority: wanted none":      {Kind: escalation.HoldOfficer, Authority: "a court", EndsAt: w.at.Add(day24), Reason: "r"},
			"authority: wanted the court": {Kind: escalation.HoldStay, EndsAt: w.at.Add(day24), Reason: "r"},
			"a hold is of kind":           {Kind: "rest", EndsAt: w.at.Add(day24), Reason: "r"},
			"not later":                   {Kind: escalation.HoldOfficer, EndsAt: w.at, Reason: "r"},
			"pass the limit":              {Kind: escalation.HoldCustomerHarm, EndsAt: file.Case.LimitAt.Add(day24), Reason: "r"},
			"within 400 days":             {Kind: escalation.HoldStay, Authority: "a court", EndsAt: w.at.Add(401 * day24), Reason: "r"},
			"reason: wanted why":          {Kind: escalation.HoldOfficer, EndsAt: w.at.Add(day24)},
		} {
			_, err := w.PlaceHold(ctx, mara, id, wrong)
			refuses(t, err, ErrRefused, words)
		}
		w.pass(before.Sub(w.at) - day24)
		hold.EndsAt = w.at.Add(3 * day24)
		placed, err := w.PlaceHold(ctx, mara, id, hold)
		w.must(err)
		w.pass(2 * day24)
		if got := w.file().Case.Standing; got != escalation.Warned {
			t.Fatalf("held, and it is %s", got)
		}
		_, err = w.ProposeLift(ctx, mara, id, placed.JTI, "r")
		refuses(t, err, ErrRefused, "wanted a stay")
		_, err = w.LiftHold(ctx, mara, id, "another", "r")
		refuses(t, err, ErrNotFound, "no such hold")
		lifted := w.at
		_, err = w.LiftHold(ctx, mara, id, placed.JTI, "The papers came.")
		w.must(err)
		_, err = w.LiftHold(ctx, mara, id, placed.JTI, "again")
		refuses(t, err, ErrNotFound, "no such hold")
		w.pass(3*day24 - time.Second)
		if got := w.file().Case.Standing; got != escalation.Warned {
			t.Fatalf("%s after the hold it is %s: at least 72 hours come back", w.at.Sub(lifted), got)
		}
		w.pass(day24)
		if got := w.file().Case.Standing; got != escalation.Restricted {
			t.Errorf("it is %s, wanted restricted", got)
		}
	})
}

func TestAStayIsLiftedByTwoPeople(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		w.until(escalation.Restricted)
		stay, err := w.PlaceHold(ctx, mara, id, Hold{Kind: escalation.HoldStay, Authority: "District Court", EndsAt: w.at.Add(60 * day24), Reason: "Order 26-1."})
		w.must(err)
		_, err = w.LiftHold(ctx, mara, id, stay.JTI, "r")
		refuses(t, err, ErrMayNot, "propose it")
		_, err = w.ProposeLift(ctx, mara, id, stay.JTI, "The order was vacated.")
		w.must(err)
		_, err = w.ProposeLift(ctx, jon, id, stay.JTI, "r")
		refuses(t, err, ErrRefused, "Mara Lind has proposed")
		_, err = w.LiftHold(ctx, mara, id, stay.JTI, "r")
		refuses(t, err, ErrMayNot, "another officer must lift it")
		_, err = w.LiftHold(ctx, jon, id, stay.JTI, "Seen.")
		w.must(err)
		if said := w.last(); said.Action != escalation.ActionLifted || said.Officer != jon || said.ProposedBy == nil || *said.ProposedBy != mara {
			t.Errorf("%+v", said)
		}
		if h := w.file().Case.Holds[0]; !h.LiftedAt.Equal(w.at) {
			t.Errorf("%+v", h)
		}
	})
}

func TestTheLimitIsMovedByTwoPeopleAndOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		file := w.until(escalation.Restricted)
		limit := file.Case.LimitAt
		_, err := w.ProposeLimit(ctx, mara, id, limit, "r")
		refuses(t, err, ErrRefused, "the new one is after that")
		_, err = w.ProposeLimit(ctx, mara, id, w.at.Add(91*day24), "r")
		refuses(t, err, ErrRefused, "within 90 days")
		to := limit.Add(10 * day24)
		proposed, err := w.ProposeLimit(ctx, mara, id, to, "The Department asked for it.")
		w.must(err)
		if got := w.file().Case.LimitAt; !got.Equal(limit) {
			t.Fatalf("one person moved the limit to %s", got)
		}
		waiting, err := w.Proposals(ctx, 10)
		if err != nil || len(waiting) != 1 || waiting[0].ID != proposed.JTI || waiting[0].By != mara || !waiting[0].EndsAt.Equal(to) || waiting[0].About != aurora {
			t.Fatalf("%+v, %v", waiting, err)
		}
		_, err = w.Confirm(ctx, mara, proposed.JTI, "r")
		refuses(t, err, ErrMayNot, "nobody confirms what they proposed")
		_, err = w.Confirm(ctx, jon, "another", "r")
		refuses(t, err, ErrNotFound, "wanted the id of a proposal")
		both := make([]error, 2)
		var wait sync.WaitGroup
		for i, by := range []statement.Officer{jon, ida} {
			wait.Go(func() { _, both[i] = w.Confirm(t.Context(), by, proposed.JTI, "Seen.") })
		}
		wait.Wait()
		if (both[0] == nil) == (both[1] == nil) {
			t.Fatalf("of two who confirmed at once: %v", both)
		}
		c := w.file().Case
		if !c.LimitAt.Equal(to) || len(c.LimitExtensions) != 1 || c.LimitExtensions[0].ProposedBy != mara {
			t.Errorf("limit %s, %+v", c.LimitAt, c.LimitExtensions)
		}
		_, err = w.Confirm(ctx, noel, proposed.JTI, "r")
		refuses(t, err, ErrRefused, "confirmed or withdrawn at")
		old, err := w.ProposeLimit(ctx, mara, id, to.Add(30*day24), "Still.")
		w.must(err)
		w.at = w.at.Add(ProposalLife)
		_, err = w.Confirm(ctx, jon, old.JTI, "r")
		refuses(t, err, ErrRefused, "Propose it again")
		if waiting, err := w.Proposals(ctx, 10); err != nil || len(waiting) != 0 {
			t.Errorf("%+v, %v", waiting, err)
		}
		w.must(w.Rebuild(ctx))
		_, err = w.Confirm(ctx, jon, proposed.JTI, "r")
		refuses(t, err, ErrRefused, "confirmed or withdrawn at")
	})
}

func TestADisputeIsDecidedBySomebodyElseAndAnUpheldOneEndsTheFinding(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		file := w.until(escalation.Restricted)
		finding := file.Case.Findings[0].ID
		step := w.approval()
		_, err := w.Approve(ctx, mara, id, step.ID, "r")
		w.must(err)
		dispute := w.answers(map[string]any{"kind": "dispute", "text": "We attested through our superior.", "finding": finding, "ground": "false-positive"})
		_, err = w.DecideAppeal(ctx, mara, id, dispute, false, "No.")
		refuses(t, err, ErrMayNot, "let another officer decide")
		_, err = w.AcceptRemediation(ctx, jon, id, dispute, "r")
		refuses(t, err, ErrRefused, "upheld or rejected")
		_, err = w.DecideAppeal(ctx, jon, id, "another", true, "r")
		refuses(t, err, ErrNotFound, "waits for an officer")
		_, err = w.DecideAppeal(ctx, jon, id, dispute, true, "")
		refuses(t, err, ErrRefused, "reason")
		_, err = w.DecideAppeal(ctx, jon, id, dispute, true, "They had.")
		w.must(err)
		w.pass(0)
		file = w.file()
		if len(file.Case.Findings) > 0 || file.Case.ID != "" {
			t.Errorf("upheld, and still open: %+v", file.Case.Findings)
		}
		decided := said(t, w.log, statement.KindAppealDecided)
		if len(decided) != 1 || decided[0].Statement.(statement.AppealDecided).By != jon {
			t.Errorf("%+v", decided)
		}
	})
}

func TestAnAppealGoesToAnotherOfficerThanWhoRejectedTheDispute(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		finding := w.until(escalation.Warned).Case.Findings[0].ID
		wrong := map[string]any{"kind": "dispute", "text": "No.", "finding": finding, "ground": "false-positive"}
		_, err := w.DecideAppeal(ctx, mara, id, w.answers(wrong), false, "It stands.")
		w.must(err)
		appeal := w.answers(wrong)
		_, err = w.DecideAppeal(ctx, mara, id, appeal, false, "It stands.")
		refuses(t, err, ErrMayNot, "let another officer decide")
		_, err = w.DecideAppeal(ctx, jon, id, appeal, false, "It stands.")
		w.must(err)
	})
}

func TestTimeIsGrantedWithinTheLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		file := w.until(escalation.Warned)
		c := file.Case
		request := w.answers(map[string]any{"kind": "extension-request", "text": "Our auditor is ill.", "finding": c.Findings[0].ID, "until": c.CureBy.Add(2 * day24).Format("2006-01-02")})
		_, err := w.GrantExtension(ctx, mara, id, c.CureBy, "", "r")
		refuses(t, err, ErrRefused, "not later")
		_, err = w.GrantExtension(ctx, mara, id, c.LimitAt.Add(time.Second), "", "r")
		refuses(t, err, ErrRefused, "two officers extend the limit")
		_, err = w.GrantExtension(ctx, mara, id, c.CureBy.Add(day24), "another", "r")
		refuses(t, err, ErrNotFound, "waits for an officer")
		to := c.CureBy.Add(2 * day24)
		_, err = w.GrantExtension(ctx, mara, id, to, request, "Granted.")
		w.must(err)
		w.pass(to.Sub(w.at) - time.Second)
		if got := w.file().Case; got.Standing != escalation.Warned || len(got.Reviews) > 0 || len(got.Decisions) != 1 || !got.Decisions[0].Upheld {
			t.Errorf("%s, %+v", got.Standing, got.People)
		}
		w.pass(time.Second)
		if got := w.file().Case.Standing; got != escalation.Restricted {
			t.Errorf("it is %s, wanted restricted", got)
		}
	})
}

func TestEvidenceIsRecordedWithItsIdentityAndWhoRecordedItApprovesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		good := Evidence{Ground: "cip-failure", Severity: "critical", Description: "No program exists.", ReceivedAt: w.at}
		for words, spoil := range map[string]func(*Evidence){
			"ground":                   func(e *Evidence) { e.Ground = "x" },
			"severity":                 func(e *Evidence) { e.Severity = "minor" },
			"audience":                 func(e *Evidence) { e.Audience = "x" },
			"received_at: wanted when": func(e *Evidence) { e.ReceivedAt = w.at.Add(time.Hour) },
			"since the reseller was":   func(e *Evidence) { e.ReceivedAt = w.at.Add(-time.Hour) },
			"reason: wanted why":       func(e *Evidence) { e.Description = " " },
		} {
			wrong := good
			spoil(&wrong)
			_, _, err := w.RecordEvidence(ctx, mara, id, wrong)
			refuses(t, err, ErrRefused, words)
		}
		evidence, acted, err := w.RecordEvidence(ctx, mara, id, good)
		w.must(err)
		said := w.last()
		want := fmt.Sprintf("[{evidence %s} {ground cip-failure} {severity critical} {received_at %s} {audience reseller}]", evidence, w.at.Format(time.RFC3339))
		if said.Officer != mara || said.On.ID != string(aurora) || fmt.Sprint(said.Details) != want || acted.JTI != evidence {
			t.Errorf("%+v", said)
		}
		if _, _, err := w.RecordEvidence(ctx, mara, envelope.Entity("https://nobody.example").ID(), good); !errors.Is(err, docket.ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

func TestAQuestionIsAskedWithATimeAndAName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		_, _, _, err := w.Inquire(ctx, mara, id, "Who is c-1?", w.at.Add(91*day24))
		refuses(t, err, ErrRefused, "within 90 days")
		_, _, _, err = w.Inquire(ctx, mara, id, " ", time.Time{})
		refuses(t, err, ErrRefused, "reason")
		inquiry, until, _, err := w.Inquire(ctx, mara, id, "Who is c-1?", time.Time{})
		w.must(err)
		asked := said(t, w.log, statement.KindInformationRequested)
		if len(asked) != 1 || asked[0].JTI != inquiry || !asked[0].Statement.(statement.InformationRequested).DueAt.Equal(until) || !until.Equal(w.at.Add(5*day24)) {
			t.Errorf("%+v, until %s", asked, until)
		}
		if said := w.last(); said.Action != "inquiry.opened" || said.Officer != mara || said.Details[0].Value != inquiry {
			t.Errorf("%+v", said)
		}
	})
}

func TestWhatWasToldByCallIsProofOfNotice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		w.until(escalation.Warned)
		warning := said(t, w.log, statement.KindWarningIssued)[0]
		good := Told{Notice: warning.JTI, Channel: "call", Whom: "head of compliance", At: w.at, Reason: "She read it back."}
		for words, spoil := range map[string]func(*Told){
			"channel": func(n *Told) { n.Channel = "pigeon" }, "whom": func(n *Told) { n.Whom = "" }, "at: wanted when": func(n *Told) { n.At = w.at.Add(time.Hour) },
			"since the notice": func(n *Told) { n.At = warning.AcceptedAt.Add(-time.Hour) },
			"nobody met":       func(n *Told) { n.Channel, n.Unanswered = "meeting", true },
		} {
			wrong := good
			spoil(&wrong)
			_, err := w.RecordNotice(ctx, mara, id, wrong)
			refuses(t, err, ErrRefused, words)
		}
		wrong := good
		wrong.Notice = "another"
		_, err := w.RecordNotice(ctx, mara, id, wrong)
		refuses(t, err, ErrNotFound, "wanted the jti")
		_, err = w.RecordNotice(ctx, mara, id, good)
		w.must(err)
		if said := w.last(); said.On != (statement.Target{Type: "notice", ID: warning.JTI}) || said.Officer != mara {
			t.Errorf("%+v", said)
		}
	})
}

func TestATerminationIsTakenBackAndTheLedgerSaysWhoseErrorItWas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, id := t.Context(), aurora.ID()
		_, err := w.Reinstate(ctx, mara, id, "gateway", "r")
		refuses(t, err, ErrRefused, "nothing to take back")
		w.until(escalation.Restricted)
		_, err = w.Approve(ctx, mara, id, w.approval().ID, "r")
		w.must(err)
		w.until(escalation.Closing)
		for _, by := range []statement.Officer{mara, jon} {
			_, err = w.Approve(ctx, by, id, w.approval().ID, "r")
			w.must(err)
		}
		w.until(escalation.Terminated)
		_, err = w.PlaceHold(ctx, mara, id, Hold{Kind: escalation.HoldOfficer, EndsAt: w.at.Add(day24), Reason: "r"})
		refuses(t, err, ErrRefused, "no such case")
		_, err = w.Reinstate(ctx, mara, id, "weather", "r")
		refuses(t, err, ErrRefused, "whose_error")
		_, err = w.Reinstate(ctx, ida, id, "gateway", "Its clock was wrong.")
		w.must(err)
		w.pass(0)
		if got := w.file().Case.Standing; got == escalation.Terminated {
			t.Error("it is still terminated")
		}
		back := said(t, w.log, statement.KindRelationshipReinstated)
		if said := back[0].Statement.(statement.RelationshipReinstated); said.By != ida || said.WhoseError != "gateway" {
			t.Errorf("%+v", said)
		}
	})
}

func TestACaseIsPinnedToAPolicyThatThisGatewayKnows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.until(escalation.Warned).Case
		_, err := w.MovePolicy(t.Context(), mara, aurora.ID(), "us-iaas-1066.1", "r")
		refuses(t, err, ErrRefused, "has or had in force")
		_, err = w.MovePolicy(t.Context(), mara, aurora.ID(), c.Policy, "r")
		refuses(t, err, ErrRefused, "pinned to")
	})
}

func TestAutomationIsPausedAndResumedOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, err := w.Resume(ctx, mara, "r")
		refuses(t, err, ErrRefused, "it is not")
		_, err = w.Pause(ctx, mara, "Something is wrong with the rules.")
		w.must(err)
		_, err = w.Pause(ctx, jon, "r")
		refuses(t, err, ErrRefused, "Mara Lind paused it")
		_, err = w.Resume(ctx, jon, "It was not.")
		w.must(err)
		if house, err := w.Automation(ctx); err != nil || house.Paused != nil {
			t.Errorf("%+v, %v", house, err)
		}
	})
}

func TestTheGuardIsReleasedByTwoPeople(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, err := w.ProposeRelease(ctx, mara, "everything", w.at.Add(day24), "r")
		refuses(t, err, ErrRefused, "guard: wanted")
		_, err = w.ProposeRelease(ctx, mara, escalation.GuardClosures, w.at.Add(8*day24), "r")
		refuses(t, err, ErrRefused, "within 7 days")
		proposed, err := w.ProposeRelease(ctx, mara, escalation.GuardClosures, w.at.Add(day24), "Each was looked at.")
		w.must(err)
		_, err = w.Confirm(ctx, mara, proposed.JTI, "r")
		refuses(t, err, ErrMayNot, "nobody confirms what they proposed")
		_, err = w.Confirm(ctx, jon, proposed.JTI, "So it was.")
		w.must(err)
		house, err := w.Automation(ctx)
		if err != nil || len(house.Releases) != 1 || house.Releases[0].By != jon || house.Releases[0].ProposedBy != mara {
			t.Errorf("%+v, %v", house, err)
		}
	})
}
