package officer

import (
	"fmt"
	"strings"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/screening"
)

// recorded tells what the gateway keeps on record beside the steps of a case.
func recorded(s statement.Statement) (headline, detail string) {
	switch said := s.(type) {
	case statement.RelationshipReinstated:
		return "The relationship with the reseller was taken up again.",
			join(Sentence(said.Why), fmt.Sprintf("Whose error it was: %s. Decided by %s.", said.WhoseError, bare(said.By.Name)))
	case statement.AppealDecided:
		return "An appeal was " + said.Decision + ".",
			join(Sentence(said.Why), fmt.Sprintf("Decided by %s, about the finding %s.", bare(said.By.Name), said.Finding))
	case statement.InformationRequested:
		return "The reseller was asked a question.", fmt.Sprintf("By %s it must answer: %s", When(said.DueAt), ended(bare(said.Question)))
	case statement.CIPRequested:
		return "The reseller was asked for its written program.", join(fmt.Sprintf("By %s it must be in hand.", When(said.DueAt)), Sentence(said.Why))
	case statement.DocumentReceived:
		return "A document was received.",
			fmt.Sprintf("From %s, at %s. SHA-256 of its bytes: %s.", bare(said.From), When(said.ReceivedAt), said.Document.SHA256)
	case statement.KeysChanged:
		return keysChanged(said)
	case statement.OfficerAction:
		return acted(said)
	case statement.RecordErased:
		return "Records were erased; their digests stay.",
			join(fmt.Sprintf("Erased: %d, by %s.", len(said.Digests), said.Reason), Sentence(said.LegalBasis))
	case statement.OutageRecorded:
		return "The gateway could take no submissions for a time.",
			join(fmt.Sprintf("From %s to %s; deadlines move by as much.", When(said.From), When(said.To)), Sentence(said.Why))
	case statement.LimitPassed:
		return "The limit of the case passed.", join("It was "+When(said.LimitAt)+".", Sentence(said.Why))
	case statement.NoticeProved:
		return noticeProved(said)
	case statement.SuperiorTold:
		return superiorTold(said)
	case statement.StatedByLink:
		_, detail = remediation(said.Remediation)
		return "A contact answered over the one-time link " + bare(said.Link) + ".",
			join(fmt.Sprintf("Stated by the contact %s as a %s; signed by the gateway, not by the reseller.", bare(said.Contact),
				strings.ReplaceAll(said.Remediation.RemediationKind, "-", " ")), detail)
	case statement.SuperiorChanged:
		return superiorChanged(said)
	case statement.ScreeningChanged:
		return screeningChanged(said)
	case statement.PolicyShadowed:
		if said.State == statement.ShadowStopped {
			return "The policy " + said.Policy + " no longer runs beside the one in force.", join(bare(said.By.Name)+" stopped it.", Sentence(said.Why))
		}
		return "The policy " + said.Policy + " runs beside the one in force.",
			join(fmt.Sprintf("It decides nothing. Started by %s. SHA-256 of its text: %s.", bare(said.By.Name), said.Digest), Sentence(said.Why))
	case statement.TransactionCovered:
		return transactionCovered(said)
	case statement.SpecialMeasureImposed:
		return measureImposed(said)
	case statement.SpecialMeasureLifted:
		return "The special measure " + said.Measure + " was lifted.",
			join(Sentence(said.Reason), fmt.Sprintf("It no longer holds from %s on. Source: %s (list %s).", date(said.LiftedOn), said.Source, said.List))
	case statement.ExemptionGranted:
		return "An exemption from the duty of a customer identification program was granted.",
			join(fmt.Sprintf("By %s, until %s (%s).", bare(said.GrantedBy), When(said.Until), bare(said.Reference)), Sentence(said.Conditions))
	case statement.ExemptionWithdrawn:
		return "The exemption " + said.Exemption + " was withdrawn.", Sentence(said.Reason)
	}
	return unknown, ""
}

// channels are the channels of a proof, in words.
var channels = map[string]string{
	statement.ChannelSETAcknowledged: "the reseller's system acknowledged it",
	statement.ChannelLinkOpened:      "a contact opened it by the one-time link",
	statement.ChannelMailAnswered:    "a contact answered the mail",
	statement.ChannelCall:            "an officer recorded a call",
	statement.ChannelCourier:         "an officer recorded a courier's receipt",
}

func noticeProved(said statement.NoticeProved) (headline, detail string) {
	detail = fmt.Sprintf("By the channel %s, at %s: %s.", said.Channel, When(said.ProvedAt), channels[said.Channel])
	if !said.SentAt.IsZero() {
		detail = join(detail, "First sent at "+When(said.SentAt)+".")
	}
	return "A notice is proved to have reached the reseller.", join(detail, "The notice is "+bare(said.Notice)+".")
}

func superiorTold(said statement.SuperiorTold) (headline, detail string) {
	detail = fmt.Sprintf("The reseller is %s since %s, and nothing proves that it knows.", said.Standing, When(said.StatedAt))
	if !said.NextAt.IsZero() {
		detail = join(detail, "The next step of its case is due at "+When(said.NextAt)+".")
	}
	return "The superior was told that a step is due, and asked to reach its reseller.", join(detail, "The superior is "+bare(string(said.Superior))+".")
}

func superiorChanged(said statement.SuperiorChanged) (headline, detail string) {
	switch said.Status {
	case statement.SuperiorClosing:
		headline = "The reseller was told that the account of its superior is ordered closed."
	case statement.SuperiorTerminated:
		headline = "The reseller was told that the relationship with its superior has ended."
	default:
		return "The reseller was told that its superior stays.", Sentence(said.Why)
	}
	return headline, fmt.Sprintf("It has until %s to find another superior than %s; what it stated stays its own.", When(said.FindBy), said.Superior)
}

func screeningChanged(said statement.ScreeningChanged) (headline, detail string) {
	if said.Customers == 0 && !said.Itself {
		return "No special measure in force prohibits a customer of the reseller any more.", ""
	}
	detail = fmt.Sprintf("Customers with an open account that are prohibited, for themselves or an owner: %d. Since %s.", said.Customers, When(said.Since))
	if said.Itself {
		detail = join(detail, "The reseller itself is prohibited.")
	}
	return "A special measure in force prohibits accounts of the reseller.", detail
}

func transactionCovered(said statement.TransactionCovered) (headline, detail string) {
	detail = fmt.Sprintf("By the definition of %s (%s). Known since %s, reported at %s.", said.Policy, said.Definition, When(said.KnewAt), When(said.ReportedAt))
	if said.Ground == statement.CoveredAnew {
		detail = join(detail, fmt.Sprintf("The definition moved; by %s it must be reported again.", When(said.ReportBy)))
	}
	return "The training " + bare(said.Transaction) + " is a covered transaction.", detail
}

func keysChanged(said statement.KeysChanged) (headline, detail string) {
	headline = fmt.Sprintf("The reseller's %s keys were changed.", said.Purpose)
	detail = fmt.Sprintf("The reason is %s. Old keys: %s. The change holds from %s on.", said.Reason, strings.Join(said.OldKids, ", "), When(said.ValidFrom))
	if !said.OverlapUntil.IsZero() {
		detail = join(detail, "The old keys verify until "+When(said.OverlapUntil)+".")
	}
	if !said.CompromisedSince.IsZero() {
		detail = join(detail, "What they signed after "+When(said.CompromisedSince)+" does not count.")
	}
	return headline, detail
}

func acted(said statement.OfficerAction) (headline, detail string) {
	headline = did(said)
	detail = Sentence(said.Reason)
	if said.ProposedBy != nil {
		detail = join(detail, "Proposed by "+bare(said.ProposedBy.Name)+".")
	}
	if !said.EndsAt.IsZero() {
		detail = join(detail, "It ends at "+When(said.EndsAt)+".")
	}
	for _, d := range said.Details {
		detail = join(detail, Sentence(d.Name+": "+d.Value))
	}
	return headline, detail
}

func measureImposed(said statement.SpecialMeasureImposed) (headline, detail string) {
	whom := screening.Country(said.Scope.Country)
	if person := said.Scope.Person; person != nil {
		whom = strings.Join(person.Names, ", ")
	}
	headline = fmt.Sprintf("A special measure was imposed on %s.", bare(whom))
	detail = "Accounts are prohibited."
	if said.Effect == "condition" {
		detail = "Accounts are allowed under conditions: " + bare(said.Conditions) + "."
	}
	return headline, join(detail, fmt.Sprintf("It is in force from %s to %s. Source: %s (measure %s, list %s).",
		date(said.EffectiveOn), date(said.ExpiresOn), said.Source, said.Measure, said.List))
}
