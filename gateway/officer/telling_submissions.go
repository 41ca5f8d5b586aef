package officer

import (
	"fmt"
	"strings"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/screening"
)

// submitted tells what a reseller states beside its program. Names and descriptions that are not for everybody stay
// where they are; which customer is meant, the entry says.
func submitted(s statement.Statement) (headline, detail string) {
	switch said := s.(type) {
	case statement.CustomerVerification:
		return verification(said)
	case statement.AccountStatus:
		return account(said)
	case statement.SuspiciousActivity:
		return fmt.Sprintf("The reseller reported %s malicious activity.", said.Certainty),
			join(fmt.Sprintf("It learned of it at %s; against %s.", When(said.DiscoveredAt), strings.Join(said.Categories, ", ")), Sentence(said.Description))
	case statement.AITraining:
		return training(said)
	case statement.Remediation:
		return remediation(said)
	case statement.OrderConfirmation:
		return confirmation(said)
	case statement.Forwarded:
		how := "in the open"
		if said.JWE != "" {
			how = "sealed"
		}
		return "The reseller forwarded a statement of one below it.", fmt.Sprintf("It came in at %s, %s.", When(said.ReceivedAt), how)
	}
	return unknown, ""
}

func verification(said statement.CustomerVerification) (headline, detail string) {
	whom := "a customer"
	if said.Party == "owner" {
		whom = "a beneficial owner of a customer"
	}
	headline = "The reseller verified " + whom + "."
	switch said.Result {
	case "reverified":
		headline = "The reseller verified " + whom + " again."
	case "not-verified":
		headline = "The reseller could not verify " + whom + "."
	}
	detail = fmt.Sprintf("On %s, %s risk.", date(said.CheckedOn), said.RiskTier)
	if said.Countries != nil {
		detail = join(detail, "It belongs to "+screening.Country(said.Countries.Home)+".")
	}
	if len(said.Actions) > 0 {
		detail = join(detail, "What is done: "+strings.Join(said.Actions, ", ")+".")
	}
	if said.NextDue != (statement.Date{}) {
		detail = join(detail, "To be verified again by "+date(said.NextDue)+".")
	}
	return headline, detail
}

func account(said statement.AccountStatus) (headline, detail string) {
	headline = fmt.Sprintf("A customer's account was %s on %s.", strings.ReplaceAll(said.Status, "-", " "), date(said.On))
	detail = "Account " + bare(said.Account) + "."
	if said.Plan != "" {
		detail = join(detail, fmt.Sprintf("It is a %s account for %s.", said.Plan, strings.Join(said.Products, ", ")))
	}
	if said.Reason != "" {
		detail = join(detail, "The reason is "+said.Reason+".")
	}
	return headline, detail
}

func training(said statement.AITraining) (headline, detail string) {
	headline = "The reseller reported an AI training that is planned."
	if said.State == "occurred" {
		headline = "The reseller reported an AI training that occurred."
	}
	detail = fmt.Sprintf("Transaction %s.", bare(said.Transaction))
	var first statement.Knowledge
	for i, knew := range said.Knowledge {
		if i == 0 || knew.KnewAt.Before(first.KnewAt) {
			first = knew
		}
	}
	if first.Actor != "" {
		detail = join(detail, fmt.Sprintf("First known at %s, by the %s.", When(first.KnewAt), first.Actor))
	}
	if said.Parameters != nil && said.Parameters.Operations != "" {
		detail = join(detail, said.Parameters.Operations+" operations.")
	}
	return headline, detail
}

func remediation(said statement.Remediation) (headline, detail string) {
	headline = map[string]string{
		"cure":              "The reseller says that it cured a finding.",
		"dispute":           "The reseller disputes a finding.",
		"extension-request": "The reseller asks for more time.",
		"explanation":       "The reseller explains.",
	}[said.RemediationKind]
	detail = Sentence(said.Text)
	if said.Finding != "" {
		detail = join(detail, "About the finding "+bare(said.Finding)+".")
	}
	if said.Inquiry != "" {
		detail = join(detail, "About the inquiry "+bare(said.Inquiry)+".")
	}
	if said.Ground != "" {
		detail = join(detail, "The ground is "+said.Ground+".")
	}
	if said.Until != (statement.Date{}) {
		detail = join(detail, "Until "+date(said.Until)+".")
	}
	return headline, detail
}

func confirmation(said statement.OrderConfirmation) (headline, detail string) {
	headline = map[string]string{
		"done":   "The reseller carried out an order.",
		"partly": "The reseller carried out an order in part.",
		"cannot": "The reseller cannot carry out an order.",
	}[said.Outcome]
	detail = fmt.Sprintf("On %s, the order %s.", date(said.On), bare(said.Order))
	if n := len(said.Accounts); n > 0 {
		detail = join(detail, fmt.Sprintf("Accounts closed: %d.", n))
	}
	return headline, join(detail, Sentence(said.Reason))
}
