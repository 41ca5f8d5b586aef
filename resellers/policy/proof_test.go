package policy

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestTheShippedPoliciesLetWhatCannotBeTakenBackWaitForProofOfNotice(t *testing.T) {
	for _, p := range Shipped() {
		proof := p.Case.Proof
		if !proof.AsksFor(StepClose) || !proof.AsksFor(StepTerminate) || proof.SecondContact.Value != 3*Day || proof.Phone.Value != 5*Day || proof.Superior.Value != 7*Day ||
			proof.Unanswered.Value != 2 || proof.Steps.Status != Ours || proof.Margin.Source == "" {
			t.Errorf("%s: %+v", p.ID(), proof)
		}
		// A statute gives its days whatever is proved; a contract need not.
		if goesOn := proof.AtLimit.Value == GoesOn; goesOn != (p.Name == "us-iaas-2024") {
			t.Errorf("%s: at the limit it %s", p.ID(), proof.AtLimit.Value)
		}
	}
}

func TestTheShippedPoliciesNameWhatIsOwedToWhom(t *testing.T) {
	for _, want := range []struct {
		policy, kind string
		on           bool
		within       string
		status       Origin
	}{
		{"us-iaas-2024", ClosureReport, true, "3d", FromRule},
		{"us-iaas-2024", ActivityReport, false, "15d", Ours},
		{"us-iaas-2024", LimitCrossed, true, "10d", Ours},
		{"us-iaas-2024", AITrainingReport, true, "15d", FromRule},
		{"us-iaas-2024", Certification, true, "365d", FromRule},
		{"us-iaas-2024", DepartmentRequest, true, "10d", FromRule},
		{"us-iaas-2024", FollowUp, true, "15d", Recalled},
		{"contract-baseline", ClosureReport, false, "", ""},
		{"contract-baseline", LimitCrossed, true, "10d", Ours},
		{"in-cert-2022", ActivityReport, true, "6h", Recalled},
	} {
		p, err := Named(want.policy)
		if err != nil {
			t.Fatal(err)
		}
		duty, on := p.Obligations.Duty(want.kind)
		if on != want.on || want.within != "" && (duty.Within.Value.String() != want.within || duty.Status != want.status || duty.What == "" || duty.Source == "") {
			t.Errorf("%s, %s: %t, %+v", want.policy, want.kind, on, duty)
		}
	}
	if p := Default(); p.Obligations.AITraining.Transaction.Value != 30*Day || len(p.Obligations.Reminders.Value) != 3 {
		t.Errorf("%+v", p.Obligations)
	}
}

func TestAFaultInProofOrObligationsNamesItsField(t *testing.T) {
	for name, c := range map[string]struct {
		behind, old, replacement string
		field, says              string
	}{
		"a step that can be taken back":  {"  proof:", "[close, terminate]", "[restrict]", "case.proof.steps.value", "close, terminate"},
		"a step twice":                   {"  proof:", "[close, terminate]", "[close, close]", "case.proof.steps.value", "a second time"},
		"no list":                        {"  proof:", "[close, terminate]", "close", "case.proof.steps.value", "a list of close, terminate"},
		"a call before the second mail":  {"    phone:", "value: 5d", "value: 2d", "case.proof.phone", "after the channel before it"},
		"the superior before the call":   {"    superior:", "value: 7d", "value: 5d", "case.proof.superior", "after the channel before it"},
		"half a try":                     {"    unanswered:", "value: 2", "value: half", "case.proof.unanswered.value", "from 0 to 9"},
		"ten tries":                      {"    unanswered:", "value: 2", "value: 10", "case.proof.unanswered.value", "from 0 to 9"},
		"a limit that is asked":          {"    at_limit:", "value: goes-on", "value: asks", "case.proof.at_limit.value", "goes-on, waits"},
		"a margin over the termination":  {"    margin:", "value: 12h", "value: 24h", "case.proof.margin", "less than the termination margin"},
		"a proof without its steps":      {"  proof:", "    steps:\n      value: [close, terminate]\n", "    stairs:\n      value: [close, terminate]\n", "case.proof.steps", "it is missing"},
		"a duty that nobody knows":       {"obligations:", "  limit-crossed:", "  limit-moved:", "obligations.limit-moved", "closure-report"},
		"a duty without its time":        {"obligations:", "    within:\n      value: 72h", "    within:\n      value: soon", "obligations.closure-report.within.value", "a duration with its unit"},
		"a training without its second":  {"    transaction:", "value: 30d", "value: 0d", "obligations.ai-training.transaction.value", "longer than nothing"},
		"reminders that are no longer":   {"obligations:", "[7d, 3d, 24h]", "[24h, 3d]", "obligations.reminders.value", "the longest first"},
		"obligations without reminders":  {"obligations:", "  reminders:", "  remembers:", "obligations.reminders", "it is missing"},
		"a duty that is neither on":      {"  follow-up:", "on: true", "on: maybe", "obligations.follow-up.on", "true or false"},
		"a duty without what is to do":   {"  follow-up:", "    what: Answer the Department's question, or hand the correction in\n", "", "obligations.follow-up.what", "it is missing"},
		"a duty with a word nobody asks": {"  follow-up:", "    what:", "    who: me\n    what:", "obligations.follow-up.who", "one of the fields"},
	} {
		_, err := Parse(replaceIn(t, c.behind, c.old, c.replacement))
		var fault *Fault
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.field) || !strings.Contains(err.Error(), c.says) || fault.Line < 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPolicyFromBeforeProofAndObligationsLetsNothingWaitAndOwesNothing(t *testing.T) {
	for _, name := range []string{"us-iaas-2024.3", "contract-baseline.2", "in-cert-2022.2"} {
		file, err := os.ReadFile("testdata/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParseEarlier(file)
		if err != nil {
			t.Fatal(err)
		}
		if p.ID() != name || p.Case.Proof.AsksFor(StepClose) || p.Case.Proof.AsksFor(StepTerminate) || p.Case.Approvals.Terminate.People != 2 {
			t.Errorf("%s: %+v", p.ID(), p.Case.Proof)
		}
		for _, kind := range []string{ClosureReport, LimitCrossed, Certification} {
			if _, on := p.Obligations.Duty(kind); on {
				t.Errorf("%s owes a %s", p.ID(), kind)
			}
		}
		if _, err := Parse(file); err == nil || !strings.Contains(err.Error(), "case.proof: wanted this field") || !strings.Contains(err.Error(), "obligations: wanted this field") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
