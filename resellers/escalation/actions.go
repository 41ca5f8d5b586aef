package escalation

import "github.com/cipgate/cipgate/attestations/statement"

// What officers do about a case, as officer-action names it. Who may do it is decided in may.go; each is folded
// by its effect, and one that should not have got into the ledger has none.
const (
	ActionApproved      = "approval.granted"
	ActionRefused       = "approval.refused"
	ActionHeld          = "hold.placed"
	ActionLiftProposed  = "hold.lift-proposed"
	ActionLifted        = "hold.lifted"
	ActionExtended      = "extension.granted"
	ActionAccepted      = "remediation.accepted"
	ActionRejected      = "remediation.rejected"
	ActionEvidence      = "evidence.recorded"
	ActionLimitExtended = "limit.extended"
	ActionPolicyMoved   = "policy.moved"
	ActionGuardReleased = "guard.released"
	ActionPaused        = "automation.paused"
	ActionResumed       = "automation.resumed"
)

// EvidenceRecorded is the rule of the policy under which recorded evidence is found.
const EvidenceRecorded = "evidence.recorded"

// The kinds of a hold.
const (
	HoldOfficer      HoldKind = "officer"       // an officer asked for time
	HoldCustomerHarm HoldKind = "customer-harm" // customers would be harmed
	HoldStay         HoldKind = "stay"          // a court, the Department or law enforcement asked for it: two people lift it
)

// HoldKind is why the steps of a case wait.
type HoldKind string

// detail is a detail of an action, empty if it has none of this name.
func detail(s statement.OfficerAction, name string) string {
	for _, d := range s.Details {
		if d.Name == name {
			return d.Value
		}
	}
	return ""
}
