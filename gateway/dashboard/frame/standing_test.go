package frame

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/resellers/escalation"
)

func TestEveryStandingHasItsOwnBadgeAndIsCounted(t *testing.T) {
	style, err := os.ReadFile("../assets/app.css")
	if err != nil {
		t.Fatal(err)
	}
	for s := escalation.Pending; s <= escalation.Terminated; s++ {
		badge := BadgeOf(s)
		if badge.Word != s.String() || badge.Meaning == "" {
			t.Errorf("%s is shown as %+v", s, badge)
		}
		if !strings.Contains(string(style), "\n."+badge.Tone+" { --tone: ") {
			t.Errorf("app.css has no colour for %s", badge.Tone)
		}
		if !slices.Contains(WorstFirst, s) {
			t.Errorf("%s is not counted", s)
		}
	}
}

func TestAStepIsWordedByWhatItDoesAndADueOneByWhatIsOwed(t *testing.T) {
	now := time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)
	at := now.Add(72 * time.Hour)
	moment := MomentOf(at, now)
	restrict := escalation.Step{What: "restricted: no new accounts", At: at, Unless: "an accepted cip-attestation"}
	if got, want := StepOf(restrict, now), (Step{What: "Restricted: no new accounts.", At: moment, Unless: "an accepted cip-attestation", Tone: "restricted"}); got != want {
		t.Errorf("got %+v, wanted %+v", got, want)
	}
	warn := escalation.Step{What: "warned: a warning (cip.stale)", At: at, Unless: "a new accepted cip-attestation"}
	if got, want := DueOf(warn, now), (Step{What: "Due: a new accepted cip-attestation.", At: moment, Otherwise: "Otherwise: a warning (cip.stale).", Tone: "warned"}); got != want {
		t.Errorf("got %+v, wanted %+v", got, want)
	}
	nothing := escalation.Step{What: "nothing is due"}
	if got, want := DueOf(nothing, now), (Step{What: "Nothing is due.", Tone: "pending"}); got != want {
		t.Errorf("got %+v, wanted %+v", got, want)
	}
}
