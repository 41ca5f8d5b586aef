package escalation

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/resellers/policy"
)

func TestAResellerSeesWhatItOwesByWhenAndWhatComesOtherwise(t *testing.T) {
	missing := policy.Default().Rules.CIPMissing.Finding
	open := Due{What: "an accepted cip-attestation", Rule: "cip.missing", Finding: "cip.missing.20260131T000000Z", By: on(44),
		Why: "cip.missing, since 2026-01-31 00:00:00 UTC (" + missing + ": 30 days)"}
	ahead := Due{What: "an accepted cip-attestation", Rule: "cip.missing", Why: missing, By: on(30)}
	attested := silent(t, start)
	attested.attest(on(12), "initial")
	attested.settle(on(12))
	yearly := Due{What: "a new accepted cip-attestation", Rule: "cip.stale", Why: policy.Default().Rules.CIPStale.Finding, By: on(377)}
	noAccounts := Restriction{Order: "no-new-accounts", Words: "no new accounts may be opened", Since: on(44)}
	left := Restriction{Order: "remaining-accounts", Words: "every account that is left is to be closed", Since: on(59)}
	closure := Restriction{Order: "reseller-account", Words: "the reseller's account is to be closed", Since: on(51)}

	for name, c := range map[string]struct {
		l    *life
		now  float64
		want Prospect
		ends []float64 // the days of the future's steps
	}{
		"pending":    {silent(t, start), 5, Prospect{Standing: Pending, CurrentlyDue: []Due{ahead}}, []float64{30, 44, 51, 59}},
		"good":       {attested, 20, Prospect{Standing: Good, EventuallyDue: []Due{yearly}}, []float64{377, 391, 398, 406}},
		"warned":     {silent(t, on(30)), 31, Prospect{Standing: Warned, CurrentlyDue: []Due{open}, LimitAt: on(60)}, []float64{44, 51, 59}},
		"restricted": {silent(t, on(30), on(44)), 45, Prospect{Standing: Restricted, PastDue: []Due{open}, Restrictions: []Restriction{noAccounts}, LimitAt: on(60)}, []float64{51, 59}},
		"closing":    {silent(t, on(30), on(44), on(51)), 52, Prospect{Standing: Closing, PastDue: []Due{open}, Restrictions: []Restriction{noAccounts, closure}, LimitAt: on(60)}, []float64{59}},
		"terminated": {silent(t, on(30), on(44), on(51), on(59)), 70, Prospect{Standing: Terminated, PastDue: []Due{open}, Restrictions: []Restriction{noAccounts, closure, left}, LimitAt: on(60)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Outlook(c.l.policy, reseller, c.l.c, c.l.history, House{}, on(c.now))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Future) != len(c.ends) {
				t.Fatalf("the future has %d steps, wanted %d: %+v", len(got.Future), len(c.ends), got.Future)
			}
			for i, step := range got.Future {
				if !step.At.Equal(on(c.ends[i])) || step.What == "" || step.Unless == "" || step.LimitPassed {
					t.Errorf("step %d: %+v, wanted it on day %v", i, step, c.ends[i])
				}
			}
			if len(got.Future) > 0 && got.NextStep != got.Future[0] {
				t.Errorf("the next step is %+v, the first of the future %+v", got.NextStep, got.Future[0])
			}
			if got.Why != Why(c.l.policy, c.l.c) || got.NextStep.What == "" {
				t.Errorf("why %q, next %+v", got.Why, got.NextStep)
			}
			got.Why, got.NextStep, got.Future = "", Step{}, nil
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got    %+v\nwanted %+v", got, c.want)
			}
		})
	}
}

func TestAStepThatNobodyStatedYetIsShownAsDueNow(t *testing.T) {
	l := silent(t, on(30))
	got, err := Outlook(l.policy, reseller, l.c, l.history, House{}, on(61))
	if err != nil {
		t.Fatal(err)
	}
	if got.Standing != Warned || !got.NextStep.At.Equal(on(61)) || !strings.HasPrefix(got.NextStep.What, "restricted: ") || !got.NextStep.LimitPassed || !got.LimitPassed {
		t.Errorf("got %+v", got)
	}
	if len(got.Future) != 4 || got.Future[1].What != limitPasses || !got.Future[2].At.Equal(on(62)) || !got.Future[3].At.Equal(on(63)) {
		t.Errorf("the future: %+v", got.Future)
	}
}

func TestACaseThatIsOnlyAboutToOpenSaysAlreadyThatItsLimitPasses(t *testing.T) {
	l := silent(t, start)
	got, err := Outlook(l.policy, reseller, l.c, l.history, House{}, on(70))
	if err != nil || got.Standing != Pending || !got.LimitPassed || !got.Future[0].LimitPassed {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTheObjectHasAMemberForEachPartAlsoWhereItIsEmpty(t *testing.T) {
	l := silent(t, start)
	prospect, err := Outlook(l.policy, reseller, l.c, l.history, House{}, on(1))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(prospect)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{`"standing":"pending"`, `"past_due":[]`, `"eventually_due":[]`, `"restrictions":[]`, `"limit_passed":false`,
		`"next_step":{"what":"warned: `, `"at":"2026-01-31T00:00:00Z","unless":"an accepted cip-attestation"`, `"if_nothing_happens":[{`} {
		if !strings.Contains(string(text), member) {
			t.Errorf("%s is not in %s", member, text)
		}
	}
}
