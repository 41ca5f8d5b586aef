package officer

import (
	"fmt"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// deeds are what officers do, as a sentence that begins with their name. What is not among them is told by its own name.
var deeds = map[string]string{
	escalation.ActionApproved:      "approved a step of the case",
	escalation.ActionRefused:       "refused a step of the case",
	escalation.ActionHeld:          "let the steps of the case wait",
	escalation.ActionLiftProposed:  "proposed to lift a hold",
	escalation.ActionLifted:        "lifted a hold",
	escalation.ActionExtended:      "granted more time",
	escalation.ActionAccepted:      "accepted what the reseller answered",
	escalation.ActionRejected:      "rejected what the reseller answered",
	escalation.ActionEvidence:      "recorded evidence",
	escalation.ActionLimitExtended: "moved the limit of the case",
	escalation.ActionPolicyMoved:   "pinned the case to another version of the policy",
	escalation.ActionGuardReleased: "released the guard",
	escalation.ActionPaused:        "paused automation",
	escalation.ActionResumed:       "resumed automation",
	"limit.extension-proposed":     "proposed to move the limit of the case",
	"guard.release-proposed":       "proposed to release the guard",
	"inquiry.opened":               "asked the reseller a question",
	"notice.recorded":              "told the reseller in person",
	"officer.added":                "made an account for an officer",
	"officer.changed":              "changed an officer's account",
	"officer.disabled":             "shut an officer out",
	"officer.enabled":              "let an officer in again",
	"officer.linked":               "made a sign-in link for an officer",
	"token.created":                "made an API token",
	"token.revoked":                "ended an API token",
}

// did tells what an officer did.
func did(said statement.OfficerAction) string {
	if deed, ok := deeds[said.Action]; ok {
		return fmt.Sprintf("%s %s.", bare(said.Officer.Name), deed)
	}
	return fmt.Sprintf("%s acted: %s, on the %s %s.", said.Officer.Name, said.Action, said.On.Type, bare(said.On.ID))
}
