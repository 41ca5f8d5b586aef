package officer

import (
	"fmt"
	"slices"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/obligations"
)

// deeds are what officers do, as a sentence that begins with their name. What is not among them is told by its own name.
var deeds = map[string]string{
	escalation.ActionApproved:         "approved a step of the case",
	escalation.ActionRefused:          "refused a step of the case",
	escalation.ActionHeld:             "let the steps of the case wait",
	escalation.ActionLiftProposed:     "proposed to lift a hold",
	escalation.ActionLifted:           "lifted a hold",
	escalation.ActionExtended:         "granted more time",
	escalation.ActionAccepted:         "accepted what the reseller answered",
	escalation.ActionRejected:         "rejected what the reseller answered",
	escalation.ActionEvidence:         "recorded evidence",
	escalation.ActionLimitExtended:    "moved the limit of the case",
	escalation.ActionPolicyMoved:      "pinned the case to another version of the policy",
	escalation.ActionGuardReleased:    "released the guard",
	escalation.ActionPaused:           "paused automation",
	escalation.ActionResumed:          "resumed automation",
	"policy.activated":                "put a policy in force",
	"policy.backtested":               "had a policy tried on the past",
	escalation.ActionSuccessorNamed:   "named a successor for the verified customers",
	escalation.ActionSuccessorDropped: "took back who the successor is",
	history.ActionOrderConfirmed:      "said of an order whether it was carried out",
	"limit.extension-proposed":        "proposed to move the limit of the case",
	"proposal.withdrawn":              "withdrew what they had proposed",
	"guard.release-proposed":          "proposed to release the guard",
	obligations.ActionRecorded:        "recorded what an authority asked for",
	obligations.ActionFulfilled:       "fulfilled an obligation",
	obligations.ActionWaived:          "waived an obligation",
	"obligation.waiver-proposed":      "proposed to waive an obligation",
	"inquiry.opened":                  "asked the reseller a question",
	"notice.recorded":                 "told the reseller in person",
	"contact.confirmed":               "had the first contact confirm that it is reached",
	"contact.second-named":            "named a second contact",
	"contact.second-confirmed":        "had the second contact confirm that it is reached",
	"contact.second-taken-off":        "took the second contact off",
	"officer.added":                   "made an account for an officer",
	"officer.changed":                 "changed an officer's account",
	"officer.disabled":                "shut an officer out",
	"officer.enabled":                 "let an officer in again",
	"officer.linked":                  "made a sign-in link for an officer",
	"stream.paused":                   "paused a stream of notices",
	"stream.enabled":                  "enabled a stream of notices again",
	"stream.disabled":                 "disabled a stream of notices",
	"stream.key-rotated":              "had a new key made that signs notices for older receivers",
	"system.keys-registered":          "registered the keys with which one of the provider's systems signs",
	"token.created":                   "made an API token",
	"token.extended":                  "let an API token last longer",
	"token.revoked":                   "ended an API token",
}

// did tells what an officer did.
func did(said statement.OfficerAction) string {
	if deed, ok := deeds[said.Action]; ok {
		if said.Action == escalation.ActionNotified && unanswered(said) {
			deed = "tried to tell the reseller in person, and nobody answered"
		}
		return fmt.Sprintf("%s %s.", bare(said.Officer.Name), deed)
	}
	return fmt.Sprintf("%s acted: %s, on the %s %s.", said.Officer.Name, said.Action, said.On.Type, bare(said.On.ID))
}

func unanswered(said statement.OfficerAction) bool {
	return slices.Contains(said.Details, statement.Field{Name: "answered", Value: escalation.Unanswered})
}
